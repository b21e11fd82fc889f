/* Is the module down for longer than the agent ever waits before it starts one again? Its longest pause is
 * five minutes. Needs the agent to be alive: while that is down nothing is restarted. */

#include "lib/probes/probe-list.h"

#define LONGEST_PAUSE (6 * USEC_PER_MIN)

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        const char *status = world_container_status(q->world, q->subject);
        const char *agent = world_container_status(q->world, "edgeAgent");
        usec_t since = world_container_since(q->world, q->subject);
        usec_t agent_since = world_container_since(q->world, "edgeAgent");
        const Container *c = world_container(q->world, q->subject);
        char duration[DURATION_MAX];

        if (!status)
                return c || !world_knows(q->world, EVENT_CONTAINER)
                        ? probe_unknown(a, "whether %s runs", q->subject)
                        : probe_refutes(a, "there is no container %s any more", q->subject);
        if (strcmp(status, "running") == 0 || strcmp(status, "paused") == 0)
                return probe_refutes(a, "%s is %s", q->subject, status);
        if (!agent)
                return probe_unknown(a, "whether %s is given up: nothing is known of edgeAgent", q->subject);
        if (strcmp(agent, "running") != 0)
                return probe_unknown(a, "whether %s is given up: edgeAgent itself is %s", q->subject, agent);
        if (usec_sub(q->now, agent_since) < LONGEST_PAUSE)
                return probe_unknown(a, "whether %s is started again: edgeAgent runs for %s only",
                        q->subject, duration_format(usec_sub(q->now, agent_since), duration));
        if (usec_sub(q->now, since) < LONGEST_PAUSE)
                return probe_unknown(a, "whether %s is started again: it is down for %s only", q->subject,
                        duration_format(usec_sub(q->now, since), duration));
        return probe_confirms(a, "%s is %s for %s and nobody starts it again", q->subject, status,
                duration_format(usec_sub(q->now, since), duration));
}

const Probe probe_module_down = {
        .name = "module-down",
        .question = "Is the module down for longer than the agent ever waits?",
        .ask = ask,
};
