#include "lib/fix/edit.h"

#include <stdio.h>

/* As daemon.json is usually written. Fifteen digits give back every decimal number of up to fifteen. */
#define JSON_STYLE (JSON_INDENT(4) | JSON_REAL_PRECISION(15))

static int refuse(char **ret_why, const char *what, const json_error_t *error) {
        if (asprintf(ret_why, "%s (line %d, column %d)", what, error->line, error->column) < 0) {
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
                return refuse(ret_why, object ? "it is no JSON object" : "it is no valid JSON", &error);
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

static const struct {
        const char *kind;
        int (*apply)(const json_t *edit, Text old, char **ret_new, char **ret_why);
} kinds[] = {
        {"content", set_content},
        {"merge-json", merge_json},
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
