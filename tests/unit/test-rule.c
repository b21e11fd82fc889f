#include "lib/rules/rule-reader.h"

#include "tests/unit/rule-text.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/unit.h"

static const struct {
        const char *old, *replacement;
        const char *problems;
} mistakes[] = {
        {"severity: error", "severity: fatal",
                "good.yaml:3:11: `severity` is \"fatal\", expected warning or error"},
        {"id: good", "id: bad", "good.yaml:1:5: `id` is \"bad\", expected \"good\" as the file is named"},
        {"title: A title", "title: ''", "good.yaml:2:8: `title` is empty, expected text"},
        {"title: A title", "title: [a]", "good.yaml:2:8: `title` is a list, expected a single value"},
        {"0123456789abcdef0123", "0123",
                "good.yaml:4:13: `message-id` is \"0123456789abcdef\", expected 32 lower-case hex digits"},
        {"layer: port", "layer: ports",
                "good.yaml:6:8: `layer` is \"ports\", expected uplink, forwarding, dns, mtu, port, "
                "credentials, runtime or application"},
        {"key: [module]", "key: [modul]",
                "good.yaml:8:6: no signal captures \"modul\", expected a group (?<modul>…)"},
        {"${holder}", "${holdr}",
                "good.yaml:10:10: no signal captures ${holdr}, expected a group (?<holdr>…) or a default in "
                "`variables`"},
        {"variables: {holder: unknown}", "variables: {holder: [a]}",
                "good.yaml:9:21: `holder` is a list, expected a single value\n"
                "good.yaml:10:10: no signal captures ${holder}, expected a group (?<holder>…) or a default "
                "in `variables`"},
        {"from: [runtime, agent]", "from: [runtime, agnet]",
                "good.yaml:16:23: \"agnet\", expected runtime, identity, keyd, certd, tpmd, docker, kernel, "
                "systemd, agent, hub, module or device"},
        {"level: warning", "level: loud",
                "good.yaml:17:14: `level` is \"loud\", expected trace, debug, info, warning, error or "
                "fatal"},
        {"head: ", "heads: ",
                "good.yaml:18:7: unknown key `heads` in log, expected from, level, head, match, unit, "
                "container or where"},
        {"  refused:\n    log:", "  refused:\n    lgo:",
                "good.yaml:10:10: no signal captures ${port}, expected a group (?<port>…) or a default in "
                "`variables`\n"
                "good.yaml:15:5: unknown kind of event `lgo`, expected log, container, docker-network, "
                "link, route, address, forwarding, unit, file or metrics\n"
                "good.yaml:21:15: no signal captures \"port\", expected a group (?<port>…)\n"
                "good.yaml:29:75: no signal captures \"port\", expected a group (?<port>…)\n"
                "good.yaml:43:9: no signal captures ${port}, expected a group (?<port>…) or a default in "
                "`variables`"},
        {"action: start}", "acton: start}",
                "good.yaml:23:25: unknown field `acton`, a container event has none such"},
        {"'{{listen}}'", "'{{listn}}'", "good.yaml:19:43: there is no fragment \"listn\" above"},
        {"'listen {{proto}}'", "'{{listen}}'", "good.yaml:19:43: there is no fragment \"listen\" above"},
        {"fragments: {proto: tcp,", "fragments: {proto: [tcp],",
                "good.yaml:19:43: there is no fragment \"listen\" above\n"
                "good.yaml:54:20: `proto` is a list, expected a single value"},
        {"{action: start}}", "{action: start}, link: {name: a}}",
                "good.yaml:23:12: signal `started` has 2 kinds of event, expected one"},
        {"not: [", "nott: [",
                "good.yaml:21:22: unknown key `nott` in where, expected not, greater-than or less-than"},
        {"any: refused", "any: refusd", "good.yaml:26:10: no signal is named \"refusd\""},
        {"any: refused", "anyy: refused",
                "good.yaml:26:5: no condition of `when`, expected one with `any`, `all`, `sequence`, "
                "`count`, `after`"},
        {"any: refused", "quiet: 1h",
                "good.yaml:26:5: no condition of `when`, expected one with `any`, `all`, `sequence`, "
                "`count`, `after`"},
        {"any: refused", "{any: refused, refuted: true}",
                "good.yaml:26:5: `refuted` stands only in `clear`"},
        {"within: 60s", "within: 60",
                "good.yaml:28:13: `within` is \"60\", expected a duration such as 90s, 3min or 1h"},
        {"within: 60s", "within: 25h", "good.yaml:28:13: `within` is \"25h\", expected at most 24 h 0 min"},
        {"  - all: [refused, gone]\n    within: 60s", "  - all: [refused, gone]",
                "good.yaml:27:5: all lacks `within`"},
        {"sequence: [gone, refused]", "sequence: [gone]",
                "good.yaml:29:5: a sequence of one signal, expected two or more, or `any`"},
        {"at-least: 3", "at-least: 0", "good.yaml:30:29: `at-least` is \"0\", expected a number from 1"},
        {"at-least: 2, every: 1min", "at-least: 2, every: 6min",
                "good.yaml:30:5: `every` is longer than the whole window"},
        /* counting 86 million parts at each line, the daemon did nothing else */
        {"at-least: 2, every: 1min", "at-least: 2, every: 1ms",
                "good.yaml:30:5: `every` cuts the window into more than 1440 parts"},
        {"refuted: true}", "refuted: false}",
                "good.yaml:33:29: `refuted` is false, expected true or no such key"},
        {"refuted: true}", "refuted: yes}", "good.yaml:33:29: `refuted` is \"yes\", expected true or false"},
        {"signals: [noise]", "signals: [gone]",
                "good.yaml:24:3: no condition and no evidence names the signal `noise`"},
        {"conclusive: true, require: [port-owner]", "conclusive: false",
                "good.yaml:39:10: nothing can confirm this rule, expected `conclusive: true` or `require`"},
        {"fix: free-port", "fix: free port",
                "good.yaml:44:8: \"free port\" is no name, expected up to 64 letters, digits, '-' and '_'"},
        {"[{op: remove, path", "[{opp: remove, path",
                "good.yaml:45:22: no operation of RFC 6902, expected a mapping with `op` and `path`"},
        {"from: runtime, text: Bind", "from: runtime, txt: Bind",
                "good.yaml:49:14: a log event needs `text`, the line as it stands in the log\n"
                "good.yaml:49:30: unknown field `txt`, a log event has none such"},
        {"from: runtime, text: Bind", "from: runtme, text: Bind",
                "good.yaml:49:21: `from` is \"runtme\", expected other, runtime, identity, keyd, certd, "
                "tpmd, docker, kernel, systemd, agent, hub, module or device"},
        {"exit-code: 1", "exitcode: 1",
                "good.yaml:50:36: unknown field `exitcode`, a container event has none such"},
        {"raises: edgeHub", "quiet: edgeHub", "good.yaml:53:12: `quiet` is not true, expected true"},
        {"    raises: edgeHub\n", "\n",
                "good.yaml:47:5: 0 expectations, expected one of `raises`, `quiet`, `clears`"},
        {"        after: 2s", "        link: {name: a}",
                "good.yaml:51:9: a second event `link`, expected one and `after`"},
        {"wait: 3d", "wait: 8d", "good.yaml:52:11: `wait` is \"8d\", expected at most 7 d 0 h"},
        {"key: [module]", "key: &a [module]",
                "good.yaml:8:6: anchors and tags are not allowed, expected plain YAML"},
        {"key: [module]", "key: *a", "good.yaml:8:6: aliases are not allowed, write the value out"},
        {"key: [module]", "key: !!str module",
                "good.yaml:8:6: anchors and tags are not allowed, expected plain YAML"},
        {"title: A title", "title: A title\ntitle: B",
                "good.yaml:3:1: `title` stands twice, the first is in line 2"},
        {"title: A title", "title: [A title", "good.yaml:3:9: not YAML: did not find expected ',' or ']'"},
        {"title: A title", "title: A title\n---",
                "good.yaml:3:1: a second document, expected one rule in a file"},
        {"explanation: |", " explanation: |",
                "good.yaml:11:13: not YAML: mapping values are not allowed in this context"},
        {"key: [module]", "key: [[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]]",
                "good.yaml:8:21: nested deeper than a rule may be"},
        {"key: [module]", "? [a, b]\n: c",
                "good.yaml:8:3: a key that is no single word, expected `key: value`"},
        {"where: {port: {not", "where: {prt: {not",
                "good.yaml:21:15: no signal captures \"prt\", expected a group (?<prt>…)"},
        {"where: cloud", "wher: cloud",
                "good.yaml:42:3: unknown key `wher` in remedy, expected where, text, fix or "
                "deployment-patch\n"
                "good.yaml:42:3: remedy lacks `where`"},
        {"key: [module]", "key: [[module]]", "good.yaml:8:7: a list, expected a single value"},
};

static char *parse_problems(const char *path, const char *yaml, int expected) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(rule_freep) Rule *rule = NULL;

        ck_assert_int_eq(rule_parse(path, text_of(yaml), &problems, &rule), expected);
        return problems_text(&problems);
}

START_TEST(mistake_is_named) {
        _cleanup_(freep) char *yaml = spoilt_rule(mistakes[_i].old, mistakes[_i].replacement);
        _cleanup_(freep) char *problems = NULL;

        ck_assert_ptr_nonnull(yaml);
        problems = parse_problems("good.yaml", yaml, -EINVAL);
        ck_assert_str_eq(problems, mistakes[_i].problems);
}
END_TEST

static const struct {
        const char *yaml, *problems;
} other_files[] = {
        {"", "x.yaml:1:1: an empty file, expected a rule"},
        {"# nothing\n", "x.yaml:2:1: an empty file, expected a rule"},
        {"just text", "x.yaml:1:1: a single value, expected a mapping"},
        {"a: \"\xff\"", "x.yaml: not YAML: invalid leading UTF-8 octet at byte 4, expected UTF-8 text"},
        {"a: \"\\0b\"", "x.yaml:1:4: a NUL byte in a value, expected text"},
        {"a: &x [b]\nc: *x", "x.yaml:1:4: anchors and tags are not allowed, expected plain YAML"},
};

START_TEST(other_file_is_refused) {
        _cleanup_(freep) char *problems = parse_problems("x.yaml", other_files[_i].yaml, -EINVAL);

        ck_assert_str_eq(problems, other_files[_i].problems);
}
END_TEST

START_TEST(huge_file_is_refused) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(freep) char *yaml = malloc(RULE_FILE_MAX_BYTES + 1);
        Rule *rule = NULL;

        ck_assert_ptr_nonnull(yaml);
        memset(yaml, ' ', RULE_FILE_MAX_BYTES + 1);
        ck_assert_int_eq(
                rule_parse("x.yaml", (Text){yaml, RULE_FILE_MAX_BYTES + 1}, &problems, &rule), -EINVAL);
        ck_assert_uint_eq(problems.n_items, 1);
        ck_assert_ptr_null(rule);
}
END_TEST

START_TEST(problems_are_capped) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(buffer_done) Buffer yaml = {};
        Rule *rule = NULL;

        for (size_t i = 0; i < PROBLEMS_MAX + 50; i++)
                (void) buffer_append_format(&yaml, "k%zu: 1\n", i);
        ck_assert_int_eq(rule_parse("x.yaml", buffer_text(&yaml), &problems, &rule), -EINVAL);
        ck_assert_uint_eq(problems.n_items, PROBLEMS_MAX);
        ck_assert_uint_gt(problems.n_dropped, 50);
}
END_TEST

static Rule *parse_good(const char *path, const char *yaml) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(freep) char *text = NULL;
        Rule *rule = NULL;
        int r = rule_parse(path, text_of(yaml), &problems, &rule);

        text = problems_text(&problems);
        ck_assert_str_eq(text, "");
        ck_assert_int_eq(r, 0);
        return rule;
}

START_TEST(good_rule_is_read) {
        _cleanup_(rule_freep) Rule *rule = parse_good("/etc/rules.d/good.yaml", good_rule);

        ck_assert_str_eq(rule->id, "good");
        ck_assert_str_eq(rule->path, "/etc/rules.d/good.yaml");
        ck_assert_int_eq(rule->severity, SEVERITY_ERROR);
        ck_assert_str_eq(rule->message_id, "0123456789abcdef0123456789abcdef");
        ck_assert_int_eq(rule->layer, LAYER_PORT);
        ck_assert_uint_eq(rule->n_keys, 1);
        ck_assert_str_eq(rule->explanation, "Of ${subject}.\n");
        ck_assert_uint_eq(rule->n_evidence, 1);
        ck_assert_uint_eq(rule->evidence[0], 3);
        ck_assert_uint_eq(rule->evidence_window, USEC_PER_MIN);
        ck_assert_uint_eq(rule->refractory, 10 * USEC_PER_MIN);
        ck_assert(rule->conclusive);
        ck_assert_str_eq(rule->require[0], "port-owner");
        ck_assert_str_eq(rule->ask[0], "route");
        ck_assert_str_eq(rule->explained_by[0], "lower");
        ck_assert_int_eq(rule->remedy.where, REMEDY_CLOUD);
        ck_assert_str_eq(rule->remedy.fix, "free-port");
}
END_TEST

START_TEST(signals_are_read) {
        _cleanup_(rule_freep) Rule *rule = parse_good("good.yaml", good_rule);
        const Signal *refused = &rule->signals[0], *gone = &rule->signals[1];

        ck_assert_uint_eq(rule->n_signals, 4);
        ck_assert_int_eq(rule_find_signal(rule, "started"), 2);
        ck_assert_int_eq(rule_find_signal(rule, "stopped"), -ENOENT);
        ck_assert_int_eq(refused->kind, EVENT_LOG);
        ck_assert_uint_eq(refused->origins, 1U << ORIGIN_RUNTIME | 1U << ORIGIN_AGENT);
        ck_assert_int_eq(refused->min_level, LEVEL_WARNING);
        ck_assert_str_eq(refused->head.text, "Starting (?<module>\\w+)");
        ck_assert_uint_eq(refused->n_patterns, 2);
        ck_assert_str_eq(refused->patterns[1].text, "listen tcp");
        ck_assert_uint_eq(refused->patterns[1].line, 19);
        ck_assert_uint_eq(refused->patterns[1].column, 43);
        ck_assert_uint_eq(refused->n_tests, 1);
        ck_assert_str_eq(refused->tests[0].field, "unit");
        ck_assert_uint_eq(refused->n_where, 2);
        ck_assert_int_eq(refused->where[0].op, COMPARE_IS_NOT);
        ck_assert_uint_eq(refused->where[0].n_values, 2);
        ck_assert_int_eq(refused->where[1].op, COMPARE_IS);
        ck_assert_int_eq(gone->kind, EVENT_CONTAINER);
        ck_assert_str_eq(gone->tests[0].pattern.text, "(?<module>.+)");
        ck_assert_uint_eq(gone->tests[1].n_values, 2);
}
END_TEST

START_TEST(conditions_are_read) {
        _cleanup_(rule_freep) Rule *rule = parse_good("good.yaml", good_rule);
        static const ConditionKind when[] = {
                CONDITION_ANY, CONDITION_ALL, CONDITION_SEQUENCE, CONDITION_COUNT, CONDITION_ABSENCE};
        static const ConditionKind clear[] = {
                CONDITION_ANY, CONDITION_QUIET, CONDITION_REFUTED, CONDITION_COUNT};

        ck_assert_uint_eq(rule->n_when, ELEMENTSOF(when));
        for (size_t i = 0; i < ELEMENTSOF(when); i++)
                ck_assert_int_eq(rule->when[i].kind, when[i]);
        ck_assert_uint_eq(rule->n_clear, ELEMENTSOF(clear));
        for (size_t i = 0; i < ELEMENTSOF(clear); i++)
                ck_assert_int_eq(rule->clear[i].kind, clear[i]);
        ck_assert_uint_eq(rule->when[2].steps[0], 1);
        ck_assert_uint_eq(rule->when[2].steps[1], 0);
        ck_assert_uint_eq(rule->when[2].absent[0], 2);
        ck_assert_uint_eq(rule->when[2].window, 15 * USEC_PER_MIN);
        ck_assert_int_eq(rule->when[2].where[0].op, COMPARE_GREATER);
        ck_assert_uint_eq(rule->when[3].at_least, 3);
        ck_assert_uint_eq(rule->when[3].sustained_at_least, 2);
        ck_assert_uint_eq(rule->when[3].sustained_every, USEC_PER_MIN);
        ck_assert_uint_eq(rule->when[4].window, 3 * USEC_PER_MIN);
        ck_assert(rule->clear[0].refuted);
        ck_assert_uint_eq(rule->clear[1].window, USEC_PER_HOUR);
        ck_assert(rule->clear[3].below);
        ck_assert_uint_eq(rule->clear[3].at_least, 20);
        ck_assert_uint_eq(rule->clear[3].window, 5 * USEC_PER_MIN);
}
END_TEST

START_TEST(examples_are_read) {
        _cleanup_(rule_freep) Rule *rule = parse_good("good.yaml", good_rule);
        const Example *example = &rule->examples[0];
        const json_t *op = json_array_get(rule->remedy.deployment_patch, 0);

        ck_assert_uint_eq(rule->n_examples, 1);
        ck_assert_uint_eq(example->line, 47);
        ck_assert_uint_eq(example->n_events, 2);
        ck_assert_int_eq(example->expectation, EXPECT_RAISES);
        ck_assert_str_eq(example->subject, "edgeHub");
        ck_assert_uint_eq(example->wait, 72 * USEC_PER_HOUR);
        ck_assert_uint_eq(example->events[1].after, 2 * USEC_PER_SEC);
        ck_assert_int_eq(example->events[1].kind, EVENT_CONTAINER);
        ck_assert_int_eq(json_integer_value(json_object_get(example->events[1].fields, "exit-code")), 1);
        ck_assert_int_eq(json_integer_value(json_object_get(op, "value")), 20);
        ck_assert_str_eq(json_string_value(json_object_get(op, "path")), "/a/${module}");
}
END_TEST

static const struct {
        const char *template, *text;
} templates[] = {
        {"plain $ {x} $$", "plain $ {x} $$"},
        {"port ${port}", "port 443"},
        {"${port}${port}", "443443"},
        {"by ${holder}", "by unknown"},
        {"by ${holder:-another}", "by another"},
        {"${port:-80}", "443"},
        {"${nothing}", "unknown"},
        {"${nothing:-}", ""},
        {"${open", "${open"},
        {"${quoting}", "${port}"},
        {"", ""},
};

START_TEST(template_is_expanded) {
        static const Variable variables[] = {
                {(char *) "port", (char *) "443"}, {(char *) "quoting", (char *) "${port}"}};
        _cleanup_(rule_freep) Rule *rule = parse_good("good.yaml", good_rule);
        _cleanup_(freep) char *text =
                rule_expand(rule, templates[_i].template, variables, ELEMENTSOF(variables));

        ck_assert_str_eq(text, templates[_i].text);
}
END_TEST

static void write_file(const char *directory, const char *name, const char *content) {
        _cleanup_(freep) char *path = NULL;
        FILE *f;

        ck_assert_int_gt(asprintf(&path, "%s/%s", directory, name), 0);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(content, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

static char *rule_named(const char *id, const char *title, const char *message_id) {
        _cleanup_(freep) char *yaml = spoilt_rule("id: good\ntitle: A title", "id: ID\ntitle: TITLE");
        Buffer b = {};

        (void) buffer_append_format(&b, "id: %s\ntitle: %s\n", id, title);
        (void) buffer_append_string(&b, strstr(yaml, "severity"));
        memcpy(strstr(b.data, "0123456789abcdef"), message_id, strlen(message_id));
        memcpy(strstr(b.data, "explained-by: [lower]"), "#", 1);
        return buffer_take(&b);
}

typedef struct Directories {
        char vendor[64], local[64];
        const char *list[4];
} Directories;

static void make_directories(Directories *d) {
        (void) strcpy(d->vendor, "/tmp/edgewatch-test-vendor-XXXXXX");
        (void) strcpy(d->local, "/tmp/edgewatch-test-local-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(d->vendor));
        ck_assert_ptr_nonnull(mkdtemp(d->local));
        d->list[0] = d->local;
        d->list[1] = "/nonexistent/edgewatch";
        d->list[2] = d->vendor;
        d->list[3] = NULL;
}

static void remove_directories(Directories *d) {
        _cleanup_(freep) char *command = NULL;

        ck_assert_int_gt(asprintf(&command, "rm -rf '%s' '%s'", d->vendor, d->local), 0);
        ck_assert_int_eq(system(command), 0);
}

static void write_rule(const char *directory, const char *id, const char *title, const char *message_id) {
        _cleanup_(freep) char *yaml = rule_named(id, title, message_id), *name = NULL;

        ck_assert_int_gt(asprintf(&name, "%s.yaml", id), 0);
        write_file(directory, name, yaml);
}

static void link_to(const char *directory, const char *name, const char *target) {
        _cleanup_(freep) char *path = NULL;

        ck_assert_int_gt(asprintf(&path, "%s/%s", directory, name), 0);
        ck_assert_int_eq(symlink(target, path), 0);
}

START_TEST(directories_override_and_mask) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(rule_set_freep) RuleSet *set = NULL;
        _cleanup_(freep) char *text = NULL;
        Directories d;

        make_directories(&d);
        write_rule(d.vendor, "plain", "vendor", "aa");
        write_rule(d.vendor, "replaced", "vendor", "ab");
        write_rule(d.vendor, "masked", "vendor", "ac");
        write_rule(d.vendor, "emptied", "vendor", "ad");
        write_rule(d.local, "replaced", "local", "ae");
        write_rule(d.local, "added", "local", "af");
        write_file(d.local, "emptied.yaml", "");
        write_file(d.local, "added.yaml.dpkg-old", "not read");
        write_file(d.local, ".added.yaml.swp", "not read");
        link_to(d.local, "masked.yaml", "/dev/null");
        ck_assert_int_eq(rule_set_load(&set, d.list, true, &problems), 0);
        remove_directories(&d);

        text = problems_text(&problems);
        ck_assert_str_eq(text, "");
        ck_assert_uint_eq(set->n_rules, 3);
        ck_assert_str_eq(set->rules[0]->id, "added");
        ck_assert_str_eq(set->rules[1]->id, "plain");
        ck_assert_str_eq(rule_set_find(set, "replaced")->title, "local");
        ck_assert_ptr_null(rule_set_find(set, "masked"));
        ck_assert_uint_eq(set->n_masked, 2);
        ck_assert_str_eq(set->masked[0], "emptied");
        ck_assert_str_eq(set->masked[1], "masked");
}
END_TEST

START_TEST(bad_file_is_skipped) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(rule_set_freep) RuleSet *set = NULL;
        Directories d;

        make_directories(&d);
        write_rule(d.vendor, "good", "vendor", "aa");
        write_rule(d.vendor, "replaced", "vendor", "ab");
        write_file(d.local, "replaced.yaml", "id: [");
        write_file(d.local, "wrong.yml", "");
        link_to(d.local, "dangling.yaml", "/nonexistent/rule");
        link_to(d.local, "folder.yaml", "/tmp");
        ck_assert_int_eq(rule_set_load(&set, d.list, true, &problems), 0);
        remove_directories(&d);

        ck_assert_uint_eq(set->n_rules, 1);
        ck_assert_str_eq(set->rules[0]->id, "good");
        ck_assert_uint_eq(problems.n_items, 4);
        ck_assert_str_eq(problems.items[0].text, "wrong.yml is not read, expected its name to end in .yaml");
        ck_assert_str_eq(problems.items[1].text, "cannot be read: No such file or directory");
        ck_assert_str_eq(problems.items[2].text, "cannot be read: Is a directory");
        ck_assert_uint_eq(problems.items[3].line, 2);
}
END_TEST

START_TEST(rules_are_checked_together) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(rule_set_freep) RuleSet *set = NULL;
        _cleanup_(freep) char *same_layer = spoilt_rule("[lower]", "[good, absent]");
        Directories d;

        make_directories(&d);
        write_file(d.vendor, "good.yaml", same_layer);
        write_rule(d.vendor, "other", "vendor", "01");
        ck_assert_int_eq(rule_set_load(&set, d.list, true, &problems), 0);
        remove_directories(&d);

        ck_assert_uint_eq(set->n_rules, 2);
        ck_assert_uint_eq(problems.n_items, 3);
        ck_assert_str_eq(problems.items[0].text, "`explained-by` names the rule itself");
        ck_assert_uint_eq(problems.items[0].line, 40);
        ck_assert_str_eq(problems.items[1].text, "`explained-by` names \"absent\", which is no rule");
        ck_assert_str_eq(
                problems.items[2].text, "its message-id is that of \"good\", expected one of its own");
}
END_TEST

static json_t *load_schema(void) {
        json_error_t error;
        json_t *schema = json_load_file(SOURCE_DIR "/conf/rules.schema.json", 0, &error);

        ck_assert_msg(schema, "%d: %s", error.line, error.text);
        return schema;
}

static bool json_array_has(const json_t *array, const char *text) {
        size_t i;
        json_t *item;

        json_array_foreach ((json_t *) array, i, item)
                if (strcmp(json_string_value(item), text) == 0)
                        return true;
        return false;
}

static void check_table(const json_t *definitions, const KeyTable *table) {
        const json_t *definition = json_object_get(definitions, table->name);
        const json_t *properties = json_object_get(definition, "properties");
        const json_t *required = json_object_get(definition, "required");

        ck_assert_msg(properties, "the schema has no %s", table->name);
        ck_assert(json_is_false(json_object_get(definition, "additionalProperties")));
        ck_assert_msg(json_object_size(properties) == table->n_keys,
                "%s: %zu keys in the schema, %zu in the parser", table->name, json_object_size(properties),
                table->n_keys);
        FOREACH_ARRAY (spec, table->keys, table->n_keys) {
                ck_assert_msg(json_object_get(properties, spec->key), "%s: the schema lacks %s", table->name,
                        spec->key);
                ck_assert_msg(json_array_has(required, spec->key) == spec->required,
                        "%s: %s is required in one only", table->name, spec->key);
        }
}

START_TEST(schema_has_the_parsers_keys) {
        static const KeyTable *const tables[] = {&rule_table, &evidence_table, &confirm_table, &remedy_table,
                &log_signal_table, &compare_table, &match_table, &sustained_table, &example_table};
        json_t *schema = load_schema(), *definitions = json_object_get(schema, "$defs"), *definition;
        const char *name;
        size_t n_closed = 0;

        for (size_t i = 0; i < ELEMENTSOF(tables); i++)
                check_table(definitions, tables[i]);
        for (size_t i = 0; i < n_condition_tables; i++)
                check_table(definitions, &condition_tables[i]);
        /* None is in the schema alone. */
        json_object_foreach (definitions, name, definition)
                n_closed += json_is_false(json_object_get(definition, "additionalProperties")) &&
                        strcmp(name, "signal") != 0 && strcmp(name, "event") != 0;
        ck_assert_uint_eq(n_closed, ELEMENTSOF(tables) + n_condition_tables);
        json_decref(schema);
}
END_TEST

START_TEST(schema_has_the_parsers_words) {
        json_t *schema = load_schema(), *definitions = json_object_get(schema, "$defs");
        const json_t *signal = json_object_get(json_object_get(definitions, "signal"), "properties");
        const json_t *event = json_object_get(json_object_get(definitions, "event"), "properties");
        const json_t *origins = json_object_get(json_object_get(definitions, "origin"), "enum");
        const json_t *rule = json_object_get(json_object_get(definitions, "rule"), "properties");
        const json_t *layers = json_object_get(json_object_get(rule, "layer"), "enum");

        ck_assert_uint_eq(json_object_size(signal), EVENT_X_MAX);
        ck_assert_uint_eq(json_object_size(event), EVENT_X_MAX + 1);
        for (EventKind k = 0; k < EVENT_X_MAX; k++) {
                ck_assert_ptr_nonnull(json_object_get(signal, event_kind_to_string(k)));
                ck_assert_ptr_nonnull(json_object_get(event, event_kind_to_string(k)));
        }
        ck_assert_uint_eq(json_array_size(origins), ORIGIN_X_MAX - 1);
        for (Origin o = ORIGIN_OTHER + 1; o < ORIGIN_X_MAX; o++)
                ck_assert(json_array_has(origins, origin_to_string(o)));
        ck_assert_uint_eq(json_array_size(layers), LAYER_X_MAX);
        for (Layer l = 0; l < LAYER_X_MAX; l++)
                ck_assert_str_eq(json_string_value(json_array_get(layers, (size_t) l)), layer_to_string(l));
        json_decref(schema);
}
END_TEST

static char *read_manual(void) {
        Buffer b = {};
        char chunk[4096];
        size_t n;
        FILE *f = fopen(SOURCE_DIR "/docs/rules.md", "re");

        ck_assert_ptr_nonnull(f);
        while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
                ck_assert_int_eq(buffer_append(&b, chunk, n), 0);
        ck_assert_int_eq(fclose(f), 0);
        return buffer_take(&b);
}

/* The first block of YAML in docs/rules.md. */
START_TEST(documented_rule_is_good) {
        _cleanup_(freep) char *manual = read_manual();
        _cleanup_(rule_freep) Rule *rule = NULL;
        char *start = strstr(manual, "```yaml\n"), *end;

        ck_assert_ptr_nonnull(start);
        start += strlen("```yaml\n");
        end = strstr(start, "```");
        ck_assert_ptr_nonnull(end);
        *end = '\0';
        rule = parse_good("hub-port-conflict.yaml", start);
        ck_assert_uint_eq(rule->n_examples, 1);
}
END_TEST

static void check_documented(const char *manual, const KeyTable *table) {
        FOREACH_ARRAY (spec, table->keys, table->n_keys) {
                _cleanup_(freep) char *alone = NULL, *with_value = NULL, *in_braces = NULL;

                ck_assert_int_gt(asprintf(&alone, "`%s`", spec->key), 0);
                ck_assert_int_gt(asprintf(&with_value, "`%s: ", spec->key), 0);
                ck_assert_int_gt(asprintf(&in_braces, "{%s: ", spec->key), 0);
                ck_assert_msg(
                        strstr(manual, alone) || strstr(manual, with_value) || strstr(manual, in_braces),
                        "docs/rules.md does not explain `%s` of %s", spec->key, table->name);
        }
}

START_TEST(every_key_is_documented) {
        static const KeyTable *const tables[] = {&rule_table, &evidence_table, &confirm_table, &remedy_table,
                &log_signal_table, &compare_table, &match_table, &sustained_table, &example_table};
        _cleanup_(freep) char *manual = read_manual();

        for (size_t i = 0; i < ELEMENTSOF(tables); i++)
                check_documented(manual, tables[i]);
        for (size_t i = 0; i < n_condition_tables; i++)
                check_documented(manual, &condition_tables[i]);
}
END_TEST

START_TEST(words_go_both_ways) {
        for (Severity i = 0; i < SEVERITY_X_MAX; i++)
                ck_assert_int_eq(severity_from_string(text_of(severity_to_string(i))), i);
        for (Layer i = 0; i < LAYER_X_MAX; i++)
                ck_assert_int_eq(layer_from_string(text_of(layer_to_string(i))), i);
        for (RemedyWhere i = 0; i < REMEDY_X_MAX; i++)
                ck_assert_int_eq(remedy_where_from_string(text_of(remedy_where_to_string(i))), i);
        ck_assert_int_eq(severity_from_string(TEXT_LITERAL("fatal")), SEVERITY_X_INVALID);
        ck_assert_ptr_null(layer_to_string(LAYER_X_MAX));
}
END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("rule");
        TCase *t = tcase_create("rule");

        tcase_add_loop_test(t, mistake_is_named, 0, ELEMENTSOF(mistakes));
        tcase_add_loop_test(t, other_file_is_refused, 0, ELEMENTSOF(other_files));
        tcase_add_test(t, huge_file_is_refused);
        tcase_add_test(t, problems_are_capped);
        tcase_add_test(t, good_rule_is_read);
        tcase_add_test(t, signals_are_read);
        tcase_add_test(t, conditions_are_read);
        tcase_add_test(t, examples_are_read);
        tcase_add_loop_test(t, template_is_expanded, 0, ELEMENTSOF(templates));
        tcase_add_test(t, directories_override_and_mask);
        tcase_add_test(t, bad_file_is_skipped);
        tcase_add_test(t, rules_are_checked_together);
        tcase_add_test(t, schema_has_the_parsers_keys);
        tcase_add_test(t, schema_has_the_parsers_words);
        tcase_add_test(t, documented_rule_is_good);
        tcase_add_test(t, every_key_is_documented);
        tcase_add_test(t, words_go_both_ways);
        suite_add_tcase(s, t);
        return s;
}

int main(void) {
        return run_suite(suite());
}
