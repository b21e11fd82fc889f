#pragma once

/* The state file: state.json in the state directory, replaced as a whole. What is in it is the manager's
 * business; this keeps it whole over a kill, a power loss and a full disk. */

#include <jansson.h>

#include "lib/base/time.h"

#define STATE_VERSION        1
#define STATE_FILE_MAX_BYTES ((size_t) 16 * 1024 * 1024)

/* Returns 1 and the object; 0 when there is none. A file that cannot be understood is set aside under
 * another name, which ret_set_aside (freed by the caller, NULL otherwise) tells, and 0 is returned: it must
 * neither be trusted nor be overwritten. */
int state_load(const char *directory, usec_t now, json_t **ret, char **ret_set_aside);

/* Written beside, synced, renamed, and the folder synced. On failure the old file stands. */
int state_save(const char *directory, const json_t *state);
