#pragma once

/* What the engine itself says about a configuration file, and what was said to it beside that. */

#include "lib/base/text.h"

/* Returns 1 when it would start with the file, or cannot be asked: only from 23 on it can (`dockerd
 * --validate`). 0 and *ret_why (owned by the caller) when it would not. */
int engine_file_check(const char *file, char **ret_why);

/* Whether the engine that runs was started with this flag, beside which it takes none of the same name in
 * its file; --validate does not see it. Returns 1, 0, also when it cannot be known. */
int engine_has_flag(uint32_t pid, const char *flag);
