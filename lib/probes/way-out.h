#pragma once

/* What the host's packet filter does to what modules send: the part of their way out that lies between
 * forwarding and the uplink. */

#include "lib/probes/probe.h"

/* Whether a connection from the modules' network to this port certainly ends in the packet filter. Returns 1
 * and a sentence (freed by the caller) that names the network and the rule, 0 when it does not or that
 * cannot be told, -EAGAIN while the rules are being asked for, or -ENOMEM. */
int way_out_obstacle(World *w, usec_t now, usec_t since, unsigned port, char **ret);
