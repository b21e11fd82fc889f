/* docker/events.jsonl, docker/logs, net/events.jsonl: what happened.
 *
 * The traps: an event carries the container's labels, which may hold secrets; the name of an exec event is
 * its whole command line, and such events are of no use; a log of the journald driver is in the journal
 * already and would be read twice. */

#include <poll.h>
#include <stdio.h>

#include "daemon/base/clock.h"
#include "daemon/ctl/output.h"
#include "daemon/ctl/record/recorder.h"
#include "lib/base/redact.h"
#include "lib/event/docker-event.h"
#include "lib/event/network-json.h"
#include "lib/event/redact-json.h"

#define EVENTS_PART    "docker/events.jsonl"
#define NETWORK_PART   "net/events.jsonl"
#define GRACE          (30 * USEC_PER_SEC)
#define LINE_MAX_BYTES ((size_t) 1024 * 1024)
#define LOG_TIME       (80 * USEC_PER_SEC)
#define WAIT_MAX_MSEC  60000 /* poll() takes no more than an int */

typedef struct Happenings {
        RecordFile docker, network;
        Buffer line; /* of Docker's events, not yet whole */
        bool line_too_long;
        NetworkReader *reader;
        int error; /* the first that ends the recording */
} Happenings;

static void happenings_done(Happenings *h) {
        record_file_done(&h->docker);
        record_file_done(&h->network);
        buffer_done(&h->line);
}

/* Writes a JSON value on a line of its own; takes it over. */
static int append_json(RecordFile *f, json_t *value) {
        _cleanup_(freep) char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
        _cleanup_(buffer_done) Buffer b = {};
        int r;

        json_decref(value);
        if (!text)
                return -ENOMEM;
        (void) buffer_append_string(&b, text);
        r = buffer_append_string(&b, "\n");
        if (r >= 0)
                r = record_file_append(f, buffer_text(&b));
        return r < 0 ? r : 0;
}

static int take_event(Happenings *h, Text line) {
        json_t *event = json_loadb(line.data, line.len, 0, NULL);
        const char *action = json_string_value(json_object_get(event, "Action"));
        int r = 0;

        if (event && !(action && strncmp(action, "exec_", 5) == 0))
                r = append_json(&h->docker, redact_json(event));
        json_decref(event);
        return r;
}

/* One that is too long is no event that we know: it costs itself. */
static int append_line(Happenings *h, Text part) {
        int r = h->line_too_long ? 0 : buffer_append_text(&h->line, part);

        if (r != -EFBIG)
                return r;
        h->line_too_long = true;
        return 0;
}

static int end_line(Happenings *h) {
        int r = h->line_too_long ? 0 : take_event(h, buffer_text(&h->line));

        if (h->line_too_long)
                recorder_say(EVENTS_PART, "lacks an event that is longer than a MiB", 0);
        h->line_too_long = false;
        buffer_clear(&h->line);
        return r;
}

static int on_event_bytes(void *userdata, Text piece) {
        Happenings *h = userdata;
        int r = 0;

        while (r >= 0 && piece.len > 0) {
                bool is_whole = memchr(piece.data, '\n', piece.len);

                r = append_line(h, text_cut(&piece, '\n'));
                if (r >= 0 && is_whole)
                        r = end_line(h);
        }
        if (r < 0)
                h->error = r;
        return r;
}

static int on_change(void *userdata, const Event *event) {
        Happenings *h = userdata;
        Event timed = *event;

        timed.time = realtime_now();
        return append_json(&h->network, network_event_to_json(&timed));
}

static void on_network(void *userdata) {
        Happenings *h = userdata;
        int r = network_reader_changes(h->reader, on_change, h);

        if (r > 0)
                recorder_say(NETWORK_PART, "has gaps: changes came faster than they could be read", 0);
        else if (r < 0 && h->error == 0)
                h->error = r;
}

static int wait_until(Happenings *h, usec_t until) {
        for (usec_t now; h->error == 0 && (now = realtime_now()) < until;) {
                struct pollfd wait = {.fd = h->reader ? network_reader_fd(h->reader) : -1, .events = POLLIN};
                usec_t left = (until - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;

                if (poll(&wait, 1, left > WAIT_MAX_MSEC ? WAIT_MAX_MSEC : (int) left) < 0 && errno != EINTR)
                        return -errno;
                if (wait.revents)
                        on_network(h);
        }
        return h->error;
}

/* The engine ends the stream by itself at `until`, also when that lies ahead. */
static int read_events(Happenings *h, Recorder *r, DockerApi *api) {
        DockerCompanion companion = {.readable = on_network, .userdata = h};
        usec_t ahead = usec_sub(r->until, realtime_now());
        char path[128];
        int error;

        (void) snprintf(path, sizeof(path),
                "/events?since=%" PRIu64 ".%06" PRIu64 "&until=%" PRIu64 ".%06" PRIu64,
                r->since / USEC_PER_SEC, r->since % USEC_PER_SEC, r->until / USEC_PER_SEC,
                r->until % USEC_PER_SEC);
        if (h->reader)
                companion.fd = network_reader_fd(h->reader);
        error = docker_api_stream(
                api, path, usec_add(ahead, GRACE), on_event_bytes, h, h->reader ? &companion : NULL);
        if (h->error < 0)
                return h->error;
        if (error < 0)
                recorder_say(EVENTS_PART, "ends early", error);
        return 0;
}

int record_events(Recorder *r, DockerApi *api, NetworkReader *reader) {
        _cleanup_(happenings_done) Happenings h = {.reader = reader, .line = {.max_bytes = LINE_MAX_BYTES}};
        int error = 0;

        if (reader)
                error = record_file_open(&h.network, r, NETWORK_PART, RECORD_EVENTS_MAX);
        if (error >= 0 && api)
                error = record_file_open(&h.docker, r, EVENTS_PART, RECORD_EVENTS_MAX);
        if (error >= 0 && api)
                error = read_events(&h, r, api);
        if (error >= 0)
                error = wait_until(&h, r->until);
        if (error >= 0 && api)
                error = record_file_close(&h.docker);
        if (error >= 0 && reader)
                error = record_file_close(&h.network);
        return error;
}

/* RFC 3339 with nanoseconds, as the engine prints it. */
static int append_stamp(Buffer *b, uint64_t nsec) {
        char time[TIMESTAMP_MAX];

        (void) timestamp_format(nsec / NSEC_PER_USEC, time);
        time[strlen(time) - 1] = '\0'; /* the Z */
        return buffer_append_format(b, "%s%03u", time, (unsigned) (nsec % NSEC_PER_USEC));
}

static int on_log_line(void *userdata, Text line, uint64_t nsec, bool truncated) {
        _cleanup_(freep) char *redacted = redact_text(line);
        _cleanup_(buffer_done) Buffer b = {};
        int r;

        if (!redacted)
                return -ENOMEM;
        (void) append_stamp(&b, nsec);
        (void) buffer_append_string(&b, "Z ");
        (void) buffer_append_string(&b, redacted);
        r = buffer_append_string(&b, "\n");
        if (r >= 0)
                r = record_file_append(userdata, buffer_text(&b));
        return r < 0 ? r : 0;
}

typedef struct LogCopy {
        RecordFile file;
        DockerLogDecoder *decoder;
} LogCopy;

static int on_log_bytes(void *userdata, Text piece) {
        LogCopy *l = userdata;
        int r = docker_log_decoder_feed(l->decoder, piece.data, piece.len, on_log_line, &l->file);

        /* no use in reading on what is not written */
        return r < 0 ? r : l->file.is_cut ? -ECANCELED : 0;
}

static int copy_log(Recorder *r, DockerApi *api, const Container *c, const char *name) {
        _cleanup_(docker_log_decoder_freep) DockerLogDecoder *decoder = NULL;
        LogCopy copy = {};
        char path[256];
        int error;

        error = docker_log_decoder_new(&decoder, c->tty > 0, (DockerLogPosition){});
        if (error >= 0)
                error = record_file_open(&copy.file, r, name, RECORD_LOG_MAX);
        if (error < 0)
                return error;
        copy.decoder = decoder;
        (void) snprintf(path, sizeof(path),
                "/containers/%.64s/logs?stdout=1&stderr=1&timestamps=1&since=%" PRIu64, c->id,
                r->since / USEC_PER_SEC);
        error = docker_api_stream(api, path, LOG_TIME, on_log_bytes, &copy, NULL);
        if (error >= 0)
                error = docker_log_decoder_finish(decoder, on_log_line, &copy.file);
        if (error < 0 && error != -ECANCELED)
                recorder_say(name, "ends early", error);
        return record_file_close(&copy.file);
}

static bool has_log(const Container *c) {
        return c->name && c->name[0] != '.' && !strchr(c->name, '/') && container_is_owned(c) &&
                !(c->log_driver && strcmp(c->log_driver, "journald") == 0);
}

int record_container_logs(Recorder *r, DockerApi *api, const Device *device) {
        json_t *object;
        size_t i;

        json_array_foreach (device->parts[DEVICE_CONTAINERS], i, object) {
                _cleanup_(container_unrefp) Container *c = NULL;
                _cleanup_(freep) char *name = NULL;
                int error;

                error = container_from_json(object, &c);
                if (error == -ENOMEM)
                        return error;
                if (error < 0 || !has_log(c))
                        continue;
                if (asprintf(&name, "docker/logs/%s.log", c->name) < 0) {
                        name = NULL;
                        return -ENOMEM;
                }
                error = copy_log(r, api, c, name);
                if (error < 0)
                        return error;
        }
        return 0;
}
