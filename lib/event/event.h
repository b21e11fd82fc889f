#pragma once

/* What a source tells: one log line, or one change of one object of the device.
 *
 * An event is a borrowed view: it and all it points to are valid until the handler returns. Who keeps one,
 * copies it with event_dup(). Decoders make events, the matcher and the World read them, nothing changes
 * them.
 *
 * `origin` is what the kernel, journald or Docker vouch for. It never comes from text. */

#include "lib/base/time.h"
#include "lib/event/object.h"

/* In the order in which ties of time are merged (docs/recording.md: the order of the parts). */
typedef enum SourceKind {
        SOURCE_JOURNAL,
        SOURCE_DOCKER_EVENTS,
        SOURCE_DOCKER_LOGS,
        SOURCE_DOCKER_STATE, /* inspect and the sweep */
        SOURCE_NETWORK,
        SOURCE_UNITS,
        SOURCE_FILES,
        SOURCE_METRICS,
        SOURCE_X_MAX,
        SOURCE_X_INVALID = -EINVAL,
} SourceKind;

const char *source_kind_to_string(SourceKind kind); /* journal, docker-events, … */
SourceKind source_kind_from_string(Text name);

typedef enum EventKind {
        EVENT_LOG,
        EVENT_CONTAINER,
        EVENT_DOCKER_NETWORK,
        EVENT_LINK,
        EVENT_ROUTE,
        EVENT_ADDRESS,
        EVENT_FORWARDING,
        EVENT_UNIT,
        EVENT_FILE,
        EVENT_METRICS,
        EVENT_X_MAX,
        EVENT_X_INVALID = -EINVAL,
} EventKind;

const char *event_kind_to_string(EventKind kind); /* log, container, docker-network, link, … */
EventKind event_kind_from_string(Text name);

/* Who said it. The words are those of a rule's `from:`. */
typedef enum Origin {
        ORIGIN_OTHER,
        ORIGIN_RUNTIME,  /* aziot-edged; iotedged of 1.0/1.1; the snap's */
        ORIGIN_IDENTITY, /* aziot-identityd, and likewise: */
        ORIGIN_KEYD,
        ORIGIN_CERTD,
        ORIGIN_TPMD,
        ORIGIN_DOCKER, /* the engine's own lines, not those of containers it forwards */
        ORIGIN_KERNEL,
        ORIGIN_SYSTEMD, /* PID 1's lines about a unit */
        ORIGIN_AGENT,   /* containers owned by the runtime: edgeAgent, */
        ORIGIN_HUB,     /* edgeHub, */
        ORIGIN_MODULE,  /* and every other one */
        ORIGIN_DEVICE,  /* state read from the device itself */
        ORIGIN_X_MAX,
        ORIGIN_X_INVALID = -EINVAL,
} Origin;

const char *origin_to_string(Origin origin);
Origin origin_from_string(Text name);

/* The origin of a systemd unit's output, ORIGIN_OTHER for a unit that is not ours to read. All eras, deb/rpm
 * and snap. */
Origin origin_of_unit(Text unit);
/* The origin of a container that the runtime owns, by its name. */
Origin origin_of_module(Text name);

/* The names of all units that origin_of_unit() knows, NULL-terminated: for journal index matches and unit
 * watching. */
const char *const *origin_units(void);

typedef enum Level {
        LEVEL_UNKNOWN,
        LEVEL_TRACE,
        LEVEL_DEBUG,
        LEVEL_INFO,
        LEVEL_WARNING,
        LEVEL_ERROR,
        LEVEL_FATAL,
        LEVEL_X_MAX,
        LEVEL_X_INVALID = -EINVAL,
} Level;

const char *level_to_string(Level level);
Level level_from_string(Text name);

typedef struct LogLine {
        Text message; /* without the component's prefix (<N>, time, level) */
        Text head;   /* the line that this one continues ("Caused by:", stack traces); empty when it starts a
                        record */
        Level level; /* of the prefix; of a continuation, of its head */
        Text unit;   /* the unit that wrote it or, from systemd, that it is about */
        Text container, container_id; /* whose log it is; empty when none */
        bool truncated;
} LogLine;

/* Container actions are Docker's own (create start die oom kill stop destroy pause …) and three that state
 * tells where the stream is silent: `error` (State.Error appeared: a start that failed), `running` and
 * `state` (what an enumeration found). */
typedef struct ContainerChange {
        Text action;
        Text id, name, image;
        bool owned;
        int exit_code; /* of `die`, -1 otherwise: of what inspect said see container_change_exit_code() */
        int signal;    /* of `kill`, -1 otherwise */
        bool stopped;  /* of `die`: somebody had the engine do it; the World knows */
        Text error;
        Container *object; /* what inspect said, NULL when only the event is known */
} ContainerChange;

/* Of this end, or of the last one of a container that was found ended; -1 when it is not told. */
int container_change_exit_code(const ContainerChange *c);

typedef struct NetworkChange {
        Text action; /* create destroy connect disconnect, `state` */
        Text id, name;
        Text container_id; /* of connect and disconnect */
        Network *object;   /* NULL when only the event is known */
} NetworkChange;

typedef struct FileChange {
        Text path;
        bool exists;
        Text content;
        bool is_unreadable; /* it exists, what it holds is not known: a secret, not permitted, too long */
} FileChange;

/* A scrape of a module's Prometheus text. */
typedef struct MetricsSample {
        Text module;
        Text exposition;
} MetricsSample;

typedef struct Event {
        EventKind kind;
        SourceKind source;
        Origin origin;
        usec_t time;
        Text position; /* journal cursor, or container id and nanoseconds: names this event for ever */
        bool deleted;  /* of link, route, address, network, file: it is gone */
        bool initial;  /* an enumeration found it so; it is not known to have just changed */
        union {
                LogLine log;
                ContainerChange container;
                NetworkChange network;
                Link link;
                Route route;
                Address address;
                Forwarding forwarding;
                UnitState unit;
                FileChange file;
                MetricsSample metrics;
        };
} Event;

/* A deep copy in one allocation (objects by reference). NULL when memory is out. */
Event *event_dup(const Event *event);
Event *event_free(Event *event);
DEFINE_CLEANUP(Event, event_free);

#define EVENT_FIELD_MAX 64
/* The value of one field under the name that rules use (`mtu`, `action`, `exit-code`). Numbers are written
 * into buffer. Returns 1, 0 when the event does not tell it, -ENOENT when events of this kind have no such
 * field. */
int event_field(const Event *event, const char *name, char buffer[static EVENT_FIELD_MAX], Text *ret);
bool event_kind_has_field(EventKind kind, const char *name);

/* One line for evidence: the log line itself, or "container edgeHub: die, exit code 137". Printable,
 * redacted. NULL when memory is out. */
char *event_describe(const Event *event);
