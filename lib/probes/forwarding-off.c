/* Does the kernel forward packets for the containers? The bits of `all`, of the uplink and of the bridge
 * have to be on; `all` switched off switches off every link, but one link can also be off by itself. Matters
 * only when a container of IoT Edge sits on a bridge network. */

#include "lib/probes/probe-list.h"

typedef struct BridgeSearch {
        const World *world;
        const Container *on_bridge; /* a module that depends on forwarding */
        const Network *network;
        size_t n_modules;
} BridgeSearch;

static bool visit(void *userdata, const Container *c) {
        BridgeSearch *s = userdata;

        if (!container_is_owned(c))
                return true;
        s->n_modules++;
        if (c->network_mode &&
                (strcmp(c->network_mode, "host") == 0 || strcmp(c->network_mode, "none") == 0))
                return true;
        s->on_bridge = c;
        if (c->n_networks > 0)
                s->network = world_network(s->world, c->networks[0]);
        return true;
}

static int check_link(const ProbeQuestion *q, const char *what, const char *ifname, ProbeAnswer *a) {
        int forwarding = world_forwarding(q->world, FAMILY_INET, ifname, q->now);

        if (forwarding != 0)
                return 0;
        return probe_confirms(
                a, "IPv4 forwarding is off on the %s %s: containers cannot reach the network", what, ifname);
}

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        BridgeSearch search = {.world = q->world};
        const Route *uplink = world_default_route(q->world, FAMILY_INET);
        int all = world_forwarding(q->world, FAMILY_INET, "all", q->now), r;

        world_each_container(q->world, visit, &search);
        if (world_knows(q->world, EVENT_CONTAINER) && !search.on_bridge)
                return probe_refutes(a,
                        "no IoT Edge container is on a bridge network (%zu known), so nothing needs "
                        "forwarding",
                        search.n_modules);

        if (all == 0) {
                if (!search.on_bridge && !world_has_modules(q->world))
                        return probe_unknown(a,
                                "net.ipv4.ip_forward is 0, but whether IoT Edge containers are on a bridge "
                                "network");
                return probe_confirms(
                        a, "net.ipv4.ip_forward is 0: packets of containers are not forwarded");
        }
        if (uplink) {
                r = check_link(q, "uplink", uplink->dev, a);
                if (r < 0 || a->verdict == VERDICT_CONFIRMS)
                        return r;
        }
        if (search.network && search.network->bridge) {
                r = check_link(q, "bridge", search.network->bridge, a);
                if (r < 0 || a->verdict == VERDICT_CONFIRMS)
                        return r;
        }
        if (all < 0)
                return probe_unknown(a, "net.ipv4.ip_forward");
        return probe_refutes(a, "net.ipv4.ip_forward is 1");
}

const Probe probe_forwarding_off = {
        .name = "forwarding-off",
        .question = "Is IPv4 forwarding off while IoT Edge containers need it?",
        .ask = ask,
};
