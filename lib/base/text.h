#pragma once

/* A borrowed run of bytes: not NUL-terminated, may hold NUL and invalid UTF-8, belongs to someone else.
 * Everything that comes from a log or a socket travels as Text until somebody decides to keep it. */

#include <string.h>

#include "lib/base/macro.h"

typedef struct Text {
        const char *data;
        size_t len;
} Text;

#define TEXT_LITERAL(s) ((Text){(s), sizeof(s) - 1})
#define TEXT_NONE       ((Text){NULL, 0})

static inline Text text_of(const char *s) {
        return s ? (Text){s, strlen(s)} : TEXT_NONE;
}

static inline bool text_is_empty(Text t) {
        return t.len == 0;
}

static inline bool text_equals(Text a, Text b) {
        return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool text_is(Text a, const char *s) {
        return text_equals(a, text_of(s));
}

static inline bool text_starts_with(Text t, const char *prefix) {
        size_t n = strlen(prefix);
        return t.len >= n && memcmp(t.data, prefix, n) == 0;
}

static inline bool text_ends_with(Text t, const char *suffix) {
        size_t n = strlen(suffix);
        return t.len >= n && memcmp(t.data + t.len - n, suffix, n) == 0;
}

/* The text without its first n bytes (all of them if it has fewer). */
static inline Text text_skip(Text t, size_t n) {
        if (t.len == 0) /* of NULL, perhaps, to which nothing may be added */
                return t;
        return n >= t.len ? (Text){t.data + t.len, 0} : (Text){t.data + n, t.len - n};
}

static inline Text text_clip(Text t, size_t max_bytes) {
        return (Text){t.data, t.len < max_bytes ? t.len : max_bytes};
}

/* What stands before the separator, all when there is none; *rest goes on behind it. */
static inline Text text_cut(Text *rest, char separator) {
        const char *at = rest->len > 0 ? (const char *) memchr(rest->data, separator, rest->len) : NULL;
        Text first = at ? text_clip(*rest, (size_t) (at - rest->data)) : *rest;

        *rest = text_skip(*rest, first.len + 1);
        return first;
}

bool text_contains(Text t, const char *needle);
Text text_strip(Text t); /* without white space at both ends */

/* A NUL-terminated copy of at most max_bytes bytes, every byte that is not part of valid UTF-8 replaced by
 * '?' and NUL dropped, so that it can go into JSON and the journal. NULL when memory is out. */
char *text_to_utf8(Text t, size_t max_bytes);

/* A NUL-terminated copy of the bytes as they are. NULL when memory is out. */
char *text_dup(Text t);

/* The whole text as a decimal number. -EINVAL for anything else, -ERANGE when it does not fit. */
int text_to_u64(Text t, uint64_t *ret);
