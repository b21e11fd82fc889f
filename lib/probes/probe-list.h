#pragma once

/* Every probe, each in the file of its name. Alphabetical. */

#include "lib/probes/probe.h"

#define PROBES(P)                                                                                           \
        P(agent_port)                                                                                       \
        P(container_dns)                                                                                    \
        P(container_oom)                                                                                    \
        P(daemon_sockets)                                                                                   \
        P(forwarding_off)                                                                                   \
        P(hostname_length)                                                                                  \
        P(hub_migration)                                                                                    \
        P(identity_driver)                                                                                  \
        P(module_absent)                                                                                    \
        P(module_down)                                                                                      \
        P(module_forgotten)                                                                                 \
        P(module_given_up)                                                                                  \
        P(network_mtu)                                                                                      \
        P(parent_reachable)                                                                                 \
        P(port_holder)                                                                                      \
        P(queue_growth)                                                                                     \
        P(upstream_latency)

#define DECLARE_PROBE(name) extern const Probe probe_##name;
PROBES(DECLARE_PROBE)
#undef DECLARE_PROBE
