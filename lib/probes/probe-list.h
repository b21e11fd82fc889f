#pragma once

/* Every probe, each in the file of its name. Alphabetical; registry.c has the same rows. */

#include "lib/probes/probe.h"

extern const Probe probe_agent_port;
extern const Probe probe_container_dns;
extern const Probe probe_container_oom;
extern const Probe probe_daemon_sockets;
extern const Probe probe_forwarding_off;
extern const Probe probe_hostname_length;
extern const Probe probe_hub_migration;
extern const Probe probe_identity_driver;
extern const Probe probe_module_absent;
extern const Probe probe_module_down;
extern const Probe probe_module_forgotten;
extern const Probe probe_module_given_up;
extern const Probe probe_network_mtu;
extern const Probe probe_parent_reachable;
extern const Probe probe_port_holder;
extern const Probe probe_queue_growth;
extern const Probe probe_upstream_latency;
