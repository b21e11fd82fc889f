#define _DEFAULT_SOURCE
#include "lib/base/time.h"

#include <stdio.h>
#include <time.h>

/* Reads exactly n digits at *p. */
static int read_digits(Text *t, size_t n, int *ret) {
        int value = 0;

        if (t->len < n)
                return -EINVAL;
        for (size_t i = 0; i < n; i++) {
                unsigned digit = (unsigned) (unsigned char) t->data[i] - '0';
                if (digit > 9)
                        return -EINVAL;
                value = value * 10 + (int) digit;
        }
        *t = text_skip(*t, n);
        *ret = value;
        return 0;
}

static int read_char(Text *t, const char *one_of) {
        if (t->len == 0 || t->data[0] == '\0' || !strchr(one_of, t->data[0]))
                return -EINVAL;
        *t = text_skip(*t, 1);
        return 0;
}

static int read_fraction(Text *t, uint64_t *ret_nsec) {
        uint64_t nsec = 0, scale = NSEC_PER_SEC / 10;

        if (t->len == 0 || (t->data[0] != '.' && t->data[0] != ',')) {
                *ret_nsec = 0;
                return 0;
        }
        *t = text_skip(*t, 1);
        if (t->len == 0 || t->data[0] < '0' || t->data[0] > '9')
                return -EINVAL;
        while (t->len > 0 && t->data[0] >= '0' && t->data[0] <= '9') {
                nsec += scale * (uint64_t) (t->data[0] - '0');
                scale /= 10;
                *t = text_skip(*t, 1);
        }
        *ret_nsec = nsec;
        return 0;
}

static int read_offset(Text *t, int64_t *ret_sec) {
        int sign, hours, minutes, r;

        if (read_char(t, "Zz") == 0) {
                *ret_sec = 0;
                return 0;
        }
        if (t->len > 1 && t->data[0] == ' ') /* .NET's "zzz" after a space */
                *t = text_skip(*t, 1);
        sign = t->len > 0 && t->data[0] == '-' ? -1 : 1;
        r = read_char(t, "+-");
        if (r < 0)
                return r;
        r = read_digits(t, 2, &hours);
        if (r < 0)
                return r;
        (void) read_char(t, ":");
        r = read_digits(t, 2, &minutes);
        if (r < 0)
                return r;
        *ret_sec = (int64_t) sign * (hours * 3600 + minutes * 60);
        return 0;
}

static int read_date_and_time(Text *t, struct tm *ret) {
        struct tm tm = {};

        if (read_digits(t, 4, &tm.tm_year) < 0 || read_char(t, "-") < 0 ||
                read_digits(t, 2, &tm.tm_mon) < 0 || read_char(t, "-") < 0 ||
                read_digits(t, 2, &tm.tm_mday) < 0 || read_char(t, "Tt ") < 0 ||
                read_digits(t, 2, &tm.tm_hour) < 0 || read_char(t, ":") < 0 ||
                read_digits(t, 2, &tm.tm_min) < 0 || read_char(t, ":") < 0 ||
                read_digits(t, 2, &tm.tm_sec) < 0)
                return -EINVAL;
        if (tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
                tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
                return -EINVAL;
        tm.tm_year -= 1900;
        tm.tm_mon -= 1;
        *ret = tm;
        return 0;
}

int timestamp_parse(Text t, uint64_t *ret_nsec, size_t *ret_len) {
        size_t whole = t.len;
        struct tm tm;
        uint64_t nsec;
        int64_t offset, seconds;
        int r;

        r = read_date_and_time(&t, &tm);
        if (r < 0)
                return r;
        r = read_fraction(&t, &nsec);
        if (r < 0)
                return r;
        r = read_offset(&t, &offset);
        if (r < 0)
                return r;

        seconds = (int64_t) timegm(&tm) - offset;
        if (seconds < 0)
                return -EINVAL;
        *ret_nsec = (uint64_t) seconds * NSEC_PER_SEC + nsec;
        if (ret_len)
                *ret_len = whole - t.len;
        return 0;
}

char *timestamp_format(usec_t t, char buffer[static TIMESTAMP_MAX]) {
        time_t seconds = (time_t) (t / USEC_PER_SEC);
        struct tm tm;

        if (t >= (usec_t) 253402300800 * USEC_PER_SEC || !gmtime_r(&seconds, &tm)) {
                buffer[0] = '\0';
                return buffer;
        }
        (void) snprintf(buffer, TIMESTAMP_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
                (unsigned) (tm.tm_year + 1900) % 10000, (unsigned) (tm.tm_mon + 1) % 100,
                (unsigned) tm.tm_mday % 100, (unsigned) tm.tm_hour % 100, (unsigned) tm.tm_min % 100,
                (unsigned) tm.tm_sec % 100, (unsigned) (t % USEC_PER_SEC));
        return buffer;
}

static const struct {
        const char *name;
        usec_t usec;
} duration_units[] = {
        {"us", 1},
        {"ms", USEC_PER_MSEC},
        {"s", USEC_PER_SEC},
        {"min", USEC_PER_MIN},
        {"h", USEC_PER_HOUR},
        {"d", 24 * USEC_PER_HOUR},
};

int duration_parse(Text t, usec_t *ret) {
        size_t digits = 0;
        uint64_t number;
        Text unit;
        int r;

        while (digits < t.len && t.data[digits] >= '0' && t.data[digits] <= '9')
                digits++;
        r = text_to_u64(text_clip(t, digits), &number);
        if (r < 0)
                return r;
        unit = text_strip(text_skip(t, digits));
        FOREACH_ARRAY (u, duration_units, ELEMENTSOF(duration_units)) {
                usec_t usec;

                if (!text_is(unit, u->name))
                        continue;
                if (__builtin_mul_overflow(number, u->usec, &usec))
                        return -EINVAL;
                *ret = usec;
                return 0;
        }
        return -EINVAL;
}

char *duration_format(usec_t duration, char buffer[static DURATION_MAX]) {
        uint64_t seconds = duration / USEC_PER_SEC;

        if (duration < USEC_PER_SEC)
                (void) snprintf(buffer, DURATION_MAX, "%" PRIu64 " ms", duration / USEC_PER_MSEC);
        else if (seconds < 120)
                (void) snprintf(buffer, DURATION_MAX, "%" PRIu64 " s", seconds);
        else if (seconds < 2 * 3600)
                (void) snprintf(buffer, DURATION_MAX, "%" PRIu64 " min", seconds / 60);
        else if (seconds < 48 * 3600)
                (void) snprintf(buffer, DURATION_MAX, "%" PRIu64 " h %" PRIu64 " min", seconds / 3600,
                        seconds % 3600 / 60);
        else
                (void) snprintf(buffer, DURATION_MAX, "%" PRIu64 " d %" PRIu64 " h", seconds / 86400,
                        seconds % 86400 / 3600);
        return buffer;
}
