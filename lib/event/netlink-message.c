/* rtnetlink messages as events about links, addresses, routes and forwarding.
 *
 * Promise: the kernel's attributes are validated for type and length before they are read; one that does not
 * fit makes the message malformed. The traps: routes and addresses name links by index, so names have to be
 * learnt from link messages first; RTM_NEWLINK also comes for a bridge's ports (AF_BRIDGE) and says less
 * there; the deletion of such a port is not that of its link. */

#include "lib/event/netlink-message.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

#define LINKS_MAX 4096

typedef struct LinkName {
        int ifindex;
        char name[IFNAMSIZ];
} LinkName;

struct NetlinkDecoder {
        LinkName *links;
        size_t n_links, n_allocated;
};

int netlink_decoder_new(NetlinkDecoder **ret) {
        NetlinkDecoder *d = calloc(1, sizeof(*d));

        if (!d)
                return -ENOMEM;
        *ret = d;
        return 0;
}

NetlinkDecoder *netlink_decoder_free(NetlinkDecoder *d) {
        if (!d)
                return NULL;
        free(d->links);
        free(d);
        return NULL;
}

static LinkName *find_link(const NetlinkDecoder *d, int ifindex) {
        FOREACH_ARRAY (l, d->links, d->n_links)
                if (l->ifindex == ifindex)
                        return l;
        return NULL;
}

static int learn(NetlinkDecoder *d, int ifindex, const char *name) {
        LinkName *l = find_link(d, ifindex);

        if (!l) {
                if (!GROW_ARRAY(d->links, d->n_allocated, d->n_links, LINKS_MAX))
                        return d->n_links >= LINKS_MAX ? 0 : -ENOMEM;
                l = &d->links[d->n_links++];
        }
        l->ifindex = ifindex;
        (void) snprintf(l->name, sizeof(l->name), "%s", name);
        return 0;
}

static void forget(NetlinkDecoder *d, int ifindex) {
        LinkName *l = find_link(d, ifindex);

        if (l)
                *l = d->links[--d->n_links];
}

/* An unknown index has the name "if7", as nothing else has. */
static void name_link(const NetlinkDecoder *d, int ifindex, char name[static IFNAMSIZ]) {
        const LinkName *l = find_link(d, ifindex);

        if (l)
                memcpy(name, l->name, IFNAMSIZ);
        else
                (void) snprintf(name, IFNAMSIZ, "if%d", ifindex);
}

#define ATTRIBUTES_MAX 64

/* The attributes of a message by their type; those that are not known here are left out. */
typedef struct Attributes {
        const struct nlattr *of[ATTRIBUTES_MAX];
} Attributes;

static int collect(const struct nlattr *attribute, void *userdata) {
        Attributes *a = userdata;
        uint16_t type = mnl_attr_get_type(attribute);

        if (type < ATTRIBUTES_MAX)
                a->of[type] = attribute;
        return MNL_CB_OK;
}

static int parse(const struct nlmsghdr *nlh, size_t header_bytes, Attributes *ret) {
        *ret = (Attributes){};
        if (mnl_nlmsg_get_payload_len(nlh) < header_bytes)
                return -EBADMSG;
        return mnl_attr_parse(nlh, (unsigned) header_bytes, collect, ret) < 0 ? -EBADMSG : 0;
}

/* Each reader leaves its target alone when the attribute is absent. */
static int read_u32(const struct nlattr *attribute, uint32_t *target) {
        if (!attribute)
                return 0;
        if (mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
                return -EBADMSG;
        *target = mnl_attr_get_u32(attribute);
        return 0;
}

static int read_string(const struct nlattr *attribute, char *target, size_t target_bytes) {
        if (!attribute)
                return 0;
        if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0)
                return -EBADMSG;
        if (strlen(mnl_attr_get_str(attribute)) >= target_bytes)
                return -EBADMSG;
        (void) snprintf(target, target_bytes, "%s", mnl_attr_get_str(attribute));
        return 0;
}

static int read_address(const struct nlattr *attribute, int af, char target[static ADDRESS_TEXT_MAX]) {
        size_t bytes = af == AF_INET6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);

        if (!attribute)
                return 0;
        if (mnl_attr_get_payload_len(attribute) != bytes ||
                !inet_ntop(af, mnl_attr_get_payload(attribute), target, ADDRESS_TEXT_MAX))
                return -EBADMSG;
        return 0;
}

/* As `ip` prints them, by IF_OPER_*. */
static const char *const operstates[] = {
        "UNKNOWN",
        "NOTPRESENT",
        "DOWN",
        "LOWERLAYERDOWN",
        "TESTING",
        "DORMANT",
        "UP",
};

static int read_operstate(const struct nlattr *attribute, Link *link) {
        if (!attribute)
                return 0;
        if (mnl_attr_validate(attribute, MNL_TYPE_U8) < 0)
                return -EBADMSG;
        if (mnl_attr_get_u8(attribute) < ELEMENTSOF(operstates))
                (void) snprintf(link->operstate, sizeof(link->operstate), "%s",
                        operstates[mnl_attr_get_u8(attribute)]);
        return 0;
}

static int read_kind(const struct nlattr *info, Link *link) {
        Attributes nested = {};

        if (!info)
                return 0;
        if (mnl_attr_parse_nested(info, collect, &nested) < 0)
                return -EBADMSG;
        /* A kind of a name longer than those that are asked for is none of them. */
        if (nested.of[IFLA_INFO_KIND] &&
                mnl_attr_get_payload_len(nested.of[IFLA_INFO_KIND]) > sizeof(link->kind))
                return 0;
        return read_string(nested.of[IFLA_INFO_KIND], link->kind, sizeof(link->kind));
}

static int decode_link(NetlinkDecoder *d, const struct nlmsghdr *nlh, Event *event) {
        const struct ifinfomsg *header = mnl_nlmsg_get_payload(nlh);
        Link *link = &event->link;
        uint32_t mtu = 0, master = 0;
        Attributes a;

        if (parse(nlh, sizeof(*header), &a) < 0)
                return -EBADMSG;
        if (header->ifi_family != AF_UNSPEC)
                return 0;
        *link = (Link){.ifindex = header->ifi_index, .mtu = -1};
        if (header->ifi_index <= 0 || read_string(a.of[IFLA_IFNAME], link->name, sizeof(link->name)) < 0 ||
                read_u32(a.of[IFLA_MTU], &mtu) < 0 || read_u32(a.of[IFLA_MASTER], &master) < 0 ||
                read_operstate(a.of[IFLA_OPERSTATE], link) < 0 || read_kind(a.of[IFLA_LINKINFO], link) < 0)
                return -EBADMSG;
        if (link->name[0] == '\0' || mtu > INT32_MAX || master > INT32_MAX)
                return -EBADMSG;
        if (a.of[IFLA_MTU])
                link->mtu = (int) mtu;
        if (master > 0)
                name_link(d, (int) master, link->master);
        event->kind = EVENT_LINK;
        event->deleted = nlh->nlmsg_type == RTM_DELLINK;
        if (!event->deleted)
                return learn(d, link->ifindex, link->name) < 0 ? -ENOMEM : 1;
        forget(d, link->ifindex);
        return 1;
}

static int decode_address(NetlinkDecoder *d, const struct nlmsghdr *nlh, Event *event) {
        const struct ifaddrmsg *header = mnl_nlmsg_get_payload(nlh);
        Address *address = &event->address;
        Attributes a;

        if (parse(nlh, sizeof(*header), &a) < 0)
                return -EBADMSG;
        if (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)
                return 0;
        *address = (Address){
                .family = header->ifa_family == AF_INET6 ? FAMILY_INET6 : FAMILY_INET,
                .prefix_len = header->ifa_prefixlen,
        };
        /* On a point-to-point link IFA_ADDRESS is the other end's; IPv6 has only that one otherwise. */
        if (read_address(a.of[a.of[IFA_LOCAL] ? IFA_LOCAL : IFA_ADDRESS], header->ifa_family,
                    address->address) < 0 ||
                address->address[0] == '\0')
                return -EBADMSG;
        name_link(d, (int) header->ifa_index, address->ifname);
        event->kind = EVENT_ADDRESS;
        event->deleted = nlh->nlmsg_type == RTM_DELADDR;
        return 1;
}

/* The first next hop of a route that has several. */
static int read_multipath(const struct nlattr *multipath, Attributes *a, uint32_t *oif) {
        const struct rtnexthop *hop = mnl_attr_get_payload(multipath);
        size_t len = mnl_attr_get_payload_len(multipath);
        const char *inner = (const char *) hop + sizeof(*hop);

        if (len < sizeof(*hop) || hop->rtnh_len < sizeof(*hop) || hop->rtnh_len > len)
                return -EBADMSG;
        *oif = (uint32_t) hop->rtnh_ifindex;
        return mnl_attr_parse_payload(inner, hop->rtnh_len - sizeof(*hop), collect, a) < 0 ? -EBADMSG : 0;
}

static int read_gateway(const Attributes *a, int af, Route *route) {
        const struct nlattr *via = a->of[RTA_VIA];
        const struct rtvia *header;
        size_t bytes;

        if (a->of[RTA_GATEWAY] || !via)
                return read_address(a->of[RTA_GATEWAY], af, route->gateway);
        header = mnl_attr_get_payload(via);
        if (mnl_attr_get_payload_len(via) < sizeof(*header))
                return -EBADMSG;
        bytes = header->rtvia_family == AF_INET6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);
        if (mnl_attr_get_payload_len(via) < sizeof(*header) + bytes ||
                !inet_ntop(header->rtvia_family, header->rtvia_addr, route->gateway, sizeof(route->gateway)))
                return -EBADMSG;
        return 0;
}

static int read_destination(const Attributes *a, const struct rtmsg *header, Route *route) {
        size_t n;

        if (header->rtm_dst_len == 0) {
                (void) snprintf(route->destination, sizeof(route->destination), "default");
                return 0;
        }
        if (!a->of[RTA_DST] || read_address(a->of[RTA_DST], header->rtm_family, route->destination) < 0)
                return -EBADMSG;
        /* `ip` leaves the length of a single host out */
        if (header->rtm_dst_len == (header->rtm_family == AF_INET6 ? 128 : 32))
                return 0;
        n = strlen(route->destination);
        (void) snprintf(route->destination + n, sizeof(route->destination) - n, "/%u",
                (unsigned) header->rtm_dst_len);
        return 0;
}

static bool is_wanted_route(const struct rtmsg *header, uint32_t table) {
        return (header->rtm_family == AF_INET || header->rtm_family == AF_INET6) &&
                header->rtm_type == RTN_UNICAST && !(header->rtm_flags & RTM_F_CLONED) &&
                (table == RT_TABLE_MAIN || table == RT_TABLE_DEFAULT);
}

static int decode_route(NetlinkDecoder *d, const struct nlmsghdr *nlh, Event *event) {
        const struct rtmsg *header = mnl_nlmsg_get_payload(nlh);
        Route *route = &event->route;
        uint32_t oif = 0, table, metric = 0;
        Attributes a;

        if (parse(nlh, sizeof(*header), &a) < 0)
                return -EBADMSG;
        table = header->rtm_table;
        if (read_u32(a.of[RTA_TABLE], &table) < 0)
                return -EBADMSG;
        if (!is_wanted_route(header, table))
                return 0;
        *route = (Route){
                .family = header->rtm_family == AF_INET6 ? FAMILY_INET6 : FAMILY_INET,
                .table = table,
        };
        if (a.of[RTA_MULTIPATH] && read_multipath(a.of[RTA_MULTIPATH], &a, &oif) < 0)
                return -EBADMSG;
        if (read_u32(a.of[RTA_OIF], &oif) < 0 || read_u32(a.of[RTA_PRIORITY], &metric) < 0 ||
                read_destination(&a, header, route) < 0 || read_gateway(&a, header->rtm_family, route) < 0)
                return -EBADMSG;
        route->metric = metric;
        if (oif > 0 && oif <= INT32_MAX)
                name_link(d, (int) oif, route->dev);
        event->kind = EVENT_ROUTE;
        event->deleted = nlh->nlmsg_type == RTM_DELROUTE;
        return 1;
}

static int decode_netconf(NetlinkDecoder *d, const struct nlmsghdr *nlh, Event *event) {
        const struct netconfmsg *header = mnl_nlmsg_get_payload(nlh);
        Forwarding *forwarding = &event->forwarding;
        uint32_t value = 0, enabled = 0;
        Attributes a;
        int ifindex;

        if (parse(nlh, NLMSG_ALIGN(sizeof(*header)), &a) < 0)
                return -EBADMSG;
        if ((header->ncm_family != AF_INET && header->ncm_family != AF_INET6) || !a.of[NETCONFA_FORWARDING])
                return 0;
        if (!a.of[NETCONFA_IFINDEX] || read_u32(a.of[NETCONFA_IFINDEX], &value) < 0 ||
                read_u32(a.of[NETCONFA_FORWARDING], &enabled) < 0)
                return -EBADMSG;
        ifindex = (int) value;
        *forwarding = (Forwarding){
                .family = header->ncm_family == AF_INET6 ? FAMILY_INET6 : FAMILY_INET,
                .enabled = enabled != 0,
        };
        if (ifindex == NETCONFA_IFINDEX_ALL || ifindex == NETCONFA_IFINDEX_DEFAULT)
                (void) snprintf(forwarding->ifname, sizeof(forwarding->ifname), "%s",
                        ifindex == NETCONFA_IFINDEX_ALL ? "all" : "default");
        else
                name_link(d, ifindex, forwarding->ifname);
        event->kind = EVENT_FORWARDING;
        return 1;
}

static const struct {
        uint16_t type;
        int (*decode)(NetlinkDecoder *d, const struct nlmsghdr *nlh, Event *event);
} decoders[] = {
        {RTM_NEWLINK, decode_link},
        {RTM_DELLINK, decode_link},
        {RTM_NEWADDR, decode_address},
        {RTM_DELADDR, decode_address},
        {RTM_NEWROUTE, decode_route},
        {RTM_DELROUTE, decode_route},
        {RTM_NEWNETCONF, decode_netconf},
};

int netlink_decoder_decode(NetlinkDecoder *d, const struct nlmsghdr *nlh, Event *ret) {
        FOREACH_ARRAY (decoder, decoders, ELEMENTSOF(decoders)) {
                Event event = {.source = SOURCE_NETWORK, .origin = ORIGIN_DEVICE};
                int r;

                if (decoder->type != nlh->nlmsg_type)
                        continue;
                r = decoder->decode(d, nlh, &event);
                if (r > 0)
                        *ret = event;
                return r;
        }
        return 0;
}
