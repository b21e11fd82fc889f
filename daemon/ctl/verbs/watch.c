/* watch: prints each change of an incident as it happens. */

#include "daemon/base/clock.h"
#include "daemon/ctl/client.h"
#include "lib/base/printable.h"

typedef struct Change {
        const char *id, *symptom, *subject, *change;
        uint64_t seq;
} Change;

static bool print_as_json(const Change *c, usec_t now) {
        char time[TIMESTAMP_MAX];
        json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "time", timestamp_format(now, time),
                "incident", c->id, "symptom", c->symptom, "subject", c->subject, "change", c->change, "seq",
                (json_int_t) c->seq);
        bool printed = object && json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) == 0;

        json_decref(object);
        (void) putchar('\n');
        return printed;
}

static bool print_as_text(const Change *c, usec_t now) {
        _cleanup_(freep) char *subject = printable_text(text_of(c->subject), 256);
        char time[LOCAL_TIME_MAX];

        if (!subject)
                return false;
        printf("%s  %s  %s%-10s%s %s of %s\n", local_time(now, time), c->id,
                color_begin(color_of_state(c->change)), c->change, color_end(), c->symptom, subject);
        return true;
}

static int changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const Arguments *a = userdata;
        Change c;
        int r;

        r = sd_bus_message_read(m, BUS_INCIDENT_CHANGED, &c.id, &c.symptom, &c.subject, &c.change, &c.seq);
        if (r < 0)
                return r;
        if (!(a->json ? print_as_json(&c, realtime_now()) : print_as_text(&c, realtime_now())))
                return -ENOMEM;
        return fflush(stdout) == 0 ? 0 : -errno;
}

static int follow(sd_bus *bus) {
        for (;;) {
                int r;

                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
                if (r < 0)
                        return r;
        }
}

static ExitCode run(const Arguments *a) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *sender;
        int r;

        if (client_connect(&bus) < 0)
                return EXIT_TROUBLE;
        sender = sd_bus_is_bus_client(bus) > 0 ? BUS_NAME : NULL;
        r = sd_bus_match_signal(
                bus, NULL, sender, BUS_PATH, BUS_MANAGER_INTERFACE, "IncidentChanged", changed, (void *) a);
        if (r < 0)
                return fail(r, "Failed to subscribe");
        /* Whether there is a daemon at all; the signals of one that is not there would be waited for in
         * vain. */
        if (client_call(bus, "org.freedesktop.DBus.Peer", "Ping", &reply, "") < 0)
                return EXIT_TROUBLE;

        r = follow(bus);
        if (r == -ECONNRESET || r == -ENOTCONN)
                return fail(0, "edgewatchd ended");
        return fail(r, "Failed to follow");
}

const Verb verb_watch = {
        .name = "watch",
        .arguments = "",
        .help = "print each change of an incident as it happens",
        .options = "",
        .run = run,
};
