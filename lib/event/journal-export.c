/* Reads the journal export format: NAME=value lines, or NAME, a little-endian length of 8 bytes and that
 * many bytes where the value is not plain text; an empty line ends the entry.
 *
 * Promise: a length is believed only as far as the text reaches; a broken entry costs that entry. The trap:
 * a binary value may hold empty lines, so an entry's end cannot be searched for. */

#include "lib/event/journal-entry.h"

#include <endian.h>

#define FIELD_MAX_BYTES ((uint64_t) 16 * 1024 * 1024)

typedef struct ExportField {
        Text name, value;
        size_t bytes;
} ExportField;

static bool is_name(Text name) {
        if (name.len == 0)
                return false;
        for (size_t i = 0; i < name.len; i++) {
                char c = name.data[i];
                if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
                        return false;
        }
        return true;
}

static int read_binary(Text t, Text name, ExportField *ret) {
        Text rest = text_skip(t, name.len + 1);
        uint64_t length;

        if (rest.len < sizeof(length))
                return 0;
        memcpy(&length, rest.data, sizeof(length));
        length = le64toh(length);
        if (length > FIELD_MAX_BYTES)
                return -EBADMSG;
        rest = text_skip(rest, sizeof(length));
        if (rest.len <= length)
                return 0;
        if (rest.data[length] != '\n')
                return -EBADMSG;
        *ret = (ExportField){name, text_clip(rest, length), name.len + 1 + sizeof(length) + length + 1};
        return 1;
}

/* 1, 0 when the text ends too early, -EBADMSG. */
static int read_field(Text t, ExportField *ret) {
        const char *newline = memchr(t.data, '\n', t.len), *equals;
        Text line, name;

        if (!newline)
                return 0;
        line = text_clip(t, (size_t) (newline - t.data));
        equals = memchr(line.data, '=', line.len);
        name = equals ? text_clip(line, (size_t) (equals - line.data)) : line;
        if (!is_name(name))
                return -EBADMSG;
        if (!equals)
                return read_binary(t, name, ret);
        *ret = (ExportField){name, text_skip(line, name.len + 1), line.len + 1};
        return 1;
}

/* Where the next entry may begin: behind the next empty line, or at the end. */
static size_t resynchronise(Text text, size_t at) {
        const char *end = memmem(text.data + at, text.len - at, "\n\n", 2);

        return end ? (size_t) (end - text.data) + 2 : text.len;
}

static void take_field(JournalEntry *e, const ExportField *f, Text *cursor) {
        if (text_is(f->name, "__CURSOR"))
                *cursor = f->value;
        else if (text_is(f->name, "__REALTIME_TIMESTAMP")) {
                uint64_t usec;
                if (text_to_u64(f->value, &usec) == 0)
                        e->realtime = usec;
        } else
                journal_entry_set(e, f->name, f->value);
}

int journal_export_parse(Text text, JournalEntry *ret, Text *ret_cursor, size_t *ret_bytes) {
        JournalEntry e = {};
        Text cursor = TEXT_NONE;
        size_t at = 0;

        while (at < text.len && text.data[at] == '\n')
                at++;
        while (at < text.len) {
                ExportField field;
                int r;

                if (text.data[at] == '\n') {
                        *ret = e;
                        *ret_cursor = cursor;
                        *ret_bytes = at + 1;
                        return 1;
                }
                r = read_field(text_skip(text, at), &field);
                if (r < 0)
                        *ret_bytes = resynchronise(text, at);
                if (r <= 0)
                        return r;
                take_field(&e, &field, &cursor);
                at += field.bytes;
        }
        return 0;
}
