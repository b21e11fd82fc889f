#pragma once

/* The device as a World, for probes and checks: what was read (Device), and facts that are fetched when they
 * are asked for, waited for. edgewatch-probe answers questions about the network; EDGEWATCH_PROBE names
 * another one than the installed. */

#include "daemon/collect/device.h"
#include "lib/world/world.h"

typedef struct DeviceWorld {
        const Device *device; /* borrowed */
        World *world;
        const char *prober;
} DeviceWorld;

int device_world_init(DeviceWorld *w, const Device *device, usec_t now);
void device_world_done(DeviceWorld *w);
