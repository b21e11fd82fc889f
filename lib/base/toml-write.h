#pragma once

/* Writes what toml_parse() has read, without its comments. */

#include <jansson.h>

#include "lib/base/buffer.h"

/* -EINVAL for what TOML cannot hold (null, nesting deeper than TOML_DEPTH_MAX), or -ENOMEM. */
int toml_write(const json_t *object, Buffer *b);
