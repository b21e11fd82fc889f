/* The engine's own lines: logrus text, `time="…" level=error msg="…" key=val key="val val"`.
 *
 * Promise: the message comes first, without its quotes, and the other keys follow as they stand, so that a
 * pattern can span from one to the other. What is unescaped never grows: the buffer needs no cap beyond the
 * line's own. */

#include "lib/event/log-prefix.h"

static const struct {
        const char *name;
        Level level;
} levels[] = {
        {"info", LEVEL_INFO},
        {"warning", LEVEL_WARNING},
        {"error", LEVEL_ERROR},
        {"debug", LEVEL_DEBUG},
        {"fatal", LEVEL_FATAL},
        {"panic", LEVEL_FATAL},
        {"trace", LEVEL_TRACE},
        {"warn", LEVEL_WARNING},
};

static Level level_of(Text name) {
        FOREACH_ARRAY (l, levels, ELEMENTSOF(levels))
                if (text_is(name, l->name))
                        return l->level;
        return LEVEL_UNKNOWN;
}

/* Bytes of the value at the start of t, its quotes included; 0 when a quote is not closed. An empty bare
 * value is told apart by *ret_found. */
static size_t value_bytes(Text t, bool *ret_found) {
        size_t n = 0;

        *ret_found = true;
        if (t.len == 0 || t.data[0] != '"') {
                while (n < t.len && t.data[n] != ' ')
                        n++;
                return n;
        }
        for (n = 1; n < t.len; n++) {
                if (t.data[n] == '\\')
                        n++;
                else if (t.data[n] == '"')
                        return n + 1;
        }
        *ret_found = false;
        return 0;
}

/* Takes `key=value` and the blank behind it off *t. */
static bool take_key(Text *t, const char *key, Text *ret_value) {
        size_t bytes;
        bool found;
        Text rest;

        if (!text_starts_with(*t, key))
                return false;
        rest = text_skip(*t, strlen(key));
        bytes = value_bytes(rest, &found);
        if (!found)
                return false;
        *ret_value = text_clip(rest, bytes);
        rest = text_skip(rest, bytes);
        *t = rest.len > 0 && rest.data[0] == ' ' ? text_skip(rest, 1) : rest;
        return true;
}

static int hex_value(Text t, size_t digits, uint32_t *ret) {
        uint32_t value = 0;

        if (t.len < digits)
                return -EINVAL;
        for (size_t i = 0; i < digits; i++) {
                char c = t.data[i];
                unsigned digit = c >= '0' && c <= '9' ? (unsigned) (c - '0')
                        : c >= 'a' && c <= 'f'        ? (unsigned) (c - 'a' + 10)
                        : c >= 'A' && c <= 'F'        ? (unsigned) (c - 'A' + 10)
                                                      : 16;
                if (digit > 15)
                        return -EINVAL;
                value = value << 4 | digit;
        }
        *ret = value;
        return 0;
}

static int append_code_point(Buffer *b, uint32_t c) {
        char s[3];

        if (c < 0x80) {
                s[0] = (char) c;
                return buffer_append(b, s, 1);
        }
        if (c < 0x800) {
                s[0] = (char) (0xC0 | c >> 6);
                s[1] = (char) (0x80 | (c & 0x3F));
                return buffer_append(b, s, 2);
        }
        s[0] = (char) (0xE0 | c >> 12);
        s[1] = (char) (0x80 | (c >> 6 & 0x3F));
        s[2] = (char) (0x80 | (c & 0x3F));
        return buffer_append(b, s, 3);
}

/* t starts behind a backslash. Appends what the escape stands for, returns its bytes; an unknown one stands
 * for itself. */
static size_t unescape(Text t, Buffer *b) {
        static const char from[] = "ntrabfv", to[] = "\n\t\r\a\b\f\v";
        const char *simple = t.len > 0 && t.data[0] ? strchr(from, t.data[0]) : NULL;
        uint32_t c;

        if (simple) {
                (void) buffer_append(b, &to[simple - from], 1);
                return 1;
        }
        if (text_starts_with(t, "x") && hex_value(text_skip(t, 1), 2, &c) == 0) {
                char byte = (char) c;
                (void) buffer_append(b, &byte, 1);
                return 3;
        }
        if (text_starts_with(t, "u") && hex_value(text_skip(t, 1), 4, &c) == 0) {
                (void) append_code_point(b, c);
                return 5;
        }
        (void) buffer_append_text(b, text_clip(t, 1));
        return t.len > 0 ? 1 : 0;
}

static void append_unquoted(Text value, Buffer *b) {
        if (value.len < 2 || value.data[0] != '"') {
                (void) buffer_append_text(b, value);
                return;
        }
        value = (Text){value.data + 1, value.len - 2};
        while (value.len > 0) {
                const char *backslash = memchr(value.data, '\\', value.len);
                size_t plain = backslash ? (size_t) (backslash - value.data) : value.len;

                (void) buffer_append_text(b, text_clip(value, plain));
                value = text_skip(value, plain);
                if (!backslash)
                        break;
                value = text_skip(value, 1);
                value = text_skip(value, unescape(value, b));
        }
}

int logrus_parse(Text line, Level *ret_level, Buffer *buffer) {
        Text time, level, message;

        if (!take_key(&line, "time=", &time) || !take_key(&line, "level=", &level) ||
                !take_key(&line, "msg=", &message))
                return 0;

        buffer_clear(buffer);
        append_unquoted(message, buffer);
        if (line.len > 0) {
                (void) buffer_append(buffer, " ", 1);
                (void) buffer_append_text(buffer, line);
        }
        if (buffer->error < 0)
                return buffer->error;
        *ret_level = level_of(level);
        return 1;
}
