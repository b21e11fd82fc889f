#pragma once

/* Reads members of a JSON object that came from outside. A member that is absent or null is not told: the
 * target keeps what it holds. One of the wrong type or too long for its target is -EINVAL. */

#include <jansson.h>

#include "lib/base/text.h"
#include "lib/base/time.h"

int json_field_dup(const json_t *object, const char *key, char **target); /* frees what it held; -ENOMEM */
int json_field_copy(const json_t *object, const char *key, char *target, size_t target_bytes);
int json_field_int(const json_t *object, const char *key, int *target);
int json_field_u64(const json_t *object, const char *key, uint64_t *target);
int json_field_bool(const json_t *object, const char *key, int *target); /* 0 or 1 */
/* A member of nested objects, "agent/env/https_proxy"; NULL when it is not there. */
const json_t *json_field_at(const json_t *object, const char *path);
/* A time as text, in microseconds; 0 when the member is absent or no time. */
usec_t json_field_time(const json_t *object, const char *key);
/* A member that has to be an object, or NULL when it is absent or null. */
int json_field_object(const json_t *object, const char *key, const json_t **ret);
int json_field_array(const json_t *object, const char *key, const json_t **ret);

/* The member as a string, "" when it is absent or none. */
static inline const char *json_field_string(const json_t *object, const char *key) {
        const char *s = json_string_value(json_object_get(object, key));

        return s ? s : "";
}

static inline Text json_text(const json_t *string) {
        return json_is_string(string) ? (Text){json_string_value(string), json_string_length(string)}
                                      : TEXT_NONE;
}
