#pragma once

/* Links, addresses, routes and forwarding of this network namespace, from the kernel by rtnetlink. */

#include "lib/event/event.h"

typedef struct NetworkReader NetworkReader;
/* The event has no time. A negative errno ends the reading and is returned. */
typedef int (*network_event_t)(void *userdata, const Event *event);

/* Subscribes to changes at once, so that none is missed between a dump and the first of them. */
int network_reader_new(NetworkReader **ret);
NetworkReader *network_reader_free(NetworkReader *n);
DEFINE_CLEANUP(NetworkReader, network_reader_free);

/* Everything there is, whole: an interrupted dump is begun anew, after `begin` was called again. */
int network_reader_dump(
        NetworkReader *n, void (*begin)(void *userdata), network_event_t each, void *userdata);

/* The changes that came since, without waiting. Returns 1 when some were lost, 0, or a negative errno. */
int network_reader_changes(NetworkReader *n, network_event_t each, void *userdata);
int network_reader_fd(const NetworkReader *n); /* readable when there are changes */
