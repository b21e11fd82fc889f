#pragma once

/* The state parts of a recording (docker/api, net, root, units): what the device looked like at one moment.
 */

#include "lib/world/recording-part.h"
#include "lib/world/world.h"

#define RECORDING_STATE_MAX     16384 /* objects of all kinds */
#define RECORDING_ROOT_FILES    512   /* below the World's cap of facts */
#define RECORDING_ROOT_FILE_MAX ((size_t) 1024 * 1024)

typedef enum StateOvertaken {
        STATE_STANDS,
        STATE_CONTAINER_STARTED, /* events said so */
        STATE_CONTAINER_ENDED,
        STATE_OVERTAKEN, /* changed by an event, or gone */
} StateOvertaken;

typedef struct StateItem {
        Event event;
        StateOvertaken overtaken;
} StateItem;

typedef struct RecordedFile {
        char *path; /* on the device */
        char *content;
        size_t len;
} RecordedFile;

typedef struct RecordingState {
        StateItem *items;
        size_t n_items, allocated;
        RecordedFile *files;
        size_t n_files, allocated_files;
        size_t file_bytes;
        bool has[EVENT_X_MAX]; /* this kind of object was enumerated */
        json_t *listeners, *engine_info, *engine_version, *firewall;
        usec_t time; /* of the snapshot */
} RecordingState;

int recording_state_load(RecordingState *s, const RecordingFolder *f);
void recording_state_done(RecordingState *s);
bool recording_state_is_empty(const RecordingState *s);

/* By name or id; NULL when there is none. */
const Container *recording_state_container(const RecordingState *s, const char *name_or_id);

/* What can be taken as known from `start` on. */
int recording_state_apply(const RecordingState *s, World *w, usec_t start);

/* A fact of the World that the snapshot holds. Returns 1 and a value that the caller owns, 0 when it does
 * not hold it, or -ENOMEM. */
int recording_state_fact(const RecordingState *s, const char *key, json_t **ret);

/* An event was delivered: what the snapshot says of the same object is no longer told as news. */
void recording_state_note(RecordingState *s, const Event *event);

/* The initial events of one kind, all at s->time. -ENOENT when there are none. The state must outlive it. */
int recording_state_open(RecordingState *s, SourceKind kind, RecordingPart **ret);
