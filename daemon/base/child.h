#pragma once

/* Other programs, run by their absolute path, without a shell and without an environment. */

#include "lib/base/buffer.h"
#include "lib/base/time.h"

/* Appends what argv[0] writes to `stream` (STDOUT_FILENO or STDERR_FILENO) and waits for its end. Returns
 * its exit status, 128 and the signal that ended it, or a negative errno: -ETIMEDOUT after it was ended for
 * its slowness. */
int child_run(const char *const *argv, int stream, usec_t timeout, Buffer *output);
