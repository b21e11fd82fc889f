/* One connection: reads one request, asks the engine by one of its own, and hands the answer through as it
 * comes.
 *
 * Promises: of the caller's bytes none goes further than lib/gate; an answer is never in memory as a whole.
 * While the caller does not read, the engine is not read either. The traps: a caller that has shut its
 * sending end still reads, and so is not gone before the kernel says EPOLLHUP; an engine that has begun its
 * answer can no more be given another status. */

#include <stdio.h>
#include <sys/socket.h>

#include "daemon/gate/engine.h"
#include "daemon/gate/gate-internal.h"
#include "lib/gate/gate-request.h"

struct Connection {
        Gate *gate;
        Connection *previous, *next;
        struct ucred peer;
        sd_event_source *client, *engine, *deadline;
        Buffer request; /* as far as it came; what is parsed is never longer than two pieces */
        Buffer pending; /* of the answer: what the caller had no room for */
        bool is_stream, answered, half_closed;
};

Connection *connection_free(Connection *c) {
        if (!c)
                return NULL;
        if (c->gate->connections == c)
                c->gate->connections = c->next;
        if (c->previous)
                c->previous->next = c->next;
        if (c->next)
                c->next->previous = c->previous;
        c->gate->n_connections--;
        (void) sd_event_source_disable_unref(c->client);
        (void) sd_event_source_disable_unref(c->engine);
        (void) sd_event_source_disable_unref(c->deadline);
        buffer_done(&c->request);
        buffer_done(&c->pending);
        free(c);
        return NULL;
}
DEFINE_CLEANUP(Connection, connection_free);

static const struct {
        int status;
        const char *phrase;
} phrases[] = {
        {400, "Bad Request"},
        {403, "Forbidden"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {431, "Request Header Fields Too Large"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
};

static const char *phrase_of(int status) {
        for (size_t i = 0; i < ELEMENTSOF(phrases); i++)
                if (phrases[i].status == status)
                        return phrases[i].phrase;
        return "Error";
}

/* `why` is ours, but it may name a path or a group: what would end a JSON string is left out. */
void answer_with(int fd, int status, const char *why) {
        char body[ENGINE_REASON_MAX + 32], answer[ENGINE_REASON_MAX + 256];
        size_t n = (size_t) snprintf(body, sizeof(body), "{\"message\":\"");
        int len;

        for (; *why && n < sizeof(body) - sizeof("\"}\n"); why++)
                if (*why != '"' && *why != '\\' && (unsigned char) *why >= ' ')
                        body[n++] = *why;
        memcpy(body + n, "\"}\n", sizeof("\"}\n"));
        len = snprintf(answer, sizeof(answer),
                "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                "Connection: close\r\n\r\n%s",
                status, phrase_of(status), strlen(body), body);
        (void) send(fd, answer, (size_t) len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int client_fd(const Connection *c) {
        return sd_event_source_get_io_fd(c->client);
}

/* Ends it. Once the answer has begun all that can be told is that it breaks off. */
static void end_with(Connection *c, int status, const char *why) {
        if (!c->answered)
                answer_with(client_fd(c), status, why);
        (void) connection_free(c);
}

static void refuse(Connection *c, int status, const char *why) {
        gate_log_refusal(c->gate, &c->peer, why, buffer_text(&c->request));
        end_with(c, status, why);
}

/* 0 is for ever. */
static int set_deadline(Connection *c, usec_t time) {
        int r;

        if (time == 0)
                return sd_event_source_set_enabled(c->deadline, SD_EVENT_OFF);
        r = sd_event_source_set_time_relative(c->deadline, time);
        return r < 0 ? r : sd_event_source_set_enabled(c->deadline, SD_EVENT_ONESHOT);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        Connection *c = userdata;
        char why[ENGINE_REASON_MAX];

        if (!c->engine) {
                refuse(c, 408, "the request did not come to its end in time");
                return 0;
        }
        (void) snprintf(
                why, sizeof(why), "the engine at %s takes connections but does not answer", c->gate->engine);
        end_with(c, 504, why);
        return 0;
}

/* What the caller is watched for: that it goes is always told. */
static int watch_client(Connection *c) {
        uint32_t events = (c->pending.len > 0 ? EPOLLOUT : 0U) | (c->half_closed ? 0U : EPOLLIN);

        return sd_event_source_set_io_events(c->client, events);
}

/* Returns how much of it went, 0 when there is no room. */
static ssize_t send_some(Connection *c, Text piece) {
        ssize_t n = send(client_fd(c), piece.data, piece.len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        return n;
}

static int hand_through(Connection *c, Text piece) {
        ssize_t n = send_some(c, piece);
        int r;

        if (n < 0)
                return (int) n;
        if ((size_t) n == piece.len)
                return set_deadline(c, c->is_stream ? 0 : GATE_SILENCE_MAX);
        r = buffer_append_text(&c->pending, text_skip(piece, (size_t) n));
        if (r >= 0)
                r = sd_event_source_set_enabled(c->engine, SD_EVENT_OFF);
        if (r >= 0)
                r = set_deadline(c, 0); /* it is the caller that is waited for */
        return r < 0 ? r : watch_client(c);
}

static int hand_pending(Connection *c) {
        ssize_t n = send_some(c, buffer_text(&c->pending));
        int r;

        if (n < 0)
                return (int) n;
        buffer_consume(&c->pending, (size_t) n);
        if (c->pending.len > 0)
                return 0;
        buffer_done(&c->pending);
        r = sd_event_source_set_enabled(c->engine, SD_EVENT_ON);
        if (r >= 0)
                r = set_deadline(c, c->is_stream ? 0 : GATE_SILENCE_MAX);
        return r < 0 ? r : watch_client(c);
}

static int on_engine(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Connection *c = userdata;
        ssize_t n = recv(fd, c->gate->piece, sizeof(c->gate->piece), MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n <= 0) {
                end_with(c, 502, "the engine ended the connection without an answer");
                return 0;
        }
        c->answered = true;
        if (hand_through(c, (Text){c->gate->piece, (size_t) n}) < 0)
                (void) connection_free(c);
        return 0;
}

static int ask_engine(Connection *c, const GateRequest *request) {
        int fd = -EBADF, r;

        r = engine_ask(c->gate->engine, request->target, &fd);
        if (r < 0) {
                char why[ENGINE_REASON_MAX];

                engine_explain(c->gate->engine, r, why);
                gate_engine_is(c->gate, r, why);
                end_with(c, r == -EAGAIN ? 503 : 502, why);
                return 0;
        }
        gate_engine_is(c->gate, 0, NULL);
        c->is_stream = request->is_stream;
        r = sd_event_add_io(c->gate->event, &c->engine, fd, EPOLLIN, on_engine, c);
        if (r < 0) {
                (void) close(fd);
                return r;
        }
        r = sd_event_source_set_io_fd_own(c->engine, true);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(c->engine, "gate-engine");
        buffer_done(&c->request);
        return set_deadline(c, GATE_ANSWER_TIME);
}

static int status_of(int error) {
        switch (error) {
        case -EACCES:
                return 403;
        case -EOPNOTSUPP:
                return 405;
        case -EFBIG:
                return 431;
        default:
                return 400;
        }
}

static int take_request(Connection *c, Text piece) {
        const char *why = NULL;
        GateRequest request;
        int r;

        if (piece.len == 0 && c->request.len == 0)
                return -ECONNRESET; /* it asked for nothing */
        r = buffer_append_text(&c->request, piece);
        if (r < 0)
                return r;
        r = gate_request_parse(buffer_text(&c->request), &request, &why);
        if (r == -EAGAIN && piece.len > 0)
                return 0;
        if (r < 0) {
                refuse(c, status_of(r), why ? why : "the request ends in the middle");
                return 0;
        }
        return ask_engine(c, &request);
}

/* The request was read: nothing may follow it but the end. */
static int read_behind(Connection *c, Text piece) {
        if (piece.len == 0) {
                c->half_closed = true;
                return watch_client(c);
        }
        gate_log_refusal(c->gate, &c->peer, "it sends more than its request", piece);
        return -EBADMSG;
}

static int serve_client(Connection *c, int fd, uint32_t revents) {
        char piece[GATE_REQUEST_MAX];
        ssize_t n;
        int r;

        if (revents & (EPOLLHUP | EPOLLERR) && c->engine)
                return -ECONNRESET;
        if (revents & EPOLLOUT) {
                r = hand_pending(c);
                if (r < 0)
                        return r;
        }
        if (!(revents & EPOLLIN) || c->half_closed)
                return 0;
        n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        return c->engine ? read_behind(c, (Text){piece, (size_t) n})
                         : take_request(c, (Text){piece, (size_t) n});
}

/* Whoever ends the connection returns 0: below 0 it is still there, and nothing can be told any more. */
static int on_client(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Connection *c = userdata;

        if (serve_client(c, fd, revents) < 0)
                (void) connection_free(c);
        return 0;
}

int connection_new(Gate *g, int fd, const struct ucred *peer) {
        _cleanup_(connection_freep) Connection *c = calloc(1, sizeof(*c));
        int r;

        if (!c) {
                (void) close(fd);
                return -ENOMEM;
        }
        *c = (Connection){.gate = g, .peer = *peer, .next = g->connections};
        if (c->next)
                c->next->previous = c;
        g->connections = c;
        g->n_connections++;
        r = sd_event_add_io(g->event, &c->client, fd, EPOLLIN, on_client, c);
        if (r < 0) {
                (void) close(fd);
                return r;
        }
        r = sd_event_source_set_io_fd_own(c->client, true);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(c->client, "gate-client");
        r = sd_event_add_time_relative(g->event, &c->deadline, CLOCK_MONOTONIC, GATE_REQUEST_TIME,
                100 * USEC_PER_MSEC, on_deadline, c);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(c->deadline, "gate-deadline");
        (void) TAKE_PTR(c);
        return 0;
}
