/* Links, routes, addresses and forwarding, from the JSON of iproute2 and of a recording's net/events.jsonl.
 *
 * The traps: `ip -j route` does not say which family a route belongs to, it has to be seen from its
 * addresses; it leaves out the table when it is main; `ip -j addr` calls the hardware address of the link
 * "address". */

#include "lib/base/word.h"
#include "lib/event/json-field.h"
#include "lib/event/object.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>

static const char *const family_names[] = {
        [FAMILY_INET] = "inet",
        [FAMILY_INET6] = "inet6",
};

const char *family_to_string(Family family) {
        return family >= 0 && family < FAMILY_X_MAX ? family_names[family] : NULL;
}

Family family_from_string(Text name) {
        return (Family) word_find(family_names, FAMILY_X_MAX, name);
}

int link_from_json(const json_t *object, Link *ret) {
        Link link = {.mtu = -1};
        const json_t *info;
        int r;

        if (!json_is_object(object) || json_field_object(object, "linkinfo", &info) < 0)
                return -EINVAL;
        if ((r = json_field_copy(object, "ifname", link.name, sizeof(link.name))) < 0 ||
                (r = json_field_int(object, "ifindex", &link.ifindex)) < 0 ||
                (r = json_field_int(object, "mtu", &link.mtu)) < 0 ||
                (r = json_field_copy(object, "operstate", link.operstate, sizeof(link.operstate))) < 0 ||
                (r = json_field_copy(object, "master", link.master, sizeof(link.master))) < 0 ||
                (r = json_field_copy(info, "info_kind", link.kind, sizeof(link.kind))) < 0)
                return r;
        if (link.name[0] == '\0' || link.ifindex < 0 || link.mtu < -1)
                return -EINVAL;
        *ret = link;
        return 0;
}

/* Names of /etc/iproute2/rt_tables that every device has. Another name is no table that is looked at. */
static int read_table(const json_t *object, uint32_t *ret) {
        Text name = json_text(json_object_get(object, "table"));
        uint64_t number = 0;

        if (!json_object_get(object, "table"))
                number = RT_TABLE_MAIN;
        else if (json_field_u64(object, "table", &number) == 0 || text_to_u64(name, &number) == 0) {
                if (number > UINT32_MAX)
                        return -EINVAL;
        } else if (text_is(name, "main"))
                number = RT_TABLE_MAIN;
        else if (text_is(name, "local"))
                number = RT_TABLE_LOCAL;
        else if (text_is(name, "default"))
                number = RT_TABLE_DEFAULT;
        *ret = (uint32_t) number;
        return 0;
}

/* A route of several next hops is known by its first. `via` is a gateway of the other family. */
static int read_hop(const json_t *object, Route *route) {
        const json_t *hops, *via;
        int r;

        if (json_field_array(object, "nexthops", &hops) < 0)
                return -EINVAL;
        if (json_array_size(hops) > 0)
                object = json_array_get(hops, 0);
        if (json_field_object(object, "via", &via) < 0)
                return -EINVAL;
        if ((r = json_field_copy(object, "dev", route->dev, sizeof(route->dev))) < 0 ||
                (r = json_field_copy(object, "gateway", route->gateway, sizeof(route->gateway))) < 0)
                return r;
        return json_field_copy(via, "host", route->gateway, sizeof(route->gateway));
}

static int read_route_family(const json_t *object, const Route *route, Family *ret) {
        const json_t *named = json_object_get(object, "family");

        if (named)
                *ret = family_from_string(json_text(named));
        else if (strcmp(route->destination, "default") != 0)
                *ret = strchr(route->destination, ':') ? FAMILY_INET6 : FAMILY_INET;
        else /* `pref` is printed for IPv6 only */
                *ret = json_object_get(object, "pref") ||
                                (strchr(route->gateway, ':') && !json_object_get(object, "via"))
                        ? FAMILY_INET6
                        : FAMILY_INET;
        return *ret < 0 ? -EINVAL : 0;
}

int route_from_json(const json_t *object, Route *ret) {
        Route route = {};
        uint64_t metric = 0;
        Text type;
        int r;

        if (!json_is_object(object))
                return -EINVAL;
        if ((r = json_field_copy(object, "dst", route.destination, sizeof(route.destination))) < 0 ||
                (r = json_field_u64(object, "metric", &metric)) < 0 ||
                (r = read_table(object, &route.table)) < 0 || (r = read_hop(object, &route)) < 0 ||
                (r = read_route_family(object, &route, &route.family)) < 0)
                return r;
        if (route.destination[0] == '\0' || metric > UINT32_MAX)
                return -EINVAL;
        route.metric = (uint32_t) metric;

        /* blackhole, unreachable…: it leads nowhere, so it must not be found where routes are looked for. In
         * net/events.jsonl the type is that of the event. */
        type = json_text(json_object_get(object, "type"));
        if (!text_is_empty(type) && !text_is(type, "unicast") && !text_is(type, "route") &&
                route.table == RT_TABLE_MAIN)
                route.table = RT_TABLE_UNSPEC;
        *ret = route;
        return 0;
}

/* Takes off a prefix length and checks what remains. */
static int parse_address(Address *address) {
        unsigned char bytes[sizeof(struct in6_addr)];
        char *slash = strchr(address->address, '/');

        if (slash) {
                uint64_t prefix_len;

                if (text_to_u64(text_of(slash + 1), &prefix_len) < 0 || prefix_len > 128)
                        return -EINVAL;
                address->prefix_len = (int) prefix_len;
                *slash = '\0';
        }
        address->family = strchr(address->address, ':') ? FAMILY_INET6 : FAMILY_INET;
        return inet_pton(address->family == FAMILY_INET6 ? AF_INET6 : AF_INET, address->address, bytes) == 1
                ? 0
                : -EINVAL;
}

int address_from_json(const json_t *object, size_t i, Address *ret) {
        Address address = {.prefix_len = -1};
        const json_t *infos, *info = object;
        const char *key = "address";
        int r;

        if (!json_is_object(object) || json_field_array(object, "addr_info", &infos) < 0)
                return -EINVAL;
        if (infos) {
                info = json_array_get(infos, i);
                key = "local";
        } else if (i > 0)
                return -EINVAL;
        if ((r = json_field_copy(object, "ifname", address.ifname, sizeof(address.ifname))) < 0 ||
                (r = json_field_copy(info, key, address.address, sizeof(address.address))) < 0 ||
                (r = json_field_int(info, "prefixlen", &address.prefix_len)) < 0)
                return r;
        if (address.ifname[0] == '\0')
                return -EINVAL;
        r = parse_address(&address);
        if (r < 0)
                return r;
        *ret = address;
        return 0;
}

int forwarding_from_json(const json_t *object, Forwarding *ret) {
        Forwarding forwarding = {};
        int enabled = -1, r;

        if (!json_is_object(object))
                return -EINVAL;
        forwarding.family = family_from_string(json_text(json_object_get(object, "family")));
        if ((r = json_field_copy(object, "ifname", forwarding.ifname, sizeof(forwarding.ifname))) < 0 ||
                (r = json_field_bool(object, "forwarding", &enabled)) < 0)
                return r;
        if (forwarding.family < 0 || forwarding.ifname[0] == '\0' || enabled < 0)
                return -EINVAL;
        forwarding.enabled = enabled > 0;
        *ret = forwarding;
        return 0;
}
