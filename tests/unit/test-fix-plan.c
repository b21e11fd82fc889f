#include "lib/fix/ledger.h"
#include "lib/fix/plan.h"
#include "tests/unit/unit.h"

#define RUN "0123456789abcdef"

static FixPlan *make_plan(const char *because, const char *refusal) {
        FixPlan *p = NULL;

        ck_assert_int_eq(fix_plan_new(&p, "docker-dns", RUN, "edgeAgent"), 0);
        p->because = because ? strdup(because) : NULL;
        p->downtime = 90 * USEC_PER_SEC;
        ck_assert_int_eq(fix_plan_add(p, "write-file", json_pack("{s:s}", "path", "/a"), json_object(),
                                 "Write %s", "/a"),
                0);
        ck_assert_int_eq(fix_plan_note(&p->losses, "what is in it"), 0);
        ck_assert_int_eq(fix_plan_note(&p->by_person, "reboot"), 0);
        if (refusal)
                ck_assert_int_eq(fix_plan_refuse(p, "%s", refusal), 0);
        return p;
}

static const struct {
        const char *because, *refusal;
} plans[] = {
        {"it is broken", NULL}, /* json_unpack() knows no optional string: nothing could be read back */
        {"it is broken", "the image is not here"},
        {NULL, NULL},
};

START_TEST(a_plan_comes_back_from_the_disk) {
        _cleanup_(fix_plan_freep) FixPlan *p = make_plan(plans[_i].because, plans[_i].refusal), *back = NULL;
        json_t *json = fix_plan_to_json(p, false), *again;

        ck_assert_int_eq(fix_plan_from_json(json, &back), 0);
        again = fix_plan_to_json(back, false);
        ck_assert(json_equal(json, again));
        ck_assert_uint_eq(back->n_steps, 1);
        ck_assert_uint_eq(back->downtime, 90 * USEC_PER_SEC);
        json_decref(again);
        json_decref(json);
}
END_TEST

/* What is set to what, in a plan that would be good; NULL: the key is left out. */
static const struct {
        const char *key, *value;
} bad_plans[] = {
        {"because", "1"},
        {"because", NULL},
        {"refusal", "[]"},
        {"downtime_seconds", "-1"},
        {"steps", "[{}]"},
        {"steps", "{}"},
        {"losses", "[1]"},
        {"more", "1"},
        {"subject", NULL},
};

START_TEST(a_plan_that_is_none_is_refused) {
        _cleanup_(fix_plan_freep) FixPlan *p = make_plan("it is broken", NULL), *back = NULL;
        json_t *json = fix_plan_to_json(p, false);

        if (bad_plans[_i].value)
                ck_assert_int_eq(json_object_set_new(json, bad_plans[_i].key,
                                         json_loads(bad_plans[_i].value, JSON_DECODE_ANY, NULL)),
                        0);
        else
                ck_assert_int_eq(json_object_del(json, bad_plans[_i].key), 0);
        ck_assert_int_eq(fix_plan_from_json(json, &back), -EINVAL);
        json_decref(json);
}
END_TEST

START_TEST(a_ledger_comes_back_from_the_disk) {
        FixLedger l = {}, back = {};
        json_t *json, *again;
        FixRun *run;

        ck_assert_ptr_nonnull(
                fix_ledger_begin(&l, RUN, "docker-dns", "edgeAgent", RUN, "edgewatchd", false, 5));
        run = fix_ledger_begin(&l, "fedcba9876543210", "ip-forward", "host", RUN, "uid 0", true, 6);
        ck_assert_ptr_nonnull(run);
        ck_assert_int_eq(fix_run_end(run, FIX_OUTCOME_FIXED, "it is well", 7), 0);
        json = fix_ledger_to_json(&l);
        ck_assert_int_eq(fix_ledger_from_json(json, &back), 0);
        again = fix_ledger_to_json(&back);
        ck_assert(json_equal(json, again));
        ck_assert_uint_eq(back.n_runs, 2);
        json_decref(again);
        json_decref(json);
        fix_ledger_done(&back);
        fix_ledger_done(&l);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("fix-plan");
        TCase *cases = tcase_create("plan");

        tcase_add_loop_test(cases, a_plan_comes_back_from_the_disk, 0, ELEMENTSOF(plans));
        tcase_add_loop_test(cases, a_plan_that_is_none_is_refused, 0, ELEMENTSOF(bad_plans));
        tcase_add_test(cases, a_ledger_comes_back_from_the_disk);
        suite_add_tcase(suite, cases);
        return run_suite(suite);
}
