/* Two sockets: one is asked and waited for, the other only listens. Both are decoded by one decoder, which
 * learns the links' names from the dump. The trap: a dump during which something changes is flagged
 * (NLM_F_DUMP_INTR) and may miss objects. */

#include "daemon/collect/network-reader.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include "lib/event/netlink-message.h"
#include "lib/event/netlink-question.h"

#define BUFFER_BYTES   32768
#define ATTEMPTS_MAX   5
#define ANSWER_SECONDS 5

struct NetworkReader {
        struct mnl_socket *asked, *listening;
        NetlinkDecoder *decoder;
        uint32_t seq;
        uint8_t buffer[BUFFER_BYTES];
};

NetworkReader *network_reader_free(NetworkReader *n) {
        if (!n)
                return NULL;
        if (n->asked)
                (void) mnl_socket_close(n->asked);
        if (n->listening)
                (void) mnl_socket_close(n->listening);
        netlink_decoder_free(n->decoder);
        free(n);
        return NULL;
}

static int open_socket(struct mnl_socket **ret, int flags) {
        struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | flags);

        if (!s)
                return -errno;
        if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
                int r = -errno;

                (void) mnl_socket_close(s);
                return r;
        }
        *ret = s;
        return 0;
}

int network_reader_new(NetworkReader **ret) {
        _cleanup_(network_reader_freep) NetworkReader *n = calloc(1, sizeof(*n));
        struct timeval timeout = {.tv_sec = ANSWER_SECONDS};
        int r;

        if (!n)
                return -ENOMEM;
        r = netlink_decoder_new(&n->decoder);
        if (r < 0)
                return r;
        r = open_socket(&n->asked, 0);
        if (r < 0)
                return r;
        if (setsockopt(mnl_socket_get_fd(n->asked), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
                return -errno;
        r = open_socket(&n->listening, SOCK_NONBLOCK);
        if (r < 0)
                return r;
        FOREACH_ARRAY (group, netlink_groups, NETLINK_GROUPS) {
                unsigned value = *group;

                if (mnl_socket_setsockopt(n->listening, NETLINK_ADD_MEMBERSHIP, &value, sizeof(value)) < 0)
                        return -errno;
        }
        *ret = TAKE_PTR(n);
        return 0;
}

static int deliver(NetworkReader *n, const struct nlmsghdr *nlh, network_event_t each, void *userdata) {
        Event event = {};
        int r;

        if (nlh->nlmsg_type < NLMSG_MIN_TYPE)
                return 0;
        r = netlink_decoder_decode(n->decoder, nlh, &event);
        /* one that the kernel wrote and we cannot read costs that one */
        return r > 0 ? each(userdata, &event) : r == -ENOMEM ? r : 0;
}

static int ask(NetworkReader *n, size_t dump) {
        uint8_t buffer[NETLINK_QUESTION_BYTES];
        struct nlmsghdr *nlh = netlink_question(dump, ++n->seq, buffer);

        return mnl_socket_sendto(n->asked, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
}

static int error_of_message(const struct nlmsghdr *nlh) {
        const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);
        int r = mnl_nlmsg_get_payload_len(nlh) < sizeof(*error) ? -EBADMSG : error->error;

        /* a kernel without IPv6 */
        return r == -EOPNOTSUPP || r == -EAFNOSUPPORT ? 0 : r;
}

/* Returns 1 at the answer's end, 0 when more comes, -EINTR when it has to be asked again. */
static int take_datagram(NetworkReader *n, ssize_t got, network_event_t each, void *userdata) {
        int left = (int) got, r;

        for (const struct nlmsghdr *nlh = (const struct nlmsghdr *) n->buffer; mnl_nlmsg_ok(nlh, left);
                nlh = mnl_nlmsg_next(nlh, &left)) {
                if (nlh->nlmsg_seq != n->seq)
                        continue;
                if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
                        return -EINTR;
                if (nlh->nlmsg_type == NLMSG_DONE)
                        return 1;
                if (nlh->nlmsg_type == NLMSG_ERROR) {
                        r = error_of_message(nlh);
                        return r < 0 ? r : 1;
                }
                r = deliver(n, nlh, each, userdata);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int dump_one(NetworkReader *n, size_t dump, network_event_t each, void *userdata) {
        int r;

        r = ask(n, dump);
        while (r == 0) {
                ssize_t got = mnl_socket_recvfrom(n->asked, n->buffer, sizeof(n->buffer));

                if (got < 0)
                        return errno == EAGAIN ? -ETIMEDOUT : -errno;
                r = take_datagram(n, got, each, userdata);
        }
        return r < 0 ? r : 0;
}

int network_reader_dump(
        NetworkReader *n, void (*begin)(void *userdata), network_event_t each, void *userdata) {
        int r = -EINTR;

        for (unsigned attempt = 0; r == -EINTR && attempt < ATTEMPTS_MAX; attempt++) {
                begin(userdata);
                r = 0;
                for (size_t i = 0; r == 0 && i < NETLINK_QUESTIONS; i++)
                        r = dump_one(n, i, each, userdata);
        }
        return r;
}

int network_reader_changes(NetworkReader *n, network_event_t each, void *userdata) {
        int lost = 0;

        for (;;) {
                ssize_t got = mnl_socket_recvfrom(n->listening, n->buffer, sizeof(n->buffer));
                int left = (int) got;

                if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
                        return lost;
                if (got < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
                        lost = 1;
                        continue;
                }
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                for (const struct nlmsghdr *nlh = (const struct nlmsghdr *) n->buffer;
                        mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
                        int r = deliver(n, nlh, each, userdata);
                        if (r < 0)
                                return r;
                }
        }
}

int network_reader_fd(const NetworkReader *n) {
        return mnl_socket_get_fd(n->listening);
}
