#pragma once

/* One part of a recording that delivers events in its own order. recording.c merges the parts by time.
 *
 * A new part is one file with a function that opens it, and one line in recording_open(). */

#include "lib/event/event.h"
#include "lib/world/recording-stream.h"

typedef struct RecordingPart RecordingPart;

typedef struct RecordingPartOps {
        /* Returns 1 and an event that is valid until the next call, 0 at the end, or a negative errno. What
         * cannot be read is listed as a problem and passed over. */
        int (*next)(RecordingPart *p, Event *ret);
        /* Whether the event of the last call has been overtaken while it waited for its turn; may be NULL.
         */
        bool (*is_overtaken)(const RecordingPart *p);
        /* Frees the part. */
        void (*done)(RecordingPart *p);
} RecordingPartOps;

/* First member of each part's own struct. */
struct RecordingPart {
        const RecordingPartOps *ops;
        SourceKind kind;
        size_t index;  /* in the order of opening */
        usec_t latest; /* highest time so far: inside a part time never goes back */
        Event head;
        bool has_head;
};

/* Each returns 0 and the part, -ENOENT when the recording does not have it, or another negative errno. */
int recording_journal_export_open(const RecordingFolder *f, const char *name, RecordingPart **ret);
/* The names that may be opened so: journal/NAME.export and journal.export, which need not be there. */
int recording_journal_exports(const RecordingFolder *f, NameList *ret);
int recording_journal_files_open(const RecordingFolder *f, RecordingPart **ret);
int recording_docker_events_open(const RecordingFolder *f, RecordingPart **ret);
int recording_network_events_open(const RecordingFolder *f, RecordingPart **ret);
/* container_id may be NULL. */
int recording_docker_log_open(
        const RecordingFolder *f, const char *container, const char *container_id, RecordingPart **ret);

/* Whether the journal holds lines of this container (log driver journald). Returns 1, 0 or a negative errno.
 */
int recording_journal_has_container(const RecordingFolder *f, const char *container);
