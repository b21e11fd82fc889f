#pragma once

/* What edgeHub's metrics said lately: of each scrape the few values that diagnosis compares over time.
 * Bounded: when it is full every second point goes, so that it reaches back further with coarser steps. */

#include "lib/base/time.h"

#define METRICS_SERIES_MAX 128

typedef struct MetricsPoint {
        usec_t time;
        double queue_length;   /* messages that wait, all endpoints and priorities together; -1 when not told
                                */
        double upstream_queue; /* of them, those that wait for the hub in the cloud */
        double send_seconds;   /* median duration of a send upstream; -1 when not told */
} MetricsPoint;

typedef struct MetricsSeries {
        MetricsPoint points[METRICS_SERIES_MAX]; /* by time */
        size_t n_points;
} MetricsSeries;

/* Reads one scrape. */
MetricsPoint metrics_point_read(usec_t time, Text exposition);
void metrics_series_add(MetricsSeries *s, const MetricsPoint *point);
