#pragma once

/* Reads a recording (docs/recording.md): a directory of standard tools' output. Delivers its parts as one
 * stream of events merged by time, and its state parts as events and facts. Every part is optional. A part
 * or line that cannot be read is listed as a problem with file and line, and the rest goes on. */

#include "lib/rules/rule-set.h"
#include "lib/world/world.h"

#define RECORDING_LINE_MAX ((size_t) 1024 * 1024)
#define RECORDING_FILE_MAX ((size_t) 64 * 1024 * 1024) /* of one state part; logs are read as streams */

typedef struct Recording Recording;

/* -ENOENT, -ENOTDIR, -EINVAL when it is no recording at all (nothing in it that we know). `problems` is
 * borrowed and has to outlive the recording: its streams are read later. */
int recording_open(Recording **ret, const char *path, ProblemList *problems);
Recording *recording_free(Recording *r);
DEFINE_CLEANUP(Recording, recording_free);

/* Puts what holds from the start into the World (facts of files, networks, links, metrics, answers…). The
 * World of a replay is made with recording_world_ops(): a fact that the recording does not hold is unknown.
 */
WorldOps recording_world_ops(Recording *r);
int recording_load_state(Recording *r, World *w);

/* The next event in order of time. Returns 1, 0 at the end, or a negative errno. Valid until the next call.
 * State parts come as `initial` events at the recording's state time. Container logs have their origin by
 * name; the diagnosis asks the World. */
int recording_next(Recording *r, Event *ret);

/* recording.json's `end`; 0 without it. */
usec_t recording_end(const Recording *r);
