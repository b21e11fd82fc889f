/* The grace of deadlines, and what may be saved when. */

#include "daemon/watch/intake.h"
#include "tests/unit/unit.h"

#define SEC USEC_PER_SEC

static const char rule_text[] =
        "id: t\ntitle: t\nseverity: error\nmessage-id: 00000000000000000000000000000001\n"
        "documentation: https://example.org/\nlayer: port\nsubject: host\nmessage: m\nexplanation: e\n"
        "remedy: {where: device, text: r}\nconfirm: {conclusive: true}\n"
        "signals:\n"
        "  asked: {log: {from: [runtime], match: 'question asked'}}\n"
        "  answered: {log: {from: [runtime], match: 'question answered'}}\n"
        "when: [{after: asked, absent: [answered], for: 10s}]\n"
        "clear: [{any: [answered]}]\n";

static RuleSet *rules;
static Matcher *matcher;
static World *world;
static Diagnosis *diagnosis;
static Merge *merge;
static Intake *intake;
static MergeInput *fast, *slow;
static unsigned n_confirmed;

static int unknown(void *userdata, World *w, const char *key, usec_t now) {
        return world_set_unknown(w, key, "a test", now);
}

static void changed(void *userdata, const Incident *incident, IncidentChange change) {
        n_confirmed += change == CHANGE_CONFIRMED;
}

static void setup(void) {
        ProblemList problems = {};

        rules = calloc(1, sizeof(*rules));
        rules->rules = calloc(1, sizeof(*rules->rules));
        ck_assert_int_eq(rule_parse("t.yaml", TEXT_LITERAL(rule_text), &problems, &rules->rules[0]), 0);
        rules->n_rules = rules->allocated = 1;
        ck_assert_int_eq(matcher_new(&matcher, rules, &problems), 0);
        ck_assert_uint_eq(problems.n_items, 0);
        ck_assert_int_eq(world_new(&world, (WorldOps){.fetch = unknown}), 0);
        ck_assert_int_eq(
                diagnosis_new(&diagnosis, rules, matcher, world, (DiagnosisOps){.changed = changed}), 0);
        ck_assert_int_eq(merge_new(&merge), 0);
        ck_assert_int_eq(merge_add_input(merge, SOURCE_JOURNAL, &slow), 0);
        ck_assert_int_eq(merge_add_input(merge, SOURCE_DOCKER_EVENTS, &fast), 0);
        ck_assert_int_eq(intake_new(&intake, merge, diagnosis), 0);
        n_confirmed = 0;
}

static void teardown(void) {
        intake_free(intake);
        merge_free(merge);
        diagnosis_free(diagnosis);
        world_free(world);
        matcher_free(matcher);
        rule_set_free(rules);
}

static void offer(MergeInput *input, usec_t time, const char *message) {
        Event event = {
                .kind = EVENT_LOG,
                .source = SOURCE_JOURNAL,
                .origin = ORIGIN_RUNTIME,
                .time = time,
                .position = TEXT_LITERAL("p"),
                .log.message = text_of(message),
        };

        ck_assert_int_eq(intake_offer(intake, input, &event), 1);
}

static void all_live(void) {
        merge_set_live(fast);
        merge_set_live(slow);
}

START_TEST(test_unwanted_is_not_taken) {
        Event event = {.kind = EVENT_LOG, .origin = ORIGIN_RUNTIME, .log.message = TEXT_LITERAL("nothing")};

        ck_assert_int_eq(intake_offer(intake, fast, &event), 0);
        ck_assert_uint_eq(intake_pending(intake), 0);
}
END_TEST

START_TEST(test_pending_while_one_catches_up) {
        merge_set_live(fast);
        offer(fast, 100 * SEC, "question asked");
        ck_assert_int_eq(intake_drain(intake, 200 * SEC), 0);
        ck_assert_uint_eq(intake_pending(intake), 1);
        ck_assert(intake_next_deadline(intake) == USEC_INFINITY);
        merge_set_live(slow);
        ck_assert_int_eq(intake_drain(intake, 200 * SEC), 1);
        ck_assert_uint_eq(intake_pending(intake), 0);
}
END_TEST

START_TEST(test_absence_waits_for_the_grace) {
        all_live();
        offer(slow, 100 * SEC, "question asked");
        ck_assert_int_eq(intake_drain(intake, 100 * SEC), 1);
        ck_assert_uint_eq(intake_next_deadline(intake), 110 * SEC + INTAKE_GRACE);
        ck_assert_int_eq(intake_drain(intake, 110 * SEC + INTAKE_GRACE / 2), 0);
        ck_assert_uint_eq(n_confirmed, 0);
        ck_assert_int_eq(intake_drain(intake, 110 * SEC + INTAKE_GRACE), 0);
        ck_assert_uint_eq(n_confirmed, 1);
}
END_TEST

/* The fast source is already past the deadline when the slow one delivers the answer that came before it. */
START_TEST(test_fast_source_does_not_fire_what_a_slow_one_prevents) {
        all_live();
        offer(slow, 100 * SEC, "question asked");
        ck_assert_int_eq(intake_drain(intake, 100 * SEC), 1);
        offer(fast, 110 * SEC + 1, "question asked");
        ck_assert_int_eq(intake_drain(intake, 110 * SEC + 2), 0);
        ck_assert_uint_eq(intake_pending(intake), 1);
        offer(slow, 110 * SEC - 1, "question answered");
        ck_assert_int_eq(intake_drain(intake, 110 * SEC + 3), 1);
        ck_assert_int_eq(intake_drain(intake, 110 * SEC + INTAKE_GRACE), 1);
        ck_assert_uint_eq(intake_pending(intake), 0);
        ck_assert_uint_eq(n_confirmed, 0);
}
END_TEST

START_TEST(test_held_event_leaves_after_the_grace) {
        all_live();
        offer(slow, 100 * SEC, "question asked");
        ck_assert_int_eq(intake_drain(intake, 100 * SEC), 1);
        offer(fast, 110 * SEC + 1, "question answered");
        ck_assert_int_eq(intake_drain(intake, 110 * SEC + 2), 0);
        ck_assert_int_eq(intake_drain(intake, 110 * SEC + INTAKE_GRACE), 1);
        ck_assert_uint_eq(n_confirmed, 1);
}
END_TEST

/* In a backlog the deadline is long past: nothing is held, order alone decides. */
START_TEST(test_backlog_is_not_held) {
        offer(fast, 100 * SEC, "question asked");
        offer(fast, 120 * SEC, "question answered");
        offer(slow, 105 * SEC, "question answered");
        all_live();
        ck_assert_int_eq(intake_drain(intake, 1000 * SEC), 3);
        ck_assert_uint_eq(n_confirmed, 0);
}
END_TEST

START_TEST(test_full_input_is_told) {
        Event event = {
                .kind = EVENT_LOG,
                .origin = ORIGIN_RUNTIME,
                .time = SEC,
                .position = TEXT_LITERAL("p"),
                .log.message = TEXT_LITERAL("question asked"),
        };

        for (size_t i = 0; i < MERGE_INPUT_MAX; i++)
                ck_assert_int_eq(intake_take(intake, fast, &event), 1);
        ck_assert_int_eq(intake_take(intake, fast, &event), -ENOBUFS);
        ck_assert_uint_eq(intake_pending(intake), MERGE_INPUT_MAX);
}
END_TEST

/* It took the diagnosis along: no deadline passed until the clock was there. */
START_TEST(test_nothing_is_from_the_future) {
        all_live();
        offer(slow, 5000 * SEC, "question asked");
        ck_assert_int_eq(intake_drain(intake, 100 * SEC), 1);
        ck_assert_uint_eq(intake_next_deadline(intake), 110 * SEC + INTAKE_GRACE);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("intake");
        TCase *tcase = tcase_create("intake");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_unwanted_is_not_taken);
        tcase_add_test(tcase, test_pending_while_one_catches_up);
        tcase_add_test(tcase, test_absence_waits_for_the_grace);
        tcase_add_test(tcase, test_fast_source_does_not_fire_what_a_slow_one_prevents);
        tcase_add_test(tcase, test_held_event_leaves_after_the_grace);
        tcase_add_test(tcase, test_backlog_is_not_held);
        tcase_add_test(tcase, test_full_input_is_told);
        tcase_add_test(tcase, test_nothing_is_from_the_future);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
