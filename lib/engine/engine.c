/* The engine: one history per rule, conditions asked when a hit arrives or a deadline passes. It owns the
 * engine's time, which is the position of the evidence and only goes forward. The trap is order: a deadline
 * that lies before an event must fire before that event is remembered, or an absence would be ended by
 * something that came too late. */

#include "lib/engine/condition.h"

typedef struct ConditionState {
        usec_t evaluated;                 /* absence and below: deadlines up to here have fired */
        usec_t blind_until;               /* of `when` */
        usec_t restarted, restarts_after; /* of `clear` */
} ConditionState;

typedef struct RuleState {
        History history;
        ConditionState when[RULE_CONDITIONS_MAX], clear[RULE_CONDITIONS_MAX];
        usec_t look_back; /* how far any of its conditions can look */
        usec_t deadline;
} RuleState;

struct Engine {
        const RuleSet *rules;
        EngineHandler handler;
        usec_t now;
        RuleState *states; /* by index of the rule */
        size_t n_states;   /* the rules may be gone before the engine is freed */
};

static usec_t rule_look_back(const Rule *r) {
        usec_t look_back = r->evidence_window;

        for (size_t i = 0; i < r->n_when; i++)
                if (usec_add(r->when[i].window, r->when[i].before_window) > look_back)
                        look_back = usec_add(r->when[i].window, r->when[i].before_window);
        for (size_t i = 0; i < r->n_clear; i++)
                if (r->clear[i].kind != CONDITION_QUIET && r->clear[i].window > look_back)
                        look_back = r->clear[i].window;
        return look_back;
}

int engine_new(Engine **ret, const RuleSet *rules, EngineHandler handler) {
        _cleanup_(engine_freep) Engine *e = calloc(1, sizeof(*e));

        if (!e)
                return -ENOMEM;
        *e = (Engine){.rules = rules, .handler = handler};
        e->states = calloc(rules->n_rules > 0 ? rules->n_rules : 1, sizeof(RuleState));
        if (!e->states)
                return -ENOMEM;
        e->n_states = rules->n_rules;
        for (size_t i = 0; i < rules->n_rules; i++) {
                e->states[i].look_back = rule_look_back(rules->rules[i]);
                e->states[i].deadline = USEC_INFINITY;
        }
        *ret = TAKE_PTR(e);
        return 0;
}

Engine *engine_free(Engine *e) {
        if (!e)
                return NULL;
        for (size_t i = 0; i < e->n_states; i++)
                history_done(&e->states[i].history);
        free(e->states);
        free(e);
        return NULL;
}

static ConditionView view_of(const Engine *e, size_t rule, const Condition *c, const ConditionState *s) {
        return (ConditionView){
                .rule = e->rules->rules[rule],
                .condition = c,
                .history = &e->states[rule].history,
                .blind_until = s->blind_until,
                .restarted = s->restarted,
                .restarts_after = s->restarts_after,
        };
}

static int report(
        Engine *e, size_t rule, const Condition *c, const FoundCondition *f, usec_t time, bool clears) {
        Finding finding = {
                .rule = e->rules->rules[rule],
                .rule_index = rule,
                .condition = c,
                .time = time,
                .variables = f->variables,
                .n_variables = f->n_variables,
                .occurrences = f->occurrences,
                .n_occurrences = f->n_occurrences,
        };

        return (clears ? e->handler.clear : e->handler.raise)(e->handler.userdata, &finding);
}

/* A `below` condition is looked at once per part of its window, as long as something is left in the window.
 */
static usec_t below_deadline(const ConditionView *v, const ConditionState *s) {
        const Condition *c = v->condition;
        usec_t newest = 0;

        for (size_t i = 0; i < v->history->n_items; i++)
                if (condition_has_step(c, v->history->items[i]->signal) &&
                        v->history->items[i]->last > newest)
                        newest = v->history->items[i]->last;
        newest = condition_counts_from(v, newest);
        if (newest == 0 || s->evaluated >= usec_add(newest, usec_add(c->window, c->sustained_every)))
                return USEC_INFINITY;
        return usec_add(s->evaluated > newest ? s->evaluated : newest, c->sustained_every);
}

static usec_t condition_deadline(const Engine *e, size_t rule, const Condition *c, const ConditionState *s) {
        ConditionView view = view_of(e, rule, c, s);

        if (c->kind == CONDITION_ABSENCE)
                return condition_absence_deadline(&view, s->evaluated);
        if (c->kind == CONDITION_COUNT && c->below)
                return below_deadline(&view, s);
        return USEC_INFINITY;
}

static void advance_deadline(Engine *e, size_t rule, const Condition *c, const ConditionState *state) {
        usec_t deadline = condition_deadline(e, rule, c, state);

        if (deadline < e->states[rule].deadline)
                e->states[rule].deadline = deadline;
}

static void update_deadline(Engine *e, size_t rule) {
        const Rule *r = e->rules->rules[rule];
        RuleState *s = e->states + rule;

        s->deadline = USEC_INFINITY;
        for (size_t i = 0; i < r->n_when; i++)
                advance_deadline(e, rule, r->when + i, s->when + i);
        for (size_t i = 0; i < r->n_clear; i++)
                advance_deadline(e, rule, r->clear + i, s->clear + i);
}

/* A new occurrence opens deadlines of the conditions it is a step of. Others stay, or are now too early,
 * which fires nothing: searching all of the history for each hit would be felt in a flood. */
static void open_deadlines(Engine *e, size_t rule, size_t signal) {
        const Rule *r = e->rules->rules[rule];
        RuleState *s = e->states + rule;

        for (size_t i = 0; i < r->n_when; i++)
                if (condition_has_step(r->when + i, signal))
                        advance_deadline(e, rule, r->when + i, s->when + i);
        for (size_t i = 0; i < r->n_clear; i++)
                if (condition_has_step(r->clear + i, signal))
                        advance_deadline(e, rule, r->clear + i, s->clear + i);
}

/* How long after an occurrence it may still be asked about. */
static usec_t condition_span(const Condition *c) {
        return usec_add(c->window, c->sustained_every);
}

static bool is_restarted(const Condition *c, const ConditionState *s, usec_t now) {
        return s->restarted > 0 && usec_add(s->restarted, condition_span(c)) > now;
}

/* A wait for recovery that began anew looks back further than its own length. */
static void expire(Engine *e, size_t rule, usec_t now) {
        const Rule *r = e->rules->rules[rule];
        RuleState *s = e->states + rule;
        usec_t recently = usec_sub(now, USEC_PER_MIN), horizon = usec_sub(recently, s->look_back);

        for (size_t i = 0; i < r->n_clear; i++)
                if (is_restarted(r->clear + i, s->clear + i, recently) &&
                        s->clear[i].restarts_after < horizon)
                        horizon = s->clear[i].restarts_after;
        history_expire(&s->history, horizon);
}

/* Fires what is due of one timed condition at `at`. */
static int fire(Engine *e, size_t rule, const Condition *c, ConditionState *s, usec_t at, bool clears) {
        ConditionView view = view_of(e, rule, c, s);
        FoundCondition found;
        int r = 0;

        if (condition_deadline(e, rule, c, s) > at)
                return 0;
        if (c->kind == CONDITION_COUNT) {
                s->evaluated = at;
                return condition_is_below(&view, at, &found) ? report(e, rule, c, &found, at, clears) : 0;
        }
        for (size_t cursor = 0; condition_absence_due(&view, s->evaluated, at, &cursor, &found);) {
                int k = report(e, rule, c, &found, at, clears);

                if (k < 0)
                        r = k;
        }
        s->evaluated = at;
        return r;
}

static int fire_rule(Engine *e, size_t rule, usec_t at) {
        const Rule *r = e->rules->rules[rule];
        RuleState *s = e->states + rule;
        int error = 0;

        for (size_t i = 0; i < r->n_when + r->n_clear; i++) {
                bool clears = i >= r->n_when;
                size_t j = clears ? i - r->n_when : i;
                int k = fire(e, rule, (clears ? r->clear : r->when) + j, (clears ? s->clear : s->when) + j,
                        at, clears);

                if (k < 0)
                        error = k;
        }
        expire(e, rule, at);
        update_deadline(e, rule);
        return error;
}

usec_t engine_next_deadline(const Engine *e) {
        usec_t deadline = USEC_INFINITY;

        for (size_t i = 0; i < e->rules->n_rules; i++)
                if (e->states[i].deadline < deadline)
                        deadline = e->states[i].deadline;
        return deadline;
}

usec_t engine_now(const Engine *e) {
        return e->now;
}

int engine_advance(Engine *e, usec_t now) {
        int error = 0;

        for (;;) {
                usec_t deadline = engine_next_deadline(e);

                if (deadline > now)
                        break;
                if (deadline > e->now)
                        e->now = deadline;
                for (size_t i = 0; i < e->rules->n_rules; i++)
                        if (e->states[i].deadline <= deadline) {
                                int r = fire_rule(e, i, deadline);
                                if (r < 0)
                                        error = r;
                        }
        }
        if (now > e->now)
                e->now = now;
        return error;
}

static bool hit_passes(const Signal *signal, const Occurrence *o) {
        for (size_t i = 0; i < signal->n_where; i++)
                if (!variable_test_holds(signal->where + i, o->variables, o->n_variables))
                        return false;
        return true;
}

static bool hit_may_pass(const Signal *signal, const Hit *hit) {
        for (size_t i = 0; i < signal->n_where; i++) {
                bool captured = false;

                for (size_t j = 0; j < hit->n_variables && !captured; j++)
                        captured = strcmp(hit->variables[j].name, signal->where[i].variable) == 0;
                if (!captured && signal->where[i].op != COMPARE_IS_NOT)
                        return false;
        }
        return true;
}

static int evaluate(Engine *e, size_t rule, const Occurrence *trigger, usec_t now) {
        const Rule *r = e->rules->rules[rule];
        RuleState *s = e->states + rule;
        int error = 0;

        for (size_t i = 0; i < r->n_when + r->n_clear; i++) {
                bool clears = i >= r->n_when;
                size_t j = clears ? i - r->n_when : i;
                const Condition *c = (clears ? r->clear : r->when) + j;
                ConditionView view = view_of(e, rule, c, (clears ? s->clear : s->when) + j);
                FoundCondition found;
                int k;

                if (!condition_holds(&view, trigger, &found))
                        continue;
                k = report(e, rule, c, &found, now, clears);
                if (k < 0)
                        error = k;
        }
        return error;
}

static int feed_hit(Engine *e, const Event *event, const Hit *hit) {
        const Rule *rule = e->rules->rules[hit->rule];
        const Signal *signal = rule->signals + hit->signal;
        RuleState *s = e->states + hit->rule;
        Occurrence *o;
        int r;

        if (!hit_may_pass(signal, hit))
                return 0;
        expire(e, hit->rule, e->now);
        r = history_add(&s->history, hit, event, &o);
        if (r < 0)
                return r;
        if (!hit_passes(signal, o)) {
                if (o->count == 1 && s->history.items[s->history.n_items - 1] == o)
                        s->history.items[--s->history.n_items] = occurrence_free(o);
                return 0;
        }
        r = evaluate(e, hit->rule, o, e->now);
        open_deadlines(e, hit->rule, hit->signal);
        return r;
}

int engine_feed(Engine *e, const Event *event, const Hit *hits, size_t n_hits) {
        Event in_time = *event;
        int error, r;

        error = engine_advance(e, event->time > 0 ? event->time - 1 : 0);
        if (event->time > e->now)
                e->now = event->time;
        in_time.time = e->now; /* an event that comes late counts from now: time does not go back */
        for (size_t i = 0; i < n_hits; i++) {
                r = feed_hit(e, &in_time, hits + i);
                if (r < 0)
                        error = r;
        }
        r = engine_advance(e, e->now);
        return r < 0 ? r : error;
}

static bool is_in_container_logs(const Signal *s) {
        return s->kind == EVENT_LOG &&
                (s->origins & (1U << ORIGIN_AGENT | 1U << ORIGIN_HUB | 1U << ORIGIN_MODULE)) != 0;
}

static bool is_of_docker(const Signal *s) {
        return s->kind == EVENT_CONTAINER || s->kind == EVENT_DOCKER_NETWORK;
}

static bool signal_comes_from(const Signal *s, SourceKind kind) {
        switch (kind) {
        case SOURCE_JOURNAL:
                return s->kind == EVENT_LOG;
        case SOURCE_DOCKER_LOGS:
                return is_in_container_logs(s);
        case SOURCE_DOCKER_EVENTS: /* its stream ends with the engine, and so do the logs */
                return is_in_container_logs(s) || is_of_docker(s);
        case SOURCE_DOCKER_STATE:
                return is_of_docker(s);
        case SOURCE_NETWORK:
                return s->kind == EVENT_LINK || s->kind == EVENT_ROUTE || s->kind == EVENT_ADDRESS ||
                        s->kind == EVENT_FORWARDING;
        case SOURCE_UNITS:
                return s->kind == EVENT_UNIT;
        case SOURCE_FILES:
                return s->kind == EVENT_FILE;
        case SOURCE_METRICS:
                return s->kind == EVENT_METRICS;
        default:
                return false;
        }
}

static bool rests_on(const Rule *r, const Condition *c, SourceKind kind) {
        if (c->kind != CONDITION_ABSENCE && c->kind != CONDITION_COUNT)
                return false;
        for (size_t i = 0; i < c->n_steps; i++)
                if (signal_comes_from(r->signals + c->steps[i], kind))
                        return true;
        for (size_t i = 0; i < c->n_absent; i++)
                if (signal_comes_from(r->signals + c->absent[i], kind))
                        return true;
        return false;
}

/* What has had its answer by now is not asked about again. */
static void restart(const Condition *c, ConditionState *s, usec_t engine_now, usec_t now) {
        if (!is_restarted(c, s, engine_now))
                s->restarts_after = usec_sub(engine_now, condition_span(c));
        s->restarted = now > engine_now ? now : engine_now;
}

void engine_forget_windows(Engine *e, SourceKind kind, usec_t now) {
        for (size_t i = 0; i < e->rules->n_rules; i++) {
                const Rule *r = e->rules->rules[i];

                for (size_t j = 0; j < r->n_when; j++)
                        if (rests_on(r, r->when + j, kind))
                                e->states[i].when[j].blind_until = e->now;
                for (size_t j = 0; j < r->n_clear; j++)
                        if (rests_on(r, r->clear + j, kind))
                                restart(r->clear + j, e->states[i].clear + j, e->now, now);
                update_deadline(e, i);
        }
}

static void set_back_conditions(ConditionState *states, usec_t now) {
        for (size_t i = 0; i < RULE_CONDITIONS_MAX; i++)
                states[i] = (ConditionState){.evaluated = now, .blind_until = now};
}

void engine_set_back(Engine *e, usec_t now) {
        if (now >= e->now)
                return;
        for (size_t i = 0; i < e->rules->n_rules; i++) {
                RuleState *s = e->states + i;

                history_forget(&s->history);
                set_back_conditions(s->when, now);
                set_back_conditions(s->clear, now);
                s->deadline = USEC_INFINITY;
        }
        e->now = now;
}

uint64_t engine_dropped(const Engine *e) {
        uint64_t n = 0;

        for (size_t i = 0; i < e->rules->n_rules; i++)
                n += e->states[i].history.n_dropped;
        return n;
}

static bool is_evidence(const Engine *e, const Rule *r, const Occurrence *o) {
        for (size_t i = 0; i < r->n_evidence; i++)
                if (r->evidence[i] == o->signal)
                        return usec_sub(e->now, o->last) <= r->evidence_window;
        return false;
}

size_t engine_evidence(const Engine *e, size_t rule_index, const Variable *variables, size_t n_variables,
        const Occurrence **ret, size_t max) {
        const Rule *r = e->rules->rules[rule_index];
        const History *h = &e->states[rule_index].history;
        size_t n = 0;

        for (size_t i = h->n_items; i > 0 && n < max; i--) {
                const Occurrence *o = h->items[i - 1];

                if (is_evidence(e, r, o) &&
                        variables_agree(
                                o->variables, o->n_variables, variables, n_variables, r->keys, r->n_keys))
                        ret[n++] = o;
        }
        for (size_t i = 0; i < n / 2; i++) { /* in order of time */
                const Occurrence *o = ret[i];

                ret[i] = ret[n - 1 - i];
                ret[n - 1 - i] = o;
        }
        return n;
}

/* Up to when each condition has fired: a deadline that fired before a restart does not fire again. */
static json_t *marks_to_json(const ConditionState *states, size_t n) {
        json_t *marks = json_array();

        for (size_t i = 0; i < n; i++)
                (void) json_array_append_new(marks,
                        json_pack("[I, I, I, I]", (json_int_t) states[i].evaluated,
                                (json_int_t) states[i].blind_until, (json_int_t) states[i].restarted,
                                (json_int_t) states[i].restarts_after));
        return marks;
}

static void marks_from_json(const json_t *marks, ConditionState *states, size_t n) {
        for (size_t i = 0; i < n && i < json_array_size(marks); i++) {
                const json_t *mark = json_array_get(marks, i);

                states[i].evaluated = (usec_t) json_integer_value(json_array_get(mark, 0));
                states[i].blind_until = (usec_t) json_integer_value(json_array_get(mark, 1));
                states[i].restarted = (usec_t) json_integer_value(json_array_get(mark, 2));
                states[i].restarts_after = (usec_t) json_integer_value(json_array_get(mark, 3));
        }
}

json_t *engine_save(const Engine *e) {
        json_t *rules = json_object();

        for (size_t i = 0; i < e->rules->n_rules; i++) {
                const Rule *r = e->rules->rules[i];
                const RuleState *s = e->states + i;
                json_t *state;

                if (s->history.n_items == 0)
                        continue;
                state = json_pack("{s:o, s:o, s:o}", "occurrences", history_to_json(&s->history, r), "when",
                        marks_to_json(s->when, r->n_when), "clear", marks_to_json(s->clear, r->n_clear));
                if (!state || json_object_set_new(rules, r->id, state) < 0) {
                        json_decref(rules);
                        return NULL;
                }
        }
        return json_pack("{s:I, s:o}", "now", (json_int_t) e->now, "rules", rules);
}

int engine_restore(Engine *e, const json_t *state) {
        const json_t *rules = json_object_get(state, "rules");
        json_int_t now = json_integer_value(json_object_get(state, "now"));

        if (!json_is_object(rules) || now < 0)
                return -EINVAL;
        for (size_t i = 0; i < e->rules->n_rules; i++) {
                const Rule *r = e->rules->rules[i];
                const json_t *saved = json_object_get(rules, r->id);
                int k;

                if (!saved)
                        continue;
                k = history_from_json(json_object_get(saved, "occurrences"), r, &e->states[i].history);
                if (k < 0)
                        return k;
                marks_from_json(json_object_get(saved, "when"), e->states[i].when, r->n_when);
                marks_from_json(json_object_get(saved, "clear"), e->states[i].clear, r->n_clear);
        }
        e->now = (usec_t) now;
        for (size_t i = 0; i < e->rules->n_rules; i++)
                update_deadline(e, i);
        return 0;
}
