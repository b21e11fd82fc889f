/* Finds and loads the rules for the verbs that need them without the daemon. */

#include "daemon/ctl/rule-directories.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/ctl/output.h"
#include "lib/base/buffer.h"
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

/* A directory that somebody named has to be there: with a mistyped one, "no incidents" would be a lie. */
static int check_named(const char *const *directories) {
        for (; *directories; directories++) {
                struct stat st;
                int error = stat(*directories, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;

                if (error == 0)
                        continue;
                (void) fail(error, "Failed to load rules from %s", *directories);
                return -error;
        }
        return 0;
}

static void say_no_rules(const char *const *directories) {
        _cleanup_(buffer_done) Buffer list = {};

        for (const char *const *d = directories; *d; d++)
                (void) buffer_append_format(&list, "%s%s", d == directories ? "" : " or ", *d);
        (void) fail(0,
                "There are no rules in %s; --rules=DIR or EDGEWATCH_RULES_PATH names other directories",
                list.len > 0 ? list.data : "any directory");
}

static int load(const char *const *directories, bool may_be_none, RuleSet **ret, ProblemList *problems) {
        _cleanup_(problem_list_done) ProblemList own = {};
        _cleanup_(rule_set_freep) RuleSet *rules = NULL;
        int r;

        r = rule_set_load(&rules, directories, true, problems ? problems : &own);
        if (r < 0) {
                (void) fail(r, "Failed to load rules");
                return r;
        }
        problems_print(&own);
        if (!may_be_none && rules->n_rules + rules->n_masked == 0 &&
                (problems ? problems : &own)->n_items == 0) {
                say_no_rules(directories);
                return -ENOENT;
        }
        *ret = TAKE_PTR(rules);
        return 0;
}

static int load_named(
        const char *const *directories, bool may_be_none, RuleSet **ret, ProblemList *problems) {
        int r = check_named(directories);

        return r < 0 ? r : load(directories, may_be_none, ret, problems);
}

int rules_load(const Arguments *a, bool may_be_none, RuleSet **ret, ProblemList *problems) {
        static const char *const installed[] = {EDGEWATCH_CONFIG_DIR "/rules.d", EDGEWATCH_RULES_DIR, NULL};
        const char *variable = getenv("EDGEWATCH_RULES_PATH"), *paths[PATHS_MAX + 1] = {};
        _cleanup_(freep) char *copy = NULL;
        char *rest, *path;
        size_t n = 0;

        if (a->n_rules > 0)
                return load_named(a->rules, may_be_none, ret, problems);
        if (!variable || !variable[0])
                return load(installed, may_be_none, ret, problems);

        copy = strdup(variable);
        if (!copy) {
                (void) fail(ENOMEM, "Failed to load rules");
                return -ENOMEM;
        }
        for (rest = copy; n < PATHS_MAX && (path = strsep(&rest, ":"));)
                if (path[0])
                        paths[n++] = path;
        return load_named(paths, may_be_none, ret, problems);
}
