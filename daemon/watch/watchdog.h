#pragma once

/* Tells systemd that the daemon makes progress, not merely that its loop turns. */

#include <systemd/sd-event.h>

#include "lib/base/time.h"

typedef struct Watchdog Watchdog;

/* The name of what has been waiting for longer than patience, NULL when all is well. */
typedef const char *(*watchdog_stuck_t)(void *userdata, usec_t patience);

/* Does nothing when systemd did not ask for it (WatchdogSec=). */
int watchdog_new(Watchdog **ret, sd_event *event, watchdog_stuck_t stuck, void *userdata);
Watchdog *watchdog_free(Watchdog *w);
DEFINE_CLEANUP(Watchdog, watchdog_free);
