/* docker/events.jsonl: Docker's own event objects, one a line. */

#include <stdio.h>

#include "lib/event/docker-event.h"
#include "lib/world/recording-part.h"

typedef struct EventsPart {
        RecordingPart part;
        RecordingStream stream;
        json_t *object; /* the event of the last call points into it */
        char position[64];
} EventsPart;

static void events_done(RecordingPart *p) {
        EventsPart *e = (EventsPart *) p;

        recording_stream_done(&e->stream);
        json_decref(e->object);
        free(e);
}

static int events_next(RecordingPart *p, Event *ret) {
        EventsPart *e = (EventsPart *) p;

        for (;;) {
                uint64_t nsec = 0;
                int r;

                json_decref(TAKE_PTR(e->object));
                r = recording_stream_json(&e->stream, &e->object);
                if (r <= 0)
                        return r;
                r = docker_event_decode(e->object, ret, &nsec);
                if (r == -EBADMSG) {
                        r = recording_stream_problem(&e->stream, 0, "not a Docker event");
                        if (r < 0)
                                return r;
                        continue;
                }
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                ret->time = nsec / NSEC_PER_USEC;
                if (text_is_empty(ret->position)) {
                        (void) snprintf(e->position, sizeof(e->position), "docker-events:%" PRIu64, nsec);
                        ret->position = text_of(e->position);
                }
                return 1;
        }
}

static const RecordingPartOps events_ops = {.next = events_next, .done = events_done};

int recording_docker_events_open(const RecordingFolder *f, RecordingPart **ret) {
        EventsPart *e = calloc(1, sizeof(*e));
        int r;

        if (!e)
                return -ENOMEM;
        e->part = (RecordingPart){.ops = &events_ops, .kind = SOURCE_DOCKER_EVENTS};
        r = recording_stream_open(&e->stream, f, "docker/events.jsonl");
        if (r < 0) {
                events_done(&e->part);
                return r;
        }
        *ret = &e->part;
        return 0;
}
