#pragma once

/* Where sources hand in what they read: filters by what the rules want, merges by time, feeds the diagnosis.
 *
 * Live sources lag behind each other, journald by a quarter of a second. So that a fast source's event
 * cannot fire an absence whose end a slow one is about to report, no time passes for a deadline before
 * INTAKE_GRACE after it: an event beyond such a deadline is held that long. */

#include "lib/diagnosis/diagnosis.h"
#include "lib/event/merge.h"

#define INTAKE_GRACE USEC_PER_SEC

typedef struct Intake Intake;

int intake_new(Intake **ret, Merge *merge, Diagnosis *diagnosis);
Intake *intake_free(Intake *i);
DEFINE_CLEANUP(Intake, intake_free);

Merge *intake_merge(Intake *i);
/* After a reload: what waits goes to this one. */
void intake_set_diagnosis(Intake *i, Diagnosis *diagnosis);

/* Cheap for what nobody wants: nothing is copied. Returns 1 when the event was taken, 0 when nobody wants
 * it, -ENOBUFS when the input is full (pause until SourceOps.resume()), or a negative errno. */
int intake_offer(Intake *i, MergeInput *input, const Event *event);
/* As above for callers that want to compute the position (a journal cursor) only for the events that count.
 */
bool intake_wants(Intake *i, const Event *event);
int intake_take(Intake *i, MergeInput *input, const Event *event);

/* Feeds everything that may leave the merge to the diagnosis, then lets time pass. Called by the manager
 * after each loop iteration's handlers. Returns the number of events that left, or a negative errno. */
int intake_drain(Intake *i, usec_t now);
/* When intake_drain() has to be called next although nothing arrives; USEC_INFINITY when not. */
usec_t intake_next_deadline(const Intake *i);
/* Events taken that have not reached the diagnosis: while there are any, the sources' positions are ahead of
 * it and must not be saved. */
size_t intake_pending(const Intake *i);
