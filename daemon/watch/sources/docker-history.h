#pragma once

/* What was already told of one container's life, so that an inspection can tell what the event stream did
 * not: the engine keeps about 256 events, and none over its own restart. Pure. */

#include "lib/event/event.h"

/* An event of the stream may be on its way while inspect already shows what it tells: changes younger than
 * this are left to the stream, and looked at again. */
#define DOCKER_HISTORY_SETTLE (2 * USEC_PER_SEC)

typedef struct DockerHistory {
        bool known;                     /* false: nothing is known of its past, so nothing can be missing */
        usec_t started_at, finished_at; /* of State, as far as told */
        uint64_t error;                 /* hash of State.Error as told, 0 for none */
        usec_t start_seen, die_seen, oom_seen; /* by the stream */
        usec_t start_derived, die_derived;     /* by us: the stream may still bring them */
} DockerHistory;

typedef enum DockerMissed {
        DOCKER_MISSED_START = 1 << 0,
        DOCKER_MISSED_DIE = 1 << 1,
        DOCKER_MISSED_OOM = 1 << 2,
        DOCKER_NEW_ERROR = 1 << 3,
        DOCKER_LOOK_AGAIN = 1 << 4, /* too young to tell: inspect again after DOCKER_HISTORY_SETTLE */
} DockerMissed;

/* What inspect shows and nobody has told; it counts as told from then on. A mask of DockerMissed. */
unsigned docker_history_observe(DockerHistory *h, const Container *c, usec_t now);

/* Notes an event of the stream. False when observe() has already told it. */
bool docker_history_note(DockerHistory *h, Text action, usec_t time);

json_t *docker_history_to_json(const DockerHistory *h);
DockerHistory docker_history_from_json(const json_t *object);
