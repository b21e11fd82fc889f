/* How do the connections to the hub fare? The kernel measures every connection's round trip and counts what
 * it had to send again; sock_diag tells, of the namespace that it is asked in. Nothing is sent. */

#include "daemon/probe/questions.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#define BUFFER_BYTES    32768
#define CONNECTIONS_MAX 32
#define TCP_IS_OPEN     1 /* TCP_ESTABLISHED: its header does not go with linux/tcp.h */
#define SEQ             1

static bool is_upstream_port(uint16_t port) {
        return port == 443 || port == 5671 || port == 8883;
}

static int on_attribute(const struct nlattr *attribute, void *userdata) {
        if (mnl_attr_get_type(attribute) == INET_DIAG_INFO)
                *(const struct nlattr **) userdata = attribute;
        return MNL_CB_OK;
}

/* Kernels tell as much of tcp_info as they know; what they do not is 0. */
static json_t *describe(const struct inet_diag_msg *socket_of, const struct nlattr *attribute) {
        char peer[INET6_ADDRSTRLEN];
        struct tcp_info info = {};
        size_t len = mnl_attr_get_payload_len(attribute);

        memcpy(&info, mnl_attr_get_payload(attribute), len < sizeof(info) ? len : sizeof(info));
        if (!inet_ntop(socket_of->idiag_family, socket_of->id.idiag_dst, peer, sizeof(peer)))
                return NULL;
        return json_pack("{s:s, s:i, s:I, s:I, s:I}", "peer", peer, "port",
                (int) ntohs(socket_of->id.idiag_dport), "rtt_us", (json_int_t) info.tcpi_rtt,
                "retransmitted", (json_int_t) info.tcpi_total_retrans, "sent",
                (json_int_t) info.tcpi_segs_out);
}

static int on_socket(const struct nlmsghdr *message, void *userdata) {
        const struct inet_diag_msg *socket_of = mnl_nlmsg_get_payload(message);
        const struct nlattr *info = NULL;
        json_t *connections = userdata;

        if (mnl_nlmsg_get_payload_len(message) < sizeof(*socket_of) ||
                !is_upstream_port(ntohs(socket_of->id.idiag_dport)) ||
                json_array_size(connections) >= CONNECTIONS_MAX)
                return MNL_CB_OK;
        if (mnl_attr_parse(message, sizeof(*socket_of), on_attribute, &info) >= 0 && info)
                (void) json_array_append_new(connections, describe(socket_of, info));
        return MNL_CB_OK;
}

static int dump(struct mnl_socket *s, unsigned char family, json_t *connections) {
        uint8_t buffer[BUFFER_BYTES];
        struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
        struct inet_diag_req_v2 *which;
        int r = MNL_CB_OK;

        request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
        request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
        request->nlmsg_seq = SEQ;
        which = mnl_nlmsg_put_extra_header(request, sizeof(*which));
        which->sdiag_family = family;
        which->sdiag_protocol = IPPROTO_TCP;
        which->idiag_ext = 1 << (INET_DIAG_INFO - 1);
        which->idiag_states = 1 << TCP_IS_OPEN;
        if (mnl_socket_sendto(s, request, request->nlmsg_len) < 0)
                return -errno;
        while (r == MNL_CB_OK) {
                ssize_t n = mnl_socket_recvfrom(s, buffer, sizeof(buffer));

                if (n < 0)
                        return -errno;
                r = mnl_cb_run(buffer, (size_t) n, SEQ, mnl_socket_get_portid(s), on_socket, connections);
        }
        return r < 0 ? -errno : 0;
}

static int dump_all(const Request *request, json_t *connections) {
        struct timeval timeout = {
                .tv_sec = request->timeout_ms / 1000, .tv_usec = request->timeout_ms % 1000 * 1000};
        struct mnl_socket *s = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
        int r;

        if (!s)
                return -errno;
        r = mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 ||
                        setsockopt(
                                mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0
                ? -errno
                : dump(s, AF_INET, connections);
        if (r >= 0) /* a kernel without IPv6 has none of its sockets */
                (void) dump(s, AF_INET6, connections);
        (void) mnl_socket_close(s);
        return r;
}

static json_t *ask(const Request *request, const char **ret_why) {
        json_t *connections = json_array();

        if (connections && dump_all(request, connections) >= 0)
                return json_pack("{s:s, s:o}", "result", "ok", "connections", connections);
        json_decref(connections);
        *ret_why = "the kernel does not tell its connections";
        return NULL;
}

const Question question_tcp_info = {.name = "tcp-info", .on_network = true, .ask = ask};
