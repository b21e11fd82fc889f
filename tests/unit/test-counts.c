/* What the daemon counts for `metrics`. */

#include "daemon/watch/manager-internal.h"

#include <string.h>

#include "tests/unit/unit.h"

static char rule_id[] = "agent-lte-mtu", rule_title[] = "t", fix_name[] = "docker-network-mtu",
            subject[] = "s";
static Rule rule = {.id = rule_id, .title = rule_title, .remedy = {.fix = fix_name}};
static Rule *rule_list[] = {&rule};
static RuleSet rules = {.rules = rule_list, .n_rules = 1};

static Manager *manager_of(void) {
        static Manager m;

        m = (Manager){.raised = json_object(), .fixed = json_object(), .compiled = {.rules = &rules}};
        return &m;
}

static void end(Manager *m) {
        json_decref(m->raised);
        json_decref(m->fixed);
}

static Incident incident_of(uint64_t seq, const char *fix_state) {
        return (Incident){.rule = &rule,
                .symptom = rule_id,
                .subject = subject,
                .seq = seq,
                .fix_state = (char *) fix_state};
}

static json_int_t raised(const Manager *m) {
        return json_integer_value(json_object_get(m->raised, rule_id));
}

static json_int_t fixes(const Manager *m, const char *outcome) {
        json_t *all = manager_fixes_to_json(m),
               *n = json_object_get(json_object_get(all, fix_name), outcome);
        json_int_t value = n ? json_integer_value(n) : -1;

        json_decref(all);
        return value;
}

START_TEST(an_incident_is_raised_once) {
        Incident first = incident_of(1, NULL), later = incident_of(2, NULL);
        Manager *m = manager_of();

        manager_count_raised(m, &first, CHANGE_REFUTED);
        ck_assert_int_eq(raised(m), 0);
        manager_count_raised(m, &first, CHANGE_CONFIRMED);
        manager_count_raised(m, &later, CHANGE_UPDATED);
        manager_count_raised(m, &later, CHANGE_CLEARED);
        ck_assert_int_eq(raised(m), 1);
        manager_count_raised(m, &first, CHANGE_SUSPECTED);
        ck_assert_int_eq(raised(m), 2);
        end(m);
}
END_TEST

START_TEST(a_fix_counts_when_it_ended) {
        static const char *const states[] = {"planned", "fixing", "fixed", "rolled-back", "failed"};
        Manager *m = manager_of();
        Incident i;

        ck_assert_int_eq(fixes(m, "fixed"), 0);
        for (size_t s = 0; s < ELEMENTSOF(states); s++) {
                i = incident_of(3, states[s]);
                manager_count_fix(m, &i, CHANGE_FIX);
                manager_count_fix(m, &i, CHANGE_CLEARED); /* still says how it was fixed */
        }
        ck_assert_int_eq(fixes(m, "fixed"), 1);
        ck_assert_int_eq(fixes(m, "rolled-back"), 1);
        ck_assert_int_eq(fixes(m, "failed"), 1);
        ck_assert_int_eq(fixes(m, "planned"), -1);
        i = incident_of(4, NULL);
        manager_count_fix(m, &i, CHANGE_FIX);
        i.rule = NULL; /* restored, and its rule is gone */
        manager_count_fix(m, &i, CHANGE_FIX);
        ck_assert_int_eq(fixes(m, "fixed"), 1);
        end(m);
}
END_TEST

START_TEST(counts_survive_and_bad_ones_do_not) {
        json_t *state = json_loads(
                "{\"raised\": {\"agent-lte-mtu\": 5, \"gone\": 1, \"odd\": \"x\"},"
                " \"fixed\": {\"docker-network-mtu\": {\"fixed\": 4, \"x\": 9, \"failed\": \"y\"},"
                " \"odd\": 3}}",
                0, NULL);
        Incident first = incident_of(1, NULL), fixed = incident_of(2, "fixed");
        Manager *m = manager_of();

        ck_assert_int_eq(manager_restore_counts(m, NULL), 0); /* an older state has none */
        ck_assert_int_eq(manager_restore_counts(m, state), 0);
        manager_count_raised(m, &first, CHANGE_CONFIRMED);
        manager_count_fix(m, &fixed, CHANGE_FIX);
        ck_assert_int_eq(raised(m), 6);
        ck_assert_uint_eq(json_object_size(m->raised), 2);
        ck_assert_int_eq(fixes(m, "fixed"), 5);
        ck_assert_int_eq(fixes(m, "failed"), 0);
        ck_assert_int_eq(fixes(m, "x"), -1);
        json_decref(state);
        end(m);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("counts");
        TCase *tests = tcase_create("counts");

        tcase_add_test(tests, an_incident_is_raised_once);
        tcase_add_test(tests, a_fix_counts_when_it_ended);
        tcase_add_test(tests, counts_survive_and_bad_ones_do_not);
        suite_add_tcase(suite, tests);
        return run_suite(suite);
}
