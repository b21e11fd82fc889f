/* Writes what net-objects.c reads. The trap: `ip` does not tell a route's family, a recording may, so it
 * does: a default route of IPv6 without gateway would be taken for IPv4. */

#include "lib/event/network-json.h"

/* Adds a string unless it is not told; takes over a failure of an earlier step. */
static json_t *with_text(json_t *object, const char *key, const char *value) {
        if (object && value && value[0] && json_object_set_new(object, key, json_string(value)) < 0) {
                json_decref(object);
                return NULL;
        }
        return object;
}

static json_t *with_number(json_t *object, const char *key, json_int_t value) {
        if (object && json_object_set_new(object, key, json_integer(value)) < 0) {
                json_decref(object);
                return NULL;
        }
        return object;
}

json_t *link_to_json(const Link *link) {
        json_t *object = with_text(json_object(), "ifname", link->name);

        if (link->ifindex > 0)
                object = with_number(object, "ifindex", link->ifindex);
        if (link->mtu >= 0)
                object = with_number(object, "mtu", link->mtu);
        object = with_text(object, "operstate", link->operstate);
        object = with_text(object, "master", link->master);
        if (object && link->kind[0] &&
                json_object_set_new(object, "linkinfo", json_pack("{s:s}", "info_kind", link->kind)) < 0) {
                json_decref(object);
                return NULL;
        }
        return object;
}

json_t *route_to_json(const Route *route) {
        json_t *object = with_text(json_object(), "dst", route->destination);

        object = with_text(object, "gateway", route->gateway);
        object = with_text(object, "dev", route->dev);
        if (route->metric > 0)
                object = with_number(object, "metric", route->metric);
        object = with_number(object, "table", route->table);
        return with_text(object, "family", family_to_string(route->family));
}

json_t *address_to_json(const Address *address) {
        const char *family = family_to_string(address->family);

        return json_pack("{s:s, s:[{s:s, s:s, s:i}]}", "ifname", address->ifname, "addr_info", "family",
                family ? family : "inet", "local", address->address, "prefixlen", address->prefix_len);
}

static json_t *change_to_json(const Event *event, const char **ret_type) {
        switch (event->kind) {
        case EVENT_LINK:
                *ret_type = "link";
                return link_to_json(&event->link);
        case EVENT_ROUTE:
                *ret_type = "route";
                return route_to_json(&event->route);
        case EVENT_ADDRESS:
                *ret_type = "address";
                return json_pack("{s:s, s:s, s:i}", "ifname", event->address.ifname, "address",
                        event->address.address, "prefixlen", event->address.prefix_len);
        case EVENT_FORWARDING:
                *ret_type = "forwarding";
                return json_pack("{s:s, s:s, s:b}", "family", family_to_string(event->forwarding.family),
                        "ifname", event->forwarding.ifname, "forwarding", event->forwarding.enabled);
        default:
                return NULL;
        }
}

json_t *network_event_to_json(const Event *event) {
        char time[TIMESTAMP_MAX];
        const char *type = NULL;
        json_t *object = change_to_json(event, &type);

        object = with_text(object, "time", timestamp_format(event->time, time));
        object = with_text(object, "type", type);
        if (object && json_object_set_new(object, "deleted", json_boolean(event->deleted)) < 0) {
                json_decref(object);
                return NULL;
        }
        return object;
}
