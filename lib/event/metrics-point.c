/* Reduces a scrape to a point. edgeHub's metrics since 1.0.10: edgehub_queue_length{endpoint,priority} and
 * edgehub_message_send_duration_seconds{from,to,quantile}. The trap: the cloud is "iothub" as an endpoint
 * and "upstream" as a destination, other endpoints are modules' inputs; and a scrape without quantiles still
 * has sum and count, which give the mean. */

#include "lib/event/metrics-point.h"

#include <strings.h>

#include "lib/event/prometheus.h"

#define QUEUE    "edgehub_queue_length"
#define DURATION "edgehub_message_send_duration_seconds"

/* A sample that does not tell where to is taken for one that goes up. */
static bool is_upstream(const PrometheusSample *s, const char *label) {
        static const char *const names[] = {"iothub", "upstream", "$upstream"};
        Text value;

        if (!prometheus_label(s, label, &value))
                return true;
        FOREACH_ARRAY (name, names, ELEMENTSOF(names))
                if (value.len == strlen(*name) && strncasecmp(value.data, *name, value.len) == 0)
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
        MetricsPoint point = {.time = time, .queue_length = -1, .upstream_queue = -1, .send_seconds = -1};
        double sum = 0, count = 0;
        PrometheusSample s;

        while (prometheus_next(&exposition, &s)) {
                if (s.value < 0)
                        continue;
                if (text_is(s.name, QUEUE)) {
                        add_to(&point.queue_length, s.value);
                        if (is_upstream(&s, "endpoint"))
                                add_to(&point.upstream_queue, s.value);
                } else if (!is_upstream(&s, "to"))
                        continue;
                else if (text_is(s.name, DURATION) && is_median(&s) && s.value > point.send_seconds)
                        point.send_seconds = s.value;
                else if (text_is(s.name, DURATION "_sum"))
                        sum += s.value;
                else if (text_is(s.name, DURATION "_count"))
                        count += s.value;
        }
        if (point.send_seconds < 0 && count > 0)
                point.send_seconds = sum / count;
        return point;
}
