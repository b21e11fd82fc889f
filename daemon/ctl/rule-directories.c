/* Finds and loads the rules for the verbs that need them without the daemon. */

#include "daemon/ctl/rule-directories.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/output.h"
#include "lib/base/printable.h"

#define PATHS_MAX 16

void problems_print(const ProblemList *problems) {
        for (size_t i = 0; i < problems->n_items; i++) {
                _cleanup_(freep) char *line = problem_format(&problems->items[i]), *printable = NULL;

                /* The text may quote the file. */
                printable = line ? printable_text(text_of(line), SIZE_MAX) : NULL;
                (void) fprintf(stderr, "%s\n", printable ? printable : "(out of memory)");
        }
        if (problems->n_dropped > 0)
                (void) fprintf(stderr, "and %" PRIu64 " more problems\n", problems->n_dropped);
}

static int load(const char *const *directories, RuleSet **ret, ProblemList *problems) {
        _cleanup_(problem_list_done) ProblemList own = {};
        int r;

        r = rule_set_load(ret, directories, problems ? problems : &own);
        if (r < 0) {
                (void) fail(r, "Failed to load rules");
                return r;
        }
        problems_print(&own);
        return 0;
}

int rules_load(const Arguments *a, RuleSet **ret, ProblemList *problems) {
        static const char *const installed[] = {EDGEWATCH_CONFIG_DIR "/rules.d", EDGEWATCH_RULES_DIR, NULL};
        const char *variable = getenv("EDGEWATCH_RULES_PATH"), *paths[PATHS_MAX + 1] = {};
        _cleanup_(freep) char *copy = NULL;
        char *rest, *path;
        size_t n = 0;

        if (a->n_rules > 0)
                return load(a->rules, ret, problems);
        if (!variable || !variable[0])
                return load(installed, ret, problems);

        copy = strdup(variable);
        if (!copy) {
                (void) fail(ENOMEM, "Failed to load rules");
                return -ENOMEM;
        }
        for (rest = copy; n < PATHS_MAX && (path = strsep(&rest, ":"));)
                if (path[0])
                        paths[n++] = path;
        return load(paths, ret, problems);
}
