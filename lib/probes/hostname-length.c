/* Can the device's hostname be the name of a certificate? It may have 1 to 64 bytes; 64 is fine. What is
 * configured counts, else what the system is called. */

#include "lib/probes/probe-list.h"
#include "lib/probes/upstream.h"

#define COMMON_NAME_MAX 64

static int judge(Text name, const char *where, ProbeAnswer *a) {
        int r = probe_set_variable(a, "length", "%zu", name.len);

        if (r < 0)
                return r;
        if (name.len == 0)
                return probe_confirms(a, "the hostname in %s is empty", where);
        if (name.len > COMMON_NAME_MAX)
                return probe_confirms(a, "the hostname in %s has %zu characters, more than the %d that fit",
                        where, name.len, COMMON_NAME_MAX);
        return probe_refutes(a, "the hostname in %s has %zu characters, which is allowed", where, name.len);
}

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        const Container *agent = world_container(q->world, "edgeAgent");
        const char *name;
        const Fact *f;
        bool pending;

        name = runtime_config_string(runtime_config(q->world, q->now, q->since, &pending), "hostname");
        if (pending)
                return probe_pending(a);
        if (name)
                return judge(text_of(name), "the runtime's configuration", a);
        name = agent ? container_getenv(agent, "EdgeDeviceHostName") : NULL;
        if (name)
                return judge(text_of(name), "edgeAgent's environment", a);
        f = world_fact(q->world, q->now, q->since, "file:/etc/hostname");
        if (f && f->state == FACT_PENDING)
                return probe_pending(a);
        if (f && f->state == FACT_KNOWN && json_is_string(f->value))
                return judge(text_strip(text_of(json_string_value(f->value))), "/etc/hostname", a);
        return probe_unknown(a, "the hostname that the runtime uses");
}

const Probe probe_hostname_length = {
        .name = "hostname-length",
        .question = "Is the device's hostname empty or longer than 64 characters?",
        .ask = ask,
};
