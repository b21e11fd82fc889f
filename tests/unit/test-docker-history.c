#include "daemon/watch/sources/docker-history.h"

#include "tests/unit/unit.h"

#define T(seconds) ((usec_t) 1700000000 * USEC_PER_SEC + (usec_t) ((seconds) *1000) * USEC_PER_MSEC)

/* What was told before, what inspect then shows, and what is left to tell. Times in seconds, 0 for none. */
static const struct {
        const char *name;
        bool is_unknown;
        double told_start, told_end, start_seen, die_seen, oom_seen;
        double started, finished;
        int oom_killed;
        const char *error;
        double now;
        unsigned missed;
} observations[] = {
        {.name = "its past is unknown", .is_unknown = true, .started = 10, .finished = 20, .now = 30},
        {.name = "nothing new", .told_start = 10, .told_end = 20, .started = 10, .finished = 20, .now = 30},
        {.name = "start told by the stream",
                .told_start = 10,
                .start_seen = 12.01,
                .started = 12,
                .now = 30},
        {.name = "start missed", .told_start = 10, .started = 12, .now = 30, .missed = DOCKER_MISSED_START},
        {.name = "start too young", .told_start = 10, .started = 29, .now = 30, .missed = DOCKER_LOOK_AGAIN},
        {.name = "end told by the stream", .die_seen = 20.2, .finished = 20, .now = 30},
        {.name = "stream's stamp a little early", .die_seen = 19.95, .finished = 20, .now = 30},
        {.name = "end missed", .die_seen = 15, .finished = 20, .now = 30, .missed = DOCKER_MISSED_DIE},
        {.name = "end missed for want of memory",
                .started = 10,
                .told_start = 10,
                .finished = 20,
                .oom_killed = 1,
                .now = 30,
                .missed = DOCKER_MISSED_DIE | DOCKER_MISSED_OOM},
        {.name = "oom told, end missed",
                .started = 10,
                .told_start = 10,
                .oom_seen = 19,
                .finished = 20,
                .oom_killed = 1,
                .now = 30,
                .missed = DOCKER_MISSED_DIE},
        {.name = "both missed",
                .told_start = 10,
                .told_end = 11,
                .started = 20,
                .finished = 25,
                .now = 30,
                .missed = DOCKER_MISSED_START | DOCKER_MISSED_DIE},
        {.name = "the clock went back",
                .told_start = 50,
                .started = 20,
                .now = 30,
                .missed = DOCKER_MISSED_START},
        {.name = "failed start",
                .error = "port is already allocated",
                .now = 30,
                .missed = DOCKER_NEW_ERROR},
};

static usec_t stamp(double seconds) {
        return seconds > 0 ? T(seconds) : 0;
}

START_TEST(what_nobody_told_is_found_once) {
        typeof(&observations[0]) o = &observations[_i];
        Container c = {
                .started_at = stamp(o->started),
                .finished_at = stamp(o->finished),
                .oom_killed = o->oom_killed,
        };
        DockerHistory h = {
                .known = !o->is_unknown,
                .started_at = stamp(o->told_start),
                .finished_at = stamp(o->told_end),
                .start_seen = stamp(o->start_seen),
                .die_seen = stamp(o->die_seen),
                .oom_seen = stamp(o->oom_seen),
        };
        char error[64] = "";

        (void) snprintf(error, sizeof(error), "%s", o->error ? o->error : "");
        c.error = error;
        ck_assert_msg(docker_history_observe(&h, &c, T(o->now)) == o->missed, "%s", o->name);
        /* Young changes stay open, everything else counts as told. */
        ck_assert_uint_eq(docker_history_observe(&h, &c, T(o->now)), o->missed & DOCKER_LOOK_AGAIN);
}
END_TEST

START_TEST(young_change_is_told_when_the_stream_stays_silent) {
        Container c = {.finished_at = T(29)};
        DockerHistory h = {.known = true};

        ck_assert_uint_eq(docker_history_observe(&h, &c, T(30)), DOCKER_LOOK_AGAIN);
        ck_assert_uint_eq(docker_history_observe(&h, &c, T(32)), DOCKER_MISSED_DIE);
        ck_assert_uint_eq(docker_history_observe(&h, &c, T(92)), 0);
}
END_TEST

START_TEST(stream_does_not_repeat_what_was_derived) {
        Container c = {.finished_at = T(20)};
        DockerHistory h = {.known = true};

        ck_assert_uint_eq(docker_history_observe(&h, &c, T(30)), DOCKER_MISSED_DIE);
        ck_assert(!docker_history_note(&h, TEXT_LITERAL("die"), T(20.1)));
        ck_assert(docker_history_note(&h, TEXT_LITERAL("die"), T(20.5))); /* the same one comes only once */
        ck_assert_uint_eq(docker_history_observe(&h, &c, T(40)), 0);
}
END_TEST

START_TEST(stream_tells_what_is_new) {
        Container c = {.finished_at = T(20)};
        DockerHistory h = {.known = true};

        ck_assert_uint_eq(docker_history_observe(&h, &c, T(30)), DOCKER_MISSED_DIE);
        ck_assert(docker_history_note(&h, TEXT_LITERAL("start"), T(31)));
        ck_assert(docker_history_note(&h, TEXT_LITERAL("die"), T(35)));
        ck_assert(docker_history_note(&h, TEXT_LITERAL("oom"), T(35)));
        ck_assert(docker_history_note(&h, TEXT_LITERAL("health_status"), T(35)));
}
END_TEST

START_TEST(history_is_saved_and_restored) {
        DockerHistory h = {.known = true,
                              .started_at = T(1),
                              .finished_at = T(2),
                              .error = 77,
                              .start_seen = T(3),
                              .die_seen = T(4),
                              .oom_seen = T(5)},
                      back;
        json_t *object = docker_history_to_json(&h);

        back = docker_history_from_json(object);
        json_decref(object);
        ck_assert(back.known);
        ck_assert_uint_eq(back.started_at, h.started_at);
        ck_assert_uint_eq(back.finished_at, h.finished_at);
        ck_assert_uint_eq(back.error, h.error);
        ck_assert_uint_eq(back.start_seen, h.start_seen);
        ck_assert_uint_eq(back.die_seen, h.die_seen);
        ck_assert_uint_eq(back.oom_seen, h.oom_seen);
}
END_TEST

START_TEST(a_state_file_with_nonsense_is_an_unknown_past) {
        json_t *object = json_pack("{s:i, s:s}", "started", -5, "finished", "x");
        DockerHistory h = docker_history_from_json(object);

        json_decref(object);
        ck_assert_uint_eq(h.started_at, 0);
        ck_assert_uint_eq(h.finished_at, 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("docker-history");
        TCase *tc = tcase_create("docker-history");

        tcase_add_loop_test(tc, what_nobody_told_is_found_once, 0, ELEMENTSOF(observations));
        tcase_add_test(tc, young_change_is_told_when_the_stream_stays_silent);
        tcase_add_test(tc, stream_does_not_repeat_what_was_derived);
        tcase_add_test(tc, stream_tells_what_is_new);
        tcase_add_test(tc, history_is_saved_and_restored);
        tcase_add_test(tc, a_state_file_with_nonsense_is_an_unknown_past);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
