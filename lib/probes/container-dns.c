/* Does the name of the hub resolve on the host, but not inside the modules' network? Only a real question
 * answers that. Without one the configuration can: no `dns` for the engine, and no upstream server that a
 * container could use. The trap: a loopback resolver of the host (systemd-resolved's 127.0.0.53) is no
 * fault. On the networks of IoT Edge the engine asks it from the host's own namespace. */

#include "lib/probes/probe-list.h"
#include "lib/probes/upstream.h"
#include "lib/world/name-servers.h"

static int ask_names(const ProbeQuestion *q, const char *host, ProbeAnswer *a) {
        Answer container = ask_resolve(q, "edgeAgent", host), of_host = ask_resolve(q, "host", host);

        if (container == ANSWER_PENDING || of_host == ANSWER_PENDING)
                return probe_pending(a);
        if (container == ANSWER_OK)
                return probe_refutes(a, "%s resolves inside edgeAgent's network", host);
        if (container == ANSWER_FAILED && of_host == ANSWER_OK)
                return probe_confirms(
                        a, "the host resolves %s, but inside edgeAgent's network it does not resolve", host);
        if (of_host == ANSWER_FAILED)
                return probe_refutes(a,
                        "the host's own DNS fails: %s does not resolve on the host itself; repair the "
                        "host's name servers or uplink",
                        host);
        return 0;
}

static const char *file_text(const ProbeQuestion *q, const char *path) {
        const Fact *f = world_fact(q->world, q->now, 0, "file:%s", path);

        return f && f->state == FACT_KNOWN ? json_string_value(f->value) : NULL;
}

/* Whether the engine is known to be configured without DNS servers of its own. */
static bool engine_lacks_dns(const ProbeQuestion *q) {
        const char *text = file_text(q, "/etc/docker/daemon.json");
        json_t *config, *dns;
        bool lacks;

        if (!text)
                text = file_text(q, "/var/snap/docker/current/config/daemon.json");
        if (!text)
                return false;
        config = json_loads(text, 0, NULL);
        dns = json_object_get(config, "dns");
        lacks = json_is_object(config) && (!dns || (json_is_array(dns) && json_array_size(dns) == 0));
        json_decref(config);
        return lacks;
}

static bool network_has_ipv6(const ProbeQuestion *q) {
        const Network *n = modules_network(q->world);

        return n && n->ipv6 > 0;
}

static int ask_configuration(const ProbeQuestion *q, ProbeAnswer *a) {
        const char *resolv_conf = file_text(q, "/etc/resolv.conf");
        NameServers servers;

        if (resolv_conf && engine_lacks_dns(q)) {
                name_servers_read(text_of(resolv_conf), network_has_ipv6(q), &servers);
                if (servers.n > 0 && servers.n_usable == 0 && servers.n_loopback == 0)
                        return probe_confirms(a,
                                "the engine has no `dns` of its own, and no container can use the host's "
                                "servers (%s)",
                                servers.text);
        }
        return probe_unknown(a, "whether the hub's name resolves inside edgeAgent's network");
}

/* For the remedy: the server that the host itself uses, when containers can use it too. */
static int tell_server(const ProbeQuestion *q, ProbeAnswer *a) {
        const char *resolv_conf = file_text(q, "/etc/resolv.conf");
        NameServers servers;

        if (!resolv_conf)
                return 0;
        name_servers_read(text_of(resolv_conf), network_has_ipv6(q), &servers);
        return servers.n_usable > 0 ? probe_set_variable(a, "dns_server", "%s", servers.usable[0]) : 0;
}

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        char host[UPSTREAM_HOST_MAX];
        int r;

        if (!has_default_route(q->world))
                return probe_refutes(a, "there is no default route: the uplink is down");
        if (world_forwarding(q->world, FAMILY_INET, "all", q->now) == 0)
                return probe_unknown(
                        a, "name resolution: IPv4 forwarding is off, so no server can be reached");
        r = question_host(q, host);
        if (r == -EAGAIN)
                return probe_pending(a);
        if (r >= 0) {
                int told = tell_server(q, a);

                if (told < 0)
                        return told;
        }
        if (r > 0) {
                r = probe_set_variable(a, "host", "%s", host);
                if (r >= 0)
                        r = ask_names(q, host, a);
                if (r < 0 || a->because || a->verdict == VERDICT_PENDING)
                        return r;
        }
        return ask_configuration(q, a);
}

const Probe probe_container_dns = {
        .name = "container-dns",
        .question = "Does the hub's name resolve on the host, but not inside the modules' network?",
        .ask = ask,
};
