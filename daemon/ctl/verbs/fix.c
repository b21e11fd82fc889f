/* fix: what repairs an incident. */

#include "daemon/ctl/verbs/fix.h"

#include <string.h>

#include "daemon/ctl/output.h"

static ExitCode run(const Arguments *a) {
        if (strcmp(a->words[0], "plan") != 0)
                return fail(0, "\"fix %s\" is unknown, expected \"fix plan\"", a->words[0]);
        if (!a->deployment)
                return fail(0, "fix plan: expected --deployment FILE");
        return fix_plan_deployment(a->words[1], a);
}

const Verb verb_fix = {
        .name = "fix",
        .arguments = "plan INCIDENT|SYMPTOM",
        .help = "print what to change in a deployment manifest, and the corrected manifest",
        .options = "deployment output recording rules set",
        .min_words = 2,
        .max_words = 2,
        .run = run,
};
