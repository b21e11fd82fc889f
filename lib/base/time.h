#pragma once

/* Time as microseconds since the epoch, always handed in: nothing in lib/ reads a clock. */

#include "lib/base/text.h"

typedef uint64_t usec_t;

#define USEC_PER_MSEC ((usec_t) 1000)
#define USEC_PER_SEC  ((usec_t) 1000000)
#define USEC_PER_MIN  (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MIN)
#define NSEC_PER_USEC ((uint64_t) 1000)
#define NSEC_PER_SEC  ((uint64_t) 1000000000)
#define USEC_INFINITY ((usec_t) -1)

static inline usec_t usec_add(usec_t a, usec_t b) {
        usec_t sum;
        return __builtin_add_overflow(a, b, &sum) ? USEC_INFINITY : sum;
}

static inline usec_t usec_sub(usec_t a, usec_t b) {
        return a > b ? a - b : 0;
}

/* Parses the RFC 3339 timestamp at the start of t ("2024-05-23T07:50:52.598123456Z", an offset, a space for
 * the T). ret_len (may be NULL) is how many bytes it took. -EINVAL when there is none. */
int timestamp_parse(Text t, uint64_t *ret_nsec, size_t *ret_len);

#define TIMESTAMP_MAX sizeof("2024-05-23T07:50:52.598123Z")
/* Writes RFC 3339 in UTC with microseconds, NUL-terminated. */
char *timestamp_format(usec_t t, char buffer[static TIMESTAMP_MAX]);

/* Parses "90s", "3min", "1h", "250ms", "2d": a number and a unit. -EINVAL for anything else. */
int duration_parse(Text t, usec_t *ret);

#define DURATION_MAX 32
/* "45 s", "12 min", "3 h 5 min": for people, two units at the most. */
char *duration_format(usec_t duration, char buffer[static DURATION_MAX]);
