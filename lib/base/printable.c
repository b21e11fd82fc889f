/* Makes text from a log fit for a terminal, a journal field and a JSON string.
 *
 * Promise: the result is valid UTF-8 of at most max_bytes bytes, on one line, without anything that moves a
 * cursor, changes colours or reorders what is read. The trap: C1 controls and bidirectional overrides are
 * valid UTF-8, so that a check for control bytes alone lets them through. */

#include "lib/base/printable.h"

#include <stdio.h>

#include "lib/base/buffer.h"

/* The code point of the valid sequence at the start of t. */
static uint32_t decode(const char *s, size_t *ret_bytes) {
        const unsigned char *u = (const unsigned char *) s;

        if (u[0] < 0x80) {
                *ret_bytes = 1;
                return u[0];
        }
        if (u[0] < 0xE0) {
                *ret_bytes = 2;
                return (uint32_t) (u[0] & 0x1F) << 6 | (u[1] & 0x3F);
        }
        if (u[0] < 0xF0) {
                *ret_bytes = 3;
                return (uint32_t) (u[0] & 0x0F) << 12 | (uint32_t) (u[1] & 0x3F) << 6 | (u[2] & 0x3F);
        }
        *ret_bytes = 4;
        return (uint32_t) (u[0] & 0x07) << 18 | (uint32_t) (u[1] & 0x3F) << 12 |
                (uint32_t) (u[2] & 0x3F) << 6 | (u[3] & 0x3F);
}

static bool is_reordering(uint32_t c) {
        return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
                (c >= 0x2066 && c <= 0x2069);
}

static bool is_line_break(uint32_t c) {
        return c == '\n' || c == '\r' || c == 0x0B || c == 0x0C || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/* What is shown for one code point; the sequence itself when it is harmless. */
static Text shown(const char *s, size_t bytes, uint32_t c, char escape[static 16]) {
        if (is_line_break(c))
                return TEXT_LITERAL(" ");
        if ((c < 0x20 && c != '\t') || c == 0x7F || (c >= 0x80 && c < 0xA0))
                (void) snprintf(escape, 16, "\\x%02x", (unsigned) c);
        else if (is_reordering(c))
                (void) snprintf(escape, 16, "\\u{%04x}", (unsigned) c);
        else
                return (Text){s, bytes};
        return text_of(escape);
}

char *printable_text(Text t, size_t max_bytes) {
        _cleanup_(freep) char *utf8 = text_to_utf8(t, max_bytes);
        Buffer b = {};

        if (!utf8)
                return NULL;
        for (const char *s = utf8; *s;) {
                char escape[16];
                size_t bytes;
                uint32_t c = decode(s, &bytes);
                Text piece = shown(s, bytes, c, escape);

                if (b.len + piece.len > max_bytes)
                        break;
                if (buffer_append_text(&b, piece) < 0) {
                        buffer_done(&b);
                        return NULL;
                }
                s += bytes;
        }
        return buffer_take(&b);
}
