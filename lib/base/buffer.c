#include "lib/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

void buffer_done(Buffer *b) {
        free(b->data);
        *b = (Buffer){.max_bytes = b->max_bytes};
}

void buffer_clear(Buffer *b) {
        b->len = 0;
        b->error = 0;
        if (b->data)
                b->data[0] = '\0';
}

static int buffer_reserve(Buffer *b, size_t more) {
        size_t wanted, allocated;
        char *grown;

        if (b->error < 0)
                return b->error;
        if (__builtin_add_overflow(b->len, more, &wanted) || __builtin_add_overflow(wanted, 1, &wanted))
                return b->error = -ENOMEM;
        if (b->max_bytes > 0 && wanted - 1 > b->max_bytes)
                return b->error = -EFBIG;
        if (wanted <= b->allocated)
                return 0;

        allocated = b->allocated < 64 ? 64 : b->allocated;
        while (allocated < wanted)
                if (__builtin_mul_overflow(allocated, 2, &allocated))
                        return b->error = -ENOMEM;
        grown = realloc(b->data, allocated);
        if (!grown)
                return b->error = -ENOMEM;
        b->data = grown;
        b->allocated = allocated;
        return 0;
}

int buffer_append(Buffer *b, const void *data, size_t len) {
        int r = buffer_reserve(b, len);
        if (r < 0)
                return r;
        if (len > 0)
                memcpy(b->data + b->len, data, len);
        b->len += len;
        b->data[b->len] = '\0';
        return 0;
}

int buffer_append_text(Buffer *b, Text t) {
        return buffer_append(b, t.data, t.len);
}

int buffer_append_string(Buffer *b, const char *s) {
        return buffer_append(b, s, strlen(s));
}

int buffer_append_format(Buffer *b, const char *format, ...) {
        va_list args, again;
        int n, r;

        va_start(args, format);
        va_copy(again, args);
        n = vsnprintf(NULL, 0, format, args);
        va_end(args);
        r = n < 0 ? (b->error = -EINVAL) : buffer_reserve(b, (size_t) n);
        if (r >= 0) {
                (void) vsnprintf(b->data + b->len, (size_t) n + 1, format, again);
                b->len += (size_t) n;
        }
        va_end(again);
        return r;
}

void buffer_consume(Buffer *b, size_t n) {
        if (n > b->len)
                n = b->len;
        if (n == 0)
                return;
        memmove(b->data, b->data + n, b->len - n + 1);
        b->len -= n;
}

char *buffer_take(Buffer *b) {
        char *data;

        if (b->error < 0)
                return NULL;
        data = b->data ? b->data : strdup("");
        *b = (Buffer){.max_bytes = b->max_bytes};
        return data;
}
