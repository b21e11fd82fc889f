#pragma once

/* The runtime's own API for modules, on the Unix socket that `iotedge` uses. Starting a module through it
 * and not through the engine has the runtime make the module's own workload socket anew. */

#include "lib/base/text.h"

#define MANAGEMENT_SOCKET "/var/run/iotedge/mgmt.sock"

/* verb: start, stop. Waits for the end. -ENOENT for a module that the runtime does not know; *ret_why (owned
 * by the caller) has the runtime's own words. What is so already is no failure. */
int management_do(const char *socket, const char *verb, const char *module, char **ret_why);
