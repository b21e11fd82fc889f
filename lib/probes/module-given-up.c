/* Did the agent give up on the module? It must have been seen to fail, by the agent's own word or by its
 * exits, and be down for longer than the agent ever waits. Being down alone is another symptom. */

#include "lib/probes/probe-list.h"

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        const char *status = world_container_status(q->world, q->subject);

        if (probe_variable(q, "gave_up") && (!status || strcmp(status, "running") != 0))
                return probe_confirms(a, "edgeAgent gave up on %s, which does not run", q->subject);
        if (!probe_variable(q, "gave_up") && !probe_variable(q, "exit_code"))
                return probe_unknown(a, "whether edgeAgent tried to start %s", q->subject);
        return probe_module_down.ask(q, a);
}

const Probe probe_module_given_up = {
        .name = "module-given-up",
        .question = "Did edgeAgent give up on the module after its last attempt?",
        .ask = ask,
};
