/* How large may packets be on the way to this port? Several connections are opened and one segment is sent
 * on each, every one of another size and whole (DF): what the other side's kernel acknowledges has come
 * through. A segment that never is, while a smaller one is, was swallowed by a narrower link whose word
 * about it (ICMP) is filtered. Where that word comes, the kernel cuts the segment up and its MSS tells the
 * size.
 *
 * What is sent is a ClientHello that is padded to the size, so a hub or parent sees nothing but handshakes
 * that are not gone on with. Its answer is large: when all is acknowledged and no answer comes, the way back
 * is the narrow one. */

#include "daemon/probe/client-hello.h"
#include "daemon/probe/lookup.h"
#include "daemon/probe/questions.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "daemon/base/clock.h"

#define WAIT          (3 * USEC_PER_SEC) /* four times or more a segment is sent again in this time */
#define LOOK_EVERY_MS 50                 /* no event tells of an acknowledgement */

/* Of links that are met: Ethernet, PPPoE, tunnels, mobile networks, the least of IPv6, the least of all that
 * a ClientHello of any name fits into. The first is what this side would send. */
static const int usual_sizes[] = {1492, 1460, 1430, 1400, 1358, 1280, 576};

typedef struct Attempt {
        int fd;
        int size;   /* of the packet, with its headers */
        int passed; /* size of the packet, or of its pieces, that was acknowledged; 0: none */
        bool is_sent, is_answered;
} Attempt;

typedef struct Path {
        const Request *request;
        const struct sockaddr_storage *address;
        socklen_t length;
        int headers; /* bytes of IP's and TCP's, options included */
        Attempt attempts[ELEMENTSOF(usual_sizes) + 1];
        size_t n_attempts;
} Path;

static int open_connection(const struct sockaddr_storage *address, socklen_t length) {
        const struct linger no_linger = {.l_onoff = 1}; /* nothing is sent again once we are gone */
        const int on = 1, whole = IP_PMTUDISC_DO;
        bool is_inet = address->ss_family == AF_INET;
        _cleanup_(closep) int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_LINGER, &no_linger, sizeof(no_linger)) < 0 ||
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
                setsockopt(fd, is_inet ? IPPROTO_IP : IPPROTO_IPV6,
                        is_inet ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &whole, sizeof(whole)) < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *) address, length) < 0 && errno != EINPROGRESS)
                return -errno;
        return TAKE_FD(fd);
}

static int connection_error(int fd) {
        socklen_t size = sizeof(int);
        int error = 0;

        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

/* The largest packet that the connection would send now; 0 when it cannot be told. */
static int packet_size(int fd, sa_family_t family, int *ret_headers) {
        struct tcp_info info = {};
        socklen_t size = sizeof(info);

        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
                return 0;
        *ret_headers = (family == AF_INET ? 40 : 60) + (info.tcpi_options & TCPI_OPT_TIMESTAMPS ? 12 : 0);
        return (int) info.tcpi_snd_mss + *ret_headers;
}

/* Returns 0 or the errno of connect(2). */
static int open_first(Path *p, const Lookup *l) {
        int error = ETIMEDOUT;

        for (size_t i = 0; i < l->n_addresses; i++) {
                _cleanup_(closep) int fd = open_connection(l->addresses + i, l->lengths[i]);
                struct pollfd wait = {.fd = fd, .events = POLLOUT};

                if (fd < 0) {
                        error = -fd;
                        continue;
                }
                error = poll(&wait, 1, p->request->timeout_ms / 2 / (int) l->n_addresses) > 0
                        ? connection_error(fd)
                        : ETIMEDOUT;
                if (error != 0)
                        continue;
                p->address = l->addresses + i;
                p->length = l->lengths[i];
                p->attempts[0].size = packet_size(fd, p->address->ss_family, &p->headers);
                p->attempts[0].fd = TAKE_FD(fd);
                p->n_attempts = 1;
                return p->attempts[0].size > 0 ? 0 : EOPNOTSUPP;
        }
        return error;
}

static void open_others(Path *p) {
        for (size_t i = 0; i < ELEMENTSOF(usual_sizes); i++) {
                int fd;

                if (usual_sizes[i] >= p->attempts[0].size)
                        continue;
                fd = open_connection(p->address, p->length);
                if (fd >= 0)
                        p->attempts[p->n_attempts++] = (Attempt){.fd = fd, .size = usual_sizes[i]};
        }
}

static void send_hello(const Path *p, Attempt *a) {
        uint8_t hello[CLIENT_HELLO_MAX_BYTES];
        size_t len = (size_t) (a->size - p->headers);

        if (len > sizeof(hello)) { /* a loopback's */
                len = sizeof(hello);
                a->size = (int) len + p->headers;
        }
        if (connection_error(a->fd) == 0 && client_hello_write(text_of(p->request->host), len, hello) >= 0)
                a->is_sent = send(a->fd, hello, len, MSG_NOSIGNAL) == (ssize_t) len;
}

static void take_events(const Path *p, Attempt *a, short events) {
        int unacknowledged = 1, headers, now;
        char answer[4096];

        if (!a->is_sent) {
                if (events & POLLOUT)
                        send_hello(p, a);
                return;
        }
        if (events & (POLLIN | POLLHUP | POLLERR)) {
                ssize_t n = recv(a->fd, answer, sizeof(answer), 0);

                a->is_answered = a->is_answered || n >= 0 || errno == ECONNRESET;
        }
        if (a->passed > 0 || (ioctl(a->fd, SIOCOUTQ, &unacknowledged) < 0 && !a->is_answered) ||
                (unacknowledged > 0 && !a->is_answered))
                return;
        now = packet_size(a->fd, p->address->ss_family, &headers);
        a->passed = now > 0 && now < a->size ? now : a->size;
}

static bool is_settled(const Path *p) {
        bool is_answered = false;

        for (size_t i = 0; i < p->n_attempts; i++) {
                if (p->attempts[i].passed == 0)
                        return false;
                is_answered = is_answered || p->attempts[i].is_answered;
        }
        return is_answered;
}

static void wait_for_answers(Path *p) {
        usec_t until = usec_add(monotonic_now(), WAIT);

        while (!is_settled(p) && monotonic_now() < until) {
                struct pollfd waits[ELEMENTSOF(p->attempts)];

                for (size_t i = 0; i < p->n_attempts; i++) {
                        const Attempt *a = p->attempts + i;

                        waits[i] = (struct pollfd){
                                .fd = a->is_answered ? -1 : a->fd, .events = a->is_sent ? POLLIN : POLLOUT};
                }
                if (poll(waits, p->n_attempts, LOOK_EVERY_MS) < 0 && errno != EINTR)
                        return;
                for (size_t i = 0; i < p->n_attempts; i++)
                        take_events(p, p->attempts + i, waits[i].revents);
        }
}

static json_t *judge(const Path *p) {
        char detail[128] = "";
        bool is_answered = false;
        int mtu = 0, lost = 0;

        for (size_t i = 0; i < p->n_attempts; i++) {
                const Attempt *a = p->attempts + i;

                is_answered = is_answered || a->is_answered;
                if (a->passed > mtu)
                        mtu = a->passed;
        }
        for (size_t i = 0; i < p->n_attempts; i++) {
                const Attempt *a = p->attempts + i;

                if (a->is_sent && a->passed == 0 && a->size > mtu && (lost == 0 || a->size < lost))
                        lost = a->size;
        }
        if (mtu == 0)
                return network_result("timeout", "nothing that was sent is acknowledged");
        if (lost > 0)
                (void) snprintf(detail, sizeof(detail),
                        "packets of %d bytes come through, of %d bytes they vanish", mtu, lost);
        else if (!is_answered)
                (void) snprintf(detail, sizeof(detail),
                        "packets of %d bytes come through, but no answer comes back", mtu);
        return json_pack("{s:s, s:s, s:i, s:i, s:b}", "result", detail[0] ? "timeout" : "ok", "detail",
                detail, "mtu", mtu, "lost", lost, "answered", (int) is_answered);
}

static json_t *ask(const Request *request, const char **ret_why) {
        Path path = {.request = request};
        json_t *value;
        Lookup l;
        int error;

        lookup_run(request, &l);
        if (l.n_addresses == 0)
                return lookup_answer(&l, ret_why);
        error = open_first(&path, &l);
        if (error == 0) {
                open_others(&path);
                wait_for_answers(&path);
        }
        value = error == 0 ? judge(&path) : network_result(connect_result_word(error), strerror(error));
        if (!value)
                *ret_why = "memory is out";
        for (size_t i = 0; i < path.n_attempts; i++)
                closep(&path.attempts[i].fd);
        return value;
}

const Question question_path_mtu = {
        .name = "path-mtu", .on_network = true, .needs_host = true, .needs_port = true, .ask = ask};
