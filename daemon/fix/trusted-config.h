#pragma once

#include "lib/config/config.h"

/* The configuration, if nobody but root can have written it: file, drop-ins and their folders belong to root
 * (or to whoever runs this, in tests) and no one else may write them. A mistake in it is a refusal too: what
 * may change a device must not guess. *ret_why belongs to the caller. A file that is not there means the
 * defaults: everything is off. */
int trusted_config_load(const char *path, Config **ret, char **ret_why);
