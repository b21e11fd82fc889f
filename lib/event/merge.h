#pragma once

/* Brings the events of all sources into one order of time. At start and after a gap every source has a
 * backlog; an event leaves only when no input that is still catching up can deliver an older one. Once all
 * are live, events pass straight through.
 *
 * Ties go by SourceKind, then by the order in which inputs were added, then by the input's own order. */

#include "lib/event/event.h"

#define MERGE_INPUT_MAX 4096 /* events queued per input; its source has to pause until they left */

typedef struct Merge Merge;
typedef struct MergeInput MergeInput;

int merge_new(Merge **ret);
Merge *merge_free(Merge *m); /* and all its inputs */
DEFINE_CLEANUP(Merge, merge_free);

/* Inputs start as catching up, at position 0. */
int merge_add_input(Merge *m, SourceKind kind, MergeInput **ret);
MergeInput *merge_remove_input(
        MergeInput *input); /* what it still holds leaves first come first served; returns NULL */

/* Takes over the event (also on failure). -ENOBUFS when the input is full. */
int merge_push(MergeInput *input, Event *event);
bool merge_input_is_full(const MergeInput *input);
/* Nothing older than position will come from this input. */
void merge_set_position(MergeInput *input, usec_t position);
/* The input has caught up: it holds nobody back any more until merge_set_catching_up(). */
void merge_set_live(MergeInput *input);
void merge_set_catching_up(MergeInput *input, usec_t position);

/* The next event in order, NULL when none may leave yet. Belongs to the caller. */
Event *merge_pop(Merge *m);
/* The lowest position of all inputs that have not caught up; USEC_INFINITY when all have. */
usec_t merge_position(const Merge *m);
