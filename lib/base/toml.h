#pragma once

/* Reads TOML 1.0 as far as the runtime's configuration uses it into JSON: tables, arrays of tables, arrays,
 * inline tables, dotted keys, all four kinds of strings, integers, floats, booleans, comments. Dates and
 * times become strings as they stand. Strict: what TOML forbids is an error, duplicate keys too. */

#include <jansson.h>

#include "lib/base/text.h"

#define TOML_BYTES_MAX ((size_t) 256 * 1024)
#define TOML_DEPTH_MAX 32
#define TOML_KEYS_MAX  4096

typedef struct TomlError {
        unsigned line, column; /* from 1 */
        char text[96];         /* what is wrong, what was expected */
} TomlError;

/* Returns 0 and an object, -EINVAL and the error, -EFBIG, or -ENOMEM. ret_error may be NULL. */
int toml_parse(Text text, json_t **ret, TomlError *ret_error);

/* Finds the string `key` of a table of the top level as it stands in the text, quotes and all, so that it
 * can be replaced without touching what is around it. Returns 1, 0 when there is none, or as toml_parse().
 */
int toml_find_string(Text text, const char *table, const char *key, Text *ret, TomlError *ret_error);
