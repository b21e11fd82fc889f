/* JSON as TOML. Tables get headers; tables inside arrays are written inline, which TOML reads as the same.
 *
 * The trap: after a header everything belongs to that table, so a table's own values come before its inner
 * tables. JSON's escapes are all escapes of TOML's basic strings. */

#include "lib/base/toml-write.h"

#include "lib/base/toml.h"

static int write_value(const json_t *value, Buffer *b, unsigned depth);

static int write_json(const json_t *value, Buffer *b) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        int r = text ? buffer_append_string(b, text) : -ENOMEM;

        free(text);
        return r;
}

static bool is_bare_key(const char *key) {
        return key[0] &&
                key[strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

static int write_key(const char *key, Buffer *b) {
        json_t *string;
        int r;

        if (is_bare_key(key))
                return buffer_append_string(b, key);
        string = json_string(key);
        if (!string)
                return -ENOMEM;
        r = write_json(string, b);
        json_decref(string);
        return r;
}

static int write_inline_table(const json_t *object, Buffer *b, unsigned depth) {
        const char *key, *separator = "{ ";
        json_t *member;
        int r;

        json_object_foreach ((json_t *) object, key, member) {
                if ((r = buffer_append_string(b, separator)) < 0 || (r = write_key(key, b)) < 0 ||
                        (r = buffer_append_string(b, " = ")) < 0 ||
                        (r = write_value(member, b, depth + 1)) < 0)
                        return r;
                separator = ", ";
        }
        return buffer_append_string(b, json_object_size(object) > 0 ? " }" : "{}");
}

static int write_array(const json_t *array, Buffer *b, unsigned depth) {
        int r;

        r = buffer_append_string(b, "[");
        for (size_t i = 0; r >= 0 && i < json_array_size(array); i++) {
                if (i > 0)
                        r = buffer_append_string(b, ", ");
                if (r >= 0)
                        r = write_value(json_array_get(array, i), b, depth + 1);
        }
        return r < 0 ? r : buffer_append_string(b, "]");
}

static int write_value(const json_t *value, Buffer *b, unsigned depth) {
        if (depth > TOML_DEPTH_MAX || json_is_null(value))
                return -EINVAL;
        if (json_is_object(value))
                return write_inline_table(value, b, depth);
        return json_is_array(value) ? write_array(value, b, depth) : write_json(value, b);
}

/* path: header of the table, "" for the document itself. */
static int write_table(const json_t *object, const char *path, Buffer *b, unsigned depth) {
        const char *key;
        json_t *member;
        int r;

        if (depth > TOML_DEPTH_MAX)
                return -EINVAL;
        json_object_foreach ((json_t *) object, key, member) {
                if (json_is_object(member))
                        continue;
                if ((r = write_key(key, b)) < 0 || (r = buffer_append_string(b, " = ")) < 0 ||
                        (r = write_value(member, b, depth)) < 0 || (r = buffer_append_string(b, "\n")) < 0)
                        return r;
        }
        json_object_foreach ((json_t *) object, key, member) {
                _cleanup_(freep) char *inner = NULL;
                Buffer header = {};

                if (!json_is_object(member))
                        continue;
                (void) buffer_append_string(&header, path);
                (void) buffer_append_string(&header, path[0] ? "." : "");
                (void) write_key(key, &header);
                inner = buffer_take(&header);
                if (!inner)
                        return -ENOMEM;
                if ((r = buffer_append_format(b, "%s[%s]\n", b->len > 0 ? "\n" : "", inner)) < 0 ||
                        (r = write_table(member, inner, b, depth + 1)) < 0)
                        return r;
        }
        return 0;
}

int toml_write(const json_t *object, Buffer *b) {
        return write_table(object, "", b, 0);
}
