#pragma once

/* What edgeHub's metrics said lately. Bounded: when it is full every second point goes, so that it reaches
 * back further with coarser steps. */

#include "lib/event/metrics-point.h"

#define METRICS_SERIES_MAX 128

typedef struct MetricsSeries {
        MetricsPoint points[METRICS_SERIES_MAX]; /* by time */
        size_t n_points;
} MetricsSeries;

/* A point older than the latest is not taken; one within seconds of it takes its place. */
void metrics_series_add(MetricsSeries *s, const MetricsPoint *point);
