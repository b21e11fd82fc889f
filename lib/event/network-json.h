#pragma once

/* Links, routes, addresses and forwarding as the JSON of iproute2 and of a recording's net/events.jsonl, as
 * far as the decoders of lib/event/object.h read them back. NULL when memory is out. */

#include "lib/event/event.h"

json_t *link_to_json(const Link *link);
json_t *route_to_json(const Route *route);
json_t *address_to_json(const Address *address); /* an element of `ip -j addr` with this one address */

/* A line of net/events.jsonl; NULL also for an event that is not about the network. */
json_t *network_event_to_json(const Event *event);
