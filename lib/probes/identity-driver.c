/* What drives the identity calls? The agent asks for identities whenever its plan is not empty, so something
 * keeps failing: a pull, a creation, or the hub itself. The log told which. */

#include "lib/probes/probe-list.h"

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        static const struct {
                const char *variable;
                const char *sentence;
        } drivers[] = {
                {"failing_image", "the image %s cannot be pulled, and each attempt asks for identities"},
                {"pull_error", "an image cannot be pulled (%s), and each attempt asks for identities"},
                {"failing_module", "module %s cannot be created, and each attempt asks for identities"},
                {"failing_command", "the command %s keeps failing, and each attempt asks for identities"},
                {"throttled", "the IoT hub throttles the requests (%s)"},
                {"hub_error", "requests to the IoT hub fail: %s"},
                {"identity_error", "the identity service answers with an error: %s"},
        };

        FOREACH_ARRAY (d, drivers, ELEMENTSOF(drivers)) {
                const char *value = probe_variable(q, d->variable);
                int r;

                if (!value)
                        continue;
                r = probe_set_variable(a, "driver", d->sentence, value);
                return r < 0 ? r : probe_confirms(a, d->sentence, value);
        }
        return probe_unknown(
                a, "what keeps asking for identities: no failing pull, creation or hub call was seen");
}

const Probe probe_identity_driver = {
        .name = "identity-driver",
        .question = "What keeps asking for module identities?",
        .ask = ask,
};
