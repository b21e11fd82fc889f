#include "lib/match/matcher.h"
#include "lib/match/automaton.h"

#include <stdio.h>

#include "tests/unit/rule-text.h"
#include "tests/unit/unit.h"

static const struct {
        const char *pattern;
        const char *literals; /* joined with '|'; NULL when there is none */
} literals[] = {
        {"Failed to listen", "failed to listen"},
        {"ab", NULL},
        {"", NULL},
        {"abc|def", "abc|def"},
        {"abc|de", NULL},
        {"abc|", NULL},
        {"|abc", NULL},
        {"abc.*defgh", "defgh"},
        {"abcdef.*xyz", "abcdef"},
        {"abcd?", "abc"},
        {"abcd*e", "abc"},
        {"abcd{0,2}", "abc"},
        {"abcd{,2}", "abc"},
        {"abcd{ 0 , 2 }", "abc"},
        {"abcd{0}", "abc"},
        {"abcd{2}{0}", "abc"},
        {"abcd+xyz", "abcd"},
        {"abcd{2}e", "abcd"},
        {"abcd{1,}?e", "abcd"},
        {"abcd++?xy", "abc"},
        {"ab{x}", "ab{x}"},
        {"ab{", "ab{"},
        {"a{2}b", NULL},
        {"(abc)?def", "def"},
        {"(abc)*", NULL},
        {"(abc)+", "abc"},
        {"(abc){0}(de)", NULL},
        {"(abcd|ef)ghi", "ghi"},
        {"(abcd|efgh)ijk", "abcd|efgh"},
        {"(?:abc|d(ef|gh)i)", NULL},
        {"x(?<name>abc)y", "abc"},
        {"x(?P<name>abc)y", "abc"},
        {"x(?'name'abc)y", "abc"},
        {"(?<secret>..)", NULL},
        {"(?=abcdef)xyz", "xyz"},
        {"(?!abcdef)xyz", "xyz"},
        {"(?<=abcdef)xyz", "xyz"},
        {"(?<!abcdef)xyz", "xyz"},
        {"(?>abc)", "abc"},
        {"(?|abc|def)", "abc|def"},
        {"(?i)ABC", "abc"},
        {"(?i:ABC)d", "abc"},
        {"(?-i)ABC", "abc"},
        {"(?x)a b c d", NULL},
        {"(?xi:a b c d)", NULL},
        {"(?#comment)abc", NULL},
        {"(abc)(?(1)def|ghi)", NULL},
        {"(*ACCEPT)abc", NULL},
        {"abc(?C1)", NULL},
        {"(abc)(?1)", "abc"},
        {"(?<n>abc)(?&n)(?P>n)(?P=n)(?R)?", "abc"},
        {"abc\\1defgh", "defgh"},
        {"abc\\k<name>de", "abc"},
        {"abc\\g{-1}de", "abc"},
        {"abc\\g2<de|fg>", "abc|fg>"},
        {"a\\.b\\*c", "a.b*c"},
        {"\\x41bcd", "bcd"},
        {"\\x41<a|b>foo", NULL},
        {"\\x{41}bcd", "bcd"},
        {"\\x4", NULL},
        {"\\0123ab", NULL},
        {"\\o{101}abc", "abc"},
        {"\\ca\\cb\\ccc", NULL},
        {"\\dabc\\w", "abc"},
        {"\\p{Lu}abc\\pLxyz", "abc"},
        {"\\babc\\b", "abc"},
        {"\\Qa.b|c\\E", "a.b|c"},
        {"\\Qabcd\\E?", "abc"},
        {"abcd\\E?", "abc"},
        {"abcd\\Q\\E*", "abc"},
        {"\\Qab", NULL},
        {"\\Q(\\Eabc", "(abc"},
        {"[abc]def", "def"},
        {"[]abc]def", "def"},
        {"[^]abc]def", "def"},
        {"[[:alpha:]abc]def", "def"},
        {"[\\]abc]def", "def"},
        {"[\\c]abc]def", NULL},
        {"[\\Q]\\Eabc]def", NULL},
        {"[abc", NULL},
        {"^abc$", "abc"},
        {"abc)", NULL},
        {"(abc", NULL},
        {"abc\\", NULL},
        {"\\Uabc", NULL},
};

START_TEST(literals_are_extracted) {
        _cleanup_(buffer_done) Buffer joined = {};
        char **items = NULL;
        size_t n = 0;
        int r = pattern_literals(literals[_i].pattern, &items, &n);

        for (size_t i = 0; i < n; i++) {
                (void) buffer_append_format(&joined, "%s%s", i > 0 ? "|" : "", items[i]);
                free(items[i]);
        }
        free(items);
        ck_assert_int_eq(r, literals[_i].literals ? 0 : -ENOENT);
        if (literals[_i].literals)
                ck_assert_str_eq(joined.data, literals[_i].literals);
        else
                ck_assert_uint_eq(n, 0);
}
END_TEST

/* A text that the pattern matches must contain a literal, whatever the extraction thought of it. */
static const struct {
        const char *pattern, *text;
} claims[] = {
        {"abcd?", "abc"},
        {"abcd{,2}", "abcd{,2}"},
        {"ab{x}", "ab{x}"},
        {"\\x41bcd", "Abcd"},
        {"(?i)ABC", "aBc"},
        {"[]abc]def", "]def"},
        {"\\Qabcd\\E?", "abc"},
        {"(?|abc|def)", "def"},
        {"(abc|def)(?1)", "abcdef"},
        {"(?=.*abc)x?", "abc"},
};

static RuleSet *rule_set_of(const char *const *yamls, size_t n) {
        RuleSet *set = calloc(1, sizeof(*set));

        ck_assert_ptr_nonnull(set);
        set->rules = calloc(n, sizeof(*set->rules));
        for (size_t i = 0; i < n; i++) {
                _cleanup_(problem_list_done) ProblemList problems = {};
                _cleanup_(freep) char *text = NULL;

                (void) rule_parse("good.yaml", text_of(yamls[i]), &problems, &set->rules[i]);
                text = problems_text(&problems);
                ck_assert_str_eq(text, "");
                set->n_rules++;
        }
        return set;
}

/* A rule with one signal of which the log or other part is given. */
static char *rule_with_signal(const char *signal) {
        Buffer b = {};

        (void) buffer_append_format(&b,
                "id: good\ntitle: T\nseverity: error\nmessage-id: 0123456789abcdef0123456789abcdef\n"
                "layer: port\nsubject: S\nmessage: M\nexplanation: E\nsignals:\n  s: {%s}\n"
                "when: [{any: s}]\nclear: [{quiet: 1h}]\nconfirm: {conclusive: true}\n"
                "remedy: {where: device, text: T}\n",
                signal);
        return buffer_take(&b);
}

typedef struct Fixture {
        RuleSet *set;
        Matcher *matcher;
        ProblemList problems;
} Fixture;

static void fixture_start(Fixture *f, const char *const *signals, size_t n) {
        char **yamls = calloc(n, sizeof(*yamls));

        for (size_t i = 0; i < n; i++)
                yamls[i] = rule_with_signal(signals[i]);
        *f = (Fixture){.set = rule_set_of((const char *const *) yamls, n)};
        ck_assert_int_eq(matcher_new(&f->matcher, f->set, &f->problems), 0);
        for (size_t i = 0; i < n; i++)
                free(yamls[i]);
        free(yamls);
}

static void fixture_done(Fixture *f) {
        (void) matcher_free(f->matcher);
        (void) rule_set_free(f->set);
        problem_list_done(&f->problems);
}

static Event log_event(Origin origin, Level level, Text message) {
        return (Event){.kind = EVENT_LOG,
                .origin = origin,
                .log = {.message = message, .level = level, .container = TEXT_LITERAL("edgeHub")}};
}

static size_t match_text(Fixture *f, const char *text, const Hit **ret) {
        Event event = log_event(ORIGIN_RUNTIME, LEVEL_ERROR, text_of(text));

        return matcher_match(f->matcher, &event, ret);
}

START_TEST(claims_hold) {
        _cleanup_(freep) char *signal = NULL;
        Fixture f;
        const Hit *hits;

        ck_assert_int_gt(asprintf(&signal, "log: {from: runtime, match: '%s'}", claims[_i].pattern), 0);
        fixture_start(&f, (const char *const *) &signal, 1);
        if (f.problems.n_items == 0)
                ck_assert_uint_eq(match_text(&f, claims[_i].text, &hits), 1);
        else
                ck_assert_ptr_nonnull(strstr(f.problems.items[0].text, "no text of 3 bytes"));
        fixture_done(&f);
}
END_TEST

/* What each line is, by the one signal; "" is no hit, else the variables. */
static const struct {
        const char *signal;
        Origin origin;
        Level level;
        const char *head, *text;
        const char *variables; /* "-" is no hit */
} lines[] = {
        {"log: {from: runtime, match: 'port (?<port>\\d+)'}", ORIGIN_RUNTIME, LEVEL_INFO, "",
                "Port port 443", "port=443"},
        {"log: {from: runtime, match: 'port (?<port>\\d+)'}", ORIGIN_MODULE, LEVEL_INFO, "", "port 443",
                "-"},
        {"log: {from: [hub, agent], match: 'refused'}", ORIGIN_AGENT, LEVEL_INFO, "", "it was refused", ""},
        {"log: {from: runtime, match: 'refused'}", ORIGIN_RUNTIME, LEVEL_INFO, "", "it was REFUSED", "-"},
        {"log: {from: runtime, match: '(?i)refused'}", ORIGIN_RUNTIME, LEVEL_INFO, "", "it was REFUSED", ""},
        {"log: {from: runtime, level: warning, match: 'abc'}", ORIGIN_RUNTIME, LEVEL_INFO, "", "abc", "-"},
        {"log: {from: runtime, level: warning, match: 'abc'}", ORIGIN_RUNTIME, LEVEL_WARNING, "", "abc", ""},
        {"log: {from: runtime, level: warning, match: 'abc'}", ORIGIN_RUNTIME, LEVEL_UNKNOWN, "", "abc",
                "-"},
        {"log: {from: runtime, head: 'of (?<m>\\w+)', match: 'abc'}", ORIGIN_RUNTIME, LEVEL_INFO, "of x",
                "abc", "m=x"},
        {"log: {from: runtime, head: 'of (?<m>\\w+)', match: 'abc'}", ORIGIN_RUNTIME, LEVEL_INFO, "no",
                "abc", "-"},
        {"log: {from: runtime, head: 'of (?<m>\\w+)', match: 'abc'}", ORIGIN_RUNTIME, LEVEL_INFO, "", "abc",
                "-"},
        {"log: {from: runtime, head: '^(?!of )', match: 'abc'}", ORIGIN_RUNTIME, LEVEL_INFO, "", "abc", ""},
        {"log: {from: runtime, head: '^(?!of )', match: 'abc'}", ORIGIN_RUNTIME, LEVEL_INFO, "of x", "abc",
                "-"},
        {"log: {from: runtime, match: ['one (?<a>.)', 'two (?<b>.)']}", ORIGIN_RUNTIME, LEVEL_INFO, "",
                "two 2 one 1", "a=1"},
        {"log: {from: runtime, match: ['one (?<a>.)', 'two (?<b>.)']}", ORIGIN_RUNTIME, LEVEL_INFO, "",
                "two 2", "b=2"},
        {"log: {from: runtime, match: 'abc', container: [edgeHub, x]}", ORIGIN_RUNTIME, LEVEL_INFO, "",
                "abc", ""},
        {"log: {from: runtime, match: 'abc', container: edgeAgent}", ORIGIN_RUNTIME, LEVEL_INFO, "", "abc",
                "-"},
        {"log: {from: runtime, match: 'abc', container: {match: '^edge(?<c>.*)'}}", ORIGIN_RUNTIME,
                LEVEL_INFO, "", "abc", "c=Hub"},
        {"log: {from: runtime, match: 'abc', unit: x.service}", ORIGIN_RUNTIME, LEVEL_INFO, "", "abc", "-"},
        {"log: {from: runtime, match: 'of (?<n>\\d+)', where: {n: ['4', '5']}}", ORIGIN_RUNTIME, LEVEL_INFO,
                "", "of 5", "n=5"},
        {"log: {from: runtime, match: 'of (?<n>\\d+)', where: {n: ['4', '5']}}", ORIGIN_RUNTIME, LEVEL_INFO,
                "", "of 55", "-"},
        {"log: {from: runtime, match: 'of (?<n>\\d+)', where: {n: {not: '4'}}}", ORIGIN_RUNTIME, LEVEL_INFO,
                "", "of 4", "-"},
        {"log: {from: runtime, match: 'of (?<n>\\d+)', where: {n: {greater-than: 9}}}", ORIGIN_RUNTIME,
                LEVEL_INFO, "", "of 10", "n=10"},
        {"log: {from: runtime, match: 'of (?<n>\\d+)', where: {n: {greater-than: 9}}}", ORIGIN_RUNTIME,
                LEVEL_INFO, "", "of 9", "-"},
        {"log: {from: runtime, match: 'of (?<n>\\d+) (?<m>\\w+)', where: {n: {less-than: m}}}",
                ORIGIN_RUNTIME, LEVEL_INFO, "", "of 9 10", "n=9 m=10"},
        {"log: {from: runtime, match: 'of (?<n>\\d+) (?<m>\\w+)', where: {n: {less-than: m}}}",
                ORIGIN_RUNTIME, LEVEL_INFO, "", "of 9 8", "-"},
        {"log: {from: runtime, match: 'of (?<n>x)?(?<m>y)?'}", ORIGIN_RUNTIME, LEVEL_INFO, "", "of y",
                "m=y"},
};

static bool has_variable(const Hit *hit, Text pair) {
        for (size_t i = 0; i < hit->n_variables; i++) {
                size_t n = strlen(hit->variables[i].name);

                if (text_starts_with(pair, hit->variables[i].name) && pair.data[n] == '=' &&
                        text_equals(text_skip(pair, n + 1), hit->variables[i].value))
                        return true;
        }
        return false;
}

static void check_variables(const Hit *hit, const char *expected) {
        size_t n = 0;

        for (Text rest = text_of(expected); rest.len > 0;) {
                const char *space = memchr(rest.data, ' ', rest.len);
                Text pair = text_clip(rest, space ? (size_t) (space - rest.data) : rest.len);

                ck_assert_msg(has_variable(hit, pair), "no %.*s", (int) pair.len, pair.data);
                rest = text_skip(rest, pair.len + 1);
                n++;
        }
        ck_assert_uint_eq(hit->n_variables, n);
}

START_TEST(line_is_matched) {
        Event event = log_event(lines[_i].origin, lines[_i].level, text_of(lines[_i].text));
        bool expected = strcmp(lines[_i].variables, "-") != 0;
        const Hit *hits;
        Fixture f;

        event.log.head = text_of(lines[_i].head);
        fixture_start(&f, &lines[_i].signal, 1);
        ck_assert_uint_eq(f.problems.n_items, 0);
        ck_assert_uint_eq(matcher_match(f.matcher, &event, &hits), expected);
        if (expected)
                check_variables(&hits[0], lines[_i].variables);
        fixture_done(&f);
}
END_TEST

static const struct {
        const char *signal, *variables;
} changes[] = {
        {"container: {action: die}", ""},
        {"container: {action: [stop, die], name: edgeHub}", ""},
        {"container: {action: start}", "-"},
        {"container: {exit-code: 137}", ""},
        {"container: {exit-code: {match: '^(?<code>1.*)'}}", "code=137"},
        {"container: {exit-code: {match: '^(?<code>1.*)'}, where: {code: {less-than: 100}}}", "-"},
        {"container: {error: {match: 'x'}}", "-"},
        {"link: {name: edgeHub}", "-"},
};

START_TEST(change_is_matched) {
        Event event = {.kind = EVENT_CONTAINER,
                .container = {.action = TEXT_LITERAL("die"),
                        .name = TEXT_LITERAL("edgeHub"),
                        .exit_code = 137,
                        .signal = -1}};
        bool expected = strcmp(changes[_i].variables, "-") != 0;
        const Hit *hits;
        Fixture f;

        fixture_start(&f, &changes[_i].signal, 1);
        ck_assert_uint_eq(matcher_match(f.matcher, &event, &hits), expected);
        if (expected)
                check_variables(&hits[0], changes[_i].variables);
        fixture_done(&f);
}
END_TEST

static const struct {
        const char *signal, *problem;
} bad_patterns[] = {
        {"log: {from: runtime, match: '(abc'}",
                "good.yaml:10:35: the pattern is wrong at its byte 4: missing closing parenthesis"},
        {"log: {from: runtime, match: 'a.c'}",
                "good.yaml:10:35: no text of 3 bytes that every match contains, expected one in each "
                "alternative"},
        {"log: {from: runtime, head: '[', match: 'abc'}",
                "good.yaml:10:34: the pattern is wrong at its byte 1: missing terminating ] for character "
                "class"},
        {"log: {from: runtime, match: '(*UTF)abc'}",
                "good.yaml:10:35: the pattern is wrong at its byte 6: using UTF is disabled by the "
                "application"},
        {"container: {name: {match: 'a(b'}}",
                "good.yaml:10:33: the pattern is wrong at its byte 3: missing closing parenthesis"},
};

START_TEST(bad_pattern_is_named) {
        _cleanup_(freep) char *problems = NULL;
        const Hit *hits;
        Fixture f;

        fixture_start(&f, &bad_patterns[_i].signal, 1);
        problems = problems_text(&f.problems);
        ck_assert_str_eq(problems, bad_patterns[_i].problem);
        ck_assert_uint_eq(match_text(&f, "(abc a.c [ abc", &hits), 0);
        fixture_done(&f);
}
END_TEST

/* CVE-like input: exponential backtracking ends at the limit and is charged to its rule. */
START_TEST(backtracking_is_limited) {
        static const char *const signals[] = {
                "log: {from: runtime, match: 'abc'}", "log: {from: runtime, match: 'abc(x+x+)+y'}"};
        char text[1024] = "abc";
        const Hit *hits;
        Fixture f;

        memset(text + 3, 'x', 500);
        text[503] = 'z';
        text[504] = 'y';
        fixture_start(&f, signals, 2);
        ck_assert_uint_eq(match_text(&f, text, &hits), 1);
        ck_assert_uint_eq(hits[0].rule, 0);
        ck_assert_uint_eq(matcher_limit_hits(f.matcher, 0), 0);
        ck_assert_uint_eq(matcher_limit_hits(f.matcher, 1), 1);
        ck_assert_uint_eq(matcher_stats(f.matcher).limit_hits, 1);
        fixture_done(&f);
}
END_TEST

/* 1000 rules give the hits that each alone gives, and a line of no rule reaches no pattern. */
START_TEST(many_rules_are_matched) {
        enum {
                N = 1000
        };
        char **signals = calloc(N, sizeof(*signals));
        const Hit *hits;
        Fixture f;

        for (size_t i = 0; i < N; i++)
                ck_assert_int_gt(
                        asprintf(&signals[i], "log: {from: runtime, match: 'number %zu of (?<n>\\d+)'}", i),
                        0);
        fixture_start(&f, (const char *const *) signals, N);
        ck_assert_uint_eq(match_text(&f, "number 77 of 1000", &hits), 1);
        ck_assert_uint_eq(hits[0].rule, 77);
        check_variables(&hits[0], "n=1000");
        ck_assert_uint_eq(match_text(&f, "number 0 of 1, number 999 of 2", &hits), 2);
        ck_assert_uint_eq(hits[0].rule, 0);
        ck_assert_uint_eq(hits[1].rule, 999);
        ck_assert_uint_eq(matcher_stats(f.matcher).candidates, 3);
        ck_assert_uint_eq(match_text(&f, "number one of a thousand", &hits), 0);
        ck_assert_uint_eq(matcher_stats(f.matcher).candidates, 3);
        ck_assert_uint_eq(matcher_stats(f.matcher).lines, 3);
        ck_assert_uint_lt(matcher_stats(f.matcher).automaton_bytes, 2 * 1024 * 1024);
        fixture_done(&f);
        for (size_t i = 0; i < N; i++)
                free(signals[i]);
        free(signals);
}
END_TEST

START_TEST(hits_are_capped) {
        const char *signals[MATCH_HITS_MAX + 5];
        const Hit *hits;
        Fixture f;

        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                signals[i] = "log: {from: runtime, match: 'abc'}";
        fixture_start(&f, signals, ELEMENTSOF(signals));
        ck_assert_uint_eq(match_text(&f, "abc", &hits), MATCH_HITS_MAX);
        ck_assert_uint_eq(matcher_stats(f.matcher).hits, MATCH_HITS_MAX);
        fixture_done(&f);
}
END_TEST

START_TEST(long_and_binary_lines_are_matched) {
        static const char *const signal = "log: {from: runtime, match: 'end.of (?<n>.)'}";
        static char text[MATCH_TEXT_MAX + 100];
        Event event = log_event(ORIGIN_RUNTIME, LEVEL_INFO, (Text){text, sizeof(text)});
        const Hit *hits;
        Fixture f;

        fixture_start(&f, &signal, 1);
        memcpy(text + MATCH_TEXT_MAX - 7, "end\0of \xff", 8); /* its last byte is past the end */
        ck_assert_uint_eq(matcher_match(f.matcher, &event, &hits), 0);
        ck_assert_uint_eq(matcher_stats(f.matcher).truncated, 1);
        memcpy(text + MATCH_TEXT_MAX - 8, "end\0of \xff", 8);
        ck_assert_uint_eq(matcher_match(f.matcher, &event, &hits), 1);
        ck_assert_uint_eq(hits[0].variables[0].value.len, 1);
        ck_assert_int_eq((unsigned char) hits[0].variables[0].value.data[0], 0xff);
        fixture_done(&f);
}
END_TEST

START_TEST(unread_origins_are_left_alone) {
        static const char *const signal = "log: {from: [runtime, hub], match: 'abc'}";
        Event event = log_event(ORIGIN_MODULE, LEVEL_ERROR, TEXT_LITERAL("abc"));
        const Hit *hits;
        Fixture f;

        fixture_start(&f, &signal, 1);
        for (Origin o = 0; o < ORIGIN_X_MAX; o++)
                ck_assert_int_eq(matcher_reads_origin(f.matcher, o), o == ORIGIN_RUNTIME || o == ORIGIN_HUB);
        ck_assert_uint_eq(matcher_match(f.matcher, &event, &hits), 0);
        ck_assert_uint_eq(matcher_stats(f.matcher).lines, 0);
        fixture_done(&f);
}
END_TEST

START_TEST(no_rules_match_nothing) {
        const Hit *hits;
        Fixture f;

        fixture_start(&f, NULL, 0);
        ck_assert_uint_eq(match_text(&f, "abc", &hits), 0);
        fixture_done(&f);
}
END_TEST

static void note(void *userdata, size_t literal) {
        (void) buffer_append_format(userdata, "%zu ", literal);
}

static const struct {
        const char *text, *found;
} scans[] = {
        {"ushers", "1 0 3 "},
        {"USHERS", "1 0 3 "},
        {"his", "2 "},
        {"xhe", "0 "},
        {"hhis", "2 "},
        {"", ""},
        {"h", ""},
        {"shis", "2 "},
        {"\xff"
         "he\xff",
                "0 "},
        {"double", "4 5 "},
};

/* The example of Aho and Corasick's paper, and a text given twice. */
START_TEST(automaton_finds_all) {
        static const char *const words[] = {"he", "she", "his", "hers", "double", "ble"};
        _cleanup_(automaton_freep) Automaton *a = NULL;
        _cleanup_(buffer_done) Buffer found = {};

        ck_assert_int_eq(automaton_new(&a, words, ELEMENTSOF(words)), 0);
        automaton_scan(a, text_of(scans[_i].text), note, &found);
        ck_assert_text_eq(buffer_text(&found), scans[_i].found);
}
END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("matcher");
        TCase *t = tcase_create("matcher");

        tcase_add_loop_test(t, literals_are_extracted, 0, ELEMENTSOF(literals));
        tcase_add_loop_test(t, claims_hold, 0, ELEMENTSOF(claims));
        tcase_add_loop_test(t, line_is_matched, 0, ELEMENTSOF(lines));
        tcase_add_loop_test(t, change_is_matched, 0, ELEMENTSOF(changes));
        tcase_add_loop_test(t, bad_pattern_is_named, 0, ELEMENTSOF(bad_patterns));
        tcase_add_test(t, backtracking_is_limited);
        tcase_add_test(t, many_rules_are_matched);
        tcase_add_test(t, hits_are_capped);
        tcase_add_test(t, long_and_binary_lines_are_matched);
        tcase_add_test(t, unread_origins_are_left_alone);
        tcase_add_test(t, no_rules_match_nothing);
        tcase_add_loop_test(t, automaton_finds_all, 0, ELEMENTSOF(scans));
        suite_add_tcase(s, t);
        return s;
}

int main(void) {
        return run_suite(suite());
}
