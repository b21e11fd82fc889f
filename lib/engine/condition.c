/* The kinds of conditions: any, all, sequence, count, absence, below. Each looks back from the occurrence
 * that triggered it, so nothing but the history is state, and a replay that sees the same occurrences finds
 * the same. */

#include "lib/engine/condition.h"

#define SEQUENCE_ATTEMPTS_MAX 4096 /* occurrences looked at for one sequence: backtracking stays bounded */

static bool has_signal(const size_t *signals, size_t n, size_t signal) {
        for (size_t i = 0; i < n; i++)
                if (signals[i] == signal)
                        return true;
        return false;
}

bool condition_has_step(const Condition *c, size_t signal) {
        return has_signal(c->steps, c->n_steps, signal);
}

static bool value_is_listed(const VariableTest *test, const char *value) {
        for (size_t i = 0; i < test->n_values; i++)
                if (strcmp(test->values[i], value) == 0)
                        return true;
        return false;
}

bool variable_test_holds(const VariableTest *test, const Variable *variables, size_t n_variables) {
        const char *value = variables_find(variables, n_variables, test->variable), *other;
        uint64_t a, b;

        switch (test->op) {
        case COMPARE_IS:
                return value && value_is_listed(test, value);
        case COMPARE_IS_NOT:
                return !value || !value_is_listed(test, value);
        case COMPARE_GREATER:
        case COMPARE_LESS:
                if (!value || test->n_values != 1)
                        return false;
                other = variables_find(variables, n_variables, test->values[0]);
                if (!other)
                        other = test->values[0];
                if (text_to_u64(text_of(value), &a) < 0 || text_to_u64(text_of(other), &b) < 0)
                        return false;
                return test->op == COMPARE_GREATER ? a > b : a < b;
        default:
                return false;
        }
}

static void found_add(FoundCondition *f, const Occurrence *o) {
        if (f->n_occurrences < FINDING_OCCURRENCES_MAX)
                f->occurrences[f->n_occurrences++] = o;
        for (size_t i = 0; i < o->n_variables; i++) {
                bool known = false;

                for (size_t j = 0; j < f->n_variables && !known; j++)
                        if (strcmp(f->variables[j].name, o->variables[i].name) == 0) {
                                f->variables[j] = o->variables[i];
                                known = true;
                        }
                if (!known && f->n_variables < FINDING_VARIABLES_MAX)
                        f->variables[f->n_variables++] = o->variables[i];
        }
}

static bool found_passes(const ConditionView *v, const FoundCondition *f) {
        for (size_t i = 0; i < v->condition->n_where; i++)
                if (!variable_test_holds(v->condition->where + i, f->variables, f->n_variables))
                        return false;
        return true;
}

static bool agrees(const ConditionView *v, const Occurrence *a, const Occurrence *b) {
        return variables_agree(
                a->variables, a->n_variables, b->variables, b->n_variables, v->rule->keys, v->rule->n_keys);
}

static bool is_visible(const ConditionView *v, const Occurrence *o) {
        return v->blind_until == 0 || o->first > v->blind_until;
}

usec_t condition_counts_from(const ConditionView *v, usec_t time) {
        return time > v->restarts_after && time < v->restarted ? v->restarted : time;
}

static usec_t absence_due(const ConditionView *v, const Occurrence *o) {
        return usec_add(condition_counts_from(v, o->first), v->condition->window);
}

static bool agrees_with_all(
        const ConditionView *v, const Occurrence *o, const Occurrence *const *of, size_t n_of) {
        for (size_t i = 0; i < n_of; i++)
                if (!agrees(v, o, of[i]))
                        return false;
        return true;
}

/* Whether one of the condition's `absent` signals was seen in [from, to]. It has to agree with all that the
 * condition found: one step alone may lack the key that tells its subject. */
static bool is_ended(
        const ConditionView *v, const Occurrence *const *of, size_t n_of, usec_t from, usec_t to) {
        for (size_t i = v->history->n_items; i > 0; i--) {
                const Occurrence *o = v->history->items[i - 1];

                if (o->last < from || o->first > to ||
                        !has_signal(v->condition->absent, v->condition->n_absent, o->signal))
                        continue;
                if (agrees_with_all(v, o, of, n_of))
                        return true;
        }
        return false;
}

static bool all_hold(const ConditionView *v, const Occurrence *trigger, FoundCondition *f) {
        usec_t from = usec_sub(trigger->last, v->condition->window), first = trigger->first;

        for (size_t s = 0; s < v->condition->n_steps; s++) {
                const Occurrence *found = v->condition->steps[s] == trigger->signal ? trigger : NULL;

                for (size_t i = v->history->n_items; i > 0 && !found; i--) {
                        const Occurrence *o = v->history->items[i - 1];

                        if (o->signal == v->condition->steps[s] && o->last >= from && is_visible(v, o) &&
                                agrees(v, o, trigger))
                                found = o;
                }
                if (!found)
                        return false;
                if (found->first < first)
                        first = found->first;
                found_add(f, found);
        }
        return v->condition->n_absent == 0 ||
                !is_ended(v, f->occurrences, f->n_occurrences, first, trigger->last);
}

typedef struct SequenceSearch {
        const ConditionView *view;
        const Occurrence *chain[RULE_STEPS_MAX];
        size_t n_attempts;
} SequenceSearch;

static bool chain_holds(SequenceSearch *s, FoundCondition *f) {
        const ConditionView *v = s->view;
        size_t n = v->condition->n_steps;

        for (size_t i = 0; i < n; i++)
                for (size_t j = i + 1; j < n; j++)
                        if (!agrees(v, s->chain[i], s->chain[j]))
                                return false;
        if (v->condition->n_absent > 0 &&
                is_ended(v, s->chain, n, s->chain[0]->first, s->chain[n - 1]->last))
                return false;
        *f = (FoundCondition){};
        for (size_t i = 0; i < n; i++)
                found_add(f, s->chain[i]);
        return found_passes(v, f);
}

/* Fills chain[step] and below with occurrences before history item `end`, the latest first. */
static bool search_back(SequenceSearch *s, size_t step, size_t end, usec_t from, FoundCondition *f) {
        const ConditionView *v = s->view;

        for (size_t i = end; i > 0; i--) {
                const Occurrence *o = v->history->items[i - 1];

                if (o->last < from || ++s->n_attempts > SEQUENCE_ATTEMPTS_MAX)
                        return false;
                if (o->signal != v->condition->steps[step] || !is_visible(v, o) ||
                        !agrees(v, o, s->chain[v->condition->n_steps - 1]))
                        continue;
                s->chain[step] = o;
                if (step == 0 ? chain_holds(s, f) : search_back(s, step - 1, i - 1, from, f))
                        return true;
        }
        return false;
}

static bool sequence_holds(const ConditionView *v, const Occurrence *trigger, FoundCondition *f) {
        size_t last = v->condition->n_steps - 1, end = v->history->n_items;
        SequenceSearch search = {.view = v};

        if (trigger->signal != v->condition->steps[last])
                return false;
        while (end > 0 && v->history->items[end - 1] != trigger)
                end--;
        if (end == 0)
                return false;
        search.chain[last] = trigger;
        if (last == 0)
                return chain_holds(&search, f);
        return search_back(&search, last - 1, end - 1, usec_sub(trigger->last, v->condition->window), f);
}

/* How often the condition's first step was seen in (from, to], after the last thing that ended it. */
static uint64_t count_between(
        const ConditionView *v, const Occurrence *like, usec_t from, usec_t to, FoundCondition *f) {
        uint64_t n = 0;

        for (size_t i = v->history->n_items; i > 0; i--) {
                const Occurrence *o = v->history->items[i - 1];
                bool ends = o->last > from && o->first <= to &&
                        has_signal(v->condition->absent, v->condition->n_absent, o->signal);
                bool counts = o->first > from && o->first <= to &&
                        condition_has_step(v->condition, o->signal) && is_visible(v, o);

                if ((!ends && !counts) || (like && !agrees(v, o, like)))
                        continue;
                if (ends)
                        break;
                n += o->count;
                if (f)
                        found_add(f, o);
        }
        return n;
}

static bool count_holds(const ConditionView *v, const Occurrence *trigger, FoundCondition *f) {
        const Condition *c = v->condition;
        usec_t now = trigger->last, part = c->sustained_every;

        /* `from` is exclusive: an occurrence exactly a window ago counts */
        if (count_between(v, trigger, usec_sub(now, usec_add(c->window, 1)), now, f) < c->at_least)
                return false;
        if (c->sustained_at_least == 0 || part == 0)
                return true;
        for (usec_t back = 0; back + part <= c->window; back += part)
                if (count_between(v, trigger, usec_sub(now, back + part), usec_sub(now, back), NULL) <
                        c->sustained_at_least)
                        return false;
        return true;
}

/* Findings list their occurrences in order of time. */
static void found_sort(FoundCondition *f) {
        for (size_t i = 1; i < f->n_occurrences; i++)
                for (size_t j = i; j > 0 && f->occurrences[j]->first < f->occurrences[j - 1]->first; j--) {
                        const Occurrence *o = f->occurrences[j];
                        f->occurrences[j] = f->occurrences[j - 1];
                        f->occurrences[j - 1] = o;
                }
}

bool condition_holds(const ConditionView *v, const Occurrence *trigger, FoundCondition *ret) {
        FoundCondition found = {};
        bool holds = false;

        if (!condition_has_step(v->condition, trigger->signal) || !is_visible(v, trigger))
                return false;
        switch (v->condition->kind) {
        case CONDITION_ANY:
                found_add(&found, trigger);
                holds = true;
                break;
        case CONDITION_ALL:
                holds = all_hold(v, trigger, &found);
                break;
        case CONDITION_SEQUENCE:
                holds = sequence_holds(v, trigger, &found);
                break;
        case CONDITION_COUNT:
                holds = !v->condition->below && count_holds(v, trigger, &found);
                break;
        default:
                break;
        }
        if (!holds || !found_passes(v, &found))
                return false;
        found_sort(&found);
        *ret = found;
        return true;
}

usec_t condition_absence_deadline(const ConditionView *v, usec_t after) {
        size_t low = 0, high = v->history->n_items;

        while (low < high) { /* the history is in order: the first that is due later than `after` */
                size_t middle = low + (high - low) / 2;

                if (absence_due(v, v->history->items[middle]) > after)
                        high = middle;
                else
                        low = middle + 1;
        }
        for (; low < v->history->n_items; low++) {
                const Occurrence *o = v->history->items[low];

                if (is_visible(v, o) && condition_has_step(v->condition, o->signal))
                        return absence_due(v, o);
        }
        return USEC_INFINITY;
}

/* Whether `before` led to this occurrence: the same as a sequence that ends with it. */
static bool is_preceded(const ConditionView *v, const Occurrence *o, FoundCondition *f) {
        Condition chain = {
                .kind = CONDITION_SEQUENCE,
                .n_steps = v->condition->n_before + 1,
                .window = v->condition->before_window,
                .where = v->condition->where,
                .n_where = v->condition->n_where,
        };
        ConditionView view = *v;

        memcpy(chain.steps, v->condition->before, v->condition->n_before * sizeof(chain.steps[0]));
        chain.steps[v->condition->n_before] = o->signal;
        view.condition = &chain;
        return sequence_holds(&view, o, f);
}

bool condition_absence_due(
        const ConditionView *v, usec_t after, usec_t until, size_t *cursor, FoundCondition *ret) {
        while (*cursor < v->history->n_items) {
                const Occurrence *o = v->history->items[(*cursor)++];
                usec_t due = absence_due(v, o);
                FoundCondition found = {};

                if (due <= after || due > until || !is_visible(v, o) ||
                        !condition_has_step(v->condition, o->signal))
                        continue;
                if (is_ended(v, &o, 1, o->first, due))
                        continue;
                if (v->condition->at_least > 1 &&
                        count_between(v, o, usec_sub(o->first, 1), due, NULL) < v->condition->at_least)
                        continue;
                found_add(&found, o);
                if (v->condition->n_before > 0 ? !is_preceded(v, o, &found) : !found_passes(v, &found))
                        continue;
                *ret = found;
                return true;
        }
        return false;
}

bool condition_is_below(const ConditionView *v, usec_t now, FoundCondition *ret) {
        const Condition *c = v->condition;
        usec_t seen_from = v->blind_until > v->restarted ? v->blind_until : v->restarted;
        FoundCondition found = {};

        if (seen_from > 0 && now < usec_add(seen_from, c->window))
                return false;
        for (usec_t back = 0; back + c->sustained_every <= c->window; back += c->sustained_every)
                if (count_between(v, NULL, usec_sub(now, back + c->sustained_every), usec_sub(now, back),
                            NULL) >= c->at_least)
                        return false;
        *ret = found;
        return true;
}
