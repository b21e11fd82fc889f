/* A rule's history as JSON, for the state file. What does not fit the rule any more (a signal that is gone,
 * a wrong type) is left out: a state file outlives rule sets. */

#include "lib/engine/occurrence.h"

static json_t *variables_to_json(const Variable *variables, size_t n) {
        json_t *object = json_object();

        for (size_t i = 0; i < n; i++)
                if (json_object_set_new(object, variables[i].name, json_string(variables[i].value)) < 0) {
                        json_decref(object);
                        return NULL;
                }
        return object;
}

static json_t *occurrence_to_json(const Occurrence *o, const Rule *rule) {
        return json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:o}", "signal",
                rule->signals[o->signal].name, "first", (json_int_t) o->first, "last", (json_int_t) o->last,
                "count", (json_int_t) o->count, "source", source_kind_to_string(o->source), "origin",
                origin_to_string(o->origin), "position", o->position, "text", o->text, "variables",
                variables_to_json(o->variables, o->n_variables));
}

json_t *history_to_json(const History *h, const Rule *rule) {
        json_t *array = json_array();

        for (size_t i = 0; i < h->n_items; i++)
                if (json_array_append_new(array, occurrence_to_json(h->items[i], rule)) < 0) {
                        json_decref(array);
                        return NULL;
                }
        return array;
}

static int variables_from_json(const json_t *object, Occurrence *o) {
        const char *name;
        json_t *value;

        o->variables = calloc(json_object_size(object) + 1, sizeof(Variable));
        if (!o->variables)
                return -ENOMEM;
        json_object_foreach ((json_t *) object, name, value) {
                Variable *v = o->variables + o->n_variables;

                if (!json_is_string(value))
                        continue;
                o->n_variables++;
                v->name = strdup(name);
                v->value = strdup(json_string_value(value));
                if (!v->name || !v->value)
                        return -ENOMEM;
        }
        return 0;
}

/* Returns 1 and an occurrence, 0 when it does not fit the rule. */
static int occurrence_from_json(const json_t *object, const Rule *rule, Occurrence **ret) {
        _cleanup_(occurrence_freep) Occurrence *o = NULL;
        const char *name, *source, *origin, *position, *text;
        json_int_t first, last, count;
        json_t *variables;
        int signal, r;

        if (json_unpack((json_t *) object, "{s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:o}", "signal", &name,
                    "first", &first, "last", &last, "count", &count, "source", &source, "origin", &origin,
                    "position", &position, "text", &text, "variables", &variables) < 0)
                return 0;
        signal = rule_find_signal(rule, name);
        if (signal < 0 || first < 0 || last < first || count < 1)
                return 0;

        o = calloc(1, sizeof(*o));
        if (!o)
                return -ENOMEM;
        o->signal = (size_t) signal;
        o->first = (usec_t) first;
        o->last = (usec_t) last;
        o->count = (uint64_t) count;
        o->source = source_kind_from_string(text_of(source));
        o->origin = origin_from_string(text_of(origin));
        o->position = strdup(position);
        o->text = strdup(text);
        if (!o->position || !o->text)
                return -ENOMEM;
        r = variables_from_json(variables, o);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 1;
}

int history_from_json(const json_t *array, const Rule *rule, History *h) {
        size_t i;
        json_t *item;

        json_array_foreach ((json_t *) array, i, item) {
                _cleanup_(occurrence_freep) Occurrence *o = NULL;
                int r = occurrence_from_json(item, rule, &o);

                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                r = history_append(h, o);
                if (r < 0)
                        return r;
                (void) TAKE_PTR(o);
        }
        return 0;
}
