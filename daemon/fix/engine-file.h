#pragma once

/* What the engine itself says about a configuration file. */

#include "lib/base/text.h"

/* Returns 1 when it would start with the file, or cannot be asked: only from 23 on it can (`dockerd
 * --validate`). 0 and *ret_why (owned by the caller) when it would not. */
int engine_file_check(const char *file, char **ret_why);
