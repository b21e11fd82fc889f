#pragma once

/* Where this device's runtime connects to, found on the device itself (also under DPS): the environment of
 * edgeAgent's container first, then the runtime's configuration. */

#include "lib/world/world.h"

#define UPSTREAM_HOST_MAX 256

/* The parent's hostname if there is one, else the hub's. Returns 1, 0 when it is not known, -EAGAIN while it
 * is being asked. */
int upstream_host(World *w, usec_t now, char ret[static UPSTREAM_HOST_MAX]);

/* Whether an answer of an active question (resolve, connect, tls) is this word. */
bool fact_result_is(const Fact *f, const char *result);
const char *fact_detail(const Fact *f); /* "" when there is none */
