#pragma once

/* The few values of a scrape of edgeHub that diagnosis compares: those that rules test and that the World
 * keeps over time. */

#include "lib/base/time.h"

typedef struct MetricsPoint {
        usec_t time;
        double queue_length;   /* messages that wait, all endpoints and priorities together; -1 when not told
                                */
        double upstream_queue; /* of them, those that wait for the hub in the cloud; -1 when not told */
        double send_seconds;   /* median duration of a send upstream; -1 when not told */
} MetricsPoint;

MetricsPoint metrics_point_read(usec_t time, Text exposition);
