/* Connecting to edgewatchd and asking it.
 *
 * The trap: on the private socket there is no bus daemon, so messages have no destination and no sender; on
 * the bus they need one. client_call() leaves the destination out where it must. */

#include "daemon/ctl/client.h"

#include <stdlib.h>

#include "lib/base/buffer.h"

static int connect_private(sd_bus **ret) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(freep) char *address = NULL, *path = NULL, *escaped = NULL;
        const char *directory = getenv("EDGEWATCH_RUNTIME_DIRECTORY");
        int r;

        if (asprintf(&path, "%s/" BUS_PRIVATE_SOCKET, directory ? directory : BUS_RUNTIME_DIRECTORY) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        if (access(path, R_OK | W_OK) < 0)
                return -errno;

        escaped = sd_bus_address_escape_path(path);
        return 0;
}
