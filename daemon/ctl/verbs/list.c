/* list: the incidents of this device. */

#include "daemon/ctl/client.h"
#include "daemon/ctl/incidents-text.h"

static ExitCode run(const Arguments *a) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        json_t *report = NULL;
        ExitCode code;

        if (client_connect(&bus) < 0 || client_incidents(bus, &report) < 0)
                return EXIT_TROUBLE;
        code = incidents_print(report, a);
        json_decref(report);
        return code;
}

const Verb verb_list = {
        .name = "list",
        .arguments = "",
        .help = "list what is wrong; with --all also what is over or was refuted",
        .options = "all",
        .run = run,
};
