#include "daemon/watch/clock-watch.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "tests/unit/unit.h"

/* In the place of the kernel's: setting the clock of the machine is no test. */
int __wrap_timerfd_create(int clock, int flags);
int __wrap_timerfd_settime(
        int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value);
usec_t __wrap_realtime_now(void);

static int clock_fd;
static usec_t clock_now;

int __wrap_timerfd_create(int clock, int flags) {
        clock_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        return clock_fd;
}

int __wrap_timerfd_settime(
        int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value) {
        return 0;
}

usec_t __wrap_realtime_now(void) {
        return clock_now;
}

typedef struct Told {
        int64_t by;
        unsigned n_fired;
        bool was_first;
} Told;

static void on_stepped(void *userdata, int64_t by_usec) {
        Told *t = userdata;

        t->by = by_usec;
        t->was_first = t->n_fired == 0;
}

static int on_busy(sd_event_source *source, void *userdata) {
        return 0;
}

static int on_due(sd_event_source *timer, uint64_t usec, void *userdata) {
        ((Told *) userdata)->n_fired++;
        return 0;
}

/* A deadline once fired by the new time, before the open windows had been ended. */
START_TEST(step_is_told_before_a_timer_fires) {
        _cleanup_(clock_watch_freep) ClockWatch *w = NULL;
        Told told = {};
        sd_event *event;

        clock_now = 24 * 365 * USEC_PER_HOUR;
        ck_assert_int_ge(sd_event_new(&event), 0);
        /* with something else to do first the loop's order is not that in which the two became ready */
        for (unsigned i = 0; i < 2; i++)
                ck_assert_int_ge(sd_event_add_defer(event, NULL, on_busy, NULL), 0);
        ck_assert_int_ge(sd_event_add_time(event, NULL, CLOCK_REALTIME, 1, 0, on_due, &told), 0);
        ck_assert_int_eq(clock_watch_new(&w, event, on_stepped, &told), 0);
        clock_now += USEC_PER_HOUR;
        ck_assert_int_eq(eventfd_write(clock_fd, 1), 0);
        for (unsigned i = 0; i < 4; i++)
                ck_assert_int_ge(sd_event_run(event, 0), 0);
        ck_assert_uint_eq(told.n_fired, 1);
        ck_assert_int_ge(told.by, (int64_t) (USEC_PER_HOUR - USEC_PER_SEC));
        ck_assert(told.was_first);
        w = clock_watch_free(w);
        (void) sd_event_unref(event);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("clock-watch");
        TCase *c = tcase_create("clock-watch");

        tcase_add_test(c, step_is_told_before_a_timer_fires);
        suite_add_tcase(suite, c);
        return run_suite(suite);
}
