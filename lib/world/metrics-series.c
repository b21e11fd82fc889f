/* Reduces scrapes to points. edgeHub's metrics since 1.0.10: edgehub_queue_length{endpoint,priority},
 * edgehub_message_send_duration_seconds{from,to,quantile}. The trap: the endpoint of the cloud is called
 * "iothub" in the queue's labels, while other endpoints are modules' inputs; `to` of the duration is
 * "upstream". */

#include "lib/world/metrics-series.h"

#include "lib/world/prometheus.h"

#define POINTS_APART (5 * USEC_PER_SEC)

static bool is_upstream(const PrometheusSample *s, const char *label) {
        static const char *const names[] = {"iothub", "upstream", "$upstream"};
        Text value;

        if (!prometheus_label(s, label, &value))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (text_is(value, names[i]))
                        return true;
        return false;
}

static bool is_median(const PrometheusSample *s) {
        Text quantile;

        return prometheus_label(s, "quantile", &quantile) && text_is(quantile, "0.5");
}

static void add_to(double *sum, double value) {
        *sum = *sum < 0 ? value : *sum + value;
}

MetricsPoint metrics_point_read(usec_t time, Text exposition) {
        MetricsPoint point = {
                .time = time,
                .queue_length = -1,
                .upstream_queue = -1,
                .send_seconds = -1,
        };
        PrometheusSample s;

        while (prometheus_next(&exposition, &s)) {
                if (s.value < 0)
                        continue;
                if (text_is(s.name, "edgehub_queue_length")) {
                        add_to(&point.queue_length, s.value);
                        if (is_upstream(&s, "endpoint"))
                                add_to(&point.upstream_queue, s.value);
                } else if (text_is(s.name, "edgehub_message_send_duration_seconds") && is_median(&s) &&
                        is_upstream(&s, "to") && s.value > point.send_seconds)
                        point.send_seconds = s.value;
        }
        return point;
}

static void thin(MetricsSeries *s) {
        size_t n = 0;

        for (size_t i = 0; i < s->n_points; i += 2)
                s->points[n++] = s->points[i];
        s->n_points = n;
}

void metrics_series_add(MetricsSeries *s, const MetricsPoint *point) {
        MetricsPoint *last = s->n_points > 0 ? s->points + s->n_points - 1 : NULL;

        if (last && point->time < last->time)
                return;
        if (last && point->time - last->time < POINTS_APART) {
                *last = *point;
                return;
        }
        if (s->n_points == METRICS_SERIES_MAX)
                thin(s);
        s->points[s->n_points++] = *point;
}
