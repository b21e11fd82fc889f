#pragma once

/* The parts of the Docker source, which is one `Source` in four files: docker.c (its life), docker-events.c,
 * docker-sweep.c (list and inspect), docker-logs.c. */

#include "daemon/watch/http.h"
#include "daemon/watch/source.h"
#include "daemon/watch/sources/docker-history.h"
#include "lib/event/docker-event.h"

#define DOCKER_ANSWER_TIMEOUT (10 * USEC_PER_SEC)
#define DOCKER_IDLE_TIMEOUT   (60 * USEC_PER_SEC) /* between two pieces: a big log is searched in silence */
#define DOCKER_DEBOUNCE       (100 * USEC_PER_MSEC)
#define DOCKER_BURIAL         (5 * USEC_PER_SEC) /* the most that the log of a removed container may take */

#define DOCKER_CONTAINERS_MAX ((size_t) 1024)
#define DOCKER_LOGS_MAX       ((size_t) 128)  /* streams, each a connection */
#define DOCKER_PENDING_MAX    ((size_t) 8192) /* a piece of a stream has 500, a sweep a few a container */
#define DOCKER_OBJECT_MAX     ((size_t) 2 * 1024 * 1024)
#define DOCKER_LIST_MAX       ((size_t) 16 * 1024 * 1024)
#define DOCKER_EVENT_MAX      ((size_t) 256 * 1024)
#define DOCKER_COLD_LOG_MAX   ((uint64_t) 10 * 1024 * 1024) /* of a container's past, at the first start */
#define DOCKER_ID_LEN         ((size_t) 64)

typedef struct Docker Docker;
typedef struct DockerContainer DockerContainer;

/* A way into the merge. While it has no room, what a piece of a stream still held waits here, and the
 * request pauses. One that is held keeps everything, in order of time, and so holds back the merge. */
typedef struct DockerChannel {
        MergeInput *input;
        HttpRequest *request;
        Event **pending;
        size_t n_pending, n_allocated;
        bool is_held;
} DockerChannel;

typedef enum DockerLogPhase {
        DOCKER_LOG_IDLE,    /* read to the end of a container that does not run */
        DOCKER_LOG_MEASURE, /* first start: how far back do 10 MiB reach? */
        DOCKER_LOG_BACKLOG,
        DOCKER_LOG_FOLLOW,
        DOCKER_LOG_JOURNALD, /* comes through the journal */
        DOCKER_LOG_UNREADABLE,
        DOCKER_LOG_PHASE_X_MAX,
        DOCKER_LOG_PHASE_X_INVALID = -EINVAL,
} DockerLogPhase;

typedef struct DockerLog {
        Docker *docker;
        DockerContainer *container;
        DockerChannel channel;
        DockerLogPhase phase;
        DockerLogDecoder *decoder;
        DockerLogPosition position; /* where to open next; nsec 0: never read */
        usec_t read_finished;       /* the end of the container up to which everything was read */
        bool was_read;
        bool is_searching; /* the clock went back: look for the marker in the tail */
        uint64_t marker_nsec;
        uint64_t highest_nsec; /* of all lines: one above the position was written before a step */
        unsigned tail;
        uint64_t n_bytes;
        usec_t opened_at, retry_at; /* monotonic */
        unsigned n_failures;
        char *reason;
} DockerLog;

struct DockerContainer {
        char id[DOCKER_ID_LEN + 1];
        char *name;
        Container *object; /* NULL until inspected */
        DockerHistory history;
        DockerLog *log;
        usec_t inspect_at; /* monotonic, 0: not wanted */
        usec_t touched;    /* monotonic: when the stream spoke of it last */
        bool is_changed;   /* the stream spoke of it since it was inspected */
        bool is_swept;     /* the sweep waits for its inspection */
        bool is_gone;      /* removed once its log has been read to the end */
};

typedef enum DockerSweep {
        DOCKER_SWEEP_NONE,
        DOCKER_SWEEP_LIST,
        DOCKER_SWEEP_INSPECT,
        DOCKER_SWEEP_NETWORKS,
        DOCKER_SWEEP_INFO,
} DockerSweep;

struct Docker {
        Source source;
        Http *http;
        char *socket;
        char api[16]; /* "/v1.41" as the engine offers, "" until it told */
        bool is_restored;
        bool has_history; /* saved, or of an earlier sweep: what is unknown now did not exist then */
        sd_event_source *inspect_timer, *sweep_timer;
        HttpRequest *hello, *info;

        DockerChannel events, state;
        json_t *held_positions; /* as they were before what `state` holds */
        Buffer line;            /* the event being received */
        bool line_too_long, events_follow;
        DockerLogPosition event_position, event_skip;
        uint64_t n_skipped;

        DockerContainer **containers;
        size_t n_containers, n_containers_allocated;
        HttpRequest *inspect, *list;
        char inspecting[DOCKER_ID_LEN + 1];
        DockerSweep sweep;
        usec_t list_asked;
        bool swept_once, networks_wanted;
        size_t n_logs;
        uint64_t n_truncated; /* lines that decoders which are gone have cut */
        LogJoiner *joiner;
        usec_t clock_offset; /* realtime minus boottime, of the last sweep */
};

/* Nobody was there to answer, or only the gate, which could not get through to the engine. */
static inline bool docker_is_out_of_reach(const HttpResult *result) {
        return result->error < 0 || (result->status >= 502 && result->status <= 504);
}

/* GET of a path below the engine's API version. */
int docker_get(Docker *d, const char *path, HttpOptions options, HttpRequest **ret);
void docker_check_live(Docker *d);
/* Takes over value. */
void docker_set_fact(Docker *d, const char *key, json_t *value);
/* Parses an answer; degrades the source or counts an error, and returns NULL, when it is none. */
json_t *docker_parse(Docker *d, const HttpResult *result, const char *what);

int docker_channel_open(Docker *d, DockerChannel *c, SourceKind kind, usec_t position);
void docker_channel_release(Docker *d, DockerChannel *c); /* no longer held; live */
/* The merge was drained. */
void docker_channel_resume(Docker *d, DockerChannel *c);
/* Reads no more; what waits for room still goes on. */
void docker_channel_close(DockerChannel *c);
void docker_channel_done(Docker *d, DockerChannel *c);
void docker_channel_deliver(Docker *d, DockerChannel *c, const Event *event);
int docker_events_start(Docker *d);
void docker_events_stop(Docker *d);

DockerContainer *docker_find_container(Docker *d, Text id);
int docker_add_container(Docker *d, Text id, DockerContainer **ret);
void docker_remove_container(Docker *d, DockerContainer *c);
/* The stream spoke of it. */
void docker_touch_container(Docker *d, DockerContainer *c);
void docker_inspect_in(Docker *d, DockerContainer *c, usec_t delay);
/* The stream told that it is gone. */
void docker_bury_container(Docker *d, DockerContainer *c);
/* The stream told of a network. */
void docker_networks_changed(Docker *d);
void docker_inspect_due(Docker *d);
int docker_sweep_start(Docker *d);
void docker_sweep_stop(Docker *d);

/* After each inspection: opens, leaves, or gives up the log. */
void docker_log_update(Docker *d, DockerContainer *c);
void docker_log_stop(DockerLog *log);
DockerLog *docker_log_free(DockerLog *log);
void docker_logs_clock_stepped(Docker *d);
const char *docker_log_phase_to_string(DockerLogPhase phase);
json_t *docker_log_save(const DockerLog *log);
uint64_t docker_logs_truncated(const Docker *d); /* lines that were cut at DOCKER_LINE_MAX */
int docker_log_restore(Docker *d, DockerContainer *c, const json_t *object);
