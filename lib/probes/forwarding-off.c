/* Does the kernel forward packets for the containers? The bits of `all`, of the uplink and of the bridge
 * have to be on; `all` switched off switches off every link, but one link can also be off by itself. Matters
 * only when a container of IoT Edge sits on a bridge network. */

#include "lib/probes/probe-list.h"
#include "lib/probes/way-out.h"

#include <stdio.h>

#define BRIDGES_MAX 16
#define PORT_HTTPS  443

typedef struct BridgeSearch {
        const World *world;
        const char *bridges[BRIDGES_MAX]; /* of the networks that modules are on */
        size_t n_bridges, n_modules, n_on_bridge;
} BridgeSearch;

static void add_bridge(BridgeSearch *s, const char *network_name) {
        const Network *network = world_network(s->world, network_name);

        if (!network || !network->bridge || s->n_bridges >= BRIDGES_MAX)
                return;
        for (size_t i = 0; i < s->n_bridges; i++)
                if (strcmp(s->bridges[i], network->bridge) == 0)
                        return;
        s->bridges[s->n_bridges++] = network->bridge;
}

static bool visit(void *userdata, const Container *c) {
        BridgeSearch *s = userdata;

        if (!container_is_owned(c))
                return true;
        s->n_modules++;
        if (c->network_mode &&
                (strcmp(c->network_mode, "host") == 0 || strcmp(c->network_mode, "none") == 0))
                return true;
        s->n_on_bridge++;
        for (size_t i = 0; i < c->n_networks; i++)
                add_bridge(s, c->networks[i]);
        return true;
}

static int confirm(ProbeAnswer *a, const char *setting, const char *what) {
        int r = probe_set_variable(a, "where_off", "%s is 0", setting);

        return r < 0 ? r : probe_confirms(a, "%s is 0: %s", setting, what);
}

static int check_link(const ProbeQuestion *q, const char *what, const char *ifname, ProbeAnswer *a) {
        char setting[sizeof("net.ipv4.conf..forwarding") + IFNAMSIZ], link[IFNAMSIZ], *dot;

        if (strlen(ifname) >= IFNAMSIZ || world_forwarding(q->world, FAMILY_INET, ifname, q->now) != 0)
                return 0;
        (void) snprintf(link, sizeof(link), "%s", ifname);
        while ((dot = strchr(link, '.')))
                *dot = '/'; /* as sysctl.d(5) spells it: a dot goes between names */
        (void) snprintf(setting, sizeof(setting), "net.ipv4.conf.%s.forwarding", link);
        return confirm(a, setting, what);
}

static int check_links(const ProbeQuestion *q, const BridgeSearch *search, ProbeAnswer *a) {
        const Route *uplink = world_default_route(q->world, FAMILY_INET);
        int r = 0;

        if (uplink)
                r = check_link(
                        q, "what arrives on the uplink does not reach the containers", uplink->dev, a);
        for (size_t i = 0; r >= 0 && a->verdict != VERDICT_CONFIRMS && i < search->n_bridges; i++)
                r = check_link(q, "what containers send does not leave their bridge", search->bridges[i], a);
        return r;
}

/* The bit of all links: from the kernel, else as the engine last saw it. -EAGAIN while that is being asked.
 */
static int forwarding_of_all(const ProbeQuestion *q) {
        int all = world_forwarding(q->world, FAMILY_INET, "all", q->now);
        const Fact *info;
        const json_t *bit;

        if (all >= 0)
                return all;
        info = world_fact(q->world, q->now, q->since, "engine-info");
        if (!info)
                return -ENOMEM;
        if (info->state == FACT_PENDING)
                return -EAGAIN;
        bit = info->state == FACT_KNOWN ? json_object_get(info->value, "IPv4Forwarding") : NULL;
        return json_is_boolean(bit) ? json_is_true(bit) : -ENODATA;
}

/* Forwarding is on. Who asks because modules reach nothing is told what else keeps their packets. */
static int refute(const ProbeQuestion *q, ProbeAnswer *a) {
        _cleanup_(freep) char *obstacle = NULL;
        int r = way_out_obstacle(q->world, q->now, q->since, PORT_HTTPS, &obstacle);

        if (r == -EAGAIN)
                return probe_pending(a);
        if (r < 0)
                return r;
        return probe_refutes(a,
                "net.ipv4.ip_forward is 1, and so are uplink and bridges as far as they are known; %s",
                obstacle ? obstacle
                         : "rules of the firewall can still drop or not translate what containers send");
}

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        BridgeSearch search = {.world = q->world};
        int all = forwarding_of_all(q), r;

        if (all == -ENOMEM)
                return all;
        if (all == -EAGAIN)
                return probe_pending(a);
        world_each_container(q->world, visit, &search);
        if (world_knows(q->world, EVENT_CONTAINER) && search.n_on_bridge == 0)
                return probe_refutes(a,
                        "no IoT Edge container is on a bridge network (%zu known), so nothing needs "
                        "forwarding",
                        search.n_modules);
        if (all == 0) {
                if (search.n_on_bridge == 0 && !world_has_modules(q->world))
                        return probe_unknown(a,
                                "net.ipv4.ip_forward is 0, but whether IoT Edge containers are on a bridge "
                                "network");
                return confirm(a, "net.ipv4.ip_forward", "packets of containers are not forwarded");
        }
        r = check_links(q, &search, a);
        if (r < 0 || a->verdict == VERDICT_CONFIRMS)
                return r;
        if (all < 0)
                return probe_unknown(a, "net.ipv4.ip_forward");
        return refute(q, a);
}

const Probe probe_forwarding_off = {
        .name = "forwarding-off",
        .question = "Is IPv4 forwarding off while IoT Edge containers need it?",
        .ask = ask,
};
