/* The way from sources to the diagnosis.
 *
 * Owns the events that wait: in the merge while a source catches up, in `held` while the grace of a deadline
 * runs. Promise: the diagnosis sees events in the order of the merge, and time never passes a deadline that
 * a live source could still prevent. Trap: `n_in_merge` is what tells whether positions may be saved, so
 * nothing may enter or leave the merge but through here. */

#include "daemon/watch/intake.h"

typedef struct HeldEvent {
        Event *event;
        struct HeldEvent *next;
} HeldEvent;

struct Intake {
        Merge *merge;
        Diagnosis *diagnosis;
        size_t n_in_merge;
        HeldEvent *held; /* by time */
        size_t n_held;
};

/* A flood during the grace would grow without limit; past this the grace is given up. */
#define INTAKE_HELD_MAX 4096

void intake_set_diagnosis(Intake *i, Diagnosis *diagnosis) {
        i->diagnosis = diagnosis;
        diagnosis_set_grace(diagnosis, INTAKE_GRACE);
}

int intake_new(Intake **ret, Merge *merge, Diagnosis *diagnosis) {
        Intake *i = malloc(sizeof(*i));

        if (!i)
                return -ENOMEM;
        *i = (Intake){.merge = merge};
        intake_set_diagnosis(i, diagnosis);
        *ret = i;
        return 0;
}

static Event *held_pop(Intake *i) {
        HeldEvent *first = i->held;
        Event *event = first->event;

        i->held = first->next;
        i->n_held--;
        free(first);
        return event;
}

Intake *intake_free(Intake *i) {
        if (!i)
                return NULL;
        while (i->held)
                event_free(held_pop(i));
        free(i);
        return NULL;
}

Merge *intake_merge(Intake *i) {
        return i->merge;
}

bool intake_wants(Intake *i, const Event *event) {
        return diagnosis_wants(i->diagnosis, event);
}

int intake_take(Intake *i, MergeInput *input, const Event *event) {
        Event *copy;
        int r;

        if (merge_input_is_full(input))
                return -ENOBUFS;

        copy = event_dup(event);
        if (!copy)
                return -ENOMEM;

        r = merge_push(input, copy);
        if (r < 0)
                return r;
        i->n_in_merge++;
        return 1;
}

int intake_offer(Intake *i, MergeInput *input, const Event *event) {
        return intake_wants(i, event) ? intake_take(i, input, event) : 0;
}

static bool has_to_wait(const Intake *i, const Event *event, usec_t now) {
        usec_t deadline = diagnosis_next_absence(i->diagnosis);

        return deadline != USEC_INFINITY && event->time >= deadline &&
                now < usec_add(deadline, INTAKE_GRACE);
}

static int hold(Intake *i, Event *event) {
        HeldEvent **place = &i->held, *item = malloc(sizeof(*item));

        if (!item) {
                event_free(event);
                return -ENOMEM;
        }

        while (*place && (*place)->event->time <= event->time)
                place = &(*place)->next;
        *item = (HeldEvent){.event = event, .next = *place};
        *place = item;
        i->n_held++;
        return 0;
}

/* Every event is fed although one failed: the first error is what the caller hears of. */
static int feed(Intake *i, Event *event, int *error) {
        int r = diagnosis_feed(i->diagnosis, event);

        event_free(event);
        if (r < 0 && *error == 0)
                *error = r;
        return 1;
}

static int feed_held(Intake *i, usec_t now, int *error) {
        int n = 0;

        while (i->held && (i->n_held >= INTAKE_HELD_MAX || !has_to_wait(i, i->held->event, now)))
                n += feed(i, held_pop(i), error);
        return n;
}

static int feed_merged(Intake *i, Event *event, usec_t now, int *error) {
        int r;

        if (!has_to_wait(i, event, now))
                return feed(i, event, error);
        r = hold(i, event);
        if (r < 0 && *error == 0)
                *error = r;
        return 0;
}

int intake_drain(Intake *i, usec_t now) {
        int n, error = 0, r;
        usec_t position;

        n = feed_held(i, now, &error);
        for (Event *event; (event = merge_pop(i->merge));) {
                i->n_in_merge--;
                /* Written before the clock was set back: nothing happens in the future. */
                if (event->time > now)
                        event->time = now;
                n += feed_merged(i, event, now, &error);
                /* It may have ended the wait of what was held before it. */
                n += feed_held(i, now, &error);
        }

        position = merge_position(i->merge);
        if (position > now)
                position = now;
        r = diagnosis_advance(i->diagnosis, position);
        if (r < 0 && error == 0)
                error = r;
        return error < 0 ? error : n;
}

usec_t intake_next_deadline(const Intake *i) {
        /* While a source catches up, its progress moves time, not the clock. */
        if (merge_position(i->merge) != USEC_INFINITY)
                return USEC_INFINITY;
        return diagnosis_next_deadline(i->diagnosis);
}

size_t intake_pending(const Intake *i) {
        return i->n_in_merge + i->n_held;
}
