/* Did memory run out for the container that the incident is about? Certain only when Docker's `oom` event,
 * State.OOMKilled or a kernel line with the container's own cgroup says so: exit code 137 alone is any
 * SIGKILL, `docker kill` and the 10 s of `docker stop` among them. */

#include "lib/probes/probe-list.h"

#define SEEN_WITHIN (15 * USEC_PER_SEC) /* of each other: the reason, the kill, the exit */

static int add_limit(const ProbeQuestion *q, ProbeAnswer *a) {
        const Container *c = world_container(q->world, q->subject);

        if (!c || c->memory_limit_bytes == 0)
                return 0;
        return probe_add_evidence(a, "%s has a memory limit of %" PRIu64 " MiB", q->subject,
                c->memory_limit_bytes / (1024 * 1024));
}

/* When what is asked about happened: a container that is found dead ended before anybody told of it. */
static usec_t happened_at(const ProbeQuestion *q) {
        usec_t died_at = world_container_died_at(q->world, q->subject);

        return died_at > 0 && died_at < q->last_seen ? died_at : q->last_seen;
}

/* The engine or the device goes down with everything on it: edgeAgent ended at the same time. */
static bool ended_with_agent(const ProbeQuestion *q) {
        usec_t hub = world_container_died_at(q->world, q->subject);
        usec_t agent = world_container_died_at(q->world, "edgeAgent");

        return strcmp(q->subject, "edgeAgent") != 0 && hub > 0 && agent > 0 &&
                (hub > agent ? hub - agent : agent - hub) <= SEEN_WITHIN;
}

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        usec_t since = usec_sub(happened_at(q), SEEN_WITHIN);
        int oom = world_container_oom(q->world, q->subject, since), r;
        int killed_by = world_container_kill_signal(q->world, q->subject, since);
        int exit_code = world_container_exit_code(q->world, q->subject);

        r = add_limit(q, a);
        if (r < 0)
                return r;
        if (probe_variable(q, "oom_by"))
                return probe_confirms(a,
                        "the kernel's out-of-memory killer chose a process in the cgroup of %s", q->subject);
        if (oom > 0)
                return probe_confirms(a, "Docker reports that %s ran out of memory", q->subject);
        if (probe_variable(q, "exception"))
                return probe_unknown(a,
                        "whether %s was killed for lack of memory: it reports itself that it could not "
                        "allocate any, but neither Docker nor the kernel says that it ended for that",
                        q->subject);
        if (killed_by > 0)
                return probe_refutes(a,
                        "%s was ended on request (`docker kill` or `docker stop`, signal %d), not for lack "
                        "of memory",
                        q->subject, killed_by);
        if (ended_with_agent(q))
                return probe_refutes(a,
                        "%s ended together with edgeAgent: the engine or the device was going down, or all "
                        "modules were stopped",
                        q->subject);
        if (oom == 0)
                return probe_refutes(a,
                        "%s exited with code %d, and Docker says it was not for lack of memory", q->subject,
                        exit_code);
        return probe_unknown(
                a, "whether %s was killed for lack of memory: Docker's OOMKilled was not seen", q->subject);
}

const Probe probe_container_oom = {
        .name = "container-oom",
        .question = "Was the container killed because memory ran out?",
        .ask = ask,
};
