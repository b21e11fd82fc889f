/* The one order of time over all sources: a queue per input and a choice of the oldest head.
 *
 * Promise: with every input honest about its position, no event leaves before an older one that was still to
 * come. The trap: a source's own times may step back (a clock was set, a journal of another boot). An input
 * is therefore ordered by the highest time it has shown so far, which keeps its own order and never blocks
 * the others; the event's own time is not touched. */

#include "lib/event/merge.h"

#include <utlist.h>

typedef struct QueuedEvent {
        Event *event;
        usec_t key; /* the event's time, or the latest one before it if that is later */
} QueuedEvent;

struct MergeInput {
        Merge *merge;
        SourceKind kind;
        bool catching_up;
        bool removed;    /* its owner has let go; it is freed with its last event */
        usec_t position; /* nothing older will come */
        usec_t latest;   /* highest key pushed */
        QueuedEvent *queue;
        size_t first, n_queued, allocated; /* a ring; allocated is a power of two */
        MergeInput *prev, *next;
};

struct Merge {
        MergeInput *inputs; /* in the order of ties */
};

int merge_new(Merge **ret) {
        Merge *m = calloc(1, sizeof(*m));

        if (!m)
                return -ENOMEM;
        *ret = m;
        return 0;
}

static QueuedEvent *input_at(const MergeInput *input, size_t i) {
        return &input->queue[(input->first + i) & (input->allocated - 1)];
}

static void input_free(MergeInput *input) {
        DL_DELETE(input->merge->inputs, input);
        for (size_t i = 0; i < input->n_queued; i++)
                (void) event_free(input_at(input, i)->event);
        free(input->queue);
        free(input);
}

Merge *merge_free(Merge *m) {
        if (!m)
                return NULL;
        while (m->inputs)
                input_free(m->inputs);
        free(m);
        return NULL;
}

int merge_add_input(Merge *m, SourceKind kind, MergeInput **ret) {
        MergeInput *input, *after = NULL, *i;

        input = calloc(1, sizeof(*input));
        if (!input)
                return -ENOMEM;
        input->merge = m;
        input->kind = kind;
        input->catching_up = true;

        DL_FOREACH (m->inputs, i) {
                if (i->kind > kind)
                        break;
                after = i;
        }
        DL_APPEND_ELEM(m->inputs, after, input);
        *ret = input;
        return 0;
}

MergeInput *merge_remove_input(MergeInput *input) {
        if (!input)
                return NULL;
        if (input->n_queued == 0) {
                input_free(input);
                return NULL;
        }
        input->catching_up = false;
        input->removed = true;
        return NULL;
}

static int input_reserve(MergeInput *input) {
        QueuedEvent *queue;
        size_t allocated;

        if (input->n_queued < input->allocated)
                return 0;
        allocated = input->allocated > 0 ? input->allocated * 2 : 16;
        queue = calloc(allocated, sizeof(*queue));
        if (!queue)
                return -ENOMEM;
        for (size_t i = 0; i < input->n_queued; i++)
                queue[i] = *input_at(input, i);
        free(input->queue);
        input->queue = queue;
        input->allocated = allocated;
        input->first = 0;
        return 0;
}

int merge_push(MergeInput *input, Event *event) {
        _cleanup_(event_freep) Event *owned = event;
        int r;

        if (merge_input_is_full(input))
                return -ENOBUFS;
        r = input_reserve(input);
        if (r < 0)
                return r;

        if (event->time > input->latest)
                input->latest = event->time;
        input->n_queued++;
        *input_at(input, input->n_queued - 1) = (QueuedEvent){TAKE_PTR(owned), input->latest};
        return 0;
}

bool merge_input_is_full(const MergeInput *input) {
        return input->n_queued >= MERGE_INPUT_MAX;
}

void merge_set_position(MergeInput *input, usec_t position) {
        if (position > input->position)
                input->position = position;
}

void merge_set_live(MergeInput *input) {
        input->catching_up = false;
}

void merge_set_catching_up(MergeInput *input, usec_t position) {
        input->catching_up = true;
        input->position = position;
}

/* The lowest time at which something may still leave this input. */
static usec_t input_horizon(const MergeInput *input) {
        if (input->n_queued > 0)
                return input_at(input, 0)->key;
        if (!input->catching_up)
                return USEC_INFINITY;
        return input->position > input->latest ? input->position : input->latest;
}

Event *merge_pop(Merge *m) {
        MergeInput *oldest = NULL, *i;
        usec_t horizon = USEC_INFINITY;
        Event *event;

        /* The list is in the order of ties, so that the first of the lowest wins: if that one is only waited
         * for, nothing may leave. */
        DL_FOREACH (m->inputs, i) {
                usec_t h = input_horizon(i);

                if (oldest ? h < horizon : (i->n_queued > 0 || i->catching_up)) {
                        oldest = i;
                        horizon = h;
                }
        }
        if (!oldest || oldest->n_queued == 0)
                return NULL;

        event = input_at(oldest, 0)->event;
        oldest->first = (oldest->first + 1) & (oldest->allocated - 1);
        oldest->n_queued--;
        if (oldest->removed && oldest->n_queued == 0)
                input_free(oldest);
        return event;
}

usec_t merge_position(const Merge *m) {
        usec_t lowest = USEC_INFINITY;
        MergeInput *i;

        DL_FOREACH (m->inputs, i)
                if (i->catching_up && input_horizon(i) < lowest)
                        lowest = input_horizon(i);
        return lowest;
}
