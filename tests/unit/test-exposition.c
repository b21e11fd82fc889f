/* The status as Prometheus reads it. */

#include "lib/report/exposition.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/unit/unit.h"

static char *exposition_of(const char *status_text) {
        json_t *status = json_loads(status_text, 0, NULL);
        char *text = report_exposition(status);

        ck_assert_ptr_nonnull(status);
        ck_assert_ptr_nonnull(text);
        json_decref(status);
        return text;
}

static const char full[] =
        "{\"version\": \"1.2\", \"started\": \"2024-05-23T07:50:52.598123Z\", \"dropped\": 3,"
        " \"rules\": {\"loaded\": 2, \"problems\": [\"a\", \"b\"]}, \"state_file\": {\"error\": \"x\"},"
        " \"symptoms\": {\"port\": {\"severity\": \"error\", \"title\": \"A \\\"port\\\"\\\\\\n\", "
        "\"raised\": 7,"
        "   \"suspected\": {\"alone\": 0, \"consequences\": 0}, \"confirmed\": {\"alone\": 2, "
        "\"consequences\": 1}},"
        "  \"quiet\": {\"severity\": \"warning\", \"title\": \"q\", \"raised\": 0,"
        "   \"suspected\": {\"alone\": 0, \"consequences\": 0}, \"confirmed\": {\"alone\": 0, "
        "\"consequences\": 0}}},"
        " \"fixes\": {\"docker-dns\": {\"fixed\": 1, \"failed\": 0}},"
        " \"sources\": [{\"name\": \"journal\", \"state\": \"degraded\", \"read\": 5, \"wanted\": 4, "
        "\"dropped\": 3,"
        "   \"lost\": 2, \"errors\": 1, \"retries\": 9},"
        "  {\"name\": \"docker\", \"state\": \"live\", \"truncated\": 6}]}";

static const char *const lines[] = {
        "edgewatch_up 1",
        "edgewatch_build_info{version=\"1.2\"} 1",
        "edgewatch_start_time_seconds 1716450652.598123",
        "edgewatch_rules 2",
        "edgewatch_rule_problems 2",
        "edgewatch_state_file_failed 1",
        "edgewatch_symptom_info{symptom=\"port\",severity=\"error\",title=\"A \\\"port\\\"\\\\\\n\"} 1",
        "edgewatch_incidents_active{symptom=\"port\",state=\"confirmed\",consequence=\"no\"} 2",
        "edgewatch_incidents_active{symptom=\"port\",state=\"confirmed\",consequence=\"yes\"} 1",
        "edgewatch_incidents_active{symptom=\"quiet\",state=\"suspected\",consequence=\"no\"} 0",
        "edgewatch_incidents_active{symptom=\"quiet\",state=\"confirmed\",consequence=\"no\"} 0",
        "edgewatch_incidents_raised_total{symptom=\"port\"} 7",
        "edgewatch_incidents_raised_total{symptom=\"quiet\"} 0",
        "edgewatch_incidents_dropped_total 3",
        "edgewatch_fixes_total{fix=\"docker-dns\",outcome=\"fixed\"} 1",
        "edgewatch_fixes_total{fix=\"docker-dns\",outcome=\"failed\"} 0",
        "edgewatch_source_state{source=\"journal\",state=\"degraded\"} 1",
        "edgewatch_source_state{source=\"journal\",state=\"live\"} 0",
        "edgewatch_source_read_total{source=\"journal\"} 5",
        "edgewatch_source_wanted_total{source=\"journal\"} 4",
        "edgewatch_source_dropped_total{source=\"journal\"} 3",
        "edgewatch_source_lost_total{source=\"journal\"} 2",
        "edgewatch_source_truncated_total{source=\"docker\"} 6",
        "edgewatch_source_errors_total{source=\"journal\"} 1",
        "edgewatch_source_retries_total{source=\"journal\"} 9",
};

START_TEST(each_number_has_its_line) {
        _cleanup_(freep) char *text = exposition_of(full), *wanted = NULL;

        ck_assert_int_gt(asprintf(&wanted, "\n%s\n", lines[_i]), 0);
        if (!strstr(text, wanted))
                ck_abort_msg("no %s in:\n%s", lines[_i], text);
}
END_TEST

static size_t count_of(const char *text, const char *what) {
        size_t n = 0;

        for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
                n++;
        return n;
}

START_TEST(each_metric_is_explained_once) {
        _cleanup_(freep) char *text = exposition_of(full);

        ck_assert_uint_gt(count_of(text, "# HELP "), 10);
        ck_assert_uint_eq(count_of(text, "# HELP "), count_of(text, "# TYPE "));
        ck_assert_uint_eq(count_of(text, "# TYPE edgewatch_incidents_active gauge\n"), 1);
        ck_assert_uint_eq(count_of(text, "# TYPE edgewatch_fixes_total counter\n"), 1);
}
END_TEST

START_TEST(a_daemon_that_cannot_be_asked_is_down) {
        _cleanup_(freep) char *text = report_exposition(NULL);

        ck_assert_ptr_nonnull(text);
        ck_assert_ptr_nonnull(strstr(text, "\nedgewatch_up 0\n"));
        ck_assert_uint_eq(count_of(text, "# TYPE "), 1);
}
END_TEST

/* An answer of an older daemon. */
START_TEST(what_is_missing_has_no_samples) {
        _cleanup_(freep) char *text = exposition_of("{}");

        ck_assert_ptr_nonnull(strstr(text, "edgewatch_up 1\n"));
        ck_assert_ptr_null(strstr(text, "\nedgewatch_start_time_seconds "));
        ck_assert_ptr_null(strstr(text, "\nedgewatch_source_state{"));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("exposition");
        TCase *tests = tcase_create("exposition");

        tcase_add_loop_test(tests, each_number_has_its_line, 0, ELEMENTSOF(lines));
        tcase_add_test(tests, each_metric_is_explained_once);
        tcase_add_test(tests, a_daemon_that_cannot_be_asked_is_down);
        tcase_add_test(tests, what_is_missing_has_no_samples);
        suite_add_tcase(suite, tests);
        return run_suite(suite);
}
