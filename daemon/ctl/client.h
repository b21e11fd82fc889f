#pragma once

/* The way to the daemon: its private socket when it may be opened (root needs no bus), else the system bus.
 * EDGEWATCH_RUNTIME_DIRECTORY names another directory of the socket (a build tree, tests). */

#include <systemd/sd-bus.h>

#include "daemon/bus-names.h"
#include "daemon/ctl/output.h"

/* Says itself why the daemon cannot be asked. */
int client_connect(sd_bus **ret);

/* Calls a method that takes `types` and gives the reply. Says itself what failed. */
int client_call(sd_bus *bus, const char *interface, const char *method, sd_bus_message **ret,
        const char *types, ...);

/* The same for a method whose answer is one JSON text. With `denied`, a refusal for want of rights is told
 * there instead of being said. */
int client_call_json(sd_bus *bus, const char *interface, const char *method, json_t **ret, bool *denied,
        const char *types, ...);

/* All incidents as the report of a replay; without the right to read evidence only what is open to all.
 */
int client_incidents(sd_bus *bus, json_t **ret);
