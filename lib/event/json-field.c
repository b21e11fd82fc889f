/* Typed reads of JSON members, so that each decoder is a list of names and targets and none of them trusts a
 * type. */

#include "lib/event/json-field.h"

#include <limits.h>

/* 1 and the member, 0 when it is not told, -EINVAL when it is not of this type. */
static int member(const json_t *object, const char *key, json_type type, const json_t **ret) {
        const json_t *value = json_object_get(object, key);

        if (!value || json_is_null(value))
                return 0;
        if (json_typeof(value) != type)
                return -EINVAL;
        *ret = value;
        return 1;
}

int json_field_dup(const json_t *object, const char *key, char **target) {
        const json_t *value;
        char *copy;
        int r;

        r = member(object, key, JSON_STRING, &value);
        if (r <= 0)
                return r;
        copy = text_dup(json_text(value));
        if (!copy)
                return -ENOMEM;
        free(*target);
        *target = copy;
        return 0;
}

int json_field_copy(const json_t *object, const char *key, char *target, size_t target_bytes) {
        const json_t *value;
        int r;

        r = member(object, key, JSON_STRING, &value);
        if (r <= 0)
                return r;
        if (json_string_length(value) >= target_bytes)
                return -EINVAL;
        memcpy(target, json_string_value(value), json_string_length(value) + 1);
        return 0;
}

int json_field_int(const json_t *object, const char *key, int *target) {
        const json_t *value;
        int r;

        r = member(object, key, JSON_INTEGER, &value);
        if (r <= 0)
                return r;
        if (json_integer_value(value) < INT_MIN || json_integer_value(value) > INT_MAX)
                return -EINVAL;
        *target = (int) json_integer_value(value);
        return 0;
}

int json_field_u64(const json_t *object, const char *key, uint64_t *target) {
        const json_t *value;
        int r;

        r = member(object, key, JSON_INTEGER, &value);
        if (r <= 0)
                return r;
        if (json_integer_value(value) < 0)
                return -EINVAL;
        *target = (uint64_t) json_integer_value(value);
        return 0;
}

int json_field_bool(const json_t *object, const char *key, int *target) {
        const json_t *value = json_object_get(object, key);

        if (!value || json_is_null(value))
                return 0;
        if (!json_is_boolean(value))
                return -EINVAL;
        *target = json_is_true(value);
        return 0;
}

int json_field_object(const json_t *object, const char *key, const json_t **ret) {
        *ret = NULL;
        return member(object, key, JSON_OBJECT, ret) < 0 ? -EINVAL : 0;
}

int json_field_array(const json_t *object, const char *key, const json_t **ret) {
        *ret = NULL;
        return member(object, key, JSON_ARRAY, ret) < 0 ? -EINVAL : 0;
}

const json_t *json_field_at(const json_t *object, const char *path) {
        Text rest = text_of(path);

        while (object && !text_is_empty(rest)) {
                Text key = text_cut(&rest, '/');

                object = json_object_getn(object, key.data, key.len);
        }
        return object;
}

usec_t json_field_time(const json_t *object, const char *key) {
        uint64_t nsec;

        return timestamp_parse(json_text(json_object_get(object, key)), &nsec, NULL) >= 0
                ? nsec / NSEC_PER_USEC
                : 0;
}
