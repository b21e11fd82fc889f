/* Is the agent's own port closed while everything below it works? The agent speaks AMQP on 5671 unless its
 * environment names another protocol, and falls back to 443 only when nothing is named. What lies below
 * (route, forwarding, name resolution) is looked at first: a port that could not even be tried is not
 * blocked. */

#include "lib/probes/probe-list.h"
#include "lib/probes/upstream.h"
#include "lib/probes/way-out.h"

#define PORT_AMQP  5671
#define PORT_MQTT  8883
#define PORT_HTTPS 443

/* The first port that the agent tries. */
static unsigned agent_port(const ProbeQuestion *q) {
        static const struct {
                const char *protocol;
                unsigned port;
        } protocols[] = {
                {"Amqp", PORT_AMQP},
                {"AmqpWs", PORT_HTTPS},
                {"Mqtt", PORT_MQTT},
                {"MqttWs", PORT_HTTPS},
        };
        const Container *agent = world_container(q->world, "edgeAgent");
        const char *protocol = agent ? container_getenv(agent, "UpstreamProtocol") : NULL;
        bool pending;

        if (!agent)
                protocol = runtime_config_string(
                        runtime_config(q->world, q->now, 0, &pending), "agent/UpstreamProtocol");

        FOREACH_ARRAY (p, protocols, ELEMENTSOF(protocols))
                if (protocol && strcasecmp(protocol, p->protocol) == 0)
                        return p->port;
        return PORT_AMQP;
}

static const char *describe_https(Answer https) {
        switch (https) {
        case ANSWER_OK:
                return "port 443 is open";
        case ANSWER_FAILED:
                return "port 443 is closed too";
        default:
                return "whether port 443 is open is not known";
        }
}

/* A parent that answers on no port at all is not behind a closed port: that is another symptom. */
static bool is_silent_parent(const ProbeQuestion *q, const char *host, Answer https) {
        char parent[UPSTREAM_HOST_MAX];

        return https == ANSWER_FAILED && device_name(q->world, q->now, "parent", parent) &&
                strcmp(parent, host) == 0;
}

/* Without any answer to what containers send, it may be that nothing is forwarded. */
static bool may_be_forwarding(
        const ProbeQuestion *q, const char *from, const char *host, unsigned port, Answer https) {
        const Fact *f = network_fact(q, "connect", from, host, port);

        return https != ANSWER_OK && strcmp(from, "host") != 0 && f && !fact_result_is(f, "refused") &&
                world_forwarding(q->world, FAMILY_INET, "all", q->now) < 0;
}

static int tell_blocked(
        const ProbeQuestion *q, const char *from, const char *host, unsigned port, ProbeAnswer *a) {
        Answer https = port == PORT_HTTPS ? ANSWER_FAILED : ask_connect(q, from, host, PORT_HTTPS);
        _cleanup_(freep) char *obstacle = NULL;
        int r;

        r = way_out_obstacle(q->world, q->now, q->since, port, &obstacle);
        if (https == ANSWER_PENDING || r == -EAGAIN)
                return probe_pending(a);
        if (r < 0)
                return r;
        if (is_silent_parent(q, host, https))
                return probe_refutes(a, "the parent %s cannot be reached on port 443 either", host);
        if (may_be_forwarding(q, from, host, port, https))
                return probe_unknown(a,
                        "its port: nothing answers to %s, and whether packets of containers are forwarded "
                        "is not known",
                        from);
        r = probe_set_variable(a, "port", "%u", port);
        if (r >= 0)
                r = probe_set_variable(a, "host", "%s", host);
        if (r >= 0)
                r = probe_set_variable(a, "https", "%s%s%s", describe_https(https), obstacle ? "; " : "",
                        obstacle ? obstacle : "");
        if (r >= 0 && obstacle)
                r = probe_add_evidence(a, "%s", obstacle);
        if (r < 0)
                return r;
        if (port == PORT_HTTPS)
                return probe_confirms(a, "port 443 of %s cannot be reached from %s", host, from);
        return probe_confirms(
                a, "port %u of %s cannot be reached from %s; %s", port, host, from, describe_https(https));
}

/* Whether the name is known to be unresolvable from there; anything else lets the question go on. */
static int check_name(const ProbeQuestion *q, const char *host, ProbeAnswer *a) {
        Answer container = ask_resolve(q, "edgeAgent", host), of_host = ask_resolve(q, "host", host);

        if (container == ANSWER_PENDING || of_host == ANSWER_PENDING)
                return probe_pending(a);
        if (container == ANSWER_FAILED && of_host == ANSWER_FAILED)
                return probe_refutes(
                        a, "%s does not resolve, on the host neither: no port was ever tried", host);
        if (container == ANSWER_FAILED)
                return probe_unknown(a, "its port: %s does not resolve inside edgeAgent's network", host);
        return 0;
}

/* The port is open: what fails above it is the clock where that makes the certificate invalid. */
static int tell_open(const ProbeQuestion *q, const char *host, unsigned port, ProbeAnswer *a) {
        const Fact *tls = network_fact(q, "tls", "edgeAgent", host, port);
        _cleanup_(freep) char *clock = NULL;
        int r = tls ? tls_clock(tls, q->now, &clock) : -ENOMEM;

        if (r < 0)
                return r;
        if (tls->state == FACT_PENDING)
                return probe_pending(a);
        return probe_refutes(a, "port %u of %s accepts connections from edgeAgent's network%s%s", port, host,
                r > 0 ? ", but TLS fails: " : "", r > 0 ? clock : "");
}

static int ask_port(const ProbeQuestion *q, const char *host, ProbeAnswer *a) {
        unsigned port = agent_port(q);
        Answer container = ask_connect(q, "edgeAgent", host, port), of_host;
        /* together, so that two time-outs take the time of one */
        Answer https = ask_connect(q, "edgeAgent", host, PORT_HTTPS);

        if (https == ANSWER_PENDING)
                return probe_pending(a);
        if (container == ANSWER_PENDING)
                return probe_pending(a);
        if (container == ANSWER_OK)
                return tell_open(q, host, port, a);
        if (container == ANSWER_FAILED)
                return tell_blocked(q, "edgeAgent", host, port, a);
        of_host = ask_connect(q, "host", host, port);
        if (of_host == ANSWER_PENDING)
                return probe_pending(a);
        if (of_host == ANSWER_FAILED)
                return tell_blocked(q, "host", host, port, a);
        return probe_unknown(a, "whether port %u of %s can be reached from edgeAgent's network", port, host);
}

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        char host[UPSTREAM_HOST_MAX];
        int r;

        if (!has_default_route(q->world))
                return probe_refutes(a, "there is no default route: the uplink is down, no port is blocked");
        if (world_forwarding(q->world, FAMILY_INET, "all", q->now) == 0)
                return probe_unknown(a, "its port: IPv4 forwarding is off, so nothing can be reached");
        r = question_host(q, host);
        if (r == -EAGAIN)
                return probe_pending(a);
        if (r <= 0)
                return probe_unknown(a, "which host edgeAgent connects to");
        r = check_name(q, host, a);
        if (r < 0 || a->because || a->verdict == VERDICT_PENDING)
                return r;
        return ask_port(q, host, a);
}

const Probe probe_agent_port = {
        .name = "agent-port",
        .question = "Is the port of edgeAgent's protocol closed while route, forwarding and name resolution "
                    "work?",
        .ask = ask,
};
