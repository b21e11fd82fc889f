/* Does nothing tell why the agent leaves the module alone? Whether a module should run stands in the
 * deployment only, not on the device: what the agent did last about it is all that tells that it was stopped
 * on purpose. One that it gave up on is another symptom. */

#include "lib/probes/probe-list.h"

#define GIVEN_UP_AFTER 20 /* ends, each before it ran for ten minutes */

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        const char *command = probe_variable(q, "command");

        if (command && strcmp(command, "Stop") == 0)
                return probe_refutes(a, "edgeAgent stopped %s on purpose", q->subject);
        if (probe_variable(q, "gave_up") || world_container_deaths(q->world, q->subject) >= GIVEN_UP_AFTER)
                return probe_refutes(a, "edgeAgent gave up on %s after %d attempts: that is another symptom",
                        q->subject, GIVEN_UP_AFTER);
        return probe_confirms(a, "edgeAgent neither stopped %s nor gave up on it", q->subject);
}

const Probe probe_module_forgotten = {
        .name = "module-forgotten",
        .question = "Does nothing tell why edgeAgent leaves the module alone?",
        .ask = ask,
};
