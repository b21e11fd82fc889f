/* A manifest from and to text.
 *
 * The trap: jansson writes 0.1 as 0.10000000000000001 unless it is told how many digits to write, so the
 * fewest are taken with which the same number is read back. */

#include "lib/fix/deployment.h"

#include <stdio.h>

#define DIGITS_LEAST 15
#define DIGITS_MOST  17

static bool is_too_deep(const json_t *value, int depth) {
        const char *key;
        json_t *member;
        size_t i;

        if (depth > DEPLOYMENT_DEPTH_MAX)
                return true;
        json_object_foreach ((json_t *) value, key, member)
                if (is_too_deep(member, depth + 1))
                        return true;
        json_array_foreach (value, i, member)
                if (is_too_deep(member, depth + 1))
                        return true;
        return false;
}

int deployment_read(Text text, json_t **ret, char error[static DEPLOYMENT_ERROR_MAX]) {
        json_error_t mistake;
        json_t *manifest;

        if (text.len > DEPLOYMENT_MAX) {
                (void) snprintf(error, DEPLOYMENT_ERROR_MAX, "larger than %zu bytes", DEPLOYMENT_MAX);
                return -EFBIG;
        }
        manifest = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &mistake);
        if (!manifest) {
                (void) snprintf(error, DEPLOYMENT_ERROR_MAX,
                        "%d:%d: %s, expected a deployment manifest in JSON", mistake.line, mistake.column,
                        mistake.text);
                return -EINVAL;
        }
        if (is_too_deep(manifest, 1)) {
                (void) snprintf(
                        error, DEPLOYMENT_ERROR_MAX, "nested deeper than %d levels", DEPLOYMENT_DEPTH_MAX);
                json_decref(manifest);
                return -EINVAL;
        }
        *ret = manifest;
        return 0;
}

char *deployment_write(const json_t *value, size_t flags) {
        for (size_t digits = DIGITS_LEAST; digits <= DIGITS_MOST; digits++) {
                char *text = json_dumps(value, flags | JSON_REAL_PRECISION(digits) | JSON_ENCODE_ANY);
                json_t *again = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
                bool is_same = again && json_equal(again, (json_t *) value);

                json_decref(again);
                if (is_same || digits == DIGITS_MOST)
                        return text;
                free(text);
        }
        return NULL;
}
