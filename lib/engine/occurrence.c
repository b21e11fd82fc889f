/* Occurrences and their bounded history. The trap is memory: a module that prints a matching line ten
 * thousand times a second, each with another captured value, must not grow anything. Equal hits within a
 * second are one occurrence with a count; beyond ENGINE_OCCURRENCES_MAX the oldest goes and is counted. */

#include "lib/engine/occurrence.h"

#define COALESCE_WITHIN         USEC_PER_SEC
#define COALESCE_LOOK_BACK      8 /* how many of the latest occurrences are compared with a new hit */
#define VARIABLE_VALUE_MAX      ((size_t) 512)
#define OCCURRENCE_POSITION_MAX ((size_t) 512)

const char *variables_find(const Variable *variables, size_t n, const char *name) {
        for (size_t i = n; i > 0; i--)
                if (strcmp(variables[i - 1].name, name) == 0)
                        return variables[i - 1].value;
        return NULL;
}

bool variables_agree(
        const Variable *a, size_t n_a, const Variable *b, size_t n_b, char *const *keys, size_t n_keys) {
        for (size_t i = 0; i < n_keys; i++) {
                const char *in_a = variables_find(a, n_a, keys[i]), *in_b = variables_find(b, n_b, keys[i]);

                if (in_a && in_b && strcmp(in_a, in_b) != 0)
                        return false;
        }
        return true;
}

Occurrence *occurrence_free(Occurrence *o) {
        if (!o)
                return NULL;
        for (size_t i = 0; i < o->n_variables; i++) {
                free(o->variables[i].name);
                free(o->variables[i].value);
        }
        free(o->variables);
        free(o->position);
        free(o->text);
        free(o);
        return NULL;
}

static bool occurrence_equals_hit(const Occurrence *o, const Hit *hit) {
        if (o->signal != hit->signal || o->n_variables != hit->n_variables)
                return false;
        for (size_t i = 0; i < hit->n_variables; i++) {
                const char *value = variables_find(o->variables, o->n_variables, hit->variables[i].name);

                if (!value || !text_is(text_clip(hit->variables[i].value, VARIABLE_VALUE_MAX), value))
                        return false;
        }
        return true;
}

static int occurrence_new(const Hit *hit, const Event *event, Occurrence **ret) {
        _cleanup_(occurrence_freep) Occurrence *o = calloc(1, sizeof(*o));

        if (!o)
                return -ENOMEM;
        *o = (Occurrence){
                .signal = hit->signal,
                .first = event->time,
                .last = event->time,
                .count = 1,
                .source = event->source,
                .origin = event->origin,
                .initial = event->initial,
                .position = text_to_utf8(event->position, OCCURRENCE_POSITION_MAX),
                .text = event_describe(event),
                .variables = calloc(hit->n_variables > 0 ? hit->n_variables : 1, sizeof(Variable)),
        };
        if (!o->position || !o->text || !o->variables)
                return -ENOMEM;
        for (size_t i = 0; i < hit->n_variables; i++) {
                Variable *v = o->variables + o->n_variables++;

                v->name = strdup(hit->variables[i].name);
                v->value = text_to_utf8(hit->variables[i].value, VARIABLE_VALUE_MAX);
                if (!v->name || !v->value)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(o);
        return 0;
}

int history_append(History *h, Occurrence *o) {
        if (h->n_items >= ENGINE_OCCURRENCES_MAX) {
                (void) occurrence_free(h->items[0]);
                memmove(h->items, h->items + 1, (--h->n_items) * sizeof(h->items[0]));
                h->n_dropped++;
        }
        if (!GROW_ARRAY(h->items, h->allocated, h->n_items, ENGINE_OCCURRENCES_MAX))
                return -ENOMEM;
        h->items[h->n_items++] = o;
        return 0;
}

int history_add(History *h, const Hit *hit, const Event *event, Occurrence **ret) {
        size_t look_back = h->n_items > COALESCE_LOOK_BACK ? h->n_items - COALESCE_LOOK_BACK : 0;
        _cleanup_(occurrence_freep) Occurrence *o = NULL;
        int r;

        for (size_t i = h->n_items; i > look_back; i--) {
                Occurrence *known = h->items[i - 1];

                if (usec_sub(event->time, known->first) >= COALESCE_WITHIN ||
                        !occurrence_equals_hit(known, hit))
                        continue;
                known->last = event->time;
                known->count++;
                *ret = known;
                return 0;
        }

        r = occurrence_new(hit, event, &o);
        if (r < 0)
                return r;
        r = history_append(h, o);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}

void history_expire(History *h, usec_t horizon) {
        size_t n = 0;

        while (n < h->n_items && h->items[n]->last < horizon)
                (void) occurrence_free(h->items[n++]);
        if (n == 0)
                return;
        h->n_items -= n;
        memmove(h->items, h->items + n, h->n_items * sizeof(h->items[0]));
}

void history_forget(History *h) {
        while (h->n_items > 0)
                (void) occurrence_free(h->items[--h->n_items]);
}

void history_done(History *h) {
        history_forget(h);
        free(h->items);
        *h = (History){};
}
