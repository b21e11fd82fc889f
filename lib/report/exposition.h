#pragma once

/* The daemon's status in Prometheus' text format. Names of metrics and labels are an interface:
 * edgewatch-fields(7) lists them. */

#include <jansson.h>

/* From the object of `status --json`. NULL stands for a daemon that cannot be asked: edgewatch_up is 0, and
 * there is nothing else. Returns text that the caller frees, NULL when memory is out. */
char *report_exposition(const json_t *status);
