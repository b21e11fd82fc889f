#include "daemon/ctl/verb.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/ctl/incidents-text.h"
#include "daemon/ctl/rule-directories.h"
#include "tests/unit/unit.h"

#define WORDS_MAX 8

/* What arguments_parse() makes of a command line; "" for what it refuses. */
static char *parsed(const char *const *words) {
        char *argv[WORDS_MAX + 1] = {(char *) "edgewatchctl"}, *line = NULL, *said = NULL;
        FILE *errors;
        Arguments a;
        size_t len;
        int argc = 1, r;

        while (words[argc - 1]) {
                argv[argc] = (char *) words[argc - 1];
                argc++;
        }
        errors = open_memstream(&said, &len);
        ck_assert_ptr_nonnull(errors);
        r = arguments_parse(&a, argc, argv, errors);
        ck_assert_int_eq(fclose(errors), 0);
        if (r < 0) {
                ck_assert_int_eq(r, -EINVAL);
                return said;
        }
        ck_assert_str_eq(said, "");
        free(said);
        r = asprintf(&line, "%s %d:%s%s%s%s%s%s rules=%zu since=%s", a.verb ? a.verb : "-", a.n_words,
                a.n_words > 0 ? a.words[0] : "", a.json ? " json" : "", a.all ? " all" : "",
                a.help ? " help" : "", a.version ? " version" : "", a.color == COLOR_NEVER ? " never" : "",
                a.n_rules, a.since ? a.since : "");
        ck_assert_int_gt(r, 0);
        return line;
}

static const struct {
        const char *words[WORDS_MAX];
        const char *expected;
} lines[] = {
        {{"list"}, "list 0: rules=0 since="},
        {{"--json", "list", "--all"}, "list 0: json all rules=0 since="},
        {{"replay", "DIR", "--json"}, "replay 1:DIR json rules=0 since="},
        {{"replay", "--rules", "a", "--rules=b", "DIR"}, "replay 1:DIR rules=2 since="},
        {{"history", "-S", "2h", "-j"}, "history 0: json rules=0 since=2h"},
        {{"-h"}, "- 0: help rules=0 since="},
        {{"--version"}, "- 0: version rules=0 since="},
        {{"--color=never", "status"}, "status 0: never rules=0 since="},
        {{"replay", "--", "--json"}, "replay 1:--json rules=0 since="},
        {{"--color=blue", "status"}, "edgewatchctl: --color takes auto, always or never\n"},
        {{"--colour", "status"}, "edgewatchctl: --colour: no such option\n"},
        {{"history", "--since"}, "edgewatchctl: --since: needs a value\n"},
        {{"-x"}, "edgewatchctl: -x: no such option\n"},
};

START_TEST(command_lines) {
        _cleanup_(freep) char *got = parsed(lines[_i].words);

        ck_assert_str_eq(got, lines[_i].expected);
}
END_TEST

START_TEST(a_ninth_rule_directory_is_refused) {
        char *argv[2 * (RULE_DIRECTORIES_MAX + 1) + 2] = {(char *) "edgewatchctl"};
        int argc = 1;
        Arguments a;
        FILE *errors = fopen("/dev/null", "we");

        ck_assert_ptr_nonnull(errors);
        for (int i = 0; i <= RULE_DIRECTORIES_MAX; i++) {
                argv[argc++] = (char *) "--rules";
                argv[argc++] = (char *) "dir";
        }
        ck_assert_int_eq(arguments_parse(&a, argc - 2, argv, errors), 0);
        ck_assert_uint_eq(a.n_rules, RULE_DIRECTORIES_MAX);
        ck_assert_ptr_null(a.rules[RULE_DIRECTORIES_MAX]);
        ck_assert_int_eq(arguments_parse(&a, argc, argv, errors), -EINVAL);
        ck_assert_int_eq(fclose(errors), 0);
}
END_TEST

static const struct {
        const char *verb, *option;
        bool allowed;
} options_of_verbs[] = {
        {"list", "--all", true},
        {"list", "--json", true},
        {"list", "--since=1h", false},
        {"history", "--since=1h", true},
        {"history", "--all", true},
        {"history", "--merge", true},
        {"history", "--until=1h", true},
        {"record", "--until=1h", false},
        {"metrics", "--output=x", true},
        {"fix", "--yes", true},
        {"fix", "--subject=x", true},
        {"list", "--yes", false},
        {"list", "--output=x", false},
        {"replay", "--rules=x", true},
        {"replay", "--all", false},
        {"status", "--color=always", true},
        {"status", "--directory=x", false},
};

START_TEST(a_verb_takes_its_own_options) {
        char *argv[] = {(char *) "edgewatchctl", (char *) options_of_verbs[_i].verb,
                (char *) options_of_verbs[_i].option, NULL};
        FILE *errors = fopen("/dev/null", "we");
        const Verb *verb;
        Arguments a;

        ck_assert_ptr_nonnull(errors);
        ck_assert_int_eq(arguments_parse(&a, 3, argv, errors), 0);
        verb = verb_find(a.verb);
        ck_assert_ptr_nonnull(verb);
        ck_assert_int_eq(arguments_allowed(&a, verb->options, errors), options_of_verbs[_i].allowed);
        ck_assert_int_eq(fclose(errors), 0);
}
END_TEST

static bool is_option(const char *name, size_t len) {
        size_t n;
        const OptionRow *rows = option_table(&n);

        for (size_t i = 0; i < n; i++)
                if (strlen(rows[i].name) == len && strncmp(rows[i].name, name, len) == 0)
                        return !rows[i].global;
        return false;
}

START_TEST(every_verb_is_whole) {
        size_t n;
        const Verb *const *verbs = verb_registry(&n);

        ck_assert_uint_ge(n, 10);
        for (size_t i = 0; i < n; i++) {
                const Verb *verb = verbs[i];

                ck_assert_ptr_eq(verb_find(verb->name), verb);
                ck_assert(i == 0 || strcmp(verbs[i - 1]->name, verb->name) < 0);
                ck_assert_ptr_nonnull(verb->run);
                ck_assert_ptr_nonnull(verb->arguments);
                ck_assert_msg(verb->help && verb->help[0] && strlen(verb->help) <= 100, "%s", verb->name);
                ck_assert_int_le(verb->min_words, verb->max_words);
                ck_assert_msg((verb->max_words > 0) == (verb->arguments[0] != '\0'), "%s", verb->name);
                for (const char *o = verb->options; *o;) {
                        size_t len = strcspn(o, " ");

                        ck_assert_msg(is_option(o, len), "%s: %s", verb->name, o);
                        o += len + (o[len] == ' ');
                }
        }
        ck_assert_ptr_null(verb_find("lis"));
        ck_assert_ptr_null(verb_find("list "));
}
END_TEST

START_TEST(members_of_incidents) {
        json_t *incident =
                json_loads("{\"state\": \"confirmed\", \"first_seen\": \"2024-05-23T07:50:52.598123Z\","
                           " \"cleared_at\": null, \"count\": 3}",
                        0, NULL);

        ck_assert(incident_json_is_active(incident));
        ck_assert_str_eq(json_field_string(incident, "count"), "");
        ck_assert_str_eq(json_field_string(incident, "absent"), "");
        ck_assert_uint_eq(member_time(incident, "first_seen"), 1716450652598123);
        ck_assert_uint_eq(member_time(incident, "cleared_at"), 0);
        ck_assert_int_eq(json_object_set_new(incident, "state", json_string("refuted")), 0);
        ck_assert(!incident_json_is_active(incident));
        json_decref(incident);
}
END_TEST

/* `replay --rules TYPO` said "No incidents." and ended with 0. */
START_TEST(no_rules_are_no_good_news) {
        char empty[] = "/tmp/test-verbs-XXXXXX";
        Arguments a = {.rules = {"/nonexistent/rules.d"}, .n_rules = 1};
        RuleSet *rules = NULL;

        ck_assert_ptr_nonnull(mkdtemp(empty));
        ck_assert_int_eq(rules_load(&a, false, &rules, NULL), -ENOENT);
        ck_assert_int_eq(rules_load(&a, true, &rules, NULL), -ENOENT);
        a.rules[0] = empty;
        ck_assert_int_eq(rules_load(&a, false, &rules, NULL), -ENOENT);
        ck_assert_ptr_null(rules);
        ck_assert_int_eq(rules_load(&a, true, &rules, NULL), 0);
        ck_assert_uint_eq(rules->n_rules, 0);
        rule_set_free(rules);
        ck_assert_int_eq(rmdir(empty), 0);
}
END_TEST

#define NOW (UINT64_C(1716450652) * USEC_PER_SEC) /* 2024-05-23T07:50:52Z */

static const struct {
        const char *value, *expected; /* two hours ahead of UTC; NULL when it is no time */
} times[] = {
        {"1h", "2024-05-23T06:50:52.000000Z"},
        {"-1h", "2024-05-23T06:50:52.000000Z"},
        {"-2d", "2024-05-21T07:50:52.000000Z"},
        {"2024-05-20T01:02:03Z", "2024-05-20T01:02:03.000000Z"},
        {"2024-05-20T01:02:03+02:00", "2024-05-19T23:02:03.000000Z"},
        {"2024-05-20", "2024-05-19T22:00:00.000000Z"},
        {"today", "2024-05-22T22:00:00.000000Z"},
        {"yesterday", "2024-05-21T22:00:00.000000Z"},
        {"--1h", NULL},
        {"-", NULL},
        {"", NULL},
        {"1", NULL},
        {"2024-05", NULL},
        {"2024-13-01", NULL},
        {"2024-05-20 ", NULL},
        {"2024-05-20T01:02:03Zz", NULL},
        {"tomorrow", NULL},
        {"1960-01-01", NULL},
};

START_TEST(times_in_many_forms) {
        char got[TIMESTAMP_MAX];
        usec_t t = 7;
        int r;

        ck_assert_int_eq(setenv("TZ", "XXX-2", 1), 0);
        tzset();
        r = arguments_time(times[_i].value, NOW, 0, &t);
        ck_assert_int_eq(r, times[_i].expected ? 0 : -EINVAL);
        ck_assert_str_eq(
                r < 0 ? "" : timestamp_format(t, got), times[_i].expected ? times[_i].expected : "");
        ck_assert_uint_eq(r < 0 ? t : 7, 7);
}
END_TEST

START_TEST(no_time_is_the_default) {
        usec_t t;

        ck_assert_int_eq(arguments_time(NULL, NOW, 42, &t), 0);
        ck_assert_uint_eq(t, 42);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("verbs");
        TCase *tcase = tcase_create("verbs");

        tcase_add_loop_test(tcase, command_lines, 0, ELEMENTSOF(lines));
        tcase_add_test(tcase, a_ninth_rule_directory_is_refused);
        tcase_add_loop_test(tcase, a_verb_takes_its_own_options, 0, ELEMENTSOF(options_of_verbs));
        tcase_add_loop_test(tcase, times_in_many_forms, 0, ELEMENTSOF(times));
        tcase_add_test(tcase, no_time_is_the_default);
        tcase_add_test(tcase, every_verb_is_whole);
        tcase_add_test(tcase, members_of_incidents);
        tcase_add_test(tcase, no_rules_are_no_good_news);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
