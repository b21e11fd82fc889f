#pragma once

/* Whether one condition of a rule holds over what was seen so far. Pure reading of a history. */

#include "lib/engine/occurrence.h"

#define FINDING_OCCURRENCES_MAX 16
#define FINDING_VARIABLES_MAX   32

/* A finding and the memory that its pointers need. */
typedef struct FoundCondition {
        const Occurrence *occurrences[FINDING_OCCURRENCES_MAX];
        size_t n_occurrences;
        Variable variables[FINDING_VARIABLES_MAX]; /* borrowed from the occurrences */
        size_t n_variables;
} FoundCondition;

/* What of a history a condition may use: nothing that began at or before `blind_until`. A wait for recovery
 * goes on over a loss, but begins anew: what began later than `restarts_after` counts from `restarted` on.
 */
typedef struct ConditionView {
        const Rule *rule;
        const Condition *condition;
        const History *history;
        usec_t blind_until; /* 0 is never blind */
        usec_t restarted, restarts_after;
} ConditionView;

/* From when on what was seen at `time` counts. */
usec_t condition_counts_from(const ConditionView *view, usec_t time);

bool condition_has_step(const Condition *c, size_t signal);

/* Conditions that hold at the moment a hit arrives (all kinds but ABSENCE, QUIET, REFUTED). */
bool condition_holds(const ConditionView *view, const Occurrence *trigger, FoundCondition *ret);

/* ABSENCE: the next occurrence of its steps, from item *cursor of the history on, whose time is up in
 * (after, until] and that nothing ended. Moves the cursor behind it. */
bool condition_absence_due(
        const ConditionView *view, usec_t after, usec_t until, size_t *cursor, FoundCondition *ret);
/* The earliest time later than `after` at which condition_absence_due() may have an answer; USEC_INFINITY
 * when there is none. */
usec_t condition_absence_deadline(const ConditionView *view, usec_t after);

/* COUNT with `below`: whether each part of the window before `now` has fewer than asked. */
bool condition_is_below(const ConditionView *view, usec_t now, FoundCondition *ret);

/* Applies one test to variables. GREATER and LESS need numbers on both sides and fail without them. */
bool variable_test_holds(const VariableTest *test, const Variable *variables, size_t n_variables);
