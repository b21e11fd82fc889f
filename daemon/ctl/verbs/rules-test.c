/* rules test: runs the examples that rules carry, and prints TAP. */

#include <stdlib.h>

#include "daemon/ctl/output.h"
#include "daemon/ctl/rule-selection.h"
#include "daemon/ctl/verbs/rules.h"
#include "lib/base/printable.h"
#include "lib/diagnosis/example.h"

typedef struct Tally {
        size_t n_run, n_failed;
} Tally;

/* A '#' in a name would begin a TAP directive. */
static void print_name(const Rule *rule, const Example *example) {
        _cleanup_(freep) char *name =
                printable_text(text_of(example->name ? example->name : "example"), 256);

        for (char *c = name; c && *c; c++)
                if (*c == '#')
                        *c = '+';
        printf("%s: %s\n", rule->id, name ? name : "(out of memory)");
}

static void run_example(const Rule *rule, const Example *example, Tally *tally) {
        _cleanup_(freep) char *why = NULL;
        int r;

        r = example_run(rule, example, &why);
        printf("%sok %zu - ", r > 0 ? "" : "not ", ++tally->n_run);
        print_name(rule, example);
        if (r > 0)
                return;
        tally->n_failed++;
        printf("# %s:%u: %s\n", rule->path, example->line, r < 0 ? strerror(-r) : why ? why : "failed");
}

/* Problems of a rule that works all the same are for `rules lint`. */
static size_t count_not_loaded(const RuleSelection *s, const ProblemList *problems) {
        size_t n = 0;

        for (size_t i = 0; i < problems->n_items; i++) {
                bool is_loaded = false;

                for (size_t k = 0; k < s->n_rules && !is_loaded; k++)
                        is_loaded = strcmp(s->rules[k]->path, problems->items[i].path) == 0;
                n += !is_loaded;
        }
        return n;
}

ExitCode rules_test(const Arguments *a) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(rule_selection_done) RuleSelection s = {};
        size_t n_planned = 0, n_not_loaded;
        Tally tally = {};

        if (a->json)
                return fail(0, "rules test prints TAP, it has no --json");
        if (rule_selection_make(&s, a, 1, &problems) < 0)
                return EXIT_TROUBLE;
        problems_print(&problems);

        for (size_t i = 0; i < s.n_rules; i++)
                n_planned += s.rules[i]->n_examples;
        /* A rule file that does not load is a failure too. */
        printf("1..%zu\n", n_planned + 1);
        for (size_t i = 0; i < s.n_rules; i++)
                for (size_t e = 0; e < s.rules[i]->n_examples; e++)
                        run_example(s.rules[i], &s.rules[i]->examples[e], &tally);

        n_not_loaded = count_not_loaded(&s, &problems);
        printf("%sok %zu - every rule file loads\n", n_not_loaded > 0 ? "not " : "", ++tally.n_run);
        return tally.n_failed > 0 || n_not_loaded > 0 ? EXIT_FINDINGS : EXIT_FINE;
}
