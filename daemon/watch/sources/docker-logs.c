/* The logs of the containers that the runtime owns, and of no others. Each is read in two steps: what exists
 * (a request that ends by itself, so that it is known when the log has caught up: the API has no mark for
 * that), then the stream, opened where the first step ended. The stream ends with the container; then once
 * more what is left, because the engine may have cut the stream short.
 *
 * Promises: nothing lost, nothing twice, over restarts of the daemon, of the engine, and of the container:
 * each request begins at the position and the decoder skips what was consumed there.
 *
 * The trap: `since=` lies in the future after the clock was set back, and the engine then sends nothing at
 * all. So the last lines are asked for instead, and those up to the one that was consumed last are left out.
 */

#include "daemon/watch/sources/docker.h"

#include <stdio.h>

#define COLD_TAIL          32768U /* lines; a quarter of it while they are more than DOCKER_COLD_LOG_MAX */
#define COLD_TAIL_MIN      64U
#define STEPPED_TAIL       10000U
#define RETRY_MAX          (60 * USEC_PER_SEC)
#define IDLE_DOUBLINGS_MAX 4U /* of DOCKER_IDLE_TIMEOUT, to 16 min */

static const char *const phases[DOCKER_LOG_PHASE_X_MAX] = {
        [DOCKER_LOG_IDLE] = "ended",
        [DOCKER_LOG_MEASURE] = "catching-up",
        [DOCKER_LOG_BACKLOG] = "catching-up",
        [DOCKER_LOG_FOLLOW] = "following",
        [DOCKER_LOG_JOURNALD] = "in-journal",
        [DOCKER_LOG_UNREADABLE] = "unreadable",
};

const char *docker_log_phase_to_string(DockerLogPhase phase) {
        return phase >= 0 && phase < DOCKER_LOG_PHASE_X_MAX ? phases[phase] : NULL;
}

static int log_open(DockerLog *log, DockerLogPhase phase);

uint64_t docker_logs_truncated(const Docker *d) {
        uint64_t n = d->n_truncated;

        for (size_t i = 0; i < d->n_containers; i++) {
                const DockerLog *log = d->containers[i]->log;

                if (log && log->decoder)
                        n += docker_log_decoder_truncated(log->decoder);
        }
        return n;
}

static void decoder_end(DockerLog *log) {
        if (log->decoder)
                log->docker->n_truncated += docker_log_decoder_truncated(log->decoder);
        log->decoder = docker_log_decoder_free(log->decoder);
}

static void keep_position(DockerLog *log) {
        if (log->decoder && !log->is_searching)
                log->position = docker_log_decoder_position(log->decoder);
        decoder_end(log);
}

void docker_log_stop(DockerLog *log) {
        keep_position(log);
        docker_channel_close(&log->channel);
        if (log->phase != DOCKER_LOG_JOURNALD && log->phase != DOCKER_LOG_UNREADABLE)
                log->phase = DOCKER_LOG_IDLE;
        log->was_read = false;
        log->retry_at = 0;
        log->n_failures = 0;
}

DockerLog *docker_log_free(DockerLog *log) {
        if (!log)
                return NULL;
        docker_log_stop(log);
        docker_channel_done(log->docker, &log->channel);
        log->docker->n_logs--;
        free(log->reason);
        free(log);
        return NULL;
}

static int log_new(Docker *d, DockerContainer *c) {
        DockerLog *log;

        if (d->n_logs >= DOCKER_LOGS_MAX)
                return -ENOSPC;
        log = calloc(1, sizeof(*log));
        if (!log)
                return -ENOMEM;
        log->docker = d;
        log->container = c;
        d->n_logs++;
        c->log = log;
        return 0;
}

static uint64_t stream_key(const char *id) {
        uint64_t key = 0;

        for (size_t i = 0; i < 16; i++) {
                unsigned char digit = (unsigned char) id[i];
                key = key << 4 | (uint64_t) (digit >= 'a' ? digit - 'a' + 10 : digit - '0');
        }
        return key;
}

/* While searching, the marker itself and all before it were consumed. */
static bool is_before_marker(DockerLog *log, uint64_t nsec) {
        if (log->marker_nsec == 0)
                return false;
        if (nsec == log->marker_nsec) {
                log->is_searching = false;
                return true;
        }
        if (!log->is_searching)
                log->marker_nsec = 0;
        return log->is_searching;
}

static int on_line(void *userdata, Text line, uint64_t nsec, bool truncated) {
        DockerLog *log = userdata;
        Docker *d = log->docker;
        const DockerContainer *c = log->container;
        char position[DOCKER_ID_LEN + 32];
        Event event = {.kind = EVENT_LOG, .source = SOURCE_DOCKER_LOGS, .time = nsec / NSEC_PER_USEC};
        int r;

        if (nsec > log->highest_nsec)
                log->highest_nsec = nsec;
        if (is_before_marker(log, nsec))
                return 0;
        (void) snprintf(position, sizeof(position), "%s:%" PRIu64, c->id, nsec);
        event.position = text_of(position);
        event.origin = origin_of_module(text_of(c->name));
        r = log_joiner_decode(d->joiner, stream_key(c->id), event.origin, event.time, line, &event.log);
        if (r < 0)
                return r;
        event.log.container = text_of(c->name);
        event.log.container_id = text_of(c->id);
        event.log.truncated = truncated;
        docker_channel_deliver(d, &log->channel, &event);
        return 0;
}

static int on_data(void *userdata, Text piece) {
        DockerLog *log = userdata;
        int r;

        if (log->channel.n_pending > 0)
                return HTTP_PAUSE;
        log->n_bytes += piece.len;
        if (log->phase == DOCKER_LOG_MEASURE)
                return log->n_bytes > DOCKER_COLD_LOG_MAX ? -EFBIG : 0;
        r = docker_log_decoder_feed(log->decoder, piece.data, piece.len, on_line, log);
        if (r < 0)
                return r;
        if (!log->is_searching)
                merge_set_position(
                        log->channel.input, docker_log_decoder_position(log->decoder).nsec / NSEC_PER_USEC);
        return 0;
}

/* Tries again at the inspection that it asks for. */
static void retry_later(DockerLog *log, const char *reason) {
        Docker *d = log->docker;
        usec_t pause = USEC_PER_SEC << (log->n_failures < 6 ? log->n_failures : 6);

        if (pause > RETRY_MAX)
                pause = RETRY_MAX;
        log->n_failures++;
        d->source.counters.n_retries++;
        free(log->reason);
        log->reason = strdup(reason);
        docker_channel_close(&log->channel);
        log->retry_at = usec_add(source_now(&d->source, CLOCK_MONOTONIC), pause);
        docker_inspect_in(d, log->container, pause);
}

/* What it would have told meanwhile is unknown. Said once: a log that never opens must not keep all windows
 * over logs from ever raising. */
static void log_failed(DockerLog *log, const char *reason) {
        const SourceContext *context = &log->docker->source.context;

        if (log->n_failures == 0 && context->lost)
                context->lost(context->userdata, SOURCE_DOCKER_LOGS);
        retry_later(log, reason);
}

static void log_refused(DockerLog *log, const HttpResult *result) {
        json_t *object = json_loadb(result->body.data, result->body.len, 0, NULL);
        const char *message = json_string_value(json_object_get(object, "message"));
        _cleanup_(freep) char *text =
                text_to_utf8(message ? text_of(message) : text_strip(result->body), 200);

        json_decref(object);
        log->phase = DOCKER_LOG_UNREADABLE;
        log->retry_at = usec_add(source_now(&log->docker->source, CLOCK_MONOTONIC), RETRY_MAX);
        free(log->reason);
        log->reason = TAKE_PTR(text);
        docker_channel_close(&log->channel);
}

static void log_reopen(DockerLog *log, DockerLogPhase phase) {
        if (log_open(log, phase) < 0)
                log_failed(log, "cannot be opened: out of memory");
}

/* The clock is behind what was read, so that the position names a time still to come; or it was once, so
 * that lines from before the step are still younger than the position. Either way `since=` is of no use. */
static void search_if_stepped(DockerLog *log) {
        usec_t now = source_now(&log->docker->source, CLOCK_REALTIME);
        bool is_ahead = log->position.nsec / NSEC_PER_USEC > usec_add(now, USEC_PER_SEC);

        if (log->is_searching || (!is_ahead && log->position.nsec >= log->highest_nsec))
                return;
        log->is_searching = true;
        log->marker_nsec = log->position.nsec;
        log->tail = STEPPED_TAIL;
}

static void backlog_ended(DockerLog *log) {
        log->was_read = true;
        log->n_failures = 0;
        log->tail = 0;
        free(log->reason);
        log->reason = NULL;
        if (container_is_running(log->container->object)) {
                search_if_stepped(log); /* the marker itself may be the last line yet */
                log_reopen(log, DOCKER_LOG_FOLLOW);
                return;
        }
        log->read_finished = log->container->object->finished_at;
        log->phase = DOCKER_LOG_IDLE;
        merge_set_live(log->channel.input); /* kept: what it holds is still to leave in order of time */
}

/* The marker is not in the tail: what came between is lost, and what follows counts. */
static void end_search(DockerLog *log) {
        if (!log->is_searching)
                return;
        source_lost(&log->docker->source, SOURCE_DOCKER_LOGS,
                "the clock was set back and the log of %s has moved on", log->container->name);
        log->is_searching = false;
        log->marker_nsec = 0;
        log->position = docker_log_decoder_position(log->decoder);
        if (log->position.nsec == 0)
                log->position.nsec = source_now(&log->docker->source, CLOCK_REALTIME) * NSEC_PER_USEC;
        log->highest_nsec = log->position.nsec;
        decoder_end(log);
}

/* The whole log was sent: the last words of a process that crashed may lack their newline. */
static void take_last_words(DockerLog *log, const HttpResult *result) {
        bool is_over = log->phase == DOCKER_LOG_FOLLOW ||
                (log->phase == DOCKER_LOG_BACKLOG && !container_is_running(log->container->object));

        if (!is_over || result->error != 0 || result->status != 200 || !log->decoder)
                return;
        if (docker_log_decoder_finish(log->decoder, on_line, log) < 0)
                log->docker->source.counters.n_dropped++;
}

static void on_done(void *userdata, const HttpResult *result) {
        DockerLog *log = userdata;
        Docker *d = log->docker;
        DockerLogPhase phase = log->phase;
        usec_t lasted = usec_sub(source_now(&d->source, CLOCK_MONOTONIC), log->opened_at);

        log->channel.request = NULL;
        if (phase == DOCKER_LOG_BACKLOG && result->error == 0 && result->status == 200)
                end_search(log);
        take_last_words(log, result);
        keep_position(log);
        log->phase = DOCKER_LOG_IDLE;
        if (phase == DOCKER_LOG_MEASURE && result->error == -EFBIG && log->tail > COLD_TAIL_MIN) {
                log->tail /= 4;
                log_reopen(log, DOCKER_LOG_MEASURE);
        } else if (result->error == -EBADMSG) {
                d->source.counters.n_errors++;
                log_failed(log, "its frames make no sense");
        } else if (phase == DOCKER_LOG_MEASURE && result->error == -EFBIG) {
                log_reopen(log, DOCKER_LOG_BACKLOG);
        } else if (docker_is_out_of_reach(result)) {
                d->source.counters.n_lost += phase == DOCKER_LOG_FOLLOW;
                log_failed(log, "the engine ended the stream");
        } else if (result->status == 404 || result->status == 409) {
                docker_channel_close(&log->channel);
                docker_inspect_in(d, log->container, USEC_PER_SEC);
        } else if (result->status != 200) {
                log_refused(log, result);
        } else if (phase == DOCKER_LOG_MEASURE) {
                log_reopen(log, DOCKER_LOG_BACKLOG);
        } else if (phase == DOCKER_LOG_BACKLOG) {
                backlog_ended(log);
        } else if (log->n_bytes == 0 && lasted < USEC_PER_SEC) {
                retry_later(log, "the engine ends the stream at once");
        } else {
                log->was_read = false;
                docker_inspect_in(d, log->container, log->container->is_gone ? 0 : DOCKER_DEBOUNCE);
        }
        docker_check_live(d);
}

/* Where a log without a position begins: a container that appeared while its past is known is new, so all
 * of it counts. */
static void set_begin(DockerLog *log) {
        Docker *d = log->docker;

        if (log->position.nsec > 0)
                return;
        log->position.nsec = d->source.context.cold_start * NSEC_PER_USEC;
        if (d->has_history && log->container->object->created_at * NSEC_PER_USEC < log->position.nsec)
                log->position.nsec = log->container->object->created_at * NSEC_PER_USEC;
        log->tail = COLD_TAIL;
}

static void log_path(const DockerLog *log, DockerLogPhase phase, char *path, size_t size) {
        char since[64] = "", tail[32] = "";

        if (!log->is_searching)
                (void) snprintf(since, sizeof(since), "&since=%" PRIu64 ".%09" PRIu64,
                        log->position.nsec / NSEC_PER_SEC, log->position.nsec % NSEC_PER_SEC);
        if (log->tail > 0)
                (void) snprintf(tail, sizeof(tail), "&tail=%u", log->tail);
        (void) snprintf(path, size, "/containers/%s/logs?stdout=1&stderr=1&timestamps=1%s%s%s",
                log->container->id, phase == DOCKER_LOG_FOLLOW ? "&follow=1" : "", since, tail);
}

/* A log that was too big to be searched in time is given longer. */
static usec_t idle_timeout(const DockerLog *log) {
        return DOCKER_IDLE_TIMEOUT << (log->n_failures < IDLE_DOUBLINGS_MAX ? log->n_failures
                                                                            : IDLE_DOUBLINGS_MAX);
}

static int log_open(DockerLog *log, DockerLogPhase phase) {
        Docker *d = log->docker;
        DockerLogPosition skip = log->is_searching ? (DockerLogPosition){} : log->position;
        HttpOptions options = {.data = on_data, .done = on_done, .userdata = log};
        char path[DOCKER_ID_LEN + 256];
        int r;

        if (phase != DOCKER_LOG_FOLLOW)
                options.idle_timeout = idle_timeout(log);
        if (!log->channel.input) {
                r = docker_channel_open(
                        d, &log->channel, SOURCE_DOCKER_LOGS, log->position.nsec / NSEC_PER_USEC);
                if (r < 0)
                        return r;
        }
        /* one that failed is not waited for: meanwhile nothing newer would leave, from any source */
        if (phase == DOCKER_LOG_FOLLOW || log->n_failures > 0)
                merge_set_live(log->channel.input);
        decoder_end(log);
        if (phase != DOCKER_LOG_MEASURE) {
                r = docker_log_decoder_new(&log->decoder, log->container->object->tty == 1, skip);
                if (r < 0)
                        return r;
        }
        log_path(log, phase, path, sizeof(path));
        r = docker_get(d, path, options, &log->channel.request);
        if (r < 0)
                return r;
        log->phase = phase;
        log->n_bytes = 0;
        log->opened_at = source_now(&d->source, CLOCK_MONOTONIC);
        return 0;
}

static void log_start(DockerLog *log) {
        bool is_new = log->position.nsec == 0;

        set_begin(log);
        search_if_stepped(log);
        log_reopen(log, is_new ? DOCKER_LOG_MEASURE : DOCKER_LOG_BACKLOG);
}

void docker_log_update(Docker *d, DockerContainer *c) {
        const Container *o = c->object;

        if (!container_is_owned(o)) {
                c->log = docker_log_free(c->log);
                return;
        }
        if (!c->log && log_new(d, c) < 0) {
                d->source.counters.n_dropped++;
                return;
        }
        if (c->log->channel.request)
                return;
        if (o->log_driver && strcmp(o->log_driver, "journald") == 0) {
                c->log->phase = DOCKER_LOG_JOURNALD;
                return;
        }
        if (o->started_at == 0 || source_now(&d->source, CLOCK_MONOTONIC) < c->log->retry_at ||
                c->log->channel.n_pending > 0)
                return;
        if (container_is_running(o) || !c->log->was_read || c->log->read_finished != o->finished_at)
                log_start(c->log);
}

/* Streams opened with a `since=` that is now in the future would stay silent. */
void docker_logs_clock_stepped(Docker *d) {
        for (size_t i = 0; i < d->n_containers; i++) {
                DockerLog *log = d->containers[i]->log;
                if (!log || !log->channel.request)
                        continue;
                docker_log_stop(log);
                docker_inspect_in(d, d->containers[i], 0);
        }
}

json_t *docker_log_save(const DockerLog *log) {
        DockerLogPosition position = log->position;

        if (log->decoder && !log->is_searching)
                position = docker_log_decoder_position(log->decoder);
        return json_pack("{s:I, s:I, s:I}", "nsec", (json_int_t) position.nsec, "frames",
                (json_int_t) position.frames, "highest", (json_int_t) log->highest_nsec);
}

int docker_log_restore(Docker *d, DockerContainer *c, const json_t *object) {
        json_int_t nsec = json_integer_value(json_object_get(object, "nsec"));
        json_int_t frames = json_integer_value(json_object_get(object, "frames"));
        json_int_t highest = json_integer_value(json_object_get(object, "highest"));
        int r;

        if (nsec <= 0 || frames < 0)
                return 0;
        r = log_new(d, c);
        if (r == -ENOSPC)
                return 0;
        if (r < 0)
                return r;
        c->log->highest_nsec = highest > 0 ? (uint64_t) highest : 0;
        c->log->position = (DockerLogPosition){.nsec = (uint64_t) nsec, .frames = (uint64_t) frames};
        return 0;
}
