/* Which units run the runtime, in all eras and both ways of packaging it. */

#include "lib/fix/runtime-units.h"
#include "tests/unit/unit.h"

#define DEB    "aziot-edged.service"
#define SNAP   "snap.azure-iot-edge.aziot-edged.service"
#define LEGACY "iotedge.service"

static int no_facts(void *userdata, World *w, const char *key, usec_t now) {
        return -ENOENT;
}

static void add(World *w, const char *name, const char *load, const char *active) {
        Event event = {.kind = EVENT_UNIT, .source = SOURCE_UNITS, .origin = ORIGIN_DEVICE};
        json_t *properties = json_pack("{s:s, s:s}", "LoadState", load, "ActiveState", active);

        ck_assert_int_ge(unit_state_from_json(name, properties, &event.unit), 0);
        ck_assert_int_ge(world_apply(w, &event), 0);
        json_decref(properties);
}

static const struct {
        const char *units[4][3]; /* name, LoadState, ActiveState */
        const char *service;     /* NULL: none is known */
        bool runs, is_legacy;
} cases[] = {
        {{}, NULL, false, false},
        {{{DEB, "not-found", "inactive"}, {SNAP, "not-found", "inactive"}}, NULL, false, false},
        {{{DEB, "loaded", "active"}, {LEGACY, "not-found", "inactive"}}, DEB, true, false},
        {{{DEB, "loaded", "activating"}}, DEB, true, false}, /* systemd starts it again and again */
        {{{DEB, "loaded", "failed"}}, DEB, false, false},
        {{{DEB, "loaded", "inactive"}}, DEB, false, false},
        {{{DEB, "not-found", "inactive"}, {SNAP, "loaded", "active"}}, SNAP, true, false},
        {{{LEGACY, "loaded", "active"}}, LEGACY, true, true},
        {{{LEGACY, "loaded", "inactive"}, {DEB, "loaded", "active"}}, DEB, true, false},
        {{{DEB, "masked", "inactive"}, {LEGACY, "loaded", "active"}}, LEGACY, true, true},
};

START_TEST(eras) {
        _cleanup_(world_freep) World *w = NULL;
        RuntimeUnits units = {};

        ck_assert_int_ge(world_new(&w, (WorldOps){.fetch = no_facts}), 0);
        FOREACH_ARRAY (unit, cases[_i].units, ELEMENTSOF(cases[_i].units))
                if ((*unit)[0])
                        add(w, (*unit)[0], (*unit)[1], (*unit)[2]);
        ck_assert_int_eq(runtime_units_find(w, &units), cases[_i].service != NULL);
        if (!cases[_i].service)
                return;
        ck_assert_str_eq(runtime_units_service(&units), cases[_i].service);
        ck_assert_int_eq(runtime_units_is_up(&units), cases[_i].runs);
        ck_assert_int_eq(units.is_legacy, cases[_i].is_legacy);
}
END_TEST

/* A socket that listens while its service is down would have it started. */
START_TEST(sockets_count_by_themselves) {
        _cleanup_(world_freep) World *w = NULL;
        RuntimeUnits units = {};

        ck_assert_int_ge(world_new(&w, (WorldOps){.fetch = no_facts}), 0);
        add(w, DEB, "loaded", "inactive");
        add(w, "aziot-edged.mgmt.socket", "loaded", "active");
        add(w, "aziot-edged.workload.socket", "not-found", "inactive");
        ck_assert_int_eq(runtime_units_find(w, &units), 1);
        ck_assert_uint_eq(units.n, 3);
        ck_assert_str_eq(units.names[0], "aziot-edged.mgmt.socket");
        ck_assert(units.runs[0]);
        ck_assert(!units.runs[1]);
        ck_assert(!runtime_units_is_up(&units));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("runtime-units");
        TCase *t = tcase_create("runtime-units");

        tcase_add_loop_test(t, eras, 0, ELEMENTSOF(cases));
        tcase_add_test(t, sockets_count_by_themselves);
        suite_add_tcase(suite, t);
        return run_suite(suite);
}
