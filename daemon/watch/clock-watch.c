/* A timer that never fires but is cancelled when somebody sets the clock.
 *
 * Promise: it is told before any timer fires by the new time, and before anything else is read.
 *
 * Trap: the kernel cancels it after a suspend too. Whether the clock was really set shows in the distance
 * between wall clock and CLOCK_BOOTTIME, which a suspend leaves as it is. */

#include "daemon/watch/clock-watch.h"

#include <sys/timerfd.h>

#include "daemon/base/clock.h"

struct ClockWatch {
        sd_event_source *source;
        clock_stepped_t stepped;
        void *userdata;
        int64_t distance; /* wall clock less time since boot */
};

static int64_t measure(void) {
        return (int64_t) realtime_now() - (int64_t) boottime_now();
}

static int arm(int fd) {
        const struct itimerspec never = {
                .it_value.tv_sec = sizeof(time_t) == 8 ? INT64_C(1) << 40 : INT32_MAX};

        return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0 ? -errno
                                                                                                  : 0;
}

static int on_cancelled(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        ClockWatch *w = userdata;
        int64_t distance, by;
        uint64_t expirations;
        int r;

        if (read(fd, &expirations, sizeof(expirations)) < 0 && errno == EAGAIN)
                return 0;
        r = arm(fd);
        if (r < 0)
                return r;

        distance = measure();
        by = distance - w->distance;
        w->distance = distance;
        if (by >= (int64_t) CLOCK_STEP_MIN || by <= -(int64_t) CLOCK_STEP_MIN)
                w->stepped(w->userdata, by);
        return 0;
}

int clock_watch_new(ClockWatch **ret, sd_event *event, clock_stepped_t stepped, void *userdata) {
        _cleanup_(clock_watch_freep) ClockWatch *w = malloc(sizeof(*w));
        _cleanup_(closep) int fd = -EBADF;
        int r;

        if (!w)
                return -ENOMEM;
        *w = (ClockWatch){.stepped = stepped, .userdata = userdata, .distance = measure()};

        fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = arm(fd);
        if (r < 0)
                return r;
        r = sd_event_add_io(event, &w->source, fd, EPOLLIN, on_cancelled, w);
        if (r < 0)
                return r;
        r = sd_event_source_set_io_fd_own(w->source, 1);
        if (r < 0)
                return r;
        TAKE_FD(fd);
        r = sd_event_source_set_description(w->source, "clock-set");
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(w->source, SD_EVENT_PRIORITY_IMPORTANT);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

ClockWatch *clock_watch_free(ClockWatch *w) {
        if (!w)
                return NULL;
        sd_event_source_disable_unref(w->source);
        free(w);
        return NULL;
}
