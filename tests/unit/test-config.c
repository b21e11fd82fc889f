#include "lib/config/config.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static Config *parse(const char *yaml, ProblemList *problems, int *ret) {
        Config *c = NULL;

        ck_assert_int_eq(config_new(&c), 0);
        *ret = config_parse(c, "x.yaml", text_of(yaml), problems);
        return c;
}

START_TEST(test_defaults_change_nothing) {
        _cleanup_(config_freep) Config *c = NULL;

        ck_assert_int_eq(config_new(&c), 0);
        ck_assert_int_eq(c->fix_mode, FIX_MODE_OFF);
        ck_assert(!c->allow_container_data_loss);
        ck_assert(config_source_is_on(c, "journal"));
}
END_TEST

START_TEST(test_values) {
        _cleanup_(config_freep) Config *c = NULL;
        ProblemList problems = {};
        int r;

        c = parse("sources: {docker: no, journal: yes}\n"
                  "journal:\n  directory: /j\n  namespace: edge\n"
                  "docker: {socket: /var/run/docker.sock, sweep_interval: 5min}\n"
                  "probes: {active: no}\n"
                  "rules: [/a, /b]\n"
                  "state_directory: /s\n"
                  "fixes:\n"
                  "  mode: plan\n"
                  "  override: {ip-forward: apply, hostname: off}\n"
                  "  windows:\n    - {days: [sat, SUN], from: \"22:00\", to: \"02:30\"}\n"
                  "  attempts: 5\n  cooldown: 10min\n  allow_container_data_loss: yes\n",
                &problems, &r);
        ck_assert_int_eq(r, 0);
        ck_assert_uint_eq(problems.n_items, 0);
        ck_assert(!config_source_is_on(c, "docker"));
        ck_assert(config_source_is_on(c, "journal"));
        ck_assert(config_source_is_on(c, "rtnetlink"));
        ck_assert_str_eq(c->journal_directory, "/j");
        ck_assert_str_eq(c->journal_namespace, "edge");
        ck_assert_str_eq(c->docker_socket, "/var/run/docker.sock");
        ck_assert_uint_eq(c->sweep_interval, 5 * USEC_PER_MIN);
        ck_assert(!c->active_probes);
        ck_assert_str_eq(c->rules[0], "/a");
        ck_assert_str_eq(c->rules[1], "/b");
        ck_assert_ptr_null(c->rules[2]);
        ck_assert_int_eq(config_fix_mode(c, "ip-forward"), FIX_MODE_APPLY);
        ck_assert_int_eq(config_fix_mode(c, "hostname"), FIX_MODE_OFF);
        ck_assert_int_eq(config_fix_mode(c, "docker-dns"), FIX_MODE_PLAN);
        ck_assert_uint_eq(c->n_windows, 1);
        ck_assert_uint_eq(c->windows[0].days, 0x60);
        ck_assert_uint_eq(c->windows[0].begin_min, 22 * 60);
        ck_assert_uint_eq(c->windows[0].end_min, 2 * 60 + 30);
        ck_assert_uint_eq(c->fix_attempts, 5);
        ck_assert_uint_eq(c->fix_cooldown, 10 * USEC_PER_MIN);
        ck_assert(c->allow_container_data_loss);
        problem_list_done(&problems);
}
END_TEST

START_TEST(test_later_text_wins) {
        _cleanup_(config_freep) Config *c = NULL;
        ProblemList problems = {};
        int r;

        c = parse(
                "sources: {docker: no}\nfixes: {mode: apply, override: {hostname: plan}}\n", &problems, &r);
        ck_assert_int_eq(r, 0);
        r = config_parse(c, "y.yaml",
                TEXT_LITERAL("sources: {docker: yes}\nfixes: {override: {hostname: off}}\n"), &problems);
        ck_assert_int_eq(r, 0);
        ck_assert(config_source_is_on(c, "docker"));
        ck_assert_int_eq(config_fix_mode(c, "hostname"), FIX_MODE_OFF);
        ck_assert_int_eq(config_fix_mode(c, "other"), FIX_MODE_APPLY);
        ck_assert_uint_eq(c->n_sources, 1);
        problem_list_done(&problems);
}
END_TEST

static const struct {
        const char *yaml;
        unsigned line, column;
        const char *text;
} bad[] = {
        {"fixes:\n  moed: off\n", 2, 3,
                "unknown key \"moed\"; known here: allow_container_data_loss, attempts, cooldown, "},
        {"fixes:\n  mode: maybe\n", 2, 9, "none of off, plan, apply"},
        {"fixes: apply\n", 1, 8, "expected keys and values"},
        {"fixes: {override: {hostname: never}}\n", 1, 30, "none of off, plan, apply"},
        {"fixes: {windows: [{from: \"01:00\"}]}\n", 1, 19, "needs `from` and `to`"},
        {"fixes: {windows: [{from: \"25:00\", to: \"01:00\"}]}\n", 1, 26, "not a time of day"},
        {"fixes: {windows: [{days: [noday], from: \"1:00\", to: \"2:00\"}]}\n", 1, 27, "none of mon"},
        {"fixes: {attempts: 0}\n", 1, 19, "from 1 to 100"},
        {"sources: {dokcer: no}\n", 1, 11, "no source is called \"dokcer\""},
        {"sources: {docker: perhaps}\n", 1, 19, "neither yes nor no"},
        {"docker: {sweep_interval: 3}\n", 1, 26, "not a duration"},
        {"docker: {sweep_interval: 10ms}\n", 1, 26, "not a duration"},
        {"state_directory: var\n", 1, 18, "not an absolute path"},
        {"state_directory: [a]\n", 1, 18, "expected an absolute path"},
        {"state_directory:\n", 1, 17, "expected an absolute path"},
        {"rules: /a\n", 1, 8, "expected a list of directories"},
        {"[a, b]\n", 1, 1, "expected keys and values"},
        {"a: [b\n", 2, 1, "not YAML"},
        {"fixes: &a {override: *a}\n", 1, 8, "expected off, plan or apply"},
        {"? [a]\n: b\n", 1, 3, "unknown key"},
};

START_TEST(test_problems_name_the_place) {
        _cleanup_(config_freep) Config *c = NULL;
        ProblemList problems = {};
        int r;

        c = parse(bad[_i].yaml, &problems, &r);
        ck_assert_int_eq(r, -EINVAL);
        ck_assert_uint_ge(problems.n_items, 1);
        ck_assert_msg(strstr(problems.items[0].text, bad[_i].text) != NULL, "%s", problems.items[0].text);
        ck_assert_uint_eq(problems.items[0].line, bad[_i].line);
        ck_assert_uint_eq(problems.items[0].column, bad[_i].column);
        ck_assert_str_eq(problems.items[0].path, "x.yaml");
        problem_list_done(&problems);
}
END_TEST

/* The file is the manual: what it shows as default has to be the default. */
START_TEST(test_shipped_file_holds_the_defaults) {
        _cleanup_(config_freep) Config *shipped = NULL, *defaults = NULL;
        ProblemList problems = {};

        ck_assert_int_eq(config_new(&defaults), 0);
        ck_assert_int_eq(config_load(&shipped, SOURCE_DIR "/conf/edgewatch.yaml", &problems), 0);
        ck_assert_uint_eq(problems.n_items, 0);
        ck_assert_uint_ge(shipped->n_sources, 1);
        for (size_t i = 0; i < shipped->n_sources; i++)
                ck_assert(shipped->sources[i].enabled);
        ck_assert_ptr_null(shipped->docker_socket); /* chosen by what is there */
        ck_assert_ptr_null(defaults->docker_socket);
        ck_assert_str_eq(shipped->probe_socket, defaults->probe_socket);
        ck_assert_str_eq(shipped->state_directory, defaults->state_directory);
        ck_assert_str_eq(shipped->runtime_directory, defaults->runtime_directory);
        ck_assert_uint_eq(shipped->sweep_interval, defaults->sweep_interval);
        ck_assert(shipped->active_probes == defaults->active_probes);
        ck_assert_int_eq(shipped->fix_mode, defaults->fix_mode);
        ck_assert_uint_eq(shipped->fix_attempts, defaults->fix_attempts);
        ck_assert_uint_eq(shipped->fix_cooldown, defaults->fix_cooldown);
        ck_assert(shipped->allow_container_data_loss == defaults->allow_container_data_loss);
}
END_TEST

START_TEST(test_mode_names) {
        for (FixMode m = 0; m < FIX_MODE_X_MAX; m++)
                ck_assert_int_eq(fix_mode_from_string(text_of(fix_mode_to_string(m))), m);
        ck_assert_int_eq(fix_mode_from_string(TEXT_LITERAL("Apply")), FIX_MODE_X_INVALID);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("config");
        TCase *tcase = tcase_create("config");

        tcase_add_test(tcase, test_defaults_change_nothing);
        tcase_add_test(tcase, test_values);
        tcase_add_test(tcase, test_later_text_wins);
        tcase_add_loop_test(tcase, test_problems_name_the_place, 0, ELEMENTSOF(bad));
        tcase_add_test(tcase, test_shipped_file_holds_the_defaults);
        tcase_add_test(tcase, test_mode_names);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
