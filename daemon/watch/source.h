#pragma once

/* What a source of events is, and the part that all have alike: its state, counters, back-off.
 *
 * A source subscribes, then enumerates, both through one handler; resumes without loss or repetition from
 * what it saved; degrades and retries by itself. It never ends the loop, never blocks in a handler, reads in
 * bounded batches.
 *
 * A new source is one file in sources/ with one `const SourceOps`, and one row in sources/registry.c. */

#include <systemd/sd-event.h>

#include "daemon/watch/intake.h"

typedef enum SourceState {
        SOURCE_OFF,         /* switched off, or nothing to read here */
        SOURCE_CATCHING_UP, /* reads its backlog */
        SOURCE_LIVE,
        SOURCE_DEGRADED, /* cannot be read now; `reason` says why, it retries */
        SOURCE_STATE_X_MAX,
        SOURCE_STATE_X_INVALID = -EINVAL,
} SourceState;

const char *source_state_to_string(SourceState s);

typedef struct SourceCounters {
        uint64_t n_read;    /* entries, messages, frames */
        uint64_t n_wanted;  /* of these, handed to the diagnosis */
        uint64_t n_dropped; /* known to be thrown away: caps */
        uint64_t n_lost;    /* times the kernel, journald or Docker lost something and it resynchronised */
        uint64_t n_errors;  /* malformed input */
        uint64_t n_retries;
} SourceCounters;

typedef struct Source Source;

/* Of the event sources that sources add to the loop: what is taken in leaves before more is taken. */
#define SOURCE_PRIORITY_READ (SD_EVENT_PRIORITY_NORMAL + 10)

typedef struct SourceOps {
        const char *name; /* "journal", "docker", "rtnetlink" */
        SourceKind kind;
        size_t object_bytes; /* of the source's own struct, whose first member is a Source; zeroed by
                                source_new() */
        /* Begins to work. A negative errno means: degraded, try again. Called again after each back-off. */
        int (*start)(Source *s);
        /* Lets go of all descriptors and event sources, keeps its position. Called before a retry and before
         * freeing. Its inputs of the merge are set live or removed here: a source that cannot read must not
         * hold the others back. */
        void (*stop)(Source *s);
        /* Optional, of a source that has a past to go back to: its position, to be saved with the engine's
         * state; NULL while it has none. */
        json_t *(*save)(const Source *s);
        /* Optional: frees what start() and restoring allocated beyond descriptors. */
        void (*done)(Source *s);
        /* Optional: more for `status`, added to the object. */
        void (*describe)(const Source *s, json_t *object);
        /* Optional: what it had offered left the merge; a source that paused because its input was full goes
         * on here. */
        void (*resume)(Source *s);
        /* Optional: answers a fact of the World that only this source can fetch (Docker: "engine-info").
         * -ENOENT when the key is not one of its own. Otherwise as WorldOps.fetch; an answer that comes
         * later goes to the World and is announced with context.facts_arrived(). */
        int (*fetch)(Source *s, const char *key, usec_t now);
        /* Optional: computes Source.due when the watchdog asks, for a source whose replies have deadlines of
         * their own. */
        usec_t (*due)(const Source *s);
} SourceOps;

typedef struct SourceContext SourceContext;
struct SourceContext {
        sd_event *event;
        Intake *intake;
        World *world;
        const struct Config *config;
        usec_t cold_start;       /* without a saved position: read from here (realtime) */
        const json_t *positions; /* saved positions by source name; may be NULL */
        /* To be called after facts were set outside of fetch(). May be NULL in tests. */
        void (*facts_arrived)(void *userdata);
        /* The source lost events: open absences and counts that rest on this kind end as unknown. May be
         * NULL in tests. */
        void (*lost)(void *userdata, SourceKind kind);
        /* The state of a source changed. May be NULL in tests. */
        void (*changed)(void *userdata, const Source *s);
        void *userdata;
};

struct Source {
        const SourceOps *ops;
        SourceContext context;
        SourceState state;
        char *reason; /* of DEGRADED and OFF */
        usec_t since; /* state entered, realtime */
        SourceCounters counters;
        unsigned n_failures; /* in a row: sets the back-off */
        sd_event_source *retry;
        /* For the watchdog: monotonic time at which the source's descriptor became readable or its reply
         * due; 0 when neither. A source sets it when it asks for something and clears it when served. */
        usec_t due;
};

int source_new(const SourceOps *ops, const SourceContext *context, Source **ret);
Source *source_free(Source *s);
DEFINE_CLEANUP(Source, source_free);

/* Starts it now; degrades and schedules a retry on failure. */
void source_start(Source *s);
void source_set_live(Source *s);
void source_set_catching_up(Source *s);
void source_set_off(Source *s, const char *format, ...) _printf_(2, 3);
/* Stops it, tells why, tries again after 1, 2, 4 … 60 s. Logged once per change of reason. */
void source_degrade(Source *s, int error, const char *format, ...) _printf_(3, 4);
/* Counts a loss, tells the diagnosis and says so once: messages the kernel dropped, entries that were
 * vacuumed before they were read. */
void source_lost(Source *s, SourceKind kind, const char *format, ...) _printf_(3, 4);
/* Since when, monotonic, the source keeps something waiting; 0 when it does not. */
usec_t source_due(const Source *s);
/* The loop's clock, one instant for all that a handler does. */
usec_t source_now(const Source *s, clockid_t clock);
/* What was saved for this source by the last run, NULL when nothing was. */
const json_t *source_saved_position(const Source *s);
json_t *source_to_json(const Source *s); /* name, state, reason, since, counters */

const SourceOps *const *source_registry(size_t *ret_n); /* alphabetical */
