/* The engine's conditions as truth tables: a rule, a history of signals in time, and when it raises or
 * clears. */

#include <stdio.h>

#include "lib/engine/engine.h"
#include "lib/rules/rule-set.h"

#include "tests/unit/unit.h"

#define HEAD                                                                                                \
        "id: t\ntitle: t\nseverity: error\nmessage-id: 00000000000000000000000000000001\n"                  \
        "documentation: https://example.org/\nlayer: port\nsubject: host\nmessage: m\nexplanation: e\n"     \
        "remedy: {where: device, text: r}\nconfirm: {conclusive: true}\nkey: [module]\nevidence: "          \
        "{signals: [a, b, c, d], within: 1s}\n"                                                             \
        "signals:\n"                                                                                        \
        "  a: {log: {from: [runtime], match: 'aaa (?<module>.*) (?<n>.*)'}}\n"                              \
        "  b: {log: {from: [runtime], match: 'bbb (?<module>.*) (?<m>.*)'}}\n"                              \
        "  c: {log: {from: [runtime], match: 'ccc (?<module>.*)'}}\n"                                       \
        "  d: {log: {from: [hub], match: 'ddd (?<module>.*)'}}\n"

/* A step of a history: at second `at`, signal with its variables. An empty signal only lets time pass. */
typedef struct Step {
        unsigned at;
        const char *signal;
        const char *module;
        const char *n;
} Step;

typedef struct Case {
        const char *name;
        const char *rule;
        Step steps[12];
        const char *outcome; /* "R5" raised at second 5, "C9" cleared at 9, in order */
} Case;

#define ANY_C "clear: [{any: [c]}]\n"
#define PRECEDED                                                                                            \
        "when: [{after: a, absent: [c], for: 10s, preceded-by: [b], within: 20s}]\nclear: [{quiet: 1h}]\n"

static const Case cases[] = {
        {"any raises each time", "when: [{any: [a]}]\n" ANY_C, {{1, "a"}, {2, "b"}, {3, "a"}}, "R1 R3"},
        {"any clears", "when: [{any: [a]}]\n" ANY_C, {{1, "a"}, {5, "c"}}, "R1 C5"},
        {"all in any order", "when: [{all: [a, b], within: 10s}]\n" ANY_C, {{1, "b"}, {4, "a"}}, "R4"},
        {"all not in time", "when: [{all: [a, b], within: 10s}]\n" ANY_C, {{1, "b"}, {14, "a"}}, ""},
        {"all of different keys", "when: [{all: [a, b], within: 10s}]\n" ANY_C,
                {{1, "b", "x"}, {4, "a", "y"}}, ""},
        {"all where one lacks the key", "when: [{all: [a, b], within: 10s}]\n" ANY_C,
                {{1, "b"}, {4, "a", "y"}}, "R4"},
        {"sequence in order", "when: [{sequence: [a, b, c], within: 10s}]\nclear: [{quiet: 1h}]\n",
                {{1, "a"}, {2, "b"}, {3, "c"}}, "R3"},
        {"sequence out of order", "when: [{sequence: [a, b, c], within: 10s}]\nclear: [{quiet: 1h}]\n",
                {{1, "b"}, {2, "a"}, {3, "c"}}, ""},
        {"sequence too slow", "when: [{sequence: [a, b], within: 10s}]\n" ANY_C, {{1, "a"}, {12, "b"}}, ""},
        {"sequence ended by unless",
                "when: [{sequence: [a, b], within: 10s, unless: [c]}]\nclear: [{quiet: 1h}]\n",
                {{1, "a"}, {2, "c"}, {3, "b"}}, ""},
        /* b lacks the key: c must agree with a too */
        {"sequence not ended by what is of another key",
                "when: [{sequence: [a, b], within: 10s, unless: [c]}]\nclear: [{quiet: 1h}]\n",
                {{1, "a", "x"}, {2, "a", "y"}, {3, "c", "y"}, {4, "b"}}, "R4"},
        {"all not ended by what is of another key",
                "when: [{all: [a, b], within: 10s, unless: [c]}]\nclear: [{quiet: 1h}]\n",
                {{1, "a", "x"}, {2, "c", "y"}, {3, "b"}}, "R3"},
        {"sequence finds the numbers that fit",
                "when: [{sequence: [a, b], within: 60s, where: {m: {greater-than: n}}}]\n" ANY_C,
                {{1, "a", NULL, "3"}, {2, "a", NULL, "9"}, {3, "b", NULL, "5"}}, "R3"},
        {"sequence finds no numbers that fit",
                "when: [{sequence: [a, b], within: 60s, where: {m: {greater-than: n}}}]\n" ANY_C,
                {{1, "a", NULL, "5"}, {3, "b", NULL, "5"}}, ""},
        {"count reaches its number", "when: [{count: a, at-least: 3, within: 60s}]\n" ANY_C,
                {{1, "a"}, {20, "a"}, {40, "a"}}, "R40"},
        {"count of equal hits within a second", "when: [{count: a, at-least: 3, within: 60s}]\n" ANY_C,
                {{1, "a"}, {1, "a"}, {1, "a"}}, "R1"},
        {"count exactly a window ago", "when: [{count: a, at-least: 3, within: 60s}]\n" ANY_C,
                {{1, "a"}, {20, "a"}, {61, "a"}}, "R61"},
        {"count too slow", "when: [{count: a, at-least: 3, within: 60s}]\n" ANY_C,
                {{1, "a"}, {20, "a"}, {62, "a"}}, ""},
        {"count per key", "when: [{count: a, at-least: 2, within: 60s}]\n" ANY_C,
                {{1, "a", "x"}, {2, "a", "y"}, {3, "a", "x"}}, "R3"},
        {"count starts again after unless",
                "when: [{count: a, at-least: 2, within: 60s, unless: [c]}]\nclear: [{quiet: 1h}]\n",
                {{1, "a"}, {2, "c"}, {3, "a"}, {4, "a"}}, "R4"},
        {"sustained needs every part",
                "when: [{count: a, at-least: 3, within: 30s, sustained: {at-least: 1, every: 10s}}]\n" ANY_C,
                {{1, "a"}, {2, "a"}, {3, "a"}, {28, "a"}}, ""},
        {"sustained in every part",
                "when: [{count: a, at-least: 3, within: 30s, sustained: {at-least: 1, every: 10s}}]\n" ANY_C,
                {{1, "a"}, {12, "a"}, {23, "a"}}, "R23"},
        {"absence fires at its deadline", "when: [{after: a, absent: [b], for: 30s}]\n" ANY_C,
                {{1, "a"}, {90, ""}}, "R31"},
        {"absence ended in time", "when: [{after: a, absent: [b], for: 30s}]\n" ANY_C,
                {{1, "a"}, {30, "b"}, {90, ""}}, ""},
        {"absence ended exactly at its deadline", "when: [{after: a, absent: [b], for: 30s}]\n" ANY_C,
                {{1, "a"}, {31, "b"}, {90, ""}}, ""},
        {"absence ended too late", "when: [{after: a, absent: [b], for: 30s}]\n" ANY_C,
                {{1, "a"}, {32, "b"}}, "R31"},
        {"absence ended for another key", "when: [{after: a, absent: [b], for: 30s}]\n" ANY_C,
                {{1, "a", "x"}, {5, "b", "y"}, {90, ""}}, "R31"},
        {"absences of two keys at one time", "when: [{after: a, absent: [b], for: 30s}]\n" ANY_C,
                {{1, "a", "x"}, {1, "a", "y"}, {90, ""}}, "R31 R31"},
        {"absence after several", "when: [{after: a, at-least: 2, absent: [b], for: 30s}]\n" ANY_C,
                {{1, "a"}, {11, "a"}, {90, ""}}, "R31"},
        {"absence after too few", "when: [{after: a, at-least: 2, absent: [b], for: 30s}]\n" ANY_C,
                {{1, "a"}, {40, "a"}, {90, ""}}, ""},
        {"absence after several, ended", "when: [{after: a, at-least: 2, absent: [b], for: 30s}]\n" ANY_C,
                {{1, "a"}, {11, "a"}, {20, "b"}, {90, ""}}, ""},
        {"absence after several of one key",
                "when: [{after: a, at-least: 2, absent: [b], for: 30s}]\n" ANY_C,
                {{1, "a", "x"}, {11, "a", "y"}, {90, ""}}, ""},
        {"absence with a past", PRECEDED, {{1, "b", "x"}, {5, "a", "x"}, {60, ""}}, "R15"},
        {"absence without its past", PRECEDED, {{1, "b", "y"}, {5, "a", "x"}, {60, ""}}, ""},
        {"absence with its past too long ago", PRECEDED, {{1, "b"}, {35, "a"}, {90, ""}}, ""},
        {"absence with a past, ended", PRECEDED, {{1, "b"}, {5, "a"}, {9, "c"}, {60, ""}}, ""},
        {"absence with a past of other numbers",
                "when: [{after: a, absent: [c], for: 10s, preceded-by: [b], within: 20s, "
                "where: {n: {greater-than: m}}}]\nclear: [{quiet: 1h}]\n",
                {{1, "b", NULL, "4"}, {5, "a", NULL, "3"}, {6, "a", NULL, "5"}, {60, ""}}, "R16"},
        {"absence clears", "when: [{any: [a]}]\nclear: [{after: c, absent: [a], for: 10s}]\n",
                {{1, "a"}, {2, "c"}, {5, "a"}, {20, "c"}, {60, ""}}, "R1 R5 C30"},
        {"below clears when it calmed down",
                "when: [{count: a, at-least: 2, within: 10s}]\n"
                "clear: [{below: a, at-least: 2, every: 10s, for: 20s}]\n",
                {{1, "a"}, {2, "a"}, {60, ""}}, "R2 C22 C32"},
};

typedef struct Outcome {
        usec_t start;
        char text[256];
} Outcome;

static void note(Outcome *o, char what, usec_t time) {
        size_t n = strlen(o->text);

        (void) snprintf(o->text + n, sizeof(o->text) - n, "%s%c%u", n > 0 ? " " : "", what,
                (unsigned) ((time - o->start) / USEC_PER_SEC));
}

static int on_raise(void *userdata, const Finding *f) {
        note(userdata, 'R', f->time);
        return 0;
}

static int on_clear(void *userdata, const Finding *f) {
        note(userdata, 'C', f->time);
        return 0;
}

static Rule *parse(const char *conditions) {
        _cleanup_(freep) char *yaml = NULL;
        ProblemList problems = {};
        Rule *rule = NULL;

        ck_assert_int_gt(asprintf(&yaml, "%s%s", HEAD, conditions), 0);
        if (rule_parse("t.yaml", text_of(yaml), &problems, &rule) < 0)
                ck_abort_msg("%s", problem_format(problems.items));
        problem_list_done(&problems);
        return rule;
}

#define START (1000 * USEC_PER_HOUR)

static void feed(Engine *e, const Rule *rule, const Step *step) {
        Hit hit = {.rule = 0};
        Event event = {
                .kind = EVENT_LOG,
                .origin = ORIGIN_RUNTIME,
                .time = START + step->at * USEC_PER_SEC,
                .position = TEXT_LITERAL("cursor"),
                .log.message = text_of(step->signal),
        };

        if (step->signal[0] == '\0') {
                ck_assert_int_eq(engine_advance(e, event.time), 0);
                return;
        }
        hit.signal = (size_t) rule_find_signal(rule, step->signal);
        if (step->module)
                hit.variables[hit.n_variables++] = (HitVariable){"module", text_of(step->module)};
        if (step->n)
                hit.variables[hit.n_variables++] =
                        (HitVariable){step->signal[0] == 'a' ? "n" : "m", text_of(step->n)};
        ck_assert_int_eq(engine_feed(e, &event, &hit, 1), 0);
}

static void restart_engine(Engine **e, const RuleSet *set, EngineHandler handler) {
        json_t *state = engine_save(*e);

        *e = engine_free(*e);
        ck_assert_int_eq(engine_new(e, set, handler), 0);
        ck_assert_int_eq(engine_restore(*e, state), 0);
        json_decref(state);
}

/* With restart: the engine is saved and restored between any two steps. */
static void run_case(const Case *c, bool restart) {
        Outcome outcome = {.start = START};
        EngineHandler handler = {.raise = on_raise, .clear = on_clear, .userdata = &outcome};
        _cleanup_(rule_freep) Rule *rule = parse(c->rule);
        RuleSet set = {.rules = &rule, .n_rules = 1};
        _cleanup_(engine_freep) Engine *e = NULL;

        ck_assert_int_eq(engine_new(&e, &set, handler), 0);
        for (size_t i = 0; i < ELEMENTSOF(c->steps) && c->steps[i].signal; i++) {
                feed(e, rule, c->steps + i);
                if (restart)
                        restart_engine(&e, &set, handler);
        }
        if (strcmp(outcome.text, c->outcome) != 0)
                ck_abort_msg("%s: \"%s\" instead of \"%s\"", c->name, outcome.text, c->outcome);
}

START_TEST(condition_holds_when_it_should) {
        run_case(cases + _i, false);
}
END_TEST

START_TEST(condition_survives_restarts) {
        run_case(cases + _i, true);
}
END_TEST

START_TEST(history_is_bounded) {
        Outcome outcome = {.start = START};
        _cleanup_(rule_freep) Rule *rule = parse("when: [{count: a, at-least: 2, within: 1h}]\n" ANY_C);
        RuleSet set = {.rules = &rule, .n_rules = 1};
        _cleanup_(engine_freep) Engine *e = NULL;
        json_t *state;

        ck_assert_int_eq(engine_new(&e, &set, (EngineHandler){on_raise, on_clear, &outcome}), 0);
        for (unsigned i = 0; i < 3000; i++) {
                char module[16];

                (void) snprintf(module, sizeof(module), "m%u", i);
                feed(e, rule, &(Step){.at = i / 100, .signal = "a", .module = module});
        }
        ck_assert_uint_eq(engine_dropped(e), 3000 - ENGINE_OCCURRENCES_MAX);
        ck_assert_str_eq(outcome.text, "");
        state = engine_save(e);
        ck_assert_uint_eq(json_array_size(json_object_get(
                                  json_object_get(json_object_get(state, "rules"), "t"), "occurrences")),
                ENGINE_OCCURRENCES_MAX);
        json_decref(state);
}
END_TEST

START_TEST(lost_source_ends_windows_as_unknown) {
        Outcome outcome = {.start = START};
        _cleanup_(rule_freep) Rule *rule = parse("when: [{after: a, absent: [b], for: 30s}]\n" ANY_C);
        RuleSet set = {.rules = &rule, .n_rules = 1};
        _cleanup_(engine_freep) Engine *e = NULL;

        ck_assert_int_eq(engine_new(&e, &set, (EngineHandler){on_raise, on_clear, &outcome}), 0);
        feed(e, rule, &(Step){.at = 1, .signal = "a"});
        engine_forget_windows(e, SOURCE_JOURNAL, START + 1 * USEC_PER_SEC);
        ck_assert_uint_eq(engine_next_deadline(e), USEC_INFINITY);
        feed(e, rule, &(Step){.at = 90, .signal = ""});
        ck_assert_str_eq(outcome.text, "");
        feed(e, rule, &(Step){.at = 100, .signal = "a"});
        feed(e, rule, &(Step){.at = 190, .signal = ""});
        ck_assert_str_eq(outcome.text, "R130");
}
END_TEST

/* The source of all signals is lost at these seconds; time passes up to the last of the steps. */
typedef struct LossCase {
        const char *name;
        const char *rule;
        Step steps[8];
        unsigned lost[4];
        unsigned clock_ahead; /* of the engine, when the loss is known */
        const char *outcome;
} LossCase;

#define CALM "when: [{any: [a]}]\nclear: [{after: c, absent: [a], for: 120s}]\n"
#define CALM_BELOW                                                                                          \
        "when: [{count: a, at-least: 2, within: 10s}]\nclear: [{below: a, at-least: 2, every: 60s, for: "   \
        "120s}]\n"

/* A loss once blinded what a rule waits for to clear, and its incident stayed for good. */
static const LossCase losses[] = {
        {"a wait for recovery begins anew", CALM, {{1, "a"}, {2, "c"}, {1000, ""}}, {50}, 0, "R1 C170"},
        {"at each loss", CALM, {{1, "a"}, {2, "c"}, {1000, ""}}, {50, 160, 270, 380}, 0, "R1 C500"},
        {"and is ended as ever", CALM, {{1, "a"}, {2, "c"}, {150, "a"}, {1000, ""}}, {100}, 0, "R1 R150"},
        {"a clock set forward does not end it", CALM, {{1, "a"}, {2, "c"}, {3000, ""}}, {50}, 1000,
                "R1 C1170"},
        {"what was answered is not asked about again", CALM, {{1, "a"}, {2, "c"}, {130, "a"}, {1000, ""}},
                {140}, 0, "R1 C122 R130"},
        {"what comes after the loss counts from its own time", CALM, {{1, "a"}, {60, "c"}, {1000, ""}}, {50},
                0, "R1 C180"},
        {"one that was answered during another's wait", CALM,
                {{1, "a"}, {2, "c"}, {100, "a"}, {101, "c"}, {1000, ""}}, {130}, 0, "R1 R100 C250"},
        {"a lull is looked for anew", CALM_BELOW, {{1, "a"}, {2, "a"}, {1000, ""}}, {60}, 0, "R2 C180 C240"},
        {"at each loss, also once the last call is long ago", CALM_BELOW, {{1, "a"}, {2, "a"}, {2000, ""}},
                {100, 190, 280, 370}, 0, "R2 C490 C550"},
};

static void run_loss_case(const LossCase *c, bool restart) {
        Outcome outcome = {.start = START};
        EngineHandler handler = {.raise = on_raise, .clear = on_clear, .userdata = &outcome};
        _cleanup_(rule_freep) Rule *rule = parse(c->rule);
        RuleSet set = {.rules = &rule, .n_rules = 1};
        _cleanup_(engine_freep) Engine *e = NULL;
        size_t lost = 0;

        ck_assert_int_eq(engine_new(&e, &set, handler), 0);
        for (size_t i = 0; i < ELEMENTSOF(c->steps) && c->steps[i].signal; i++) {
                for (; lost < ELEMENTSOF(c->lost) && c->lost[lost] > 0 && c->lost[lost] < c->steps[i].at;
                        lost++) {
                        usec_t now = START + c->lost[lost] * USEC_PER_SEC;

                        ck_assert_int_eq(engine_advance(e, now), 0);
                        engine_forget_windows(e, SOURCE_JOURNAL, now + c->clock_ahead * USEC_PER_SEC);
                        if (restart)
                                restart_engine(&e, &set, handler);
                }
                feed(e, rule, c->steps + i);
        }
        if (strcmp(outcome.text, c->outcome) != 0)
                ck_abort_msg("%s: \"%s\" instead of \"%s\"", c->name, outcome.text, c->outcome);
}

START_TEST(lost_source_restarts_recovery) {
        run_loss_case(losses + _i, false);
}
END_TEST

START_TEST(lost_source_restarts_recovery_over_restarts) {
        run_loss_case(losses + _i, true);
}
END_TEST

/* The engine's end takes the logs along: an absence in them once fired over the outage. */
START_TEST(lost_docker_ends_windows_over_logs) {
        Outcome outcome = {.start = START};
        _cleanup_(rule_freep) Rule *rule = parse("when: [{after: d, absent: [b], for: 30s}]\n" ANY_C);
        RuleSet set = {.rules = &rule, .n_rules = 1};
        _cleanup_(engine_freep) Engine *e = NULL;

        ck_assert_int_eq(engine_new(&e, &set, (EngineHandler){on_raise, on_clear, &outcome}), 0);
        feed(e, rule, &(Step){.at = 1, .signal = "d"});
        engine_forget_windows(e, SOURCE_DOCKER_EVENTS, START + 1 * USEC_PER_SEC);
        feed(e, rule, &(Step){.at = 90, .signal = ""});
        ck_assert_str_eq(outcome.text, "");
}
END_TEST

START_TEST(time_never_goes_back) {
        Outcome outcome = {.start = START};
        _cleanup_(rule_freep) Rule *rule = parse("when: [{any: [a]}]\n" ANY_C);
        RuleSet set = {.rules = &rule, .n_rules = 1};
        _cleanup_(engine_freep) Engine *e = NULL;

        ck_assert_int_eq(engine_new(&e, &set, (EngineHandler){on_raise, on_clear, &outcome}), 0);
        feed(e, rule, &(Step){.at = 50, .signal = "a"});
        feed(e, rule, &(Step){.at = 10, .signal = "c"});
        ck_assert_str_eq(outcome.text, "R50 C50");
        ck_assert_uint_eq(engine_now(e), START + 50 * USEC_PER_SEC);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("engine");
        TCase *tc = tcase_create("engine");

        tcase_add_loop_test(tc, condition_holds_when_it_should, 0, ELEMENTSOF(cases));
        tcase_add_loop_test(tc, condition_survives_restarts, 0, ELEMENTSOF(cases));
        tcase_add_test(tc, history_is_bounded);
        tcase_add_test(tc, lost_source_ends_windows_as_unknown);
        tcase_add_loop_test(tc, lost_source_restarts_recovery, 0, ELEMENTSOF(losses));
        tcase_add_loop_test(tc, lost_source_restarts_recovery_over_restarts, 0, ELEMENTSOF(losses));
        tcase_add_test(tc, lost_docker_ends_windows_over_logs);
        tcase_add_test(tc, time_never_goes_back);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
