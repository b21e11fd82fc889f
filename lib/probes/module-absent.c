/* Did the module stay away? The rule has waited a minute without its being created again; state can still
 * say otherwise, for instance when somebody else started it. */

#include "lib/probes/probe-list.h"

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        const char *status = world_container_status(q->world, q->subject);
        const char *agent = world_container_status(q->world, "edgeAgent");
        const char *deployment = probe_variable(q, "to");

        if (status && strcmp(status, "running") == 0)
                return probe_refutes(a, "%s is running", q->subject);
        if (agent && strcmp(agent, "running") != 0)
                return probe_unknown(a, "whether %s comes back: edgeAgent itself is %s", q->subject, agent);
        return probe_confirms(a, "%s was removed%s%s and has not come back", q->subject,
                deployment ? " by deployment " : "", deployment ? deployment : "");
}

const Probe probe_module_absent = {
        .name = "module-absent",
        .question = "Did the module stay away after the runtime removed it?",
        .ask = ask,
};
