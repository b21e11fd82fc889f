#pragma once

/* Every probe, each in the file of its name. Alphabetical; registry.c has the same rows. */

#include "lib/probes/probe.h"

extern const Probe probe_container_oom;
extern const Probe probe_forwarding_off;
extern const Probe probe_network_mtu;
extern const Probe probe_port_holder;
