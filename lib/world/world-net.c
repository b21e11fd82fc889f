/* Links, addresses, routes, forwarding bits and Docker networks. The default route is the one that traffic
 * takes: lowest metric in the main table, on a link that is not down.
 *
 * The trap: the kernel does not tell of the IPv4 routes and the forwarding bits that go with a link. */

#include "lib/world/world-tables.h"

#include <stdio.h>

#define ROUTE_TABLE_MAIN 254

static LinkRecord *find_link(const World *w, const Link *like) {
        for (size_t i = 0; i < w->n_links; i++) {
                LinkRecord *l = w->links + i;

                if (like->ifindex > 0 && l->link.ifindex > 0 ? l->link.ifindex == like->ifindex
                                                             : strcmp(l->link.name, like->name) == 0)
                        return l;
        }
        return NULL;
}

/* What an event does not tell of a link stays as it was known. */
static void merge_link(Link *known, const Link *told) {
        Link merged = *told;

        if (merged.ifindex == 0)
                merged.ifindex = known->ifindex;
        if (merged.name[0] == '\0')
                memcpy(merged.name, known->name, sizeof(merged.name));
        if (merged.mtu < 0)
                merged.mtu = known->mtu;
        if (merged.operstate[0] == '\0')
                memcpy(merged.operstate, known->operstate, sizeof(merged.operstate));
        if (merged.kind[0] == '\0')
                memcpy(merged.kind, known->kind, sizeof(merged.kind));
        *known = merged;
}

static void forget_link(World *w, LinkRecord *l) {
        const char *name = l->link.name;

        for (size_t i = w->n_routes; i > 0; i--)
                if (strcmp(w->routes[i - 1].route.dev, name) == 0)
                        w->routes[i - 1] = w->routes[--w->n_routes];
        for (size_t i = w->n_addresses; i > 0; i--)
                if (strcmp(w->addresses[i - 1].address.ifname, name) == 0)
                        w->addresses[i - 1] = w->addresses[--w->n_addresses];
        for (size_t i = w->n_forwarding; i > 0; i--)
                if (strcmp(w->forwarding[i - 1].forwarding.ifname, name) == 0)
                        w->forwarding[i - 1] = w->forwarding[--w->n_forwarding];
        *l = w->links[--w->n_links];
}

int world_apply_link(World *w, const Event *event) {
        LinkRecord *l = find_link(w, &event->link);

        if (event->deleted) {
                if (l)
                        forget_link(w, l);
                return 0;
        }
        if (l) {
                merge_link(&l->link, &event->link);
                l->enumerated = true;
                return 0;
        }
        if (!GROW_ARRAY(w->links, w->n_links_allocated, w->n_links, WORLD_LINKS_MAX))
                return -ENOBUFS;
        w->links[w->n_links++] = (LinkRecord){.link = event->link, .enumerated = true};
        return 0;
}

static RouteRecord *find_route(const World *w, const Route *like) {
        for (size_t i = 0; i < w->n_routes; i++) {
                const Route *r = &w->routes[i].route;

                if (r->family == like->family && r->metric == like->metric && r->table == like->table &&
                        strcmp(r->destination, like->destination) == 0 && strcmp(r->dev, like->dev) == 0 &&
                        strcmp(r->gateway, like->gateway) == 0)
                        return w->routes + i;
        }
        return NULL;
}

int world_apply_route(World *w, const Event *event) {
        RouteRecord *r = find_route(w, &event->route);

        if (event->deleted) {
                if (r)
                        *r = w->routes[--w->n_routes];
                return 0;
        }
        if (r) {
                r->enumerated = true;
                return 0;
        }
        if (!GROW_ARRAY(w->routes, w->n_routes_allocated, w->n_routes, WORLD_ROUTES_MAX))
                return -ENOBUFS;
        w->routes[w->n_routes++] = (RouteRecord){.route = event->route, .enumerated = true};
        return 0;
}

static AddressRecord *find_address(const World *w, const Address *like) {
        for (size_t i = 0; i < w->n_addresses; i++) {
                const Address *a = &w->addresses[i].address;

                if (a->family == like->family && strcmp(a->ifname, like->ifname) == 0 &&
                        strcmp(a->address, like->address) == 0)
                        return w->addresses + i;
        }
        return NULL;
}

int world_apply_address(World *w, const Event *event) {
        AddressRecord *a = find_address(w, &event->address);

        if (event->deleted) {
                if (a)
                        *a = w->addresses[--w->n_addresses];
                return 0;
        }
        if (a) {
                a->enumerated = true;
                return 0;
        }
        if (!GROW_ARRAY(w->addresses, w->n_addresses_allocated, w->n_addresses, WORLD_ADDRESSES_MAX))
                return -ENOBUFS;
        w->addresses[w->n_addresses++] = (AddressRecord){.address = event->address, .enumerated = true};
        return 0;
}

static ForwardingRecord *find_forwarding(const World *w, Family family, const char *ifname) {
        for (size_t i = 0; i < w->n_forwarding; i++) {
                const Forwarding *f = &w->forwarding[i].forwarding;

                if (f->family == family && strcmp(f->ifname, ifname) == 0)
                        return w->forwarding + i;
        }
        return NULL;
}

int world_apply_forwarding(World *w, const Event *event) {
        ForwardingRecord *f = find_forwarding(w, event->forwarding.family, event->forwarding.ifname);

        if (event->deleted) {
                if (f)
                        *f = w->forwarding[--w->n_forwarding];
                return 0;
        }
        if (!f) {
                if (!GROW_ARRAY(
                            w->forwarding, w->n_forwarding_allocated, w->n_forwarding, WORLD_FORWARDING_MAX))
                        return -ENOBUFS;
                f = &w->forwarding[w->n_forwarding++];
        }
        *f = (ForwardingRecord){.forwarding = event->forwarding, .enumerated = true};
        return 0;
}

static void network_record_free(World *w, NetworkRecord *n) {
        HASH_DEL(w->networks, n);
        (void) network_unref(n->object);
        free(n);
}

static NetworkRecord *find_network(const World *w, Text name_or_id) {
        for (NetworkRecord *n = w->networks; n; n = n->hh.next)
                if (text_is(name_or_id, n->object->name) || text_is(name_or_id, n->object->id))
                        return n;
        return NULL;
}

int world_apply_network(World *w, const Event *event) {
        const NetworkChange *change = &event->network;
        NetworkRecord *n = find_network(w, change->id);

        if (event->deleted || text_is(change->action, "destroy")) {
                if (n)
                        network_record_free(w, n);
                return 0;
        }
        if (!change->object)
                return 0;
        if (n) {
                /* the key points into the object */
                network_record_free(w, n);
        }
        if (HASH_COUNT(w->networks) >= WORLD_NETWORKS_MAX)
                return -ENOBUFS;
        n = calloc(1, sizeof(*n));
        if (!n)
                return -ENOMEM;
        n->object = network_ref(change->object);
        n->enumerated = true;
        HASH_ADD_KEYPTR(hh, w->networks, n->object->id, strlen(n->object->id), n);
        return 0;
}

void world_net_begin(World *w, EventKind kind) {
        if (kind == EVENT_LINK)
                for (size_t i = 0; i < w->n_links; i++)
                        w->links[i].enumerated = false;
        else if (kind == EVENT_ROUTE)
                for (size_t i = 0; i < w->n_routes; i++)
                        w->routes[i].enumerated = false;
        else if (kind == EVENT_ADDRESS)
                for (size_t i = 0; i < w->n_addresses; i++)
                        w->addresses[i].enumerated = false;
        else if (kind == EVENT_FORWARDING)
                for (size_t i = 0; i < w->n_forwarding; i++)
                        w->forwarding[i].enumerated = false;
        else if (kind == EVENT_DOCKER_NETWORK)
                for (NetworkRecord *n = w->networks; n; n = n->hh.next)
                        n->enumerated = false;
}

void world_net_end(World *w, EventKind kind) {
        if (kind == EVENT_LINK)
                for (size_t i = w->n_links; i > 0; i--) {
                        if (!w->links[i - 1].enumerated)
                                w->links[i - 1] = w->links[--w->n_links];
                }
        else if (kind == EVENT_ROUTE)
                for (size_t i = w->n_routes; i > 0; i--) {
                        if (!w->routes[i - 1].enumerated)
                                w->routes[i - 1] = w->routes[--w->n_routes];
                }
        else if (kind == EVENT_ADDRESS)
                for (size_t i = w->n_addresses; i > 0; i--) {
                        if (!w->addresses[i - 1].enumerated)
                                w->addresses[i - 1] = w->addresses[--w->n_addresses];
                }
        else if (kind == EVENT_FORWARDING)
                for (size_t i = w->n_forwarding; i > 0; i--) {
                        if (!w->forwarding[i - 1].enumerated)
                                w->forwarding[i - 1] = w->forwarding[--w->n_forwarding];
                }
        else if (kind == EVENT_DOCKER_NETWORK)
                for (NetworkRecord *n = w->networks, *next; n; n = next) {
                        next = n->hh.next;
                        if (!n->enumerated)
                                network_record_free(w, n);
                }
}

void world_net_done(World *w) {
        while (w->networks)
                network_record_free(w, w->networks);
        free(w->links);
        free(w->routes);
        free(w->addresses);
        free(w->forwarding);
}

const Network *world_network(const World *w, const char *name_or_id) {
        NetworkRecord *n = find_network(w, text_of(name_or_id));

        return n ? n->object : NULL;
}

const Link *world_link(const World *w, const char *name) {
        for (size_t i = 0; i < w->n_links; i++)
                if (strcmp(w->links[i].link.name, name) == 0)
                        return &w->links[i].link;
        return NULL;
}

static bool is_usable(const World *w, const Route *r) {
        const Link *l = world_link(w, r->dev);

        return !l ||
                (strcmp(l->operstate, "DOWN") != 0 && strcmp(l->operstate, "LOWERLAYERDOWN") != 0 &&
                        strcmp(l->operstate, "NOTPRESENT") != 0);
}

const Route *world_default_route(const World *w, Family family) {
        const Route *best = NULL;

        for (size_t i = 0; i < w->n_routes; i++) {
                const Route *r = &w->routes[i].route;

                if (r->family != family || r->table != ROUTE_TABLE_MAIN || r->dev[0] == '\0' ||
                        strcmp(r->destination, "default") != 0 || !is_usable(w, r))
                        continue;
                if (!best || r->metric < best->metric)
                        best = r;
        }
        return best;
}

int world_forwarding(World *w, Family family, const char *ifname, usec_t now) {
        const ForwardingRecord *f = find_forwarding(w, family, ifname);
        const Fact *fact;

        if (f)
                return f->forwarding.enabled;
        if (family == FAMILY_INET && strcmp(ifname, "all") == 0)
                fact = world_fact(w, now, 0, "file:/proc/sys/net/ipv4/ip_forward");
        else
                fact = world_fact(w, now, 0, "file:/proc/sys/net/%s/conf/%s/forwarding",
                        family == FAMILY_INET ? "ipv4" : "ipv6", ifname);
        if (!fact || fact->state != FACT_KNOWN || !json_is_string(fact->value))
                return -1;
        return json_string_value(fact->value)[0] == '1';
}
