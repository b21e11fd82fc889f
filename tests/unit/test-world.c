#include "lib/world/world.h"

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

int main(void) {
        Suite *suite = suite_create("world");
        TCase *c = tcase_create("world");

        tcase_add_checked_fixture(c, set_up, tear_down);
        tcase_add_loop_test(c, file_becomes_a_fact, 0, ELEMENTSOF(files));
        tcase_add_test(c, content_that_may_not_be_read_any_more_is_forgotten);
        tcase_add_test(c, unit_is_known_until_it_is_gone);
        tcase_add_test(c, metrics_become_a_fact);
        suite_add_tcase(suite, c);
        return run_suite(suite);
}
