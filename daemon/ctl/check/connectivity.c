/* Does the way to the hub, or to the parent, work from the host and from inside the modules' network?
 *
 * The name comes from edgeAgent's environment, so it is known under DPS too; nothing is pulled, nothing but
 * that name and port is asked. Ports that the device does not use are not asked. Behind a proxy the way to
 * the proxy is what can be told. */

#include <stdio.h>
#include <string.h>

#include "daemon/ctl/check/check.h"

typedef struct Way {
        char host[UPSTREAM_HOST_MAX];
        const char *protocol; /* UpstreamProtocol of edgeAgent, "" when it may choose */
        char proxy_host[256];
        unsigned proxy_port;
} Way;

static const char *agent_variable(const CheckFacts *f, const char *name) {
        const Container *agent = world_container(f->world, "edgeAgent");
        const char *value = agent ? container_getenv(agent, name) : NULL;
        char path[64];

        if (value)
                return value;
        (void) snprintf(path, sizeof(path), "agent/env/%s", name);
        return check_text(check_document(f, CHECK_SUPER_CONFIG), path);
}

/* "http://user@proxy:3128/" */
static void parse_proxy(const char *url, Way *way) {
        const char *scheme = strstr(url, "://"), *host = scheme ? scheme + 3 : url, *at = strrchr(host, '@');
        uint64_t port = scheme && strncmp(url, "https", 5) == 0 ? 443 : 80;
        size_t n;

        if (at)
                host = at + 1;
        n = strcspn(host, ":/");
        if (host[n] == ':') {
                Text digits = {host + n + 1, strspn(host + n + 1, "0123456789")};

                (void) text_to_u64(digits, &port);
        }
        (void) snprintf(way->proxy_host, sizeof(way->proxy_host), "%.*s", (int) n, host);
        way->proxy_port = port > 0 && port <= UINT16_MAX ? (unsigned) port : 80;
}

/* Returns 1, or 0 when it is not known where to. */
static int find_way(const CheckFacts *f, Way *ret) {
        const char *protocol = agent_variable(f, "UpstreamProtocol"),
                   *proxy = agent_variable(f, "https_proxy");

        *ret = (Way){.protocol = protocol ? protocol : ""};
        if (proxy && proxy[0])
                parse_proxy(proxy, ret);
        return upstream_host(f->world, f->now, ret->host);
}

/* Whether the device's protocol uses this port. */
static bool is_used(const Way *way, unsigned port) {
        static const struct {
                const char *protocol;
                unsigned ports[2];
        } uses[] = {{"", {5671, 443}}, {"Amqp", {5671, 443}}, {"AmqpWs", {443}}, {"Mqtt", {8883, 443}},
                {"MqttWs", {443}}};

        for (size_t i = 0; i < ELEMENTSOF(uses); i++)
                if (strcasecmp(uses[i].protocol, way->protocol) == 0)
                        return uses[i].ports[0] == port || uses[i].ports[1] == port;
        return true;
}

static const char *place(const char *from) {
        return strcmp(from, "host") == 0         ? "the host"
                : strcmp(from, "edgeAgent") == 0 ? "the modules' network"
                                                 : "the default network";
}

/* A question that could not be asked says nothing about the network. */
static int judge(const Fact *fact, const char *what, bool is_needed, usec_t now, CheckAnswer *a) {
        _cleanup_(freep) char *clock = NULL;
        const char *result;
        int r;

        if (!fact)
                return -ENOMEM;
        if (fact->state != FACT_KNOWN)
                return check_skipped(
                        a, "%s: not known: %s", what, fact->why ? fact->why : "nobody could ask");
        result = check_text(fact->value, "result");
        if (fact_result_is(fact, "ok"))
                return 0;
        r = tls_clock(fact, now, &clock);
        if (r != 0)
                return r < 0 ? r : check_error(a, "%s: the certificate is not valid now: %s", what, clock);
        /* A parent's root certificate is in the runtime's trust bundle, not in the host's store. */
        if (fact_result_is(fact, "error") && strcasestr(fact_detail(fact), "certificate"))
                return check_warning(a,
                        "%s: the handshake comes through, but this host does not trust the certificate: %s",
                        what, fact_detail(fact));
        return is_needed ? check_error(a, "%s: %s%s%s", what, result ? result : "no answer",
                                   fact_detail(fact)[0] ? ", " : "", fact_detail(fact))
                         : check_warning(a, "%s: %s; the device can do without as long as port 443 is open",
                                   what, result ? result : "no answer");
}

static int ask_proxy(const CheckFacts *f, const char *from, const Way *way, CheckAnswer *a) {
        char what[512];
        int r;

        (void) snprintf(what, sizeof(what), "from %s to the proxy %s:%u", place(from), way->proxy_host,
                way->proxy_port);
        r = judge(
                world_fact(f->world, f->now, 0, "connect:%s:%s:%u", from, way->proxy_host, way->proxy_port),
                what, true, f->now, a);
        if (r < 0 || a->because)
                return r;
        return check_ok(a, "the proxy %s:%u accepts connections from %s; it is what reaches %s",
                way->proxy_host, way->proxy_port, place(from), way->host);
}

static int ask_direct(const CheckFacts *f, const char *from, const Way *way, unsigned port, CheckAnswer *a) {
        /* Amqp falls back to WebSockets unless it is fixed */
        bool is_needed = port == 443 || way->protocol[0];
        char what[512];
        int r;

        (void) snprintf(what, sizeof(what), "TCP from %s to %s:%u", place(from), way->host, port);
        r = judge(world_fact(f->world, f->now, 0, "connect:%s:%s:%u", from, way->host, port), what,
                is_needed, f->now, a);
        if (r < 0 || a->because)
                return r;
        (void) snprintf(what, sizeof(what), "TLS from %s to %s:%u", place(from), way->host, port);
        r = judge(world_fact(f->world, f->now, 0, "tls:%s:%s:%u", from, way->host, port), what, is_needed,
                f->now, a);
        if (r < 0 || a->because)
                return r;
        return check_ok(a, "%s:%u accepts TLS from %s", way->host, port, place(from));
}

/* check->argument: "host", or the container whose network it is. */
static int check_connect(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        Way way;

        if (find_way(f, &way) <= 0)
                return check_skipped(a,
                        "the upstream's name is not known: no edgeAgent, no parent_hostname or "
                        "iothub_hostname that can be read");
        if (!is_used(&way, check->port))
                return check_skipped(a, "port %u is not used with UpstreamProtocol \"%s\"", check->port,
                        way.protocol[0] ? way.protocol : "Amqp, then AmqpWs");
        if (way.proxy_host[0] && check->port != 443)
                return check_skipped(a, "there is a proxy, which only port 443 goes through");
        return way.proxy_host[0] ? ask_proxy(f, check->argument, &way, a)
                                 : ask_direct(f, check->argument, &way, check->port, a);
}

/* How large packets may be all the way: only what vanishes unsaid is a fault, TCP adapts itself to the rest.
 */
static int check_path_mtu(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const Fact *fact;
        json_int_t mtu;
        Way way;

        if (find_way(f, &way) <= 0)
                return check_skipped(a, "the upstream's name is not known");
        if (way.proxy_host[0])
                return check_skipped(a, "there is a proxy, which ends the way");
        fact = world_fact(f->world, f->now, 0, "path-mtu:%s:%s:%u", check->argument, way.host, check->port);
        if (!fact)
                return -ENOMEM;
        mtu = fact->state == FACT_KNOWN ? json_integer_value(json_object_get(fact->value, "mtu")) : 0;
        if (mtu <= 0)
                return check_skipped(a, "it could not be measured from %s: %s", place(check->argument),
                        fact->state == FACT_KNOWN ? fact_detail(fact)
                                : fact->why       ? fact->why
                                                  : "nobody could ask");
        if (!fact_result_is(fact, "ok"))
                return check_error(
                        a, "from %s to %s: %s", place(check->argument), way.host, fact_detail(fact));
        return check_ok(
                a, "packets of %d bytes from %s reach %s", (int) mtu, place(check->argument), way.host);
}

static bool visit_default(void *userdata, const Container *c) {
        const char **name = userdata;

        if (c->name && container_is_running(c) && c->n_networks > 0 && strcmp(c->networks[0], "bridge") == 0)
                *name = c->name;
        return !*name;
}

/* From whatever container runs on the engine's default network; none is started for it. */
static int check_connect_default(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const char *name = NULL;
        Check from_there = *check;

        world_each_container(f->world, visit_default, &name);
        if (!name)
                return check_skipped(a,
                        "no container runs on the default network from where it could be asked; modules are "
                        "on their own");
        from_there.argument = name;
        return check_connect(f, &from_there, a);
}

static int ask_name(const CheckFacts *f, const char *from, const char *name, CheckAnswer *a) {
        char what[512];
        int r;

        (void) snprintf(what, sizeof(what), "%s from %s", name, place(from));
        r = judge(world_fact(f->world, f->now, 0, "resolve:%s:%s", from, name), what, true, f->now, a);
        return r < 0 || a->because ? r : check_ok(a, "%s resolves from %s", name, place(from));
}

static int check_resolve(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        Way way;

        if (find_way(f, &way) <= 0)
                return check_skipped(a, "the upstream's name is not known");
        if (way.proxy_host[0])
                return ask_name(f, check->argument, way.proxy_host, a);
        return ask_name(f, check->argument, way.host, a);
}

static int check_resolve_parent(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const char *parent = agent_variable(f, "IOTEDGE_GATEWAYHOSTNAME");

        return parent ? ask_name(f, check->argument, parent, a) : check_skipped(a, "there is no parent");
}

static int check_dps(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const json_t *config = check_document(f, CHECK_SUPER_CONFIG);
        const char *source = check_text(config, "provisioning/source");
        const char *endpoint = check_text(config, "provisioning/global_endpoint");
        Way way;

        if (!source || strcmp(source, "dps") != 0)
                return check_skipped(
                        a, "the device is not provisioned by DPS, or config.toml cannot be read");
        endpoint = endpoint ? endpoint : "https://global.azure-devices-provisioning.net";
        (void) find_way(f, &way);
        if (way.proxy_host[0])
                return ask_proxy(f, "host", &way, a);
        endpoint = strstr(endpoint, "://") ? strstr(endpoint, "://") + 3 : endpoint;
        (void) snprintf(way.host, sizeof(way.host), "%.*s", (int) strcspn(endpoint, ":/"), endpoint);
        return ask_direct(f, "host", &way, 443, a);
}

#define CONNECT_DEFAULT(kind, title, port)                                                                  \
        {                                                                                                   \
                "container-default-connect-upstream-" kind,                                                 \
                        "container on the default network can connect to upstream " title " port",          \
                        "container-engine-uri host-connect-iothub-" kind, NULL, port, check_connect_default \
        }
#define CONNECT(id, title, needs, from, port)                                                               \
        { id, title, needs, from, port, check_connect }

static const Check checks[] = {
        {"host-resolve-upstream", "the host resolves the upstream's name", NULL, "host", 0, check_resolve},
        CONNECT("host-connect-iothub-amqp",
                "host can connect to and perform TLS handshake with iothub AMQP port",
                "host-resolve-upstream", "host", 5671),
        CONNECT("host-connect-iothub-https",
                "host can connect to and perform TLS handshake with iothub HTTPS / WebSockets port",
                "host-resolve-upstream", "host", 443),
        CONNECT("host-connect-iothub-mqtt",
                "host can connect to and perform TLS handshake with iothub MQTT port",
                "host-resolve-upstream", "host", 8883),
        {"host-path-mtu", "packets of the host reach upstream whole", "host-resolve-upstream", "host", 443,
                check_path_mtu},
        {"host-connect-dps-endpoint", "host can connect to and perform TLS handshake with DPS endpoint",
                NULL, NULL, 0, check_dps},
        {"container-resolve-upstream", "the upstream's name resolves inside the modules' network",
                "container-engine-uri host-resolve-upstream", "edgeAgent", 0, check_resolve},
        {"container-resolve-parent-hostname", "parent hostname is resolvable from inside container",
                "container-engine-uri", "edgeAgent", 0, check_resolve_parent},
        CONNECT_DEFAULT("amqp", "AMQP", 5671),
        CONNECT_DEFAULT("https", "HTTPS / WebSockets", 443),
        CONNECT_DEFAULT("mqtt", "MQTT", 8883),
        CONNECT("container-connect-upstream-amqp",
                "container on the IoT Edge module network can connect to upstream AMQP port",
                "container-resolve-upstream host-connect-iothub-amqp", "edgeAgent", 5671),
        CONNECT("container-connect-upstream-https",
                "container on the IoT Edge module network can connect to upstream HTTPS / WebSockets port",
                "container-resolve-upstream host-connect-iothub-https", "edgeAgent", 443),
        {"container-path-mtu", "packets of modules reach upstream whole", "container-resolve-upstream",
                "edgeAgent", 443, check_path_mtu},
        CONNECT("container-connect-upstream-mqtt",
                "container on the IoT Edge module network can connect to upstream MQTT port",
                "container-resolve-upstream host-connect-iothub-mqtt", "edgeAgent", 8883),
};

const CheckGroup check_group_connectivity = {"Connectivity", checks, ELEMENTSOF(checks)};
