/* Only names are asked of the kernel. What is in these tables is for nft(8); that they are there is enough
 * to know that iptables' rules are not all. */

#include "daemon/probe/filter-tables.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include "lib/world/firewall.h"

#define BUFFER_BYTES   16384
#define ANSWER_SECONDS 2
#define SEQ            1

/* Of the families that see packets of IPv4. */
static const char *name_of_family(unsigned char family) {
        return family == NFPROTO_IPV4 ? "ip" : family == NFPROTO_INET ? "inet" : NULL;
}

static bool is_printed(unsigned char family, const char *name) {
        static const char *const tables[] = {"filter", "mangle", "nat", "raw", "security"};

        for (size_t i = 0; family == NFPROTO_IPV4 && i < ELEMENTSOF(tables); i++)
                if (strcmp(name, tables[i]) == 0)
                        return true;
        return false;
}

static int on_attribute(const struct nlattr *attribute, void *userdata) {
        const char **name = userdata;

        if (mnl_attr_get_type(attribute) == NFTA_TABLE_NAME &&
                mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
                *name = mnl_attr_get_str(attribute);
        return MNL_CB_OK;
}

static int on_table(const struct nlmsghdr *message, void *userdata) {
        const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
        const char *name = NULL, *family;

        if (mnl_nlmsg_get_payload_len(message) < sizeof(*header) ||
                mnl_attr_parse(message, sizeof(*header), on_attribute, &name) < 0)
                return MNL_CB_OK;
        family = name_of_family(header->nfgen_family);
        if (family && name && !is_printed(header->nfgen_family, name))
                (void) buffer_append_format(
                        userdata, FIREWALL_INCOMPLETE "nftables has the table %s %s\n", family, name);
        return MNL_CB_OK;
}

static int ask_kernel(struct mnl_socket *s, Buffer *saved) {
        uint8_t buffer[BUFFER_BYTES];
        struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
        struct timeval timeout = {.tv_sec = ANSWER_SECONDS};
        struct nfgenmsg *header;
        int r = MNL_CB_OK;

        request->nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE;
        request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
        request->nlmsg_seq = SEQ;
        header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
        header->nfgen_family = NFPROTO_UNSPEC;
        header->version = NFNETLINK_V0;
        if (setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
                mnl_socket_sendto(s, request, request->nlmsg_len) < 0)
                return -errno;
        while (r == MNL_CB_OK) {
                ssize_t n = mnl_socket_recvfrom(s, buffer, sizeof(buffer));

                if (n < 0)
                        return -errno;
                r = mnl_cb_run(buffer, (size_t) n, SEQ, mnl_socket_get_portid(s), on_table, saved);
        }
        return r < 0 ? -errno : 0;
}

/* A kernel without nftables, or without its part of netlink. */
static bool is_absent(int error) {
        return error == -EPROTONOSUPPORT || error == -EOPNOTSUPP || error == -EINVAL;
}

int filter_tables_tell(Buffer *saved) {
        struct mnl_socket *s = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
        int r;

        if (!s)
                return is_absent(-errno) ? 0 : -errno;
        r = mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : ask_kernel(s, saved);
        (void) mnl_socket_close(s);
        return is_absent(r) ? 0 : r < 0 ? r : saved->error;
}
