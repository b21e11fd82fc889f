/* reload: the daemon reads its configuration and rules again. */

#include "daemon/ctl/client.h"

static ExitCode run(const Arguments *a) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        if (client_connect(&bus) < 0 || client_call(bus, BUS_MANAGER_INTERFACE, "Reload", &reply, "") < 0)
                return EXIT_TROUBLE;
        return EXIT_FINE;
}

const Verb verb_reload = {
        .name = "reload",
        .arguments = "",
        .help = "read configuration and rules again; with a mistake in them the old ones stay",
        .options = "",
        .run = run,
};
