#include "daemon/watch/silence.h"

#include "tests/unit/unit.h"

#define NOW (1000 * USEC_PER_SEC)

static const Incident port = {.id = "0123456789abcdef", .symptom = (char *) "hub-port-conflict"};

static const struct {
        const char *title;
        const char *what;
        usec_t until, asked_at;
        bool covered;
} cases[] = {
        {"by symptom", "hub-port-conflict", NOW + 10, NOW + 9, true},
        {"by id", "0123456789abcdef", NOW + 10, NOW, true},
        {"over", "hub-port-conflict", NOW + 10, NOW + 10, false},
        {"over when set", "hub-port-conflict", NOW, NOW, false},
        {"ended", "hub-port-conflict", 0, NOW, false},
        {"of another", "image-pull-403", NOW + 10, NOW, false},
        {"the beginning of an id is not enough", "01234567", NOW + 10, NOW, false},
};

START_TEST(covers) {
        _cleanup_(silence_freep) Silence *s = NULL;

        ck_assert_int_eq(silence_new(&s), 0);
        ck_assert_int_eq(silence_set(s, cases[_i].what, cases[_i].until, NOW), 0);
        ck_assert_msg(
                silence_covers(s, &port, cases[_i].asked_at) == cases[_i].covered, "%s", cases[_i].title);
}
END_TEST

START_TEST(a_later_word_counts) {
        _cleanup_(silence_freep) Silence *s = NULL;

        ck_assert_int_eq(silence_new(&s), 0);
        ck_assert_int_eq(silence_set(s, port.symptom, NOW + 100, NOW), 0);
        ck_assert_int_eq(silence_set(s, port.symptom, NOW + 10, NOW), 0);
        ck_assert(!silence_covers(s, &port, NOW + 50));
        ck_assert_int_eq(silence_set(s, port.symptom, NOW + 100, NOW), 0);
        ck_assert_int_eq(silence_set(s, port.symptom, 0, NOW), 0);
        ck_assert(!silence_covers(s, &port, NOW));
}
END_TEST

START_TEST(is_bounded) {
        _cleanup_(silence_freep) Silence *s = NULL;
        char name[SILENCE_NAME_MAX + 1];

        ck_assert_int_eq(silence_new(&s), 0);
        for (unsigned i = 0; i < SILENCES_MAX; i++) {
                (void) snprintf(name, sizeof(name), "symptom-%u", i);
                ck_assert_int_eq(silence_set(s, name, NOW + 10, NOW), 0);
        }
        ck_assert_int_eq(silence_set(s, "one-more", NOW + 10, NOW), -ENOBUFS);
        /* One that is there may be set again, and what is over makes room. */
        ck_assert_int_eq(silence_set(s, "symptom-7", NOW + 20, NOW), 0);
        ck_assert_int_eq(silence_set(s, "one-more", NOW + 30, NOW + 15), 0);

        memset(name, 'x', SILENCE_NAME_MAX);
        name[SILENCE_NAME_MAX] = '\0';
        ck_assert_int_eq(silence_set(s, name, NOW + 10, NOW), -EINVAL);
        ck_assert_int_eq(silence_set(s, "", NOW + 10, NOW), -EINVAL);
}
END_TEST

START_TEST(survives_a_restart) {
        _cleanup_(silence_freep) Silence *s = NULL, *later = NULL;
        json_t *state;

        ck_assert_int_eq(silence_new(&s), 0);
        ck_assert_int_eq(silence_new(&later), 0);
        ck_assert_int_eq(silence_set(s, port.id, NOW + 10 * USEC_PER_SEC, NOW), 0);
        ck_assert_int_eq(silence_set(s, "short", NOW + 1, NOW), 0);
        state = silence_save(s, NOW + 1);
        ck_assert_uint_eq(json_array_size(state), 1);
        ck_assert_int_eq(silence_restore(later, state, NOW + 2), 0);
        ck_assert(silence_covers(later, &port, NOW + 9 * USEC_PER_SEC));
        ck_assert(!silence_covers(later, &port, NOW + 10 * USEC_PER_SEC));
        json_decref(state);
}
END_TEST

START_TEST(restores_what_can_be_read) {
        _cleanup_(silence_freep) Silence *s = NULL;
        json_t *state =
                json_loads("[7, {}, {\"what\": \"x\"}, {\"what\": \"y\", \"until\": \"soon\"},"
                           " {\"what\": \"hub-port-conflict\", \"until\": \"2030-01-01T00:00:00Z\"}]",
                        0, NULL);

        ck_assert_int_eq(silence_new(&s), 0);
        ck_assert_int_eq(silence_restore(s, state, NOW), 0);
        ck_assert(silence_covers(s, &port, NOW));
        json_decref(state);
        ck_assert_int_eq(silence_restore(s, NULL, NOW), 0);
        ck_assert(!silence_covers(s, &port, NOW));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("silence");
        TCase *tcase = tcase_create("silence");

        tcase_add_loop_test(tcase, covers, 0, ELEMENTSOF(cases));
        tcase_add_test(tcase, a_later_word_counts);
        tcase_add_test(tcase, is_bounded);
        tcase_add_test(tcase, survives_a_restart);
        tcase_add_test(tcase, restores_what_can_be_read);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
