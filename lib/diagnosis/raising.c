/* What the engine finds becomes an incident, the repetition of one, or its end. One incident per symptom and
 * subject is active at a time; a refuted one that is raised again is asked again, not listed twice. */

#include "lib/diagnosis/diagnosis-private.h"
#include "lib/engine/condition.h"
#include "lib/probes/upstream.h"

static int add_occurrence(Incident *i, const Occurrence *o) {
        EvidenceKind kind = o->source == SOURCE_JOURNAL || o->source == SOURCE_DOCKER_LOGS ? EVIDENCE_LOG
                                                                                           : EVIDENCE_EVENT;

        return incident_add_evidence(i, kind, origin_to_string(o->origin), o->last, o->text);
}

/* What evidence captured is known to the probes too, but never in place of what the signals themselves said.
 */
static int take_evidence_variables(Incident *i, const Occurrence *o, const Finding *f) {
        for (size_t n = 0; n < o->n_variables; n++) {
                int r;

                if (variables_find(f->variables, f->n_variables, o->variables[n].name))
                        continue;
                r = incident_set_variable(i, o->variables[n].name, o->variables[n].value);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_finding(Diagnosis *d, Incident *i, const Finding *f) {
        const Occurrence *further[8];
        size_t n;
        int r;

        for (n = 0; n < f->n_variables; n++) {
                r = incident_set_variable(i, f->variables[n].name, f->variables[n].value);
                if (r < 0)
                        return r;
        }
        for (n = 0; n < f->n_occurrences; n++) {
                r = add_occurrence(i, f->occurrences[n]);
                if (r < 0)
                        return r;
        }
        n = engine_evidence(
                d->engine, f->rule_index, i->variables, i->n_variables, further, ELEMENTSOF(further));
        for (size_t k = 0; k < n; k++) {
                r = add_occurrence(i, further[k]);
                if (r >= 0)
                        r = take_evidence_variables(i, further[k], f);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The decisive line of a log-conclusive suspicion is the last one: the others led to it. */
static void put_decisive_first(Incident *i, const Finding *f) {
        const Occurrence *o = f->n_occurrences > 0 ? f->occurrences[f->n_occurrences - 1] : NULL;

        if (!f->rule->conclusive || !o)
                return;
        incident_put_first(i, origin_to_string(o->origin), o->text);
        i->is_evidence_decisive = true;
}

/* Counts worth telling: 10, 100, 1000 … */
static bool is_power_of_ten(uint64_t n) {
        while (n >= 10 && n % 10 == 0)
                n /= 10;
        return n == 1;
}

static int repeat(Diagnosis *d, Incident *i, const Finding *f) {
        bool was_refuted = i->state == INCIDENT_REFUTED;
        int r;

        if (f->occurrences[f->n_occurrences - 1]->initial) {
                if (incident_is_active(i) && !i->tentative)
                        return 0; /* an enumeration tells what is known already */
        } else
                i->count++;
        i->last_seen = f->time;
        i->clear_latched = false;
        if (was_refuted)
                incident_forget_variables(i); /* of another time */
        r = take_finding(d, i, f);
        if (r < 0)
                return r;
        if (was_refuted) {
                i->state = INCIDENT_SUSPECTED;
                i->suspected_at = d->now;
        }
        if (i->tentative || i->state == INCIDENT_SUSPECTED) {
                i->tentative = false;
                if (!i->asking) /* else signals that never cease would make every answer too old */
                        i->ask_since = d->now;
                i->asking = false;
                r = incident_ask(d, i);
                /* refuted once, it may have another cause below it by now */
                return r < 0 || !was_refuted || !incident_is_active(i) ? r : differential_look_below(d, i);
        }
        if (is_power_of_ten(i->count) && i->count > 1)
                incident_report(d, i, CHANGE_UPDATED);
        return 0;
}

static bool is_taken(const Diagnosis *d, const char *id) {
        for (size_t n = 0; n < d->n_incidents; n++)
                if (strcmp(d->incidents[n]->id, id) == 0)
                        return true;
        return false;
}

/* A signal that came before the last one was cleared can be the first of this one too: equal ones are
 * counted into one occurrence. Named by its own time, so that it gets no name which the journal has of one
 * that a kill kept out of the state file. */
static void set_apart(const Diagnosis *d, Incident *i, const Finding *f) {
        while (is_taken(d, i->id)) {
                incident_rename(i, f->time);
                i->first_seen = f->time;
        }
}

static int begin(Diagnosis *d, const Finding *f, const char *subject) {
        const Occurrence *first = f->occurrences[0];
        Incident *i;
        int r;

        r = incident_new(f->rule, subject, first->position, first->first, &i);
        if (r < 0)
                return r;
        set_apart(d, i, f);
        i->last_seen = f->time;
        i->suspected_at = d->now;
        i->ask_since = d->now;
        r = diagnosis_add(d, i);
        if (r < 0)
                return r;
        r = take_finding(d, i, f);
        if (r < 0)
                return r;
        put_decisive_first(i, f);
        r = incident_ask(d, i);
        if (r < 0)
                return r;
        /* Below what is refuted, too: whether the answer comes at once, as in a replay, or later, makes no
         * difference. */
        return differential_look_below(d, i);
}

#define SUBJECT_UNKNOWN "unknown" /* what a rule with ${name:-unknown} says when there is nobody */

int diagnosis_name_subject(
        Diagnosis *d, const Rule *rule, const Variable *captured, size_t n_captured, char **ret) {
        static const char *const names[] = {"hostname", "hub", "parent", "network"};
        char values[ELEMENTSOF(names)][UPSTREAM_HOST_MAX];
        Variable variables[FINDING_VARIABLES_MAX + ELEMENTSOF(names)];
        char *subject;
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strstr(rule->subject, names[i]) &&
                        device_name(d->world, d->now, names[i], values[i]) > 0)
                        variables[n++] = (Variable){(char *) names[i], values[i]};
        for (size_t i = 0; i < n_captured && i < FINDING_VARIABLES_MAX; i++)
                variables[n++] = captured[i];
        subject = rule_expand(rule, rule->subject, variables, n);
        if (!subject)
                return -ENOMEM;
        if (strcmp(subject, SUBJECT_UNKNOWN) == 0) {
                free(subject);
                return 0;
        }
        *ret = subject;
        return 1;
}

int diagnosis_raise(void *userdata, const Finding *f) {
        Diagnosis *d = userdata;
        _cleanup_(freep) char *subject = NULL;
        Incident *known;
        int r;

        if (f->n_occurrences == 0)
                return 0;
        r = diagnosis_name_subject(d, f->rule, f->variables, f->n_variables, &subject);
        if (r <= 0)
                return r;
        known = diagnosis_find_subject(d, f->rule, subject, false);
        if (known && known->state != INCIDENT_CLEARED)
                return repeat(d, known, f);
        if (known && f->rule->refractory > 0 && usec_sub(d->now, known->cleared_at) < f->rule->refractory) {
                known->count++;
                return 0;
        }
        return begin(d, f, subject);
}

static int clear(Diagnosis *d, Incident *i, const Finding *f) {
        const Occurrence *last = f->n_occurrences > 0 ? f->occurrences[f->n_occurrences - 1] : NULL;

        /* What was never proven rests on its signals alone, and these are over. */
        if (f->condition->refuted && i->state == INCIDENT_CONFIRMED) {
                i->clear_latched = true;
                i->ask_since = d->now;
                i->asking = false;
                return incident_ask(d, i);
        }
        /* What passed before anybody was told of it was no incident. */
        incident_end(d, i,
                i->state == INCIDENT_SUSPECTED && !i->alerted ? INCIDENT_REFUTED : INCIDENT_CLEARED,
                last ? last->text : "its signals fell below the limit");
        return 0;
}

int diagnosis_clear(void *userdata, const Finding *f) {
        Diagnosis *d = userdata;
        const Occurrence *last = f->n_occurrences > 0 ? f->occurrences[f->n_occurrences - 1] : NULL;
        int error = 0;

        for (size_t n = 0; n < d->n_incidents; n++) {
                Incident *i = d->incidents[n];
                int r;

                if (i->rule != f->rule || !incident_is_active(i) || i->tentative)
                        continue;
                if (!variables_agree(i->variables, i->n_variables, f->variables, f->n_variables,
                            f->rule->keys, f->rule->n_keys))
                        continue;
                if (last && f->condition->kind != CONDITION_ABSENCE && last->last < i->last_seen)
                        continue;
                r = clear(d, i, f);
                if (r < 0)
                        error = r;
        }
        return error;
}
