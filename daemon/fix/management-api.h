#pragma once

/* The runtime's own API for modules, on the Unix socket that `iotedge` uses. Starting a module through it
 * and not through the engine has the runtime make the module's own workload socket anew. */

#include "lib/world/world.h"

/* Where `iotedge` would ask, by the runtime's configuration; owned by the caller. */
int management_socket(World *w, usec_t now, char **ret);

/* verb: start, stop. Waits for the end. -ENOENT for a module that the runtime does not know; *ret_why (owned
 * by the caller) has the runtime's own words. What is so already is no failure. */
int management_do(const char *socket, const char *verb, const char *module, char **ret_why);

/* Whether the daemon itself answers, and not only systemd listens for it: whatever it says will do. */
int management_ping(const char *socket, char **ret_why);
