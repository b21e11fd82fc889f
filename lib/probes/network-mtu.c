/* Do the packets of the modules' network fit the uplink? A Docker network whose MTU is higher than the
 * uplink's makes large packets vanish where path MTU discovery is filtered. Equal MTUs do not exclude it:
 * the narrow link may lie behind the modem. Then only a conversation tells, in which a small packet passes
 * (TCP connects) and a large one stalls (TLS times out). */

#include "lib/probes/probe-list.h"
#include "lib/probes/upstream.h"

#define DOCKER_DEFAULT_MTU 1500

/* The MTU that the engine gives links of this network: its option, else its bridge's, else the engine's
 * default. */
static int mtu_of_network(const World *w, const Network *n, const char **ret_from) {
        const Link *bridge = n->bridge ? world_link(w, n->bridge) : NULL;

        if (n->mtu > 0) {
                *ret_from = "its driver option";
                return n->mtu;
        }
        if (bridge && bridge->mtu > 0) {
                *ret_from = "its bridge";
                return bridge->mtu;
        }
        *ret_from = "Docker's default";
        return DOCKER_DEFAULT_MTU;
}

/* Does a conversation from edgeAgent's network stall once its packets get large? */
static Verdict ask_port(const ProbeQuestion *q, const char *host, unsigned port) {
        const Fact *connected =
                world_fact(q->world, q->now, q->since, "connect:edgeAgent:%s:%u", host, port);
        const Fact *tls;

        if (!connected || connected->state == FACT_PENDING)
                return connected ? VERDICT_PENDING : VERDICT_X_INVALID;
        if (!fact_result_is(connected, "ok"))
                return VERDICT_UNKNOWN;
        tls = world_fact(q->world, q->now, q->since, "tls:edgeAgent:%s:%u", host, port);
        if (!tls || tls->state == FACT_PENDING)
                return tls ? VERDICT_PENDING : VERDICT_X_INVALID;
        if (fact_result_is(tls, "timeout"))
                return VERDICT_CONFIRMS;
        return fact_result_is(tls, "ok") ? VERDICT_REFUTES : VERDICT_UNKNOWN;
}

static int tell_path(const char *host, unsigned port, const char *uplink, int mtu, ProbeAnswer *a) {
        int r = probe_set_variable(a, "uplink_mtu", "%d, and less behind it", mtu);

        if (r >= 0)
                r = probe_set_variable(a, "fitting", "what the whole way carries, 1400 for a start");
        if (r < 0)
                return r;
        return probe_confirms(a,
                "%s:%u accepts a connection from edgeAgent's network, but large packets (TLS) get no "
                "answer: a link behind %s is narrower than %d bytes",
                host, port, uplink, mtu);
}

/* The MTUs fit each other: is there a narrower link further on the way? */
static int ask_path(const ProbeQuestion *q, int mtu, const char *uplink, int uplink_mtu, ProbeAnswer *a) {
        static const unsigned ports[] = {443, 5671, 8883};
        char host[UPSTREAM_HOST_MAX];
        Verdict verdict = VERDICT_UNKNOWN;
        int known = upstream_host(q->world, q->now, host);

        /* together, so that three time-outs take the time of one */
        for (size_t i = 0; known > 0 && i < ELEMENTSOF(ports); i++)
                (void) ask_connect(q, "edgeAgent", host, ports[i]);
        for (size_t i = 0; known > 0 && verdict == VERDICT_UNKNOWN && i < ELEMENTSOF(ports); i++) {
                verdict = ask_port(q, host, ports[i]);
                if (verdict == VERDICT_CONFIRMS)
                        return tell_path(host, ports[i], uplink, mtu, a);
        }
        if (verdict == VERDICT_X_INVALID)
                return -ENOMEM;
        if (verdict == VERDICT_PENDING || known == -EAGAIN)
                return probe_pending(a);
        return probe_refutes(a, "the MTU of the network is %d and fits the %d of the uplink %s%s", mtu,
                uplink_mtu, uplink,
                verdict == VERDICT_REFUTES ? ", and TLS from edgeAgent's network comes through" : "");
}

/* The network that edgeAgent is on, when its create options or the runtime's configuration name another than
 * the subject. */
static const Network *find_network(const ProbeQuestion *q) {
        const Container *agent = world_container(q->world, "edgeAgent");
        const Network *network = NULL;

        for (size_t i = 0; agent && i < agent->n_networks; i++) {
                if (strcmp(agent->networks[i], q->subject) == 0)
                        return world_network(q->world, q->subject);
                if (!network)
                        network = world_network(q->world, agent->networks[i]);
        }
        return network ? network : world_network(q->world, q->subject);
}

static int measure(const ProbeQuestion *q, ProbeAnswer *a) {
        const Network *network = find_network(q);
        const Route *route = world_default_route(q->world, FAMILY_INET);
        const Link *uplink;
        const char *from;
        int mtu, r;

        if (!route)
                route = world_default_route(q->world, FAMILY_INET6);
        uplink = route ? world_link(q->world, route->dev) : NULL;
        if (!network)
                return world_knows(q->world, EVENT_DOCKER_NETWORK)
                        ? probe_refutes(a, "there is no Docker network %s", q->subject)
                        : probe_unknown(a, "the MTU of the Docker network %s", q->subject);
        if (!route)
                return probe_unknown(a, "the uplink: there is no default route that is known");
        if (!uplink || uplink->mtu <= 0)
                return probe_unknown(a, "the MTU of the uplink %s", route->dev);

        mtu = mtu_of_network(q->world, network, &from);
        r = probe_set_variable(a, "network", "%s", network->name);
        if (r >= 0)
                r = probe_set_variable(a, "network_mtu", "%d", mtu);
        if (r >= 0)
                r = probe_set_variable(a, "uplink", "%s", route->dev);
        if (r >= 0)
                r = probe_set_variable(a, "uplink_mtu", "%d", uplink->mtu);
        if (r >= 0)
                r = probe_set_variable(a, "fitting", "%d", uplink->mtu);
        if (r < 0)
                return r;
        if (mtu <= uplink->mtu && world_forwarding(q->world, FAMILY_INET, "all", q->now) == 0)
                return probe_refutes(a, "IPv4 forwarding is off: no packet gets through, large or small");
        if (mtu <= uplink->mtu)
                return ask_path(q, mtu, route->dev, uplink->mtu, a);
        return probe_confirms(a, "the Docker network %s has an MTU of %d (%s), the uplink %s only %d",
                network->name, mtu, from, route->dev, uplink->mtu);
}

/* Where nothing can be measured, the log decides between this and name resolution: a name that does not
 * resolve is no packet that was too large. */
static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        const char *name_error = probe_variable(q, "name_error");
        int r = measure(q, a);

        if (r < 0 || a->verdict != VERDICT_UNKNOWN || !name_error)
                return r;
        return probe_refutes(a, "edgeAgent cannot resolve a name: %s", name_error);
}

const Probe probe_network_mtu = {
        .name = "network-mtu",
        .question = "Is the MTU of the modules' network higher than that of the uplink?",
        .ask = ask,
};
