/* The life of the Docker source: greets the engine, subscribes to its events, then sweeps, and follows the
 * logs of the containers that the IoT Edge runtime owns. Any answer that fails to come, and any end of the
 * event stream, is a loss: everything is let go and begins anew after the back-off, from the positions.
 *
 * The trap: the World is behind the merge, so it cannot tell what this source has told already. The table of
 * containers here can; it outlives stop(), and is saved. */

#include "daemon/watch/sources/docker.h"

#include <stdio.h>

#include "lib/config/config.h"

#define GATE_SOCKET     "/run/edgewatch-gate.sock"
#define ENGINE_SOCKET   "/run/docker.sock"
#define ERROR_SHOWN_MAX ((size_t) 400) /* the gate says what would help, too */

static const char *const hello_what = "Docker's version";

int docker_get(Docker *d, const char *path, HttpOptions options, HttpRequest **ret) {
        _cleanup_(freep) char *url = NULL;

        if (asprintf(&url, "http://docker%s%s", d->api, path) < 0) {
                url = NULL;
                return -ENOMEM;
        }
        options.url = url;
        options.unix_socket = d->socket;
        options.answer_timeout = DOCKER_ANSWER_TIMEOUT;
        options.userdata = options.userdata ? options.userdata : d;
        return http_get(d->http, &options, ret);
}

/* The engine's and the gate's errors are {"message": "..."}. NULL when memory is out. */
static char *error_message(const HttpResult *result) {
        json_t *object = json_loadb(result->body.data, result->body.len, 0, NULL);
        const char *message = json_string_value(json_object_get(object, "message"));
        char *text = text_to_utf8(message ? text_of(message) : text_strip(result->body), ERROR_SHOWN_MAX);

        json_decref(object);
        return text;
}

json_t *docker_parse(Docker *d, const HttpResult *result, const char *what) {
        _cleanup_(freep) char *message = NULL;
        json_t *object;

        if (result->error < 0) {
                source_degrade(&d->source, result->error, "Docker at %s does not answer for %s: %m",
                        d->socket, what);
                return NULL;
        }
        if (result->status != 200) {
                message = error_message(result);
                source_degrade(&d->source, -EPROTO, "Docker at %s answers %ld for %s: %s", d->socket,
                        result->status, what, message ? message : "");
                return NULL;
        }
        object = json_loadb(result->body.data, result->body.len, 0, NULL);
        if (!object) {
                d->source.counters.n_errors++;
                source_degrade(&d->source, -EBADMSG, "Docker at %s sent no JSON for %s", d->socket, what);
        }
        return object;
}

/* Live once all that existed at the start was handed over. */
void docker_check_live(Docker *d) {
        if (d->source.state == SOURCE_LIVE || !d->swept_once || !d->events_follow)
                return;
        FOREACH_ARRAY (c, d->containers, d->n_containers)
                if ((*c)->log &&
                        ((*c)->log->phase == DOCKER_LOG_BACKLOG || (*c)->log->phase == DOCKER_LOG_MEASURE))
                        return;
        source_set_live(&d->source);
}

static void docker_resume(Source *s) {
        Docker *d = (Docker *) s;

        docker_channel_resume(d, &d->events);
        docker_channel_resume(d, &d->state);
        for (size_t i = 0; i < d->n_containers; i++) {
                DockerContainer *c = d->containers[i];
                bool is_waiting = c->log && c->log->channel.n_pending > 0;

                if (!is_waiting)
                        continue;
                docker_channel_resume(d, &c->log->channel);
                if (!c->log->channel.request)
                        docker_inspect_in(d, c, 0); /* it is kept from being opened again */
        }
}

/* "1.41": digits, a dot, digits. What the engine says becomes part of every path. */
static bool is_api_version(const char *version) {
        size_t major = strspn(version, "0123456789"), minor;

        if (major == 0 || major > 3 || version[major] != '.')
                return false;
        minor = strspn(version + major + 1, "0123456789");
        return minor > 0 && minor <= 4 && version[major + 1 + minor] == '\0';
}

void docker_set_fact(Docker *d, const char *key, json_t *value) {
        const SourceContext *context = &d->source.context;

        if (world_set_fact(context->world, key, value, source_now(&d->source, CLOCK_REALTIME)) < 0)
                d->source.counters.n_errors++;
        else if (context->facts_arrived)
                context->facts_arrived(context->userdata);
}

static void on_version(void *userdata, const HttpResult *result) {
        Docker *d = userdata;
        json_t *object;
        int r;

        d->hello = NULL;
        object = docker_parse(d, result, hello_what);
        if (!object)
                return;
        docker_set_fact(d, "engine-version", object);
        r = docker_events_start(d);
        if (r < 0)
                source_degrade(&d->source, r, "Cannot ask Docker at %s for its events", d->socket);
}

static void on_ping(void *userdata, const HttpResult *result) {
        Docker *d = userdata;
        int r;

        d->hello = NULL;
        if (result->error < 0) {
                source_degrade(&d->source, result->error, "Docker at %s does not answer: %m", d->socket);
                return;
        }
        if (result->status == 403 || docker_is_out_of_reach(result)) { /* the gate's words */
                _cleanup_(freep) char *why = error_message(result);

                source_degrade(&d->source, -ECONNREFUSED, "%s", why ? why : "Docker cannot be reached");
                return;
        }
        if (result->status != 200 || !is_api_version(result->header)) {
                source_degrade(&d->source, -EPROTO, "What answers at %s is not Docker", d->socket);
                return;
        }
        (void) snprintf(d->api, sizeof(d->api), "/v%s", result->header);
        r = docker_get(
                d, "/version", (HttpOptions){.done = on_version, .max_bytes = DOCKER_OBJECT_MAX}, &d->hello);
        if (r < 0)
                source_degrade(&d->source, r, "Cannot ask Docker at %s for its version", d->socket);
}

static int restore_containers(Docker *d, const json_t *containers) {
        const char *id;
        json_t *object;
        int r;

        json_object_foreach ((json_t *) containers, id, object) {
                DockerContainer *c;
                const char *name = json_string_value(json_object_get(object, "name"));

                if (!name)
                        continue;
                r = docker_add_container(d, text_of(id), &c);
                if (r == -EINVAL || r == -ENOSPC)
                        continue;
                if (r < 0)
                        return r;
                c->name = strdup(name);
                if (!c->name)
                        return -ENOMEM;
                c->history = docker_history_from_json(object);
                r = docker_log_restore(d, c, json_object_get(object, "log"));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int docker_restore(Docker *d) {
        const json_t *saved = source_saved_position(&d->source);
        json_int_t nsec = json_integer_value(json_object_get(saved, "nsec"));

        if (d->is_restored)
                return 0;
        d->is_restored = true;
        d->event_position.nsec = d->source.context.cold_start * NSEC_PER_USEC;
        if (nsec > 0) {
                d->has_history = true;
                d->event_position.nsec = (uint64_t) nsec;
                d->event_position.frames = (uint64_t) json_integer_value(json_object_get(saved, "frames"));
        }
        return restore_containers(d, json_object_get(saved, "containers"));
}

static int on_sweep_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Docker *d = userdata;
        int r;

        (void) sd_event_source_set_time(source,
                usec_add(source_now(&d->source, CLOCK_MONOTONIC), d->source.context.config->sweep_interval));
        (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        if (!d->events_follow)
                return 0;
        r = docker_sweep_start(d);
        if (r < 0)
                source_degrade(&d->source, r, "Cannot list the containers of Docker at %s", d->socket);
        return 0;
}

static int on_inspect_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        docker_inspect_due(userdata);
        return 0;
}

static int docker_add_timers(Docker *d) {
        sd_event *event = d->source.context.event;
        usec_t now = source_now(&d->source, CLOCK_MONOTONIC);
        int r;

        r = sd_event_add_time(
                event, &d->inspect_timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_inspect_timer, d);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(d->inspect_timer, "docker-inspect");
        (void) sd_event_source_set_priority(d->inspect_timer, SOURCE_PRIORITY_READ);
        r = sd_event_source_set_enabled(d->inspect_timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_time(event, &d->sweep_timer, CLOCK_MONOTONIC,
                usec_add(now, d->source.context.config->sweep_interval), USEC_PER_SEC, on_sweep_timer, d);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(d->sweep_timer, "docker-sweep");
        return sd_event_source_set_priority(d->sweep_timer, SOURCE_PRIORITY_READ);
}

static json_t *positions(const Docker *d) {
        json_t *containers = json_object();

        for (size_t i = 0; i < d->n_containers; i++) {
                const DockerContainer *c = d->containers[i];
                json_t *object;

                if (!c->name || !c->history.known || c->is_gone)
                        continue;
                object = docker_history_to_json(&c->history);
                if (object)
                        (void) json_object_set_new(object, "name", json_string(c->name));
                if (object && c->log)
                        (void) json_object_set_new(object, "log", docker_log_save(c->log));
                (void) json_object_set_new(containers, c->id, object);
        }
        return json_pack("{s:I, s:I, s:o}", "nsec", (json_int_t) d->event_position.nsec, "frames",
                (json_int_t) d->event_position.frames, "containers", containers);
}

static void on_info(void *userdata, const HttpResult *result) {
        Docker *d = userdata;
        json_t *info;

        d->info = NULL;
        info = docker_parse(d, result, "its state");
        if (info)
                docker_set_fact(d, "engine-info", info);
}

/* The version is told at each greeting and does not change in between. */
static int docker_fetch(Source *s, const char *key, usec_t now) {
        Docker *d = (Docker *) s;

        if (strcmp(key, "engine-info") != 0 && strcmp(key, "engine-version") != 0)
                return -ENOENT;
        if (!d->api[0] || s->state == SOURCE_DEGRADED || s->state == SOURCE_OFF)
                return -ENOTCONN;
        if (strcmp(key, "engine-version") == 0) {
                const Fact *fact = world_peek(s->context.world, key);
                return fact && fact->value
                        ? world_set_fact(s->context.world, key, json_incref(fact->value), now)
                        : -ENODATA;
        }
        if (d->info || d->sweep != DOCKER_SWEEP_NONE)
                return 0;
        return docker_get(d, "/info",
                (HttpOptions){.done = on_info,
                        .max_bytes = DOCKER_OBJECT_MAX,
                        .total_timeout = DOCKER_ANSWER_TIMEOUT},
                &d->info);
}

/* Anew at each start: the gate may have been installed or removed meanwhile. */
static int choose_socket(Docker *d) {
        const char *path = d->source.context.config->docker_socket;
        char *copy;

        if (!path)
                path = access(GATE_SOCKET, F_OK) == 0 ? GATE_SOCKET : ENGINE_SOCKET;
        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        free(d->socket);
        d->socket = copy;
        return 0;
}

static int docker_start(Source *s) {
        Docker *d = (Docker *) s;
        int r;

        r = choose_socket(d);
        if (r < 0)
                return r;
        if (!d->http) {
                r = http_new(&d->http, s->context.event, SOURCE_PRIORITY_READ);
                if (r < 0)
                        return r;
        }
        if (!d->joiner) {
                r = log_joiner_new(&d->joiner);
                if (r < 0)
                        return r;
        }
        d->line.max_bytes = DOCKER_EVENT_MAX;
        r = docker_restore(d);
        if (r < 0)
                return r;
        r = docker_add_timers(d);
        if (r < 0)
                return r;
        r = docker_channel_open(d, &d->state, SOURCE_DOCKER_STATE, d->event_position.nsec / NSEC_PER_USEC);
        if (r < 0)
                return r;
        if (s->n_failures > 0) /* not waited for before it answers: it may be hung */
                merge_set_live(d->state.input);
        d->state.is_held = true; /* until the first sweep has found everything */
        json_decref(d->held_positions);
        d->held_positions = positions(d);
        d->api[0] = '\0';
        source_set_catching_up(s);
        return docker_get(d, "/_ping",
                (HttpOptions){.done = on_ping, .max_bytes = DOCKER_OBJECT_MAX, .header = "Api-Version"},
                &d->hello);
}

static void docker_stop(Source *s) {
        Docker *d = (Docker *) s;

        d->hello = http_cancel(d->hello);
        d->info = http_cancel(d->info);
        docker_sweep_stop(d);
        docker_events_stop(d);
        for (size_t i = 0; i < d->n_containers; i++)
                if (d->containers[i]->log)
                        docker_log_stop(d->containers[i]->log);
        docker_channel_release(d, &d->state); /* what it holds counts as told */
        docker_channel_close(&d->state);
        d->inspect_timer = sd_event_source_disable_unref(d->inspect_timer);
        d->sweep_timer = sd_event_source_disable_unref(d->sweep_timer);
}

static usec_t docker_due(const Source *s) {
        const Docker *d = (const Docker *) s;

        return d->http ? http_next_deadline(d->http) : 0;
}

static void docker_done(Source *s) {
        Docker *d = (Docker *) s;

        while (d->n_containers > 0)
                docker_remove_container(d, d->containers[d->n_containers - 1]);
        free(d->containers);
        docker_channel_done(d, &d->events);
        docker_channel_done(d, &d->state);
        (void) log_joiner_free(d->joiner);
        (void) http_free(d->http);
        buffer_done(&d->line);
        json_decref(d->held_positions);
        free(d->socket);
}

/* While the first sweep's finds are held, the positions are ahead of what the merge has. */
static json_t *docker_save(const Source *s) {
        const Docker *d = (const Docker *) s;

        return d->state.is_held && d->held_positions ? json_incref(d->held_positions) : positions(d);
}

static void docker_describe(const Source *s, json_t *object) {
        const Docker *d = (const Docker *) s;
        json_t *logs = json_array();

        (void) json_object_set_new(object, "socket", json_string(d->socket ? d->socket : ""));
        (void) json_object_set_new(object, "api_version", json_string(d->api[0] ? d->api + 2 : ""));
        (void) json_object_set_new(object, "containers", json_integer((json_int_t) d->n_containers));
        for (size_t i = 0; i < d->n_containers; i++) {
                const DockerContainer *c = d->containers[i];
                if (!c->log || !c->name)
                        continue;
                (void) json_array_append_new(logs,
                        json_pack("{s:s, s:s, s:s*}", "container", c->name, "state",
                                docker_log_phase_to_string(c->log->phase), "reason", c->log->reason));
        }
        (void) json_object_set_new(object, "logs", logs);
        (void) json_object_set_new(object, "truncated", json_integer((json_int_t) docker_logs_truncated(d)));
}

const SourceOps docker_source_ops = {
        .name = "docker",
        .kind = SOURCE_DOCKER_EVENTS,
        .object_bytes = sizeof(Docker),
        .start = docker_start,
        .stop = docker_stop,
        .save = docker_save,
        .done = docker_done,
        .describe = docker_describe,
        .due = docker_due,
        .resume = docker_resume,
        .fetch = docker_fetch,
};
