/* rules: what edgewatch knows to look for. `lint` and `test` are in files of their own. */

#include "daemon/ctl/verbs/rules.h"

#include <string.h>

#include "daemon/ctl/output.h"
#include "daemon/ctl/rule-directories.h"
#include "lib/base/printable.h"
#include "lib/report/report.h"

static json_t *rule_row(const Rule *rule) {
        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "id", rule->id, "title", rule->title, "severity",
                severity_to_string(rule->severity), "layer", layer_to_string(rule->layer), "message_id",
                rule->message_id, "path", rule->path);
}

static ExitCode list_as_json(const RuleSet *rules) {
        json_t *list = json_array(), *object = NULL;
        bool good = list != NULL;

        for (size_t i = 0; good && i < rules->n_rules; i++)
                good = json_array_append_new(list, rule_row(rules->rules[i])) == 0;
        for (size_t i = 0; good && i < rules->n_masked; i++)
                good = json_array_append_new(
                               list, json_pack("{s:s, s:b}", "id", rules->masked[i], "masked", 1)) == 0;

        object = good ? json_pack("{s:i, s:O}", "format", 1, "rules", list) : NULL;
        good = object && print_json(object);
        json_decref(object);
        json_decref(list);
        return good ? EXIT_FINE : fail(ENOMEM, "Failed to print rules");
}

static ExitCode list_as_table(const RuleSet *rules) {
        static const char *const titles[] = {"ID", "SEVERITY", "LAYER", "FILE", "TITLE"};
        _cleanup_(table_freep) Table *t = table_new(titles, ELEMENTSOF(titles));

        if (!t)
                return fail(ENOMEM, "Failed to print rules");
        for (size_t i = 0; i < rules->n_rules; i++) {
                const Rule *rule = rules->rules[i];
                const char *cells[] = {rule->id, severity_to_string(rule->severity),
                        layer_to_string(rule->layer), rule->path, rule->title};

                table_add(t, cells, 0, COLOR_BOLD);
        }
        for (size_t i = 0; i < rules->n_masked; i++)
                table_add(t, (const char *const[]){rules->masked[i], "-", "-", "-", "(masked)"}, 0,
                        COLOR_GREY);
        return table_print(t) < 0 ? fail(ENOMEM, "Failed to print rules") : EXIT_FINE;
}

static ExitCode rules_list(const Arguments *a) {
        _cleanup_(rule_set_freep) RuleSet *rules = NULL;

        if (rules_load(a, false, &rules, NULL) < 0)
                return EXIT_TROUBLE;
        return a->json ? list_as_json(rules) : list_as_table(rules);
}

/* The file as it stands: its comments are part of it. */
static ExitCode rules_show(const Arguments *a) {
        _cleanup_(rule_set_freep) RuleSet *rules = NULL;
        char line[4096];
        const Rule *rule;
        FILE *file;

        if (a->n_words != 2)
                return fail(0, "usage: edgewatchctl rules show ID");
        if (rules_load(a, false, &rules, NULL) < 0)
                return EXIT_TROUBLE;
        rule = rule_set_find(rules, a->words[1]);
        if (!rule)
                return fail(0, "There is no rule \"%s\"; edgewatchctl rules list names them", a->words[1]);

        file = fopen(rule->path, "re");
        if (!file)
                return fail(errno, "Failed to open %s", rule->path);
        printf("# %s\n", rule->path);
        while (fgets(line, sizeof(line), file)) {
                size_t len = strcspn(line, "\n");
                _cleanup_(freep) char *printable = printable_text((Text){line, len}, SIZE_MAX);

                printf("%s%s", printable ? printable : "", line[len] ? "\n" : "");
        }
        (void) fclose(file);
        return EXIT_FINE;
}

/* For the build: what /usr/lib/systemd/catalog gets. */
static ExitCode rules_catalog(const Arguments *a) {
        _cleanup_(rule_set_freep) RuleSet *rules = NULL;
        _cleanup_(freep) char *text = NULL;

        if (rules_load(a, false, &rules, NULL) < 0)
                return EXIT_TROUBLE;
        text = report_catalog(rules);
        if (!text)
                return fail(ENOMEM, "Failed to write the catalog");
        return fputs(text, stdout) < 0 ? fail(errno, "Failed to write the catalog") : EXIT_FINE;
}

static const struct {
        const char *name;
        ExitCode (*run)(const Arguments *a);
} parts[] = {
        {"catalog", rules_catalog},
        {"lint", rules_lint},
        {"list", rules_list},
        {"show", rules_show},
        {"test", rules_test},
};

static ExitCode run(const Arguments *a) {
        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                if (strcmp(parts[i].name, a->words[0]) == 0)
                        return parts[i].run(a);
        return fail(0, "\"rules %s\" is unknown; there are list, show, lint, test and catalog", a->words[0]);
}

const Verb verb_rules = {
        .name = "rules",
        .arguments = "list|show|lint|test|catalog [ID…]",
        .help = "list, print, check or test the rules, or write their message catalog",
        .options = "rules",
        .min_words = 1,
        .max_words = WORDS_ANY,
        .run = run,
};
