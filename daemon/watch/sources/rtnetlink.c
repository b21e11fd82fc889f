/* Links, addresses, routes and forwarding, as the kernel tells them to anyone who asks; needs no privilege.
 *
 * Subscribes, then asks for everything, one kind after the other, through the same handler. What the kernel
 * could not deliver (ENOBUFS) or changed while it was being told (NLM_F_DUMP_INTR), or what it never tells
 * (the routes that go with a link, the one that another replaced), is made good by asking for everything
 * once more.
 *
 * The trap: the kernel refuses a question while it still answers another on the same socket, so a new
 * enumeration waits for the end of the one under way, and after a storm a moment longer. */

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/watch/source.h"
#include "daemon/watch/sources/registry.h"
#include "lib/event/netlink-message.h"
#include "lib/event/netlink-question.h"

#define RECEIVE_BUFFER_BYTES (1024 * 1024) /* of it the kernel grants at most net.core.rmem_max */
#define BUFFER_BYTES         32768         /* what the kernel puts into one datagram of a dump, at most */
#define BATCH_MAX            32            /* datagrams a turn of the loop */
#define ANSWER_TIMEOUT       (5 * USEC_PER_SEC)
#define RESYNC_PAUSE         (100 * USEC_PER_MSEC)
#define ROOM_PAUSE           (5 * USEC_PER_SEC) /* the merge had no room: ask again once its backlogs are read */

static const EventKind enumerated[] = {EVENT_LINK, EVENT_ADDRESS, EVENT_ROUTE, EVENT_FORWARDING};

typedef struct Rtnetlink {
        Source source;
        struct mnl_socket *socket;
        sd_event_source *io, *resync;
        NetlinkDecoder *decoder;
        MergeInput *input;
        uint8_t *buffer;
        size_t buffer_bytes;
        unsigned port;
        uint32_t seq;     /* of the question under way */
        size_t next_dump; /* index of the one after it */
        bool is_enumerating, is_interrupted;
} Rtnetlink;

static int ask_next(Rtnetlink *n) {
        uint8_t buffer[NETLINK_QUESTION_BYTES];
        struct nlmsghdr *nlh = netlink_question(n->next_dump, ++n->seq, buffer);

        if (mnl_socket_sendto(n->socket, nlh, nlh->nlmsg_len) < 0)
                return -errno;
        n->next_dump++;
        n->source.due = usec_add(source_now(&n->source, CLOCK_MONOTONIC), ANSWER_TIMEOUT);
        return 0;
}

static int enumerate(Rtnetlink *n) {
        n->is_enumerating = true;
        n->is_interrupted = false;
        n->next_dump = 0;
        FOREACH_ARRAY (kind, enumerated, ELEMENTSOF(enumerated))
                world_begin_enumeration(n->source.context.world, *kind);
        return ask_next(n);
}

/* Asks for everything again, after a pause; the sooner of two wishes counts. */
static void resync_in(Rtnetlink *n, usec_t pause) {
        usec_t at = usec_add(source_now(&n->source, CLOCK_MONOTONIC), pause);
        int enabled = SD_EVENT_OFF;
        uint64_t armed;

        (void) sd_event_source_get_enabled(n->resync, &enabled);
        if (enabled != SD_EVENT_OFF && sd_event_source_get_time(n->resync, &armed) >= 0 && armed <= at)
                return;
        (void) sd_event_source_set_time(n->resync, at);
        (void) sd_event_source_set_enabled(n->resync, SD_EVENT_ONESHOT);
}

static int enumeration_ended(Rtnetlink *n) {
        n->is_enumerating = false;
        n->source.due = 0;
        if (n->is_interrupted) {
                resync_in(n, RESYNC_PAUSE);
                return 0;
        }
        FOREACH_ARRAY (kind, enumerated, ELEMENTSOF(enumerated))
                world_end_enumeration(n->source.context.world, *kind);
        merge_set_live(n->input);
        source_set_live(&n->source);
        return 0;
}

static int dump_ended(Rtnetlink *n) {
        return n->next_dump < NETLINK_QUESTIONS ? ask_next(n) : enumeration_ended(n);
}

static int on_resync(sd_event_source *source, uint64_t usec, void *userdata) {
        Rtnetlink *n = userdata;
        int r;

        if (n->is_enumerating) {
                n->is_interrupted = true;
                return 0;
        }
        r = enumerate(n);
        if (r < 0)
                source_degrade(&n->source, r, "Cannot ask the kernel for links and routes");
        return 0;
}

static void lost(Rtnetlink *n) {
        source_lost(&n->source, SOURCE_NETWORK,
                "the kernel could not deliver them; asking for everything again");
        if (n->is_enumerating)
                n->is_interrupted = true;
        else
                resync_in(n, RESYNC_PAUSE);
}

static void deliver(Rtnetlink *n, Event *event, bool is_answer) {
        Source *s = &n->source;
        int r;

        event->time = source_now(&n->source, CLOCK_REALTIME);
        event->initial = is_answer;
        if (is_answer && world_apply(s->context.world, event) < 0)
                s->counters.n_errors++;
        r = intake_offer(s->context.intake, n->input, event);
        if (r > 0)
                s->counters.n_wanted++;
        if (r == -ENOBUFS) {
                s->counters.n_dropped++;
                resync_in(n, ROOM_PAUSE);
        } else if (r < 0)
                s->counters.n_errors++;
}

/* A kernel without IPv6 has no forwarding to tell of; anything else is a failure. */
static int answer_failed(Rtnetlink *n, const struct nlmsghdr *nlh) {
        const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);
        int r = mnl_nlmsg_get_payload_len(nlh) < sizeof(*error) ? -EBADMSG : error->error;

        if (r == -EOPNOTSUPP || r == -EAFNOSUPPORT)
                return dump_ended(n);
        if (r == -EBUSY || r == -EAGAIN) {
                n->is_interrupted = true;
                return enumeration_ended(n);
        }
        return r < 0 ? r : 0;
}

/* With it go its IPv4 routes, of which the kernel does not tell. */
static bool goes_down(const Event *event) {
        return event->kind == EVENT_LINK && !event->deleted && strcmp(event->link.operstate, "DOWN") == 0;
}

/* Which one that was, the kernel does not tell. */
static bool replaces(const Event *event, const struct nlmsghdr *nlh) {
        return event->kind == EVENT_ROUTE && !event->deleted && (nlh->nlmsg_flags & NLM_F_REPLACE);
}

static int take_message(Rtnetlink *n, const struct nlmsghdr *nlh) {
        bool is_answer = n->is_enumerating && nlh->nlmsg_pid == n->port && nlh->nlmsg_seq == n->seq;
        Event event = {};
        int r;

        n->source.counters.n_read++;
        if (is_answer && (nlh->nlmsg_flags & NLM_F_DUMP_INTR) && !n->is_interrupted)
                lost(n);
        if (nlh->nlmsg_type == NLMSG_ERROR)
                return is_answer ? answer_failed(n, nlh) : 0;
        if (nlh->nlmsg_type == NLMSG_DONE)
                return is_answer ? dump_ended(n) : 0;
        if (nlh->nlmsg_type < NLMSG_MIN_TYPE)
                return 0;
        r = netlink_decoder_decode(n->decoder, nlh, &event);
        if (r < 0)
                n->source.counters.n_errors++;
        else if (r > 0) {
                deliver(n, &event, is_answer);
                if (!is_answer && (goes_down(&event) || replaces(&event, nlh)))
                        resync_in(n, RESYNC_PAUSE);
        }
        return 0;
}

/* Returns 1 when there may be more, 0 when there is nothing. */
static int receive(Rtnetlink *n) {
        const struct nlmsghdr *nlh;
        ssize_t got;
        int left, r;

        got = mnl_socket_recvfrom(n->socket, n->buffer, n->buffer_bytes);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
                return 0;
        if (got < 0 && errno == EINTR)
                return 1;
        if (got < 0 &&
                (errno == ENOBUFS || errno == ENOSPC)) { /* overrun; a message longer than our buffer */
                lost(n);
                return 1;
        }
        if (got < 0)
                return -errno;
        left = (int) got;
        for (nlh = (const struct nlmsghdr *) n->buffer; mnl_nlmsg_ok(nlh, left);
                nlh = mnl_nlmsg_next(nlh, &left)) {
                r = take_message(n, nlh);
                if (r < 0)
                        return r;
        }
        return 1;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Rtnetlink *n = userdata;

        for (unsigned i = 0; i < BATCH_MAX; i++) {
                int r = receive(n);
                if (r < 0) {
                        source_degrade(
                                &n->source, r, "Cannot read what the kernel tells of links and routes");
                        return 0;
                }
                if (r == 0)
                        return 0;
        }
        return 0;
}

static int subscribe(Rtnetlink *n) {
        int fd = mnl_socket_get_fd(n->socket), size = RECEIVE_BUFFER_BYTES;

        if (mnl_socket_bind(n->socket, 0, MNL_SOCKET_AUTOPID) < 0)
                return -errno;
        n->port = mnl_socket_get_portid(n->socket);
        /* A small buffer overruns sooner, which is made good; no reason to fail. */
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        FOREACH_ARRAY (group, netlink_groups, NETLINK_GROUPS) {
                unsigned value = *group;
                if (mnl_socket_setsockopt(n->socket, NETLINK_ADD_MEMBERSHIP, &value, sizeof(value)) < 0)
                        return -errno;
        }
        return 0;
}

static int add_event_sources(Rtnetlink *n) {
        sd_event *event = n->source.context.event;
        int r;

        r = sd_event_add_io(event, &n->io, mnl_socket_get_fd(n->socket), EPOLLIN, on_io, n);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(n->io, "rtnetlink-io");
        (void) sd_event_source_set_priority(n->io, SOURCE_PRIORITY_READ);
        r = sd_event_add_time(event, &n->resync, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_resync, n);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(n->resync, "rtnetlink-resync");
        return sd_event_source_set_enabled(n->resync, SD_EVENT_OFF);
}

static int rtnetlink_start(Source *s) {
        Rtnetlink *n = (Rtnetlink *) s;
        int r;

        if (!n->buffer) {
                n->buffer_bytes = BUFFER_BYTES;
                n->buffer = malloc(n->buffer_bytes);
                if (!n->buffer)
                        return -ENOMEM;
        }
        n->decoder = netlink_decoder_free(n->decoder);
        r = netlink_decoder_new(&n->decoder);
        if (r < 0)
                return r;
        n->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (!n->socket)
                return -errno;
        r = subscribe(n);
        if (r < 0)
                return r;
        r = add_event_sources(n);
        if (r < 0)
                return r;
        r = merge_add_input(intake_merge(s->context.intake), SOURCE_NETWORK, &n->input);
        if (r < 0)
                return r;
        merge_set_catching_up(n->input, source_now(&n->source, CLOCK_REALTIME));
        source_set_catching_up(s);
        return enumerate(n);
}

static void rtnetlink_stop(Source *s) {
        Rtnetlink *n = (Rtnetlink *) s;

        n->io = sd_event_source_disable_unref(n->io);
        n->resync = sd_event_source_disable_unref(n->resync);
        if (n->socket)
                (void) mnl_socket_close(n->socket);
        n->socket = NULL;
        if (n->input)
                n->input = merge_remove_input(n->input);
        n->is_enumerating = false;
        s->due = 0;
}

static void rtnetlink_done(Source *s) {
        Rtnetlink *n = (Rtnetlink *) s;

        (void) netlink_decoder_free(n->decoder);
        free(n->buffer);
}

const SourceOps rtnetlink_source_ops = {
        .name = "rtnetlink",
        .kind = SOURCE_NETWORK,
        .object_bytes = sizeof(Rtnetlink),
        .start = rtnetlink_start,
        .stop = rtnetlink_stop,
        .done = rtnetlink_done,
};
