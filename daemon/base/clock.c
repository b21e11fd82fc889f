#include "daemon/base/clock.h"

#include <time.h>

static usec_t now(clockid_t clock) {
        struct timespec ts;

        (void) clock_gettime(clock, &ts);
        return (usec_t) ts.tv_sec * USEC_PER_SEC + (usec_t) ts.tv_nsec / NSEC_PER_USEC;
}

usec_t realtime_now(void) {
        return now(CLOCK_REALTIME);
}

usec_t monotonic_now(void) {
        return now(CLOCK_MONOTONIC);
}

usec_t boottime_now(void) {
        return now(CLOCK_BOOTTIME);
}
