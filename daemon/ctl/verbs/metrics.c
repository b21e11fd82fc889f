/* metrics: the daemon's status for Prometheus.
 *
 * The trap: whatever collects a file goes on with its last content. So a daemon that cannot be asked is
 * written down too. */

#include "daemon/base/atomic-file.h"
#include "daemon/ctl/client.h"
#include "lib/report/exposition.h"

#define OUTPUT_MODE 0644 /* node_exporter is another user */

/* NULL when the daemon cannot be asked, which was said. */
static json_t *ask(void) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        json_t *status = NULL;

        if (client_connect(&bus) < 0 ||
                client_call_json(bus, BUS_MANAGER_INTERFACE, "GetStatus", &status, NULL, "") < 0)
                return NULL;
        return status;
}

static ExitCode print_exposition(const char *text, bool json) {
        json_t *object;
        bool printed;

        if (!json)
                return fputs(text, stdout) < 0 ? fail(errno, "Failed to print the metrics") : EXIT_FINE;
        object = json_pack("{s:i, s:s}", "format", 1, "exposition", text);
        printed = object && print_json(object);
        json_decref(object);
        return printed ? EXIT_FINE : fail(ENOMEM, "Failed to print the metrics");
}

static ExitCode run(const Arguments *a) {
        json_t *status = ask();
        _cleanup_(freep) char *text = report_exposition(status);
        bool is_up = status;
        ExitCode code;
        int r;

        json_decref(status);
        if (!text)
                return fail(ENOMEM, "Failed to write the metrics");
        if (!a->output)
                code = print_exposition(text, a->json);
        else {
                r = atomic_file_write_path(a->output, text_of(text), OUTPUT_MODE);
                code = r < 0 ? fail(r, "Failed to write %s", a->output) : EXIT_FINE;
        }
        return is_up ? code : EXIT_TROUBLE;
}

const Verb verb_metrics = {
        .name = "metrics",
        .arguments = "",
        .help = "the daemon's counters and what is active, for Prometheus",
        .options = "output",
        .run = run,
};
