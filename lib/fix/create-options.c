/* The pieces of createOptions. The trap: a piece that stands after a gap is not read by edgeAgent, so that
 * to join it would change what the module runs with. */

#include "lib/fix/create-options.h"

#include <stdio.h>

#include "lib/event/json-field.h"

const char *create_options_name(size_t i, char buffer[static CREATE_OPTIONS_NAME_MAX]) {
        if (i == 0)
                return "createOptions";
        (void) snprintf(buffer, CREATE_OPTIONS_NAME_MAX, "createOptions%02u", (unsigned) i % 100);
        return buffer;
}

static int join(const json_t *settings, Buffer *joined, char *error, size_t error_bytes) {
        char name[CREATE_OPTIONS_NAME_MAX];
        int n = 0;

        for (size_t i = 0; i < CREATE_OPTIONS_PIECES; i++) {
                const json_t *piece = json_object_get(settings, create_options_name(i, name));

                if (!piece)
                        continue;
                if (!json_is_string(piece) || (size_t) n != i) {
                        (void) snprintf(error, error_bytes, "%s %s", create_options_name(i, name),
                                json_is_string(piece) ? "stands without the piece before it"
                                                      : "is no string");
                        return -EINVAL;
                }
                (void) buffer_append_text(joined, json_text(piece));
                n++;
        }
        return joined->error < 0 ? joined->error : n;
}

int create_options_read(const json_t *settings, json_t **ret, char *error, size_t error_bytes) {
        _cleanup_(buffer_done) Buffer joined = {.max_bytes = 64 * 1024};
        json_error_t mistake;
        int n = join(settings, &joined, error, error_bytes);

        if (n < 0)
                return n;
        if (text_is_empty(text_strip(buffer_text(&joined)))) {
                *ret = json_object();
                return *ret ? n : -ENOMEM;
        }
        *ret = json_loadb(joined.data, joined.len, JSON_REJECT_DUPLICATES, &mistake);
        if (json_is_object(*ret))
                return n;
        (void) snprintf(error, error_bytes, "createOptions is no JSON object: %d:%d: %s", mistake.line,
                mistake.column, *ret ? "expected {" : mistake.text);
        json_decref(*ret);
        *ret = NULL;
        return -EINVAL;
}

Text create_options_piece(Text text) {
        size_t len = CREATE_OPTIONS_PIECE_MAX;

        if (text.len <= len)
                return text;
        while (len > 0 && ((unsigned char) text.data[len] & 0xc0) == 0x80)
                len--;
        return text_clip(text, len);
}
