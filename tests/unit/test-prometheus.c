#include "lib/event/metrics-point.h"
#include "lib/event/prometheus.h"
#include "lib/world/metrics-series.h"

#include "tests/unit/unit.h"

static const struct {
        const char *line;
        const char *name;
        const char *endpoint; /* value of the label, NULL when it has none */
        double value;
} lines[] = {
        {"a 1", "a", NULL, 1},
        {"  a_b:c  2.5e3 1716450652598\n", "a_b:c", NULL, 2500},
        {"# HELP a b\n# TYPE a gauge\na 7\n", "a", NULL, 7},
        {"a{endpoint=\"x\"} 1\n", "a", "x", 1},
        {"a{ b=\"}\", endpoint = \"y, z\" , } 1\n", "a", "y, z", 1},
        {"a{b=\"q\\\"}\",endpoint=\"\"} 1\n", "a", "", 1},
        {"broken{ 1\nx{y} 2\na 3\n", "a", NULL, 3},
        {"a NaN\na +Inf\na\na 4 \n", "a", NULL, 4},
};

START_TEST(sample_is_read) {
        Text rest = text_of(lines[_i].line), endpoint;
        PrometheusSample s;

        ck_assert(prometheus_next(&rest, &s));
        ck_assert_text_eq(s.name, lines[_i].name);
        ck_assert_double_eq(s.value, lines[_i].value);
        ck_assert_int_eq(prometheus_label(&s, "endpoint", &endpoint), lines[_i].endpoint != NULL);
        if (lines[_i].endpoint)
                ck_assert_text_eq(endpoint, lines[_i].endpoint);
        ck_assert(!prometheus_next(&rest, &s));
}
END_TEST

/* What ends in the middle, at every byte. */
START_TEST(cut_text_does_no_harm) {
        static const char text[] = "a{endpoint=\"x\\\"y\",b=\"}\"} 12.5 99\n";

        for (size_t n = 0; n < sizeof(text); n++) {
                char *copy = malloc(n + 1); /* so that a read past the end is seen */
                Text rest = {copy, n};
                PrometheusSample s;

                ck_assert(copy);
                memcpy(copy, text, n);
                while (prometheus_next(&rest, &s))
                        ck_assert_text_eq(s.name, "a");
                free(copy);
        }
}
END_TEST

static const struct {
        const char *exposition;
        double queue_length, upstream_queue, send_seconds;
} scrapes[] = {
        {"", -1, -1, -1},
        {"edgehub_queue_length{endpoint=\"iothub\",priority=\"1\"} 3\n"
         "edgehub_queue_length{endpoint=\"iothub\",priority=\"2\"} 4\n"
         "edgehub_queue_length{endpoint=\"filter/in\",priority=\"2\"} 5\n",
                12, 7, -1},
        {"edgehub_message_send_duration_seconds{to=\"upstream\",quantile=\"0.5\"} 0.2\n"
         "edgehub_message_send_duration_seconds{to=\"upstream\",quantile=\"0.9\"} 9\n"
         "edgehub_message_send_duration_seconds{to=\"filter\",quantile=\"0.5\"} 5\n",
                -1, -1, 0.2},
        {"edgehub_message_send_duration_seconds_sum{to=\"upstream\"} 10\n"
         "edgehub_message_send_duration_seconds_count{to=\"upstream\"} 40\n",
                -1, -1, 0.25},
};

START_TEST(scrape_becomes_a_point) {
        MetricsPoint p = metrics_point_read(7, text_of(scrapes[_i].exposition));

        ck_assert_uint_eq(p.time, 7);
        ck_assert_double_eq(p.queue_length, scrapes[_i].queue_length);
        ck_assert_double_eq(p.upstream_queue, scrapes[_i].upstream_queue);
        ck_assert_double_eq(p.send_seconds, scrapes[_i].send_seconds);
}
END_TEST

START_TEST(series_is_bounded) {
        MetricsSeries s = {};

        for (usec_t t = 1; t <= 10000; t++)
                metrics_series_add(
                        &s, &(MetricsPoint){.time = t * USEC_PER_MIN, .queue_length = (double) t});
        ck_assert_uint_le(s.n_points, METRICS_SERIES_MAX);
        ck_assert_uint_eq(s.points[0].time, USEC_PER_MIN);
        ck_assert_uint_eq(s.points[s.n_points - 1].time, 10000 * USEC_PER_MIN);
        for (size_t i = 1; i < s.n_points; i++)
                ck_assert_uint_gt(s.points[i].time, s.points[i - 1].time);
}
END_TEST

START_TEST(series_takes_no_step_back) {
        MetricsSeries s = {};

        metrics_series_add(&s, &(MetricsPoint){.time = USEC_PER_HOUR, .queue_length = 1});
        metrics_series_add(&s, &(MetricsPoint){.time = USEC_PER_MIN, .queue_length = 2});
        metrics_series_add(&s, &(MetricsPoint){.time = USEC_PER_HOUR + USEC_PER_SEC, .queue_length = 3});
        ck_assert_uint_eq(s.n_points, 1);
        ck_assert_double_eq(s.points[0].queue_length, 3);
}
END_TEST

static const struct {
        const char *name, *text, *selected;
        int n;
} selections[] = {
        {"its own", "# HELP x y\ndotnet_a 1\nedgehub_a{b=\"c\"} 1\nprocess_b 2\nedgehub_c 3\n",
                "edgehub_a{b=\"c\"} 1\nedgehub_c 3\n", 2},
        {"the last line without an end", "edgehub_a 1\nedgehub_b 2", "edgehub_a 1\nedgehub_b 2\n", 2},
        {"a comment that looks like one", "# edgehub_a 1\n", "", 0},
        {"the name in a label only", "a{b=\"edgehub_\"} 1\n", "", 0},
        {"lines of DOS", "edgehub_a 1\r\nother 2\r\n", "edgehub_a 1\n", 1},
        {"nothing", "", "", 0},
};

START_TEST(own_samples_are_selected) {
        typeof(&selections[0]) s = &selections[_i];
        _cleanup_(buffer_done) Buffer b = {};

        ck_assert_msg(prometheus_select(text_of(s->text), "edgehub_", &b) == s->n, "%s", s->name);
        ck_assert_text_eq(buffer_text(&b), s->selected);
}
END_TEST

START_TEST(too_much_is_refused) {
        _cleanup_(buffer_done) Buffer b = {.max_bytes = 12};

        ck_assert_int_eq(
                prometheus_select(TEXT_LITERAL("edgehub_a 1\nedgehub_b 2\n"), "edgehub_", &b), -EFBIG);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("prometheus");
        TCase *test = tcase_create("prometheus");

        tcase_add_loop_test(test, sample_is_read, 0, ELEMENTSOF(lines));
        tcase_add_test(test, cut_text_does_no_harm);
        tcase_add_loop_test(test, scrape_becomes_a_point, 0, ELEMENTSOF(scrapes));
        tcase_add_test(test, series_is_bounded);
        tcase_add_test(test, series_takes_no_step_back);
        tcase_add_loop_test(test, own_samples_are_selected, 0, ELEMENTSOF(selections));
        tcase_add_test(test, too_much_is_refused);
        suite_add_tcase(suite, test);
        return run_suite(suite);
}
