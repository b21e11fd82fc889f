/* rules lint: what is wrong with rules beyond what loading them finds: names that name nothing, MESSAGE_IDs
 * that are not unique, patterns that the matcher cannot use. */

#include <stdlib.h>

#include "daemon/ctl/output.h"
#include "daemon/ctl/rule-selection.h"
#include "daemon/ctl/verbs/rules.h"
#include "lib/match/matcher.h"
#include "lib/probes/probe.h"
#include "lib/report/report.h"

static const Rule *find_rule(const RuleSelection *s, const char *id) {
        for (size_t i = 0; i < s->n_rules; i++)
                if (strcmp(s->rules[i]->id, id) == 0)
                        return s->rules[i];
        return rule_set_find(s->all, id);
}

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

static int check_explained_by(const RuleSelection *s, const Rule *rule, ProblemList *problems) {
        for (size_t i = 0; i < rule->n_explained_by; i++) {
                const char *id = rule->explained_by[i];
                const Rule *cause = find_rule(s, id);
                int r = 0;

                if (!cause)
                        r = problem_list_add(
                                problems, rule->path, 0, 0, "explained-by: there is no rule \"%s\"", id);
                else if (cause->layer >= rule->layer)
                        r = problem_list_add(problems, rule->path, 0, 0,
                                "explained-by: \"%s\" is of layer %s, expected one below %s", id,
                                layer_to_string(cause->layer), layer_to_string(rule->layer));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_message_id(const RuleSelection *s, const Rule *rule, ProblemList *problems) {
        static const char *const taken[] = {MESSAGE_ID_CLEARED, MESSAGE_ID_SOURCE_DEGRADED,
                MESSAGE_ID_SOURCE_RESTORED, MESSAGE_ID_STARTED};
        int r;

        for (size_t i = 0; i < ELEMENTSOF(taken); i++)
                if (strcmp(taken[i], rule->message_id) == 0) {
                        r = problem_list_add(problems, rule->path, 0, 0,
                                "message-id %s is one of edgewatch's own", rule->message_id);
                        if (r < 0)
                                return r;
                }
        for (size_t i = 0; i < s->all->n_rules; i++) {
                const Rule *other = s->all->rules[i];

                if (strcmp(other->id, rule->id) == 0 || strcmp(other->message_id, rule->message_id) != 0)
                        continue;
                r = problem_list_add(problems, rule->path, 0, 0, "message-id %s is also that of \"%s\"",
                        rule->message_id, other->id);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_patterns(const RuleSelection *s, ProblemList *problems) {
        _cleanup_(matcher_freep) Matcher *matcher = NULL;
        RuleSet selected = {.rules = (Rule **) s->rules, .n_rules = s->n_rules};

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
                        r = check_explained_by(s, rule, problems);
                if (r >= 0)
                        r = check_message_id(s, rule, problems);
                if (r >= 0 && rule->n_examples == 0)
                        r = problem_list_add(problems, rule->path, 0, 0, "has no examples, expected some");
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
