/* docker/logs/NAME.log: one container's log as `docker logs --timestamps` prints it.
 *
 * The time is the engine's, in front; times inside the text are never used. The trap: the engine cuts a long
 * line into pieces of 16 KiB and prints the timestamp before each of them, in the middle of what is one line
 * in the file. */

#include <stdio.h>

#include "lib/event/log-prefix.h"
#include "lib/world/recording-part.h"

#define DOCKER_PIECE_BYTES ((size_t) 16 * 1024)

typedef struct LogPart {
        RecordingPart part;
        RecordingStream stream;
        LogJoiner *joiner; /* of its own: the event points into it until this part's next line */
        char *container, *container_id;
        Origin origin;
        uint64_t last_nsec, frames; /* tells lines of the same nanosecond apart */
        char *position;
} LogPart;

static void log_done(RecordingPart *p) {
        LogPart *l = (LogPart *) p;

        recording_stream_done(&l->stream);
        (void) log_joiner_free(l->joiner);
        free(l->container);
        free(l->container_id);
        free(l->position);
        free(l);
}

/* Takes the timestamps of further pieces out of the line, in place. `stamp_bytes` includes the space. */
static size_t join_pieces(char *line, size_t len, size_t stamp_bytes) {
        size_t at = stamp_bytes + DOCKER_PIECE_BYTES;

        while (len > stamp_bytes && at <= len - stamp_bytes && memcmp(line, line + at, stamp_bytes) == 0) {
                memmove(line + at, line + at + stamp_bytes, len - at - stamp_bytes);
                len -= stamp_bytes;
                at += DOCKER_PIECE_BYTES;
        }
        return len;
}

static int set_position(LogPart *l, uint64_t nsec) {
        char *position;

        l->frames = nsec == l->last_nsec ? l->frames + 1 : 1;
        l->last_nsec = nsec;
        if (asprintf(&position, "%s:%" PRIu64 ":%" PRIu64, l->container_id ? l->container_id : l->container,
                    nsec, l->frames) < 0)
                return -ENOMEM;
        free(l->position);
        l->position = position;
        return 0;
}

static int log_decode(LogPart *l, uint64_t nsec, Text line, bool cut, Event *ret) {
        Event event = {
                .kind = EVENT_LOG,
                .source = SOURCE_DOCKER_LOGS,
                .origin = l->origin,
                .time = nsec / NSEC_PER_USEC,
        };
        int r;

        r = set_position(l, nsec);
        if (r < 0)
                return r;
        r = log_joiner_decode(l->joiner, 0, l->origin, event.time, line, &event.log);
        if (r < 0)
                return r;
        event.position = text_of(l->position);
        event.log.container = text_of(l->container);
        event.log.container_id = text_of(l->container_id);
        event.log.truncated = event.log.truncated || cut;
        *ret = event;
        return 1;
}

static int log_next(RecordingPart *p, Event *ret) {
        LogPart *l = (LogPart *) p;

        for (;;) {
                size_t len, stamp_bytes;
                uint64_t nsec;
                char *line;
                bool cut;
                int r;

                r = recording_stream_line(&l->stream, &line, &len, &cut);
                if (r <= 0)
                        return r;
                if (len == 0)
                        continue;
                if (timestamp_parse((Text){line, len}, &nsec, &stamp_bytes) < 0) {
                        r = recording_stream_problem(&l->stream, 1,
                                "expected an RFC 3339 timestamp and a space, as docker logs --timestamps "
                                "prints them");
                        if (r < 0)
                                return r;
                        continue;
                }
                if (stamp_bytes < len && line[stamp_bytes] == ' ')
                        stamp_bytes++;
                len = join_pieces(line, len, stamp_bytes);
                return log_decode(l, nsec, (Text){line + stamp_bytes, len - stamp_bytes}, cut, ret);
        }
}

static const RecordingPartOps log_ops = {.next = log_next, .done = log_done};

static int log_start(LogPart *l, const RecordingFolder *f, const char *container, const char *container_id) {
        _cleanup_(freep) char *name = NULL;
        int r;

        if (asprintf(&name, "docker/logs/%s.log", container) < 0) {
                name = NULL;
                return -ENOMEM;
        }
        r = recording_stream_open(&l->stream, f, name);
        if (r < 0)
                return r;
        l->container = strdup(container);
        if (!l->container)
                return -ENOMEM;
        if (container_id) {
                l->container_id = strdup(container_id);
                if (!l->container_id)
                        return -ENOMEM;
        }
        l->origin = origin_of_module(text_of(container));
        return log_joiner_new(&l->joiner);
}

int recording_docker_log_open(
        const RecordingFolder *f, const char *container, const char *container_id, RecordingPart **ret) {
        LogPart *l = calloc(1, sizeof(*l));
        int r;

        if (!l)
                return -ENOMEM;
        l->part = (RecordingPart){.ops = &log_ops, .kind = SOURCE_DOCKER_LOGS};
        r = log_start(l, f, container, container_id);
        if (r < 0) {
                log_done(&l->part);
                return r;
        }
        *ret = &l->part;
        return 0;
}
