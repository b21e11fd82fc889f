/* Can this device reach the gateway above it on 443? Only a device with a parent has this symptom. A parent
 * that answers but is not trusted is another one, and said so. */

#include "lib/probes/probe-list.h"
#include "lib/probes/upstream.h"

#define PORT_HTTPS 443

static int ask_tls(const ProbeQuestion *q, const char *parent, ProbeAnswer *a) {
        const Fact *f = world_fact(q->world, q->now, q->since, "tls:host:%s:%d", parent, PORT_HTTPS);
        _cleanup_(freep) char *clock = NULL;
        int r = f ? tls_clock(f, q->now, &clock) : -ENOMEM;

        if (r < 0)
                return r;
        if (f->state == FACT_PENDING)
                return probe_pending(a);
        if (r > 0)
                return probe_refutes(a, "%s answers on port 443, but TLS fails: %s", parent, clock);
        if (fact_result_is(f, "error"))
                return probe_refutes(a,
                        "%s answers on port 443, but TLS fails (%s): this device does not trust it", parent,
                        fact_detail(f));
        return probe_refutes(a, "%s answers on port 443", parent);
}

static int ask_from(
        const ProbeQuestion *q, const char *from, const char *parent, Answer *ret, ProbeAnswer *a) {
        Answer name = ask_resolve(q, from, parent), port;

        *ret = name;
        if (name == ANSWER_PENDING)
                return probe_pending(a);
        if (name == ANSWER_FAILED)
                return probe_confirms(a, "the parent %s does not resolve from %s", parent, from);
        *ret = port = ask_connect(q, from, parent, PORT_HTTPS);
        if (port == ANSWER_PENDING)
                return probe_pending(a);
        if (port == ANSWER_FAILED)
                return probe_confirms(
                        a, "port 443 of the parent %s cannot be reached from %s", parent, from);
        return 0;
}

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        static const char *const places[] = {"host", "edgeAgent"};
        char parent[UPSTREAM_HOST_MAX];
        bool pending, any_ok = false;
        size_t n_places = ELEMENTSOF(places);

        if (!device_name(q->world, q->now, "parent", parent)) {
                const json_t *config = runtime_config(q->world, q->now, q->since, &pending);

                if (pending)
                        return probe_pending(a);
                return config ? probe_refutes(a, "no parent is configured")
                              : probe_unknown(a, "whether this device has a parent");
        }
        if (world_forwarding(q->world, FAMILY_INET, "all", q->now) == 0)
                n_places = 1; /* what containers cannot reach says nothing about the parent */
        FOREACH_ARRAY (from, places, n_places) {
                Answer answer;
                int r = ask_from(q, *from, parent, &answer, a);

                if (r < 0 || answer == ANSWER_PENDING || answer == ANSWER_FAILED)
                        return r;
                any_ok = any_ok || answer == ANSWER_OK;
        }
        return any_ok ? ask_tls(q, parent, a)
                      : probe_unknown(a, "whether %s can be reached on port 443", parent);
}

const Probe probe_parent_reachable = {
        .name = "parent-reachable",
        .question = "Does the parent not resolve or not connect on port 443?",
        .ask = ask,
};
