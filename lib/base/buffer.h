#pragma once

/* A byte buffer that grows up to a cap and is always NUL-terminated. Once an append failed it stays failed,
 * so that a run of appends needs one check at its end. */

#include "lib/base/text.h"

typedef struct Buffer {
        char *data; /* NULL while empty */
        size_t len, allocated;
        size_t max_bytes; /* 0 is no cap but memory */
        int error;        /* 0, -ENOMEM, or -EFBIG when the cap was hit */
} Buffer;

void buffer_done(Buffer *b);  /* frees; the buffer is empty and usable afterwards */
void buffer_clear(Buffer *b); /* empties, keeps the memory */
int buffer_append(Buffer *b, const void *data, size_t len);
int buffer_append_text(Buffer *b, Text t);
int buffer_append_string(Buffer *b, const char *s);
int buffer_append_format(Buffer *b, const char *format, ...) _printf_(2, 3);
/* Drops the first n bytes. */
void buffer_consume(Buffer *b, size_t n);
/* The content, which then belongs to the caller; "" allocated when empty, NULL when an append had failed. */
char *buffer_take(Buffer *b);

static inline Text buffer_text(const Buffer *b) {
        return (Text){b->data ? b->data : "", b->len};
}
