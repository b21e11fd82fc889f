#pragma once

/* The memory of one rule: which of its signals were seen, when, with which variables. Bounded in number and
 * in time. */

#include "lib/engine/engine.h"

typedef struct History {
        Occurrence **items; /* by time of their first event */
        size_t n_items, allocated;
        uint64_t n_dropped;
} History;

Occurrence *occurrence_free(Occurrence *o);
DEFINE_CLEANUP(Occurrence, occurrence_free);

/* Remembers a hit. An equal one within a second is counted into the one before. ret is borrowed. */
int history_add(History *h, const Hit *hit, const Event *event, Occurrence **ret);
/* Takes over one that was restored. */
int history_append(History *h, Occurrence *o);
/* Forgets what ended before `horizon`. */
void history_expire(History *h, usec_t horizon);
void history_forget(History *h); /* its occurrences; what was dropped stays counted */
void history_done(History *h);

/* Signals are named, so that a changed rule keeps what still fits. NULL when memory is out. */
json_t *history_to_json(const History *h, const Rule *rule);
int history_from_json(const json_t *array, const Rule *rule, History *h);
