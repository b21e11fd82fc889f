#pragma once

/* What a module says about itself: Prometheus text on port 9600 of its address. */

#include "lib/base/buffer.h"
#include "lib/event/object.h"

#define MODULE_METRICS_MAX ((size_t) 4 * 1024 * 1024)

/* Returns 1, or 0 when nobody answers there. */
int module_metrics_read(const Container *c, Buffer *ret);
