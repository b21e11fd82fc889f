#include "lib/event/netlink-message.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>

#include "tests/unit/unit.h"

typedef union Message {
        struct nlmsghdr header;
        char bytes[1024];
} Message;

static struct nlmsghdr *begin(Message *m, uint16_t type, const void *header, size_t header_bytes) {
        struct nlmsghdr *nlh;

        memset(m, 0, sizeof(*m));
        nlh = mnl_nlmsg_put_header(m);
        nlh->nlmsg_type = type;
        memcpy(mnl_nlmsg_put_extra_header(nlh, header_bytes), header, header_bytes);
        return nlh;
}

static struct nlmsghdr *put_link(Message *m, uint16_t type, int ifindex, const char *name) {
        struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
        struct nlmsghdr *nlh = begin(m, type, &header, sizeof(header));
        struct nlattr *info;

        mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
        mnl_attr_put_u32(nlh, IFLA_MTU, 1430);
        mnl_attr_put_u8(nlh, IFLA_OPERSTATE, 6);
        info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
        mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "wwan");
        mnl_attr_nest_end(nlh, info);
        return nlh;
}

static void put_address(struct nlmsghdr *nlh, uint16_t type, const char *text) {
        unsigned char bytes[16];
        bool is_v6 = strchr(text, ':');

        ck_assert_int_eq(inet_pton(is_v6 ? AF_INET6 : AF_INET, text, bytes), 1);
        mnl_attr_put(nlh, type, is_v6 ? 16 : 4, bytes);
}

static NetlinkDecoder *decoder_with_link(void) {
        NetlinkDecoder *d = NULL;
        Message m;
        Event e;

        ck_assert_int_eq(netlink_decoder_new(&d), 0);
        ck_assert_int_eq(netlink_decoder_decode(d, put_link(&m, RTM_NEWLINK, 2, "wwan0"), &e), 1);
        return d;
}

START_TEST(link_is_decoded) {
        _cleanup_(netlink_decoder_freep) NetlinkDecoder *d = decoder_with_link();
        struct nlmsghdr *nlh;
        Event e = {};
        Message m;

        nlh = put_link(&m, RTM_NEWLINK, 3, "veth1");
        mnl_attr_put_u32(nlh, IFLA_MASTER, 2);
        ck_assert_int_eq(netlink_decoder_decode(d, nlh, &e), 1);
        ck_assert_int_eq(e.kind, EVENT_LINK);
        ck_assert_int_eq(e.source, SOURCE_NETWORK);
        ck_assert_int_eq(e.origin, ORIGIN_DEVICE);
        ck_assert_str_eq(e.link.name, "veth1");
        ck_assert_int_eq(e.link.ifindex, 3);
        ck_assert_int_eq(e.link.mtu, 1430);
        ck_assert_str_eq(e.link.operstate, "UP");
        ck_assert_str_eq(e.link.kind, "wwan");
        ck_assert_str_eq(e.link.master, "wwan0");
        ck_assert(!e.deleted);
        ck_assert_int_eq(netlink_decoder_decode(d, put_link(&m, RTM_DELLINK, 3, "veth1"), &e), 1);
        ck_assert(e.deleted);
}
END_TEST

START_TEST(bridge_port_is_no_link) {
        _cleanup_(netlink_decoder_freep) NetlinkDecoder *d = decoder_with_link();
        struct ifinfomsg header = {.ifi_family = AF_BRIDGE, .ifi_index = 2};
        struct nlmsghdr *nlh;
        Event e;
        Message m;

        nlh = begin(&m, RTM_DELLINK, &header, sizeof(header));
        mnl_attr_put_strz(nlh, IFLA_IFNAME, "wwan0");
        ck_assert_int_eq(netlink_decoder_decode(d, nlh, &e), 0);
}
END_TEST

static const struct {
        uint16_t type;
        unsigned char family, dst_len, table, route_type;
        unsigned flags;
        const char *dst, *gateway;
        uint32_t oif, metric;
        int r;
        const char *destination, *dev;
} routes[] = {
        {RTM_NEWROUTE, AF_INET, 0, RT_TABLE_MAIN, RTN_UNICAST, 0, NULL, "10.0.0.1", 2, 700, 1, "default",
                "wwan0"},
        {RTM_DELROUTE, AF_INET, 0, RT_TABLE_MAIN, RTN_UNICAST, 0, NULL, "10.0.0.1", 2, 0, 1, "default",
                "wwan0"},
        {RTM_NEWROUTE, AF_INET6, 0, RT_TABLE_MAIN, RTN_UNICAST, 0, NULL, "fe80::1", 2, 1024, 1, "default",
                "wwan0"},
        {RTM_NEWROUTE, AF_INET, 16, RT_TABLE_MAIN, RTN_UNICAST, 0, "172.18.0.0", "", 9, 0, 1,
                "172.18.0.0/16", "if9"},
        {RTM_NEWROUTE, AF_INET, 32, RT_TABLE_MAIN, RTN_UNICAST, 0, "10.1.2.3", "", 2, 0, 1, "10.1.2.3",
                "wwan0"},
        {RTM_NEWROUTE, AF_INET, 0, RT_TABLE_DEFAULT, RTN_UNICAST, 0, NULL, "10.0.0.1", 2, 0, 1, "default",
                "wwan0"},
        {RTM_NEWROUTE, AF_INET, 32, RT_TABLE_LOCAL, RTN_LOCAL, 0, "10.1.2.3", "", 2, 0, 0, NULL, NULL},
        {RTM_NEWROUTE, AF_INET, 0, 100, RTN_UNICAST, 0, NULL, "10.0.0.1", 2, 0, 0, NULL, NULL},
        {RTM_NEWROUTE, AF_INET, 0, RT_TABLE_MAIN, RTN_UNREACHABLE, 0, NULL, "", 1, 0, 0, NULL, NULL},
        {RTM_NEWROUTE, AF_INET6, 128, RT_TABLE_MAIN, RTN_UNICAST, RTM_F_CLONED, "fe80::2", "", 2, 0, 0, NULL,
                NULL},
        {RTM_NEWROUTE, AF_MPLS, 0, RT_TABLE_MAIN, RTN_UNICAST, 0, NULL, "", 2, 0, 0, NULL, NULL},
        /* the address is of the other family */
        {RTM_NEWROUTE, AF_INET6, 0, RT_TABLE_MAIN, RTN_UNICAST, 0, NULL, "10.0.0.1", 2, 0, -EBADMSG, NULL,
                NULL},
        {RTM_NEWROUTE, AF_INET, 16, RT_TABLE_MAIN, RTN_UNICAST, 0, NULL, "", 2, 0, -EBADMSG, NULL, NULL},
};

START_TEST(route_is_decoded) {
        _cleanup_(netlink_decoder_freep) NetlinkDecoder *d = decoder_with_link();
        struct rtmsg header = {
                .rtm_family = routes[_i].family,
                .rtm_dst_len = routes[_i].dst_len,
                .rtm_table = routes[_i].table,
                .rtm_type = routes[_i].route_type,
                .rtm_flags = routes[_i].flags,
        };
        struct nlmsghdr *nlh;
        Event e = {};
        Message m;

        nlh = begin(&m, routes[_i].type, &header, sizeof(header));
        if (routes[_i].dst)
                put_address(nlh, RTA_DST, routes[_i].dst);
        if (routes[_i].gateway[0])
                put_address(nlh, RTA_GATEWAY, routes[_i].gateway);
        mnl_attr_put_u32(nlh, RTA_OIF, routes[_i].oif);
        if (routes[_i].metric > 0)
                mnl_attr_put_u32(nlh, RTA_PRIORITY, routes[_i].metric);
        ck_assert_int_eq(netlink_decoder_decode(d, nlh, &e), routes[_i].r);
        if (routes[_i].r <= 0)
                return;
        ck_assert_int_eq(e.kind, EVENT_ROUTE);
        ck_assert_int_eq(e.deleted, routes[_i].type == RTM_DELROUTE);
        ck_assert_str_eq(e.route.destination, routes[_i].destination);
        ck_assert_str_eq(e.route.gateway, routes[_i].gateway);
        ck_assert_str_eq(e.route.dev, routes[_i].dev);
        ck_assert_uint_eq(e.route.metric, routes[_i].metric);
        ck_assert_int_eq(e.route.family, routes[_i].family == AF_INET6 ? FAMILY_INET6 : FAMILY_INET);
}
END_TEST

START_TEST(multipath_route_is_its_first_hop) {
        _cleanup_(netlink_decoder_freep) NetlinkDecoder *d = decoder_with_link();
        struct rtmsg header = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST};
        struct {
                struct rtnexthop hop;
                struct nlattr attr;
                unsigned char gateway[4];
        } hop = {{sizeof(hop), 0, 0, 2}, {8, RTA_GATEWAY}, {10, 0, 0, 1}};
        struct nlmsghdr *nlh;
        Event e = {};
        Message m;

        nlh = begin(&m, RTM_NEWROUTE, &header, sizeof(header));
        mnl_attr_put(nlh, RTA_MULTIPATH, sizeof(hop), &hop);
        ck_assert_int_eq(netlink_decoder_decode(d, nlh, &e), 1);
        ck_assert_str_eq(e.route.gateway, "10.0.0.1");
        ck_assert_str_eq(e.route.dev, "wwan0");

        hop.hop.rtnh_len = 200;
        nlh = begin(&m, RTM_NEWROUTE, &header, sizeof(header));
        mnl_attr_put(nlh, RTA_MULTIPATH, sizeof(hop), &hop);
        ck_assert_int_eq(netlink_decoder_decode(d, nlh, &e), -EBADMSG);
}
END_TEST

static const struct {
        unsigned char family, prefix_len;
        const char *local, *address, *text;
} addresses[] = {
        {AF_INET, 24, "192.168.1.5", "192.168.1.5", "192.168.1.5"},
        {AF_INET, 32, "10.64.0.2", "10.64.0.1", "10.64.0.2"}, /* point to point */
        {AF_INET6, 64, NULL, "fe80::1", "fe80::1"},
};

START_TEST(address_is_decoded) {
        _cleanup_(netlink_decoder_freep) NetlinkDecoder *d = decoder_with_link();
        struct ifaddrmsg header = {
                .ifa_family = addresses[_i].family,
                .ifa_prefixlen = addresses[_i].prefix_len,
                .ifa_index = 2,
        };
        struct nlmsghdr *nlh;
        Event e = {};
        Message m;

        nlh = begin(&m, RTM_NEWADDR, &header, sizeof(header));
        if (addresses[_i].local)
                put_address(nlh, IFA_LOCAL, addresses[_i].local);
        put_address(nlh, IFA_ADDRESS, addresses[_i].address);
        ck_assert_int_eq(netlink_decoder_decode(d, nlh, &e), 1);
        ck_assert_int_eq(e.kind, EVENT_ADDRESS);
        ck_assert_str_eq(e.address.address, addresses[_i].text);
        ck_assert_str_eq(e.address.ifname, "wwan0");
        ck_assert_int_eq(e.address.prefix_len, addresses[_i].prefix_len);
}
END_TEST

static const struct {
        unsigned char family;
        int ifindex;
        int forwarding; /* -1: not told */
        int r;
        const char *ifname;
} netconfs[] = {
        {AF_INET, NETCONFA_IFINDEX_ALL, 0, 1, "all"},
        {AF_INET, NETCONFA_IFINDEX_DEFAULT, 1, 1, "default"},
        {AF_INET6, 2, 1, 1, "wwan0"},
        {AF_INET, 2, -1, 0, NULL},
        {AF_MPLS, 2, 1, 0, NULL},
};

START_TEST(forwarding_is_decoded) {
        _cleanup_(netlink_decoder_freep) NetlinkDecoder *d = decoder_with_link();
        struct netconfmsg header = {.ncm_family = netconfs[_i].family};
        struct nlmsghdr *nlh;
        Event e = {};
        Message m;

        nlh = begin(&m, RTM_NEWNETCONF, &header, sizeof(header));
        mnl_attr_put_u32(nlh, NETCONFA_IFINDEX, (uint32_t) netconfs[_i].ifindex);
        if (netconfs[_i].forwarding >= 0)
                mnl_attr_put_u32(nlh, NETCONFA_FORWARDING, (uint32_t) netconfs[_i].forwarding);
        ck_assert_int_eq(netlink_decoder_decode(d, nlh, &e), netconfs[_i].r);
        if (netconfs[_i].r <= 0)
                return;
        ck_assert_int_eq(e.kind, EVENT_FORWARDING);
        ck_assert_str_eq(e.forwarding.ifname, netconfs[_i].ifname);
        ck_assert_int_eq(e.forwarding.enabled, netconfs[_i].forwarding);
        ck_assert_int_eq(e.forwarding.family, netconfs[_i].family == AF_INET6 ? FAMILY_INET6 : FAMILY_INET);
}
END_TEST

START_TEST(short_message_is_malformed) {
        static const uint16_t types[] = {RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE};
        _cleanup_(netlink_decoder_freep) NetlinkDecoder *d = decoder_with_link();
        Message m;
        Event e;

        FOREACH_ARRAY (type, types, ELEMENTSOF(types))
                ck_assert_int_eq(netlink_decoder_decode(d, begin(&m, *type, "", 1), &e), -EBADMSG);
        ck_assert_int_eq(netlink_decoder_decode(d, begin(&m, NLMSG_DONE, "", 1), &e), 0);
}
END_TEST

START_TEST(attribute_of_wrong_size_is_malformed) {
        _cleanup_(netlink_decoder_freep) NetlinkDecoder *d = decoder_with_link();
        struct ifinfomsg header = {.ifi_index = 4};
        struct nlmsghdr *nlh;
        Message m;
        Event e;

        nlh = begin(&m, RTM_NEWLINK, &header, sizeof(header));
        mnl_attr_put(nlh, IFLA_IFNAME, 3, "abc"); /* not terminated */
        ck_assert_int_eq(netlink_decoder_decode(d, nlh, &e), -EBADMSG);
        nlh = begin(&m, RTM_NEWLINK, &header, sizeof(header));
        mnl_attr_put_strz(nlh, IFLA_IFNAME, "eth0");
        mnl_attr_put_u16(nlh, IFLA_MTU, 1500);
        ck_assert_int_eq(netlink_decoder_decode(d, nlh, &e), -EBADMSG);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("netlink-message");
        TCase *tc = tcase_create("netlink-message");

        tcase_add_test(tc, link_is_decoded);
        tcase_add_test(tc, bridge_port_is_no_link);
        tcase_add_loop_test(tc, route_is_decoded, 0, ELEMENTSOF(routes));
        tcase_add_test(tc, multipath_route_is_its_first_hop);
        tcase_add_loop_test(tc, address_is_decoded, 0, ELEMENTSOF(addresses));
        tcase_add_loop_test(tc, forwarding_is_decoded, 0, ELEMENTSOF(netconfs));
        tcase_add_test(tc, short_message_is_malformed);
        tcase_add_test(tc, attribute_of_wrong_size_is_malformed);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
