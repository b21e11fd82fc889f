/* Who may come in, how many, and what is said about it.
 *
 * The trap: user edgewatch may be an attacker's by now. What it sends must not fill the journal, what it
 * opens must not use up our descriptors, and neither may end the program: each start of it by systemd counts
 * against a limit. */

#include "daemon/gate/gate-internal.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <systemd/sd-daemon.h>

#include "daemon/base/log.h"

#define ACCEPTED_AT_ONCE 16U
#define SHOWN_MAX        ((size_t) 120)
#define OTHER_FILES      32U /* besides the two of each connection */
#define ACCEPT_PAUSE     USEC_PER_SEC

static usec_t gate_now(const Gate *g) {
        usec_t now;

        return sd_event_now(g->event, CLOCK_MONOTONIC, &now) < 0 ? 0 : now;
}

void gate_log_refusal(Gate *g, const struct ucred *peer, const char *why, Text what) {
        const char *line_end = what.len > 0 ? memchr(what.data, '\r', what.len) : NULL;
        _cleanup_(freep) char *shown = NULL;
        usec_t now = gate_now(g);

        if (now >= usec_add(g->minute, USEC_PER_MIN)) {
                if (g->n_refusals > GATE_REFUSALS_MAX)
                        log_warning("Refused %u more requests.", g->n_refusals - GATE_REFUSALS_MAX);
                g->minute = now;
                g->n_refusals = 0;
        }
        if (++g->n_refusals > GATE_REFUSALS_MAX)
                return;
        shown = text_to_utf8(line_end ? text_clip(what, (size_t) (line_end - what.data)) : what, SHOWN_MAX);
        log_warning("Refused process %ld of user %lu: %s%s%s", (long) peer->pid, (unsigned long) peer->uid,
                why, shown && shown[0] ? ": " : "", shown ? shown : "");
}

void gate_engine_is(Gate *g, int error, const char *reason) {
        if (error == g->engine_error)
                return;
        g->engine_error = error;
        if (error < 0)
                log_warning("Docker cannot be asked: %s.", reason);
        else
                log_info("Docker can be asked again.");
        (void) sd_notifyf(0, "STATUS=%s", error < 0 ? reason : "Docker can be asked.");
}

/* Two descriptors a connection have to fit in what we may have. */
static unsigned connections_max(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
                limit.rlim_cur >= 2 * (rlim_t) GATE_CONNECTIONS_MAX + OTHER_FILES)
                return GATE_CONNECTIONS_MAX;
        return limit.rlim_cur > OTHER_FILES ? (unsigned) (limit.rlim_cur - OTHER_FILES) / 2 : 0;
}

static int take(Gate *g, int accepted) {
        _cleanup_(closep) int fd = accepted;
        struct ucred peer;
        socklen_t len = sizeof(peer);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
                return -errno;
        if (peer.uid != g->uid) {
                gate_log_refusal(g, &peer, "only edgewatchd's user may ask", TEXT_NONE);
                answer_with(fd, 403, "only edgewatchd's user may ask");
                return 0;
        }
        if (g->n_connections >= g->max_connections) {
                gate_log_refusal(g, &peer, "there are too many connections", TEXT_NONE);
                answer_with(fd, 503, "there are too many connections");
                return 0;
        }
        return connection_new(g, TAKE_FD(fd), &peer);
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata) {
        Gate *g = userdata;

        return sd_event_source_set_enabled(g->listener, SD_EVENT_ON);
}

/* Descriptors or memory are out, of the whole machine perhaps. The listener stays readable all the time, and
 * a handler that fails is never called again. */
static int pause_listening(Gate *g, int error) {
        int r;

        if (error != g->accept_error)
                (void) log_error_errno(error, "Failed to accept a connection, trying again: %m");
        g->accept_error = error;
        r = sd_event_source_set_time_relative(g->pause, ACCEPT_PAUSE);
        if (r >= 0)
                r = sd_event_source_set_enabled(g->pause, SD_EVENT_ONESHOT);
        return r < 0 ? r : sd_event_source_set_enabled(g->listener, SD_EVENT_OFF);
}

static int on_listener(sd_event_source *source, int listener, uint32_t revents, void *userdata) {
        Gate *g = userdata;

        for (unsigned i = 0; i < ACCEPTED_AT_ONCE; i++) {
                int r, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
                        break;
                if (fd < 0)
                        return pause_listening(g, -errno);
                g->accept_error = 0;
                r = take(g, fd);
                if (r < 0)
                        (void) log_error_errno(r, "A connection cannot be served: %m");
        }
        return 0;
}

/* Made beforehand: when it is needed there is no descriptor for it. */
static int add_pause(Gate *g) {
        int r = sd_event_add_time_relative(
                g->event, &g->pause, CLOCK_MONOTONIC, ACCEPT_PAUSE, 100 * USEC_PER_MSEC, on_pause_over, g);

        if (r < 0)
                return r;
        (void) sd_event_source_set_description(g->pause, "gate-pause");
        return sd_event_source_set_enabled(g->pause, SD_EVENT_OFF);
}

int gate_new(Gate **ret, sd_event *event, int listener, uid_t uid, const char *engine) {
        _cleanup_(gate_freep) Gate *g = calloc(1, sizeof(*g));
        int r;

        /* systemd passes it as one that waits, and there is not always as much to accept as we ask for */
        if (!g || fcntl(listener, F_SETFL, O_NONBLOCK) < 0) {
                r = g ? -errno : -ENOMEM;
                (void) close(listener);
                return r;
        }
        g->event = sd_event_ref(event);
        g->uid = uid;
        g->max_connections = connections_max();
        r = sd_event_add_io(event, &g->listener, listener, EPOLLIN, on_listener, g);
        if (r < 0) {
                (void) close(listener);
                return r;
        }
        r = sd_event_source_set_io_fd_own(g->listener, true);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(g->listener, "gate-listener");
        r = add_pause(g);
        if (r < 0)
                return r;
        g->engine = strdup(engine);
        if (!g->engine)
                return -ENOMEM;
        *ret = TAKE_PTR(g);
        return 0;
}

Gate *gate_free(Gate *g) {
        if (!g)
                return NULL;
        while (g->connections)
                (void) connection_free(g->connections);
        (void) sd_event_source_disable_unref(g->listener);
        (void) sd_event_source_disable_unref(g->pause);
        (void) sd_event_unref(g->event);
        free(g->engine);
        free(g);
        return NULL;
}
