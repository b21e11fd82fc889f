/* Do the packets of the modules' network fit the uplink? A Docker network whose MTU is higher than the
 * uplink's makes large packets vanish where path MTU discovery is filtered. Equal MTUs do not exclude it:
 * the narrow link may lie behind the modem. Then only a conversation tells, in which small packets pass (TCP
 * connects) and large ones stall: those of the answer (TLS times out), or those that are sent, by their
 * size.
 */

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

typedef struct Way {
        const char *uplink;
        int network_mtu, uplink_mtu;
        char host[UPSTREAM_HOST_MAX];
        unsigned port;       /* the first that accepts connections */
        const Fact *of_path; /* how large packets may be on the way to it; NULL without one */
        unsigned tls_port;   /* with this one a handshake was tried */
        const Fact *of_tls;
        Verdict tls; /* whether it stalls */
} Way;

/* Does a conversation from edgeAgent's network stall once its packets get large? */
static Verdict ask_port(const ProbeQuestion *q, unsigned port, Way *way) {
        const Fact *connected = network_fact(q, "connect", "edgeAgent", way->host, port);

        if (!connected || connected->state == FACT_PENDING)
                return connected ? VERDICT_PENDING : VERDICT_X_INVALID;
        if (!fact_result_is(connected, "ok"))
                return VERDICT_UNKNOWN;
        if (way->port == 0) { /* together with the handshake */
                way->port = port;
                way->of_path = network_fact(q, "path-mtu", "edgeAgent", way->host, port);
        }
        way->tls_port = port;
        way->of_tls = network_fact(q, "tls", "edgeAgent", way->host, port);
        if (!way->of_path || !way->of_tls)
                return VERDICT_X_INVALID;
        if (way->of_path->state == FACT_PENDING || way->of_tls->state == FACT_PENDING)
                return VERDICT_PENDING;
        if (fact_result_is(way->of_tls, "timeout"))
                return VERDICT_CONFIRMS;
        return fact_result_is(way->of_tls, "ok") ? VERDICT_REFUTES : VERDICT_UNKNOWN;
}

/* Returns 0, -EAGAIN while it is being asked, or -ENOMEM. */
static int ask_ports(const ProbeQuestion *q, Way *way) {
        static const unsigned ports[] = {443, 5671, 8883};

        /* together, so that three time-outs take the time of one */
        for (size_t i = 0; i < ELEMENTSOF(ports); i++)
                (void) ask_connect(q, "edgeAgent", way->host, ports[i]);
        for (size_t i = 0; way->tls == VERDICT_UNKNOWN && i < ELEMENTSOF(ports); i++)
                way->tls = ask_port(q, ports[i], way);
        return way->tls == VERDICT_X_INVALID ? -ENOMEM : way->tls == VERDICT_PENDING ? -EAGAIN : 0;
}

static int path_number(const Way *way, const char *name) {
        return way->of_path && way->of_path->state == FACT_KNOWN
                ? (int) json_integer_value(json_object_get(way->of_path->value, name))
                : 0;
}

static int tell_narrow(const Way *way, ProbeAnswer *a) {
        int passes = path_number(way, "mtu"), lost = path_number(way, "lost"), r;
        bool is_measured = passes > 0 && passes < way->network_mtu;

        r = is_measured
                ? probe_set_variable(a, "uplink_mtu", "%d, and %d behind it", way->uplink_mtu, passes)
                : probe_set_variable(a, "uplink_mtu", "%d, and less behind it", way->uplink_mtu);
        if (r >= 0)
                r = is_measured
                        ? probe_set_variable(a, "fitting", "%d", passes)
                        : probe_set_variable(a, "fitting", "what the whole way carries, 1400 for a start");
        if (r < 0)
                return r;
        if (lost > 0)
                return probe_confirms(a,
                        "packets of %d bytes from edgeAgent's network reach %s:%u, packets of %d bytes "
                        "vanish and nobody says so: a link behind %s is narrower than %d bytes",
                        passes, way->host, way->port, lost, way->uplink, way->network_mtu);
        return probe_confirms(a,
                "%s:%u accepts a connection from edgeAgent's network, but large packets (TLS) get no "
                "answer: a link behind %s is narrower than %d bytes",
                way->host, way->tls_port, way->uplink, way->network_mtu);
}

static int tell_fitting(const ProbeQuestion *q, const Way *way, ProbeAnswer *a) {
        _cleanup_(freep) char *clock = NULL;
        int r = way->of_tls ? tls_clock(way->of_tls, q->now, &clock) : 0;

        if (r < 0)
                return r;
        return probe_refutes(a, "the MTU of the network is %d and fits the %d of the uplink %s%s%s",
                way->network_mtu, way->uplink_mtu, way->uplink,
                r > 0                                 ? ", and TLS fails for another reason: "
                        : way->tls == VERDICT_REFUTES ? ", and TLS from edgeAgent's network comes through"
                                                      : "",
                r > 0 ? clock : "");
}

/* The MTUs fit each other: is there a narrower link further on the way? */
static int ask_path(const ProbeQuestion *q, int mtu, const char *uplink, int uplink_mtu, ProbeAnswer *a) {
        Way way = {.uplink = uplink, .network_mtu = mtu, .uplink_mtu = uplink_mtu};
        int known = upstream_host(q->world, q->now, way.host), r = 0;

        if (known > 0)
                r = ask_ports(q, &way);
        if (known == -EAGAIN || r == -EAGAIN)
                return probe_pending(a);
        if (r < 0)
                return r;
        if (way.tls == VERDICT_CONFIRMS || path_number(&way, "lost") > 0)
                return tell_narrow(&way, a);
        return tell_fitting(q, &way, a);
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
