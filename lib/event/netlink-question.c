#include "lib/event/netlink-question.h"

#include <libmnl/libmnl.h>
#include <linux/netconf.h>
#include <string.h>
#include <sys/socket.h>

const unsigned netlink_groups[NETLINK_GROUPS] = {
        RTNLGRP_LINK,
        RTNLGRP_IPV4_IFADDR,
        RTNLGRP_IPV6_IFADDR,
        RTNLGRP_IPV4_ROUTE,
        RTNLGRP_IPV6_ROUTE,
        RTNLGRP_IPV4_NETCONF,
        RTNLGRP_IPV6_NETCONF,
};

/* The headers begin with the family. */
static const struct {
        uint16_t type;
        unsigned char family;
        size_t header_bytes;
} questions[NETLINK_QUESTIONS] = {
        {RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg)},
        {RTM_GETADDR, AF_UNSPEC, sizeof(struct ifaddrmsg)},
        {RTM_GETROUTE, AF_INET, sizeof(struct rtmsg)},
        {RTM_GETROUTE, AF_INET6, sizeof(struct rtmsg)},
        {RTM_GETNETCONF, AF_INET, sizeof(struct netconfmsg)},
        {RTM_GETNETCONF, AF_INET6, sizeof(struct netconfmsg)},
};

struct nlmsghdr *netlink_question(size_t i, uint32_t seq, uint8_t buffer[static NETLINK_QUESTION_BYTES]) {
        struct nlmsghdr *nlh;

        memset(buffer, 0, NETLINK_QUESTION_BYTES);
        nlh = mnl_nlmsg_put_header(buffer);
        nlh->nlmsg_type = questions[i].type;
        nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
        nlh->nlmsg_seq = seq;
        *(unsigned char *) mnl_nlmsg_put_extra_header(nlh, questions[i].header_bytes) = questions[i].family;
        return nlh;
}
