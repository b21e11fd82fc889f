/* A bounded series. The trap is the live daemon's memory: metrics may be scraped for years, by several
 * callers at once, so neither the number nor the rate of points may grow. */

#include "lib/world/metrics-series.h"

#define POINTS_APART (5 * USEC_PER_SEC)

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
