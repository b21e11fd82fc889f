#include "lib/base/text.h"

#include <ctype.h>

bool text_contains(Text t, const char *needle) {
        return t.len > 0 && memmem(t.data, t.len, needle, strlen(needle));
}

Text text_strip(Text t) {
        while (t.len > 0 && isspace((unsigned char) t.data[0]))
                t = text_skip(t, 1);
        while (t.len > 0 && isspace((unsigned char) t.data[t.len - 1]))
                t.len--;
        return t;
}

/* Length of the valid UTF-8 sequence at the start of t, 0 if there is none. Refuses overlong forms,
 * surrogates and what lies beyond U+10FFFF, as jansson does. */
static size_t utf8_sequence_bytes(Text t) {
        unsigned char first = (unsigned char) t.data[0];
        size_t n = first < 0x80 ? 1 : first >= 0xC2 && first <= 0xDF ? 2 : (first & 0xF0) == 0xE0 ? 3 : 4;

        if ((first >= 0x80 && first < 0xC2) || first > 0xF4 || n > t.len)
                return 0;
        for (size_t i = 1; i < n; i++)
                if (((unsigned char) t.data[i] & 0xC0) != 0x80)
                        return 0;
        if (n >= 3) {
                unsigned char second = (unsigned char) t.data[1];
                if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F))
                        return 0;
        }
        return n;
}

char *text_to_utf8(Text t, size_t max_bytes) {
        char *copy = malloc((t.len < max_bytes ? t.len : max_bytes) + 1);
        size_t n = 0;

        if (!copy)
                return NULL;
        while (t.len > 0 && n < max_bytes) {
                size_t bytes = utf8_sequence_bytes(t);

                if (bytes == 0) {
                        copy[n++] = '?';
                        bytes = 1;
                } else if (n + bytes > max_bytes)
                        break;
                else if (t.data[0] != '\0') {
                        memcpy(copy + n, t.data, bytes);
                        n += bytes;
                }
                t = text_skip(t, bytes);
        }
        copy[n] = '\0';
        return copy;
}

char *text_dup(Text t) {
        char *copy = malloc(t.len + 1);

        if (!copy)
                return NULL;
        if (t.len > 0)
                memcpy(copy, t.data, t.len);
        copy[t.len] = '\0';
        return copy;
}

int text_to_u64(Text t, uint64_t *ret) {
        uint64_t value = 0;

        if (t.len == 0)
                return -EINVAL;
        for (size_t i = 0; i < t.len; i++) {
                unsigned digit = (unsigned) (unsigned char) t.data[i] - '0';

                if (digit > 9)
                        return -EINVAL;
                if (__builtin_mul_overflow(value, 10, &value) ||
                        __builtin_add_overflow(value, digit, &value))
                        return -ERANGE;
        }
        *ret = value;
        return 0;
}
