#pragma once

/* What fixes and operations work with: the device as it was read, the engine, systemd, the configuration. */

#include <systemd/sd-bus.h>

#include "daemon/collect/device-world.h"
#include "daemon/collect/docker-api.h"
#include "lib/config/config.h"
#include "lib/probes/probe.h"

typedef struct FixContext {
        const Config *config; /* borrowed */
        DockerApi *engine;    /* NULL when it cannot be asked; see context_engine() */
        sd_bus *bus;          /* NULL until context_bus() */
        NetworkReader *network_reader;
        Device device;
        DeviceWorld device_world;
        World *world;             /* of device_world; NULL until context_look() */
        usec_t now;               /* realtime of the last look */
        const ProbeAnswer *proof; /* while a plan is made: what the fix's probe saw */
        usec_t job_time;          /* how long a job of systemd may take */
        bool is_recovery; /* of what was cut off; the runtime is started behind it, and must not be waited
                             for */
        bool is_undo_failing; /* a step behind the one that is taken back could not be */
} FixContext;

int context_init(FixContext *c, const Config *config);
void context_done(FixContext *c);

/* Reads the whole state of the device anew. */
int context_look(FixContext *c);

/* Connect when they are first needed. The engine's own socket (DOCKER_HOST names another), never the gate's.
 */
int context_engine(FixContext *c, DockerApi **ret);
int context_bus(FixContext *c, sd_bus **ret);

/* Formats into *ret_why, which belongs to the caller, and returns `error`, or -ENOMEM. */
int because(char **ret_why, int error, const char *format, ...) _printf_(3, 4);
