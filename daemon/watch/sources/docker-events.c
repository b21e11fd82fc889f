/* `GET /events`: first the past up to now, which ends, then the stream from where the past ended. So it is
 * known when everything old has arrived, which the stream alone would never tell.
 *
 * Promises: no event twice. `since=` is inclusive, so as many events as were consumed at the position's very
 * nanosecond are skipped. The stream's end is a loss for the whole source: the engine went away. */

#include "daemon/watch/sources/docker.h"

#include <stdio.h>

/* {"type":["container","network","daemon"]} */
static const char filters[] = "%7B%22type%22%3A%5B%22container%22%2C%22network%22%2C%22daemon%22%5D%7D";

static int open_events(Docker *d, uint64_t until_nsec);

static bool is_consumed(Docker *d, uint64_t nsec) {
        if (nsec != d->event_skip.nsec || d->n_skipped >= d->event_skip.frames)
                return false;
        d->n_skipped++;
        return true;
}

static void advance(Docker *d, uint64_t nsec) {
        if (nsec == d->event_position.nsec)
                d->event_position.frames++;
        else
                d->event_position = (DockerLogPosition){.nsec = nsec, .frames = 1};
        if (d->events.input)
                merge_set_position(d->events.input, nsec / NSEC_PER_USEC);
}

static void take_container(Docker *d, const Event *event) {
        DockerContainer *c = docker_find_container(d, event->container.id);
        bool is_gone = text_is(event->container.action, "destroy");
        /* a container of somebody else counts once it runs: it may publish a port that a module wants */
        bool is_of_interest = event->container.owned || text_is(event->container.action, "start");

        if (!c && is_of_interest && !is_gone && docker_add_container(d, event->container.id, &c) < 0)
                d->source.counters.n_dropped++;
        if (c && !docker_history_note(&c->history, event->container.action, event->time))
                return;
        docker_channel_deliver(d, &d->events, event);
        if (!c)
                return;
        if (is_gone)
                docker_bury_container(d, c);
        else
                docker_touch_container(d, c);
}

/* A failed start tells no more than that a container left its network. */
static void take_network(Docker *d, const Event *event) {
        DockerContainer *c = docker_find_container(d, event->network.container_id);

        docker_channel_deliver(d, &d->events, event);
        if (text_is(event->network.action, "create") || text_is(event->network.action, "destroy"))
                docker_networks_changed(d);
        if (c)
                docker_touch_container(d, c);
}

static void take_line(Docker *d, Text line) {
        json_t *object = json_loadb(line.data, line.len, 0, NULL);
        json_int_t nsec = json_integer_value(json_object_get(object, "timeNano"));
        Event event = {};
        int r;

        if (!object || nsec <= 0) {
                d->source.counters.n_errors++;
                json_decref(object);
                return;
        }
        if (is_consumed(d, (uint64_t) nsec)) {
                json_decref(object);
                return;
        }
        r = docker_event_decode(object, &event, NULL);
        if (r < 0)
                d->source.counters.n_errors++;
        else if (r > 0 && event.kind == EVENT_CONTAINER)
                take_container(d, &event);
        else if (r > 0)
                take_network(d, &event);
        advance(d, (uint64_t) nsec);
        json_decref(object);
}

static int on_events(void *userdata, Text piece) {
        Docker *d = userdata;

        if (d->events.n_pending > 0)
                return HTTP_PAUSE;
        while (piece.len > 0) {
                const char *end = memchr(piece.data, '\n', piece.len);
                size_t n = end ? (size_t) (end - piece.data) : piece.len;

                if (!d->line_too_long && buffer_append(&d->line, piece.data, n) < 0)
                        d->line_too_long = true;
                piece = text_skip(piece, end ? n + 1 : n);
                if (!end)
                        break;
                if (d->line_too_long)
                        d->source.counters.n_errors++;
                else if (d->line.len > 0)
                        take_line(d, buffer_text(&d->line));
                d->line_too_long = false;
                buffer_clear(&d->line);
        }
        return 0;
}

/* Subscribed: now enumerate. */
static int follow(Docker *d) {
        int r;

        if (d->events.input)
                merge_set_live(d->events.input);
        r = open_events(d, 0);
        if (r < 0)
                return r;
        d->events_follow = true;
        return docker_sweep_start(d);
}

static void on_events_done(void *userdata, const HttpResult *result) {
        Docker *d = userdata;
        int r;

        d->events.request = NULL;
        if (result->error < 0 || result->status != 200 || d->events_follow) {
                d->source.counters.n_lost += d->events_follow;
                source_degrade(&d->source, result->error < 0 ? result->error : -ECONNRESET,
                        d->events_follow ? "Docker at %s ended its event stream"
                                         : "Docker at %s does not tell its events",
                        d->socket);
                return;
        }
        r = follow(d);
        if (r < 0)
                source_degrade(&d->source, r, "Cannot follow the events of Docker at %s", d->socket);
}

static int open_events(Docker *d, uint64_t until_nsec) {
        char path[256], until[64] = "";
        HttpOptions options = {.data = on_events, .done = on_events_done};

        if (until_nsec > 0) {
                (void) snprintf(until, sizeof(until), "&until=%" PRIu64 ".%09" PRIu64,
                        until_nsec / NSEC_PER_SEC, until_nsec % NSEC_PER_SEC);
                options.idle_timeout = DOCKER_ANSWER_TIMEOUT;
        }
        d->event_skip = d->event_position;
        d->n_skipped = 0;
        d->line_too_long = false;
        buffer_clear(&d->line);
        (void) snprintf(path, sizeof(path), "/events?filters=%s&since=%" PRIu64 ".%09" PRIu64 "%s", filters,
                d->event_position.nsec / NSEC_PER_SEC, d->event_position.nsec % NSEC_PER_SEC, until);
        return docker_get(d, path, options, &d->events.request);
}

/* A clock that is behind what was read: the engine refuses to tell of a time that is still to come. */
static void limit_position(Docker *d, uint64_t now_nsec) {
        if (d->event_position.nsec > now_nsec)
                d->event_position = (DockerLogPosition){.nsec = now_nsec};
}

int docker_events_start(Docker *d) {
        usec_t now = source_now(&d->source, CLOCK_REALTIME);
        int r;

        limit_position(d, now * NSEC_PER_USEC);
        r = docker_channel_open(d, &d->state, SOURCE_DOCKER_STATE, d->event_position.nsec / NSEC_PER_USEC);
        if (r < 0)
                return r;
        r = docker_channel_open(d, &d->events, SOURCE_DOCKER_EVENTS, d->event_position.nsec / NSEC_PER_USEC);
        if (r < 0)
                return r;
        d->events_follow = false;
        return open_events(d, now * NSEC_PER_USEC);
}

void docker_events_stop(Docker *d) {
        docker_channel_close(&d->events);
        d->events_follow = false;
}
