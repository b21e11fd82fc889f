#pragma once

/* Notices that the wall clock was set, as opposed to slewed or stopped by a suspend. */

#include <systemd/sd-event.h>

#include "lib/base/time.h"

/* Smaller steps do not matter to windows of seconds and minutes. */
#define CLOCK_STEP_MIN USEC_PER_SEC

typedef struct ClockWatch ClockWatch;

/* by: how far the clock was moved, negative for backwards. */
typedef void (*clock_stepped_t)(void *userdata, int64_t by_usec);

int clock_watch_new(ClockWatch **ret, sd_event *event, clock_stepped_t stepped, void *userdata);
ClockWatch *clock_watch_free(ClockWatch *w);
DEFINE_CLEANUP(ClockWatch, clock_watch_free);
