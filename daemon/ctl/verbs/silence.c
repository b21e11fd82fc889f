/* silence: no alerts about a symptom or an incident for a while. It stays listed. */

#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/ctl/client.h"

static int until_of(const char *word, usec_t *ret) {
        usec_t duration;
        int r;

        if (strcmp(word, "off") == 0) {
                *ret = 0;
                return 0;
        }
        r = duration_parse(text_of(word), &duration);
        if (r < 0)
                return r;
        *ret = usec_add(realtime_now(), duration);
        return 0;
}

static ExitCode run(const Arguments *a) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        char buffer[LOCAL_TIME_MAX];
        usec_t until;

        if (until_of(a->words[1], &until) < 0)
                return fail(0, "\"%s\" is no duration; write 90min, 8h, 2d, or off", a->words[1]);
        if (client_connect(&bus) < 0 ||
                client_call(bus, BUS_MANAGER_INTERFACE, "Silence", &reply, "st", a->words[0], until) < 0)
                return EXIT_TROUBLE;

        if (a->json)
                return EXIT_FINE;
        if (until == 0)
                printf("%s is not silenced any more.\n", a->words[0]);
        else
                printf("%s is silenced until %s.\n", a->words[0], local_time(until, buffer));
        return EXIT_FINE;
}

const Verb verb_silence = {
        .name = "silence",
        .arguments = "SYMPTOM|INCIDENT DURATION",
        .help = "no alerts about it for that long (\"off\" ends it); it stays listed",
        .options = "",
        .min_words = 2,
        .max_words = 2,
        .run = run,
};
