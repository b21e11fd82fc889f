/* rules lint: what is wrong with rules beyond what loading them finds: names that name nothing, MESSAGE_IDs
 * that are taken, patterns that the matcher cannot use. */

#include <stdlib.h>

#include "daemon/ctl/output.h"
#include "daemon/ctl/rule-selection.h"
#include "daemon/ctl/verbs/rules.h"
#include "lib/match/matcher.h"
#include "lib/probes/probe.h"
#include "lib/report/report.h"

static int check_probes(const Rule *rule, char *const *names, size_t n, ProblemList *problems) {
        for (size_t i = 0; i < n; i++) {
                int r;

                if (probe_find(names[i]))
                        continue;
                r = problem_list_add(
                        problems, rule->path, 0, 0, "\"%s\" is no probe that this version has", names[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Names and MESSAGE_IDs among the installed rules were compared when they were loaded; a file that is not
 * installed yet is compared with them here. */
static int check_file(const RuleSelection *s, const Rule *rule, ProblemList *problems) {
        for (size_t i = 0; i < rule->n_explained_by; i++) {
                int r;

                if (rule_set_find(s->all, rule->explained_by[i]))
                        continue;
                r = problem_list_add(problems, rule->path, rule->explained_by_line,
                        rule->explained_by_column, "`explained-by` names \"%s\", which is no rule",
                        rule->explained_by[i]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < s->all->n_rules; i++) {
                const Rule *other = s->all->rules[i];

                if (strcmp(other->id, rule->id) != 0 && strcmp(other->message_id, rule->message_id) == 0)
                        return problem_list_add(problems, rule->path, 0, 0,
                                "its message-id is that of \"%s\", expected one of its own", other->id);
        }
        return 0;
}

static int check_message_id(const Rule *rule, ProblemList *problems) {
        static const char *const taken[] = {MESSAGE_ID_CLEARED, MESSAGE_ID_SOURCE_DEGRADED,
                MESSAGE_ID_SOURCE_RESTORED, MESSAGE_ID_STARTED};

        for (size_t i = 0; i < ELEMENTSOF(taken); i++)
                if (strcmp(taken[i], rule->message_id) == 0)
                        return problem_list_add(problems, rule->path, 0, 0,
                                "its message-id is one of edgewatch's own, expected another");
        return 0;
}

static int check_patterns(const RuleSelection *s, ProblemList *problems) {
        RuleSet selected = {.rules = (Rule **) s->rules, .n_rules = s->n_rules};
        _cleanup_(matcher_freep) Matcher *matcher = NULL;

        return matcher_new(&matcher, &selected, problems);
}

static int lint(const RuleSelection *s, ProblemList *problems) {
        int r;

        for (size_t i = 0; i < s->n_rules; i++) {
                const Rule *rule = s->rules[i];

                r = check_probes(rule, rule->require, rule->n_require, problems);
                if (r >= 0)
                        r = check_probes(rule, rule->ask, rule->n_ask, problems);
                if (r >= 0)
                        r = check_message_id(rule, problems);
                if (r >= 0 && rule->n_examples == 0)
                        r = problem_list_add(problems, rule->path, 0, 0, "has no examples, expected some");
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < s->n_files; i++) {
                r = check_file(s, s->files[i], problems);
                if (r < 0)
                        return r;
        }
        return check_patterns(s, problems);
}

static bool print_as_json(const ProblemList *problems) {
        json_t *list = json_array(), *object = NULL;
        bool good = list != NULL;

        for (size_t i = 0; good && i < problems->n_items; i++) {
                const Problem *p = &problems->items[i];

                good = json_array_append_new(list,
                               json_pack("{s:s, s:i, s:i, s:s}", "path", p->path, "line", (int) p->line,
                                       "column", (int) p->column, "text", p->text)) == 0;
        }
        object = good ? json_pack("{s:i, s:O}", "format", 1, "problems", list) : NULL;
        good = object && print_json(object);
        json_decref(object);
        json_decref(list);
        return good;
}

ExitCode rules_lint(const Arguments *a) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(rule_selection_done) RuleSelection s = {};
        int r;

        r = rule_selection_make(&s, a, 1, &problems);
        if (r < 0)
                return EXIT_TROUBLE;
        r = lint(&s, &problems);
        if (r < 0)
                return fail(r, "Failed to check the rules");

        if (a->json) {
                if (!print_as_json(&problems))
                        return fail(ENOMEM, "Failed to print problems");
        } else if (problems.n_items > 0)
                problems_print(&problems);
        else
                printf("%zu rules, no problems.\n", s.n_rules);
        return problems.n_items > 0 ? EXIT_FINDINGS : EXIT_FINE;
}
