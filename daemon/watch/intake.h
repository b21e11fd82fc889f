#pragma once

/* Where sources hand in what they read: filters by what the rules want, merges by time, feeds the diagnosis.
 */

#include "lib/diagnosis/diagnosis.h"
#include "lib/event/merge.h"

typedef struct Intake Intake;

int intake_new(Intake **ret, Merge *merge, Diagnosis *diagnosis);
Intake *intake_free(Intake *i);
DEFINE_CLEANUP(Intake, intake_free);

Merge *intake_merge(Intake *i);

/* Cheap for what nobody wants: nothing is copied. Returns 1 when the event was taken, 0 when nobody wants
 * it, -ENOBUFS when the input is full (pause until intake_has_room()), or a negative errno. */
int intake_offer(Intake *i, MergeInput *input, const Event *event);
/* As above for callers that want to compute the position (a journal cursor) only for the events that count.
 */
bool intake_wants(Intake *i, const Event *event);
int intake_take(Intake *i, MergeInput *input, const Event *event);

/* Feeds everything that may leave the merge to the diagnosis. Called by the manager after each loop
 * iteration's handlers. */
int intake_drain(Intake *i, usec_t now);
