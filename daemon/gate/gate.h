#pragma once

/* edgewatch-gate: lets edgewatchd ask the Docker engine what is on the list of lib/gate, and nothing else.
 */

#include <sys/types.h>

#include <systemd/sd-event.h>

#include "lib/base/time.h"

typedef struct Gate Gate;

/* listener: a listening Unix socket, which then belongs to the gate. uid: the one user who may ask. engine:
 * the path of the engine's socket. */
int gate_new(Gate **ret, sd_event *event, int listener, uid_t uid, const char *engine);
Gate *gate_free(Gate *g);
DEFINE_CLEANUP(Gate, gate_free);
