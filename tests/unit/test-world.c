#include "lib/world/world.h"

#include <stdio.h>

#include "lib/world/world-tables.h"

#include "tests/unit/unit.h"

#define NOW ((usec_t) 1700000000 * USEC_PER_SEC)

static World *world;

static void set_up(void) {
        ck_assert_int_eq(world_new(&world, (WorldOps){}), 0);
}

static void tear_down(void) {
        world = world_free(world);
}

/* What an event of a file makes of the fact of its name. */
static const struct {
        const char *name;
        FileChange file;
        bool deleted;
        FactState state;
        const char *value; /* NULL: null, or not known */
} files[] = {
        {"what it holds", {.exists = true, .content = TEXT_LITERAL("x\n")}, false, FACT_KNOWN, "x\n"},
        {"empty", {.exists = true}, false, FACT_KNOWN, ""},
        {"absent", {.exists = false}, false, FACT_KNOWN, NULL},
        {"gone", {.exists = false}, true, FACT_KNOWN, NULL},
        {"not to be read", {.exists = true, .is_unreadable = true}, false, FACT_UNKNOWN, NULL},
        {"no text", {.exists = true, .content = TEXT_LITERAL("\xff\xfe")}, false, FACT_UNKNOWN, NULL},
};

START_TEST(file_becomes_a_fact) {
        Event event = {
                .kind = EVENT_FILE, .time = NOW, .deleted = files[_i].deleted, .file = files[_i].file};
        const Fact *fact;

        event.file.path = TEXT_LITERAL("/etc/some");
        ck_assert_int_eq(world_apply(world, &event), 0);
        fact = world_peek(world, "file:/etc/some");
        ck_assert_msg(fact && fact->state == files[_i].state, "%s", files[_i].name);
        if (files[_i].value)
                ck_assert_str_eq(json_string_value(fact->value), files[_i].value);
        else
                ck_assert_msg(!fact->value || json_is_null(fact->value), "%s", files[_i].name);
        ck_assert_msg((fact->state == FACT_UNKNOWN) == (fact->why != NULL), "%s", files[_i].name);
        ck_assert_uint_eq(fact->time, NOW);
}
END_TEST

START_TEST(content_that_may_not_be_read_any_more_is_forgotten) {
        Event event = {.kind = EVENT_FILE,
                .time = NOW,
                .file = {TEXT_LITERAL("/etc/some"), .exists = true, .content = TEXT_LITERAL("old")}};

        ck_assert_int_eq(world_apply(world, &event), 0);
        event.file.is_unreadable = true;
        ck_assert_int_eq(world_apply(world, &event), 0);
        ck_assert_int_eq(world_peek(world, "file:/etc/some")->state, FACT_UNKNOWN);
        ck_assert_ptr_null(world_peek(world, "file:/etc/some")->value);
}
END_TEST

START_TEST(unit_is_known_until_it_is_gone) {
        Event event = {
                .kind = EVENT_UNIT, .time = NOW, .unit = {.name = "a.socket", .active_state = "active"}};

        ck_assert_ptr_null(world_unit(world, "a.socket"));
        ck_assert_int_eq(world_apply(world, &event), 0);
        ck_assert_str_eq(world_unit(world, "a.socket")->active_state, "active");
        memcpy(event.unit.active_state, "failed", sizeof("failed"));
        ck_assert_int_eq(world_apply(world, &event), 0);
        ck_assert_str_eq(world_unit(world, "a.socket")->active_state, "failed");
        event.deleted = true;
        ck_assert_int_eq(world_apply(world, &event), 0);
        ck_assert_ptr_null(world_unit(world, "a.socket"));
}
END_TEST

START_TEST(metrics_become_a_fact) {
        Event event = {.kind = EVENT_METRICS,
                .time = NOW,
                .metrics = {TEXT_LITERAL("edgeHub"),
                        TEXT_LITERAL("edgehub_queue_length{endpoint=\"iothub\"} 3\n")}};

        ck_assert_int_eq(world_apply(world, &event), 0);
        ck_assert_int_eq(world_peek(world, "metrics:edgeHub")->state, FACT_KNOWN);
        ck_assert_uint_eq(world_hub_metrics(world)->n_points, 1);
        ck_assert_double_eq(world_hub_metrics(world)->points[0].upstream_queue, 3);
}
END_TEST

static World *world_of(WorldOps ops) {
        World *w;

        ck_assert_int_eq(world_new(&w, ops), 0);
        return w;
}

typedef struct Fetcher {
        unsigned n_asked;
        int error;
        const char *answer; /* NULL: later */
} Fetcher;

static int fetch(void *userdata, World *w, const char *key, usec_t now) {
        Fetcher *f = userdata;

        f->n_asked++;
        if (f->error < 0)
                return f->error;
        return f->answer ? world_set_fact(w, key, json_string(f->answer), now) : 0;
}

START_TEST(fetches_when_needed) {
        Fetcher fetcher = {.answer = "x"};
        _cleanup_(world_freep) World *w = world_of((WorldOps){fetch, &fetcher});
        const Fact *f;

        ck_assert_ptr_null(world_peek(w, "file:/a"));
        f = world_fact(w, 100, 50, "file:%s", "/a");
        ck_assert_int_eq(f->state, FACT_KNOWN);
        ck_assert_uint_eq(f->time, 100);
        ck_assert_str_eq(json_string_value(f->value), "x");
        ck_assert_ptr_eq(world_peek(w, "file:/a"), f);

        (void) world_fact(w, 200, 100, "file:/a"); /* fresh enough */
        ck_assert_uint_eq(fetcher.n_asked, 1);
        f = world_fact(w, 200, 101, "file:/a");
        ck_assert_uint_eq(fetcher.n_asked, 2);
        ck_assert_uint_eq(f->time, 200);
}
END_TEST

START_TEST(waits_for_an_answer) {
        Fetcher fetcher = {};
        _cleanup_(world_freep) World *w = world_of((WorldOps){fetch, &fetcher});
        const Fact *f = world_fact(w, 100, 50, "listeners");

        ck_assert_int_eq(f->state, FACT_PENDING);
        ck_assert_uint_eq(f->asked, 100);
        f = world_fact(w, 200, 50, "listeners"); /* not asked twice */
        ck_assert_int_eq(f->state, FACT_PENDING);
        f = world_fact(w, 300, 150, "listeners"); /* nor while an answer is on its way */
        ck_assert_int_eq(f->state, FACT_PENDING);
        ck_assert_uint_eq(fetcher.n_asked, 1);

        ck_assert_int_eq(world_set_fact(w, "listeners", json_array(), 310), 0);
        f = world_fact(w, 320, 100, "listeners");
        ck_assert_int_eq(f->state, FACT_KNOWN);
        ck_assert_uint_eq(f->time, 100); /* it tells how it was when it was asked */
        ck_assert_uint_eq(fetcher.n_asked, 1);

        f = world_fact(w, 320, 150, "listeners");
        ck_assert_int_eq(f->state, FACT_PENDING); /* which is too old for this one */
        ck_assert_uint_eq(fetcher.n_asked, 2);
        ck_assert_int_eq(world_set_unknown(w, "listeners", "no prober", 510), 0);
        f = world_fact(w, 520, 320, "listeners");
        ck_assert_int_eq(f->state, FACT_UNKNOWN);
        ck_assert_str_eq(f->why, "no prober");
        ck_assert_ptr_null(f->value);
        ck_assert_uint_eq(f->time, 320);
        ck_assert_uint_eq(fetcher.n_asked, 2);
}
END_TEST

START_TEST(asks_again_when_the_answer_is_lost) {
        Fetcher fetcher = {};
        _cleanup_(world_freep) World *w = world_of((WorldOps){fetch, &fetcher});

        (void) world_fact(w, 0, 0, "listeners");
        (void) world_fact(w, 59 * USEC_PER_SEC, 50 * USEC_PER_SEC, "listeners");
        ck_assert_uint_eq(fetcher.n_asked, 1);
        (void) world_fact(w, 60 * USEC_PER_SEC, 50 * USEC_PER_SEC, "listeners");
        ck_assert_uint_eq(fetcher.n_asked, 2);
}
END_TEST

static const struct {
        bool has_fetcher;
        int error;
        const char *why;
} fetch_errors[] = {
        {false, 0, "nothing here can tell"},
        {true, -EOPNOTSUPP, "nothing here can tell"},
        {true, -EACCES, "Permission denied"},
};

START_TEST(makes_errors_unknown) {
        Fetcher fetcher = {.error = fetch_errors[_i].error};
        WorldOps ops = {fetch_errors[_i].has_fetcher ? fetch : NULL, &fetcher};
        _cleanup_(world_freep) World *w = world_of(ops);
        const Fact *f = world_fact(w, 100, 50, "nat");

        ck_assert_int_eq(f->state, FACT_UNKNOWN);
        ck_assert_str_eq(f->why, fetch_errors[_i].why);
        ck_assert_uint_eq(f->time, 100);
        (void) world_fact(w, 110, 50, "nat");
        ck_assert_uint_eq(fetcher.n_asked, fetch_errors[_i].has_fetcher ? 1 : 0);
}
END_TEST

START_TEST(refuses_too_many_facts) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        char key[32];

        for (size_t i = 0; i <= WORLD_FACTS_MAX; i++) {
                (void) snprintf(key, sizeof(key), "file:/%zu", i);
                ck_assert_int_eq(
                        world_set_fact(w, key, json_true(), 10), i < WORLD_FACTS_MAX ? 0 : -ENOBUFS);
        }
        ck_assert_ptr_null(world_fact(w, 10, 0, "file:/another"));
        ck_assert_int_eq(world_set_fact(w, "file:/0", NULL, 10), -ENOMEM); /* of a constructor that failed */
        ck_assert_int_eq(world_peek(w, "file:/0")->state, FACT_KNOWN);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("world");
        TCase *c = tcase_create("world");

        tcase_add_checked_fixture(c, set_up, tear_down);
        tcase_add_loop_test(c, file_becomes_a_fact, 0, ELEMENTSOF(files));
        tcase_add_test(c, content_that_may_not_be_read_any_more_is_forgotten);
        tcase_add_test(c, unit_is_known_until_it_is_gone);
        tcase_add_test(c, metrics_become_a_fact);
        tcase_add_test(c, fetches_when_needed);
        tcase_add_test(c, waits_for_an_answer);
        tcase_add_test(c, asks_again_when_the_answer_is_lost);
        tcase_add_loop_test(c, makes_errors_unknown, 0, ELEMENTSOF(fetch_errors));
        tcase_add_test(c, refuses_too_many_facts);
        suite_add_tcase(suite, c);
        return run_suite(suite);
}
