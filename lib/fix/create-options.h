#pragma once

/* createOptions of a module: JSON in a string, which IoT Hub takes in pieces of 512 bytes as createOptions,
 * createOptions01 … createOptions07. */

#include <jansson.h>

#include "lib/base/buffer.h"

#define CREATE_OPTIONS_PIECE_MAX ((size_t) 512)
#define CREATE_OPTIONS_PIECES    8
#define CREATE_OPTIONS_MAX       (CREATE_OPTIONS_PIECES * CREATE_OPTIONS_PIECE_MAX)
#define CREATE_OPTIONS_NAME_MAX  20

/* "createOptions", "createOptions01" … */
const char *create_options_name(size_t i, char buffer[static CREATE_OPTIONS_NAME_MAX]);

/* The pieces of a module's settings joined. Returns how many there are, 0 with {} for none; -EINVAL with
 * what is wrong. */
int create_options_read(const json_t *settings, json_t **ret, char *error, size_t error_bytes);

/* The first piece of the text: no character is cut in two. */
Text create_options_piece(Text text);
