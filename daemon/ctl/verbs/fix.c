/* fix: what repairs an incident, here or in the deployment. */

#include "daemon/ctl/verbs/fix.h"

#include <string.h>

static ExitCode plan(const Arguments *a) {
        return a->deployment ? fix_plan_deployment(a->words[1], a) : fix_plan(a);
}

static const struct {
        const char *name, *argument; /* NULL when it takes none */
        ExitCode (*run)(const Arguments *a);
} parts[] = {
        {"apply", "INCIDENT|SYMPTOM|FIX", fix_apply},
        {"history", NULL, fix_history},
        {"list", NULL, fix_list},
        {"plan", "INCIDENT|SYMPTOM|FIX", plan},
        {"undo", "RUN", fix_undo},
};

static ExitCode run(const Arguments *a) {
        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                if (strcmp(parts[i].name, a->words[0]) != 0)
                        continue;
                if (a->n_words == (parts[i].argument ? 2 : 1))
                        return parts[i].run(a);
                return fail(0, "usage: edgewatchctl fix %s%s%s", parts[i].name, parts[i].argument ? " " : "",
                        parts[i].argument ? parts[i].argument : "");
        }
        return fail(0, "\"fix %s\" is unknown; there are list, plan, apply, undo and history", a->words[0]);
}

const Verb verb_fix = {
        .name = "fix",
        .arguments = "list|plan|apply|undo|history [INCIDENT|SYMPTOM|FIX|RUN]",
        .help = "what repairs an incident: on the device, or in a deployment manifest (plan --deployment)",
        .options = "deployment output recording rules set subject yes",
        .min_words = 1,
        .max_words = 2,
        .run = run,
};
