#include "lib/fix/edit.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/toml.h"

/* As daemon.json is usually written. Fifteen digits give back every decimal number of up to fifteen. */
#define JSON_STYLE (JSON_INDENT(4) | JSON_REAL_PRECISION(15))

static int refuse(char **ret_why, const char *what, int line, int column) {
        if (asprintf(ret_why, "%s (line %d, column %d)", what, line, column) < 0) {
                *ret_why = NULL;
                return -ENOMEM;
        }
        return -EINVAL;
}

static int merge_json(const json_t *edit, Text old, char **ret_new, char **ret_why) {
        json_error_t error = {.line = 1, .column = 1};
        json_t *object;
        char *text = NULL;

        object = text_is_empty(text_strip(old))
                ? json_object()
                : json_loadb(old.data, old.len, JSON_REJECT_DUPLICATES, &error);
        if (!json_is_object(object)) {
                json_decref(object);
                return refuse(ret_why, object ? "it is no JSON object" : "it is no valid JSON", error.line,
                        error.column);
        }
        if (json_object_update(object, json_object_get(edit, "members")) >= 0)
                text = json_dumps(object, JSON_STYLE);
        json_decref(object);
        if (!text || asprintf(ret_new, "%s\n", text) < 0)
                *ret_new = NULL;
        free(text);
        return *ret_new ? 0 : -ENOMEM;
}

static int set_content(const json_t *edit, Text old, char **ret_new, char **ret_why) {
        const char *text = json_string_value(json_object_get(edit, "text"));

        if (!text)
                return -EINVAL;
        *ret_new = strdup(text);
        return *ret_new ? 0 : -ENOMEM;
}

/* What needs no escape. */
static bool is_plain(const char *s) {
        for (; *s; s++)
                if ((unsigned char) *s < 0x20 || *s == 0x7F || *s == '"' || *s == '\\')
                        return false;
        return true;
}

static int replace_string(
        char **text, const char *table, const char *key, const char *value, char **ret_why) {
        TomlError error = {};
        char *changed;
        Text place;
        int r;

        r = toml_find_string(text_of(*text), table, key, &place, &error);
        if (r == -EINVAL)
                return refuse(ret_why, error.text, (int) error.line, (int) error.column);
        if (r == 0)
                return refuse(ret_why, "it does not hold the string that is to be replaced", 1, 1);
        if (r < 0)
                return r;
        if (asprintf(&changed, "%.*s\"%s\"%s", (int) (place.data - *text), *text, value,
                    place.data + place.len) < 0)
                return -ENOMEM;
        free(*text);
        *text = changed;
        return 0;
}

static int replace_toml_strings(const json_t *edit, Text old, char **ret_new, char **ret_why) {
        const char *table = json_string_value(json_object_get(edit, "table")), *key;
        _cleanup_(freep) char *text = NULL;
        json_t *value;
        int r;

        if (old.len > 0 && memchr(old.data, '\0', old.len))
                return refuse(ret_why, "it holds a NUL", 1, 1);
        text = strndup(old.len > 0 ? old.data : "", old.len);
        if (!text)
                return -ENOMEM;
        json_object_foreach (json_object_get(edit, "strings"), key, value) {
                const char *s = json_string_value(value);

                r = table && s && is_plain(s) ? replace_string(&text, table, key, s, ret_why) : -EINVAL;
                if (r < 0)
                        return r;
        }
        *ret_new = TAKE_PTR(text);
        return 0;
}

static const struct {
        const char *kind;
        int (*apply)(const json_t *edit, Text old, char **ret_new, char **ret_why);
} kinds[] = {
        {"content", set_content},
        {"merge-json", merge_json},
        {"toml-strings", replace_toml_strings},
};

int fix_edit(const json_t *edit, Text old, char **ret_new, char **ret_why) {
        const char *kind = json_string_value(json_object_get(edit, "kind"));

        if (old.len > FIX_FILE_MAX)
                return -EFBIG;
        for (size_t i = 0; kind && i < ELEMENTSOF(kinds); i++)
                if (strcmp(kinds[i].kind, kind) == 0)
                        return kinds[i].apply(edit, old, ret_new, ret_why);
        return -EINVAL;
}
