/* The watchdog's ping, twice per WatchdogSec, withheld while something has been waiting for more than half
 * of it. sd_event_set_watchdog() would only prove that the loop turns. */

#include "daemon/watch/watchdog.h"

#include <systemd/sd-daemon.h>

#include "daemon/base/log.h"

struct Watchdog {
        sd_event_source *timer;
        usec_t interval; /* half of WatchdogSec */
        watchdog_stuck_t stuck;
        void *userdata;
        bool withheld;
};

static void ping(Watchdog *w) {
        const char *who = w->stuck(w->userdata, w->interval);

        if (who && !w->withheld)
                log_error("No progress in %s: the watchdog is not served.", who);
        w->withheld = who != NULL;
        if (!who)
                (void) sd_notify(0, "WATCHDOG=1");
}

static int on_timer(sd_event_source *timer, uint64_t usec, void *userdata) {
        Watchdog *w = userdata;
        int r;

        ping(w);
        r = sd_event_source_set_time_relative(timer, w->interval);
        return r < 0 ? r : sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

int watchdog_new(Watchdog **ret, sd_event *event, watchdog_stuck_t stuck, void *userdata) {
        _cleanup_(watchdog_freep) Watchdog *w = calloc(1, sizeof(*w));
        uint64_t timeout = 0;
        int r;

        if (!w)
                return -ENOMEM;
        w->stuck = stuck;
        w->userdata = userdata;

        r = sd_watchdog_enabled(0, &timeout);
        if (r < 0)
                return r;
        if (r > 0) {
                w->interval = timeout / 2;
                ping(w);
                r = sd_event_add_time_relative(
                        event, &w->timer, CLOCK_MONOTONIC, w->interval, w->interval / 10, on_timer, w);
                if (r >= 0)
                        r = sd_event_source_set_priority(w->timer, SD_EVENT_PRIORITY_IMPORTANT);
                if (r >= 0)
                        r = sd_event_source_set_description(w->timer, "watchdog");
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(w);
        return 0;
}

Watchdog *watchdog_free(Watchdog *w) {
        if (!w)
                return NULL;
        sd_event_source_disable_unref(w->timer);
        free(w);
        return NULL;
}
