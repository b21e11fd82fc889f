#include "lib/event/merge.h"

#include "tests/unit/unit.h"

enum {
        JOURNAL,
        EVENTS,
        LOG_A,
        LOG_B,
        N_INPUTS
};

/* Added in another order than that of ties, on purpose. */
static const struct {
        int input;
        SourceKind kind;
} kinds[] = {
        {LOG_A, SOURCE_DOCKER_LOGS},
        {JOURNAL, SOURCE_JOURNAL},
        {LOG_B, SOURCE_DOCKER_LOGS},
        {EVENTS, SOURCE_DOCKER_EVENTS},
};

typedef struct Fixture {
        Merge *merge;
        MergeInput *inputs[N_INPUTS];
} Fixture;

static Fixture fixture_new(void) {
        Fixture f = {};

        ck_assert_int_eq(merge_new(&f.merge), 0);
        FOREACH_ARRAY (k, kinds, ELEMENTSOF(kinds))
                ck_assert_int_eq(merge_add_input(f.merge, k->kind, &f.inputs[k->input]), 0);
        return f;
}

static int push(MergeInput *input, usec_t time, const char *message) {
        Event event = {.kind = EVENT_LOG, .time = time, .log.message = text_of(message)};
        Event *copy = event_dup(&event);

        ck_assert_ptr_nonnull(copy);
        return merge_push(input, copy);
}

/* Carries out one step: "J20=x" pushes the event x of time 20 to the journal, "J:20" sets its position, "J+"
 * makes it live, "J-20" lets it catch up again from 20, "J!" removes it. */
static void carry_out(Fixture *f, const char *step) {
        static const char names[N_INPUTS] = {[JOURNAL] = 'J', [EVENTS] = 'E', [LOG_A] = 'A', [LOG_B] = 'B'};
        MergeInput **input = NULL;
        char *end;

        for (int i = 0; i < N_INPUTS; i++)
                if (names[i] == step[0])
                        input = &f->inputs[i];
        ck_assert_ptr_nonnull(input);
        switch (step[1]) {
        case ':':
                merge_set_position(*input, strtoull(step + 2, NULL, 10));
                break;
        case '+':
                merge_set_live(*input);
                break;
        case '-':
                merge_set_catching_up(*input, strtoull(step + 2, NULL, 10));
                break;
        case '!':
                *input = merge_remove_input(*input);
                break;
        default:
                ck_assert_int_eq(push(*input, strtoull(step + 1, &end, 10), strchr(step, '=') + 1), 0);
                ck_assert_int_eq(*end, '=');
        }
}

static const struct {
        const char *title;
        const char *steps[16];
        const char *leaves; /* the messages in the order in which they leave after the last step */
        usec_t position;
} merges[] = {
        {"nothing leaves while another may deliver something older", {"J20=a", "E+", "A+"}, "", 0},
        {"what is older than every position leaves", {"J20=a", "J30=b", "E:25", "A:25", "B:25"}, "a", 25},
        {"ties go by kind, then by the order of adding",
                {"B10=d", "A10=c", "E10=b", "J10=a", "J+", "E+", "A+", "B+"}, "abcd", USEC_INFINITY},
        {"an input keeps its own order at one time", {"J10=a", "J10=b", "E10=c", "J+", "E+", "A+", "B+"},
                "abc", USEC_INFINITY},
        {"of a tie with one waited for, the first kind goes first", {"E10=b", "J:10", "E+", "A+", "B+"}, "",
                10},
        {"of a tie with one waited for, the later kind is not waited for", {"J10=a", "E:10", "A:10", "B:10"},
                "a", 10},
        {"live inputs hold nobody back", {"J+", "E+", "A+", "B+", "A20=a", "J10=b"}, "ba", USEC_INFINITY},
        {"a live input's event waits for one that catches up", {"J+", "E+", "A+", "B:15", "J20=b", "J10=a"},
                "", 15},
        {"an input that catches up again holds back", {"J+", "E+", "A+", "B+", "B-5", "J20=a"}, "", 5},
        {"and lets go when it is live again", {"J+", "E+", "A+", "B+", "B-5", "J20=b", "B10=a", "B+"}, "ab",
                USEC_INFINITY},
        {"time that steps back keeps the input's order", {"J20=a", "J10=b", "J+", "E15=c", "E+", "A+", "B+"},
                "cab", USEC_INFINITY},
        {"a position never goes back", {"J:30", "J:20", "E+", "A+", "B+", "E25=a"}, "a", 30},
        {"what was pushed is a position too", {"J10=a", "J20=b", "E15=c", "E+", "A+", "B+"}, "acb", 20},
        {"a removed input holds nobody back", {"J!", "E+", "A+", "B+", "E10=a"}, "a", USEC_INFINITY},
        {"what a removed input holds leaves in its turn",
                {"J20=b", "J!", "E10=a", "E30=c", "E+", "A+", "B+"}, "abc", USEC_INFINITY},
};

START_TEST(events_leave_in_order) {
        Fixture f = fixture_new();
        char left[32] = "";
        size_t n = 0;
        Event *event;

        for (size_t i = 0; i < ELEMENTSOF(merges[_i].steps) && merges[_i].steps[i]; i++)
                carry_out(&f, merges[_i].steps[i]);
        while ((event = merge_pop(f.merge))) {
                ck_assert_uint_lt(n, sizeof(left) - 1);
                left[n++] = event->log.message.data[0];
                (void) event_free(event);
        }
        ck_assert_msg(strcmp(left, merges[_i].leaves) == 0, "%s: \"%s\" left, wanted \"%s\"",
                merges[_i].title, left, merges[_i].leaves);
        ck_assert_uint_eq(merge_position(f.merge), merges[_i].position);
        (void) merge_free(f.merge);
}
END_TEST

START_TEST(full_input_refuses) {
        Fixture f = fixture_new();

        for (size_t i = 0; i < MERGE_INPUT_MAX; i++) {
                ck_assert(!merge_input_is_full(f.inputs[JOURNAL]));
                ck_assert_int_eq(push(f.inputs[JOURNAL], i, ""), 0);
        }
        ck_assert(merge_input_is_full(f.inputs[JOURNAL]));
        ck_assert_int_eq(push(f.inputs[JOURNAL], 1, ""), -ENOBUFS);
        ck_assert_int_eq(push(f.inputs[EVENTS], 1, ""), 0);

        for (int i = 0; i < N_INPUTS; i++)
                merge_set_live(f.inputs[i]);
        (void) event_free(merge_pop(f.merge));
        ck_assert(!merge_input_is_full(f.inputs[JOURNAL]));
        (void) merge_free(f.merge); /* with all that it still holds */
}
END_TEST

/* The ring behind a queue wraps around and grows without losing its order. */
START_TEST(queue_keeps_order_over_time) {
        Fixture f = fixture_new();
        usec_t pushed = 0, popped = 0;

        for (int i = 0; i < N_INPUTS; i++)
                merge_set_live(f.inputs[i]);
        for (unsigned round = 1; round < 60; round++) {
                for (unsigned i = 0; i < round; i++)
                        ck_assert_int_eq(push(f.inputs[JOURNAL], ++pushed, ""), 0);
                for (unsigned i = 0; i < round - round / 3; i++) {
                        Event *event = merge_pop(f.merge);

                        ck_assert_ptr_nonnull(event);
                        ck_assert_uint_eq(event->time, ++popped);
                        (void) event_free(event);
                }
        }
        ck_assert_uint_gt(pushed, popped);
        (void) merge_free(f.merge);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("merge");
        TCase *tc = tcase_create("merge");

        tcase_add_loop_test(tc, events_leave_in_order, 0, ELEMENTSOF(merges));
        tcase_add_test(tc, full_input_refuses);
        tcase_add_test(tc, queue_keeps_order_over_time);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
