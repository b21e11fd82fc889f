/* version: which edgewatch this is. */

#include "daemon/ctl/output.h"

static ExitCode run(const Arguments *a) {
        json_t *object;
        bool printed;

        if (!a->json) {
                printf("edgewatch %s\n", EDGEWATCH_VERSION);
                return EXIT_FINE;
        }
        object = json_pack("{s:s}", "version", EDGEWATCH_VERSION);
        printed = object && print_json(object);
        json_decref(object);
        return printed ? EXIT_FINE : fail(ENOMEM, "Failed to print the version");
}

const Verb verb_version = {
        .name = "version",
        .arguments = "",
        .help = "print the version",
        .options = "",
        .run = run,
};
