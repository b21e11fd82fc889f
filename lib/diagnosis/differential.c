/* Telling apart what looks alike. Symptoms form layers; when a lower one that explains a higher one is
 * confirmed, the higher one is its consequence and not a second cause. The cause that counts is the lowest
 * confirmed one that is no consequence itself. */

#include "lib/diagnosis/diagnosis-private.h"

#define RULED_OUT_WITHIN (15 * USEC_PER_MIN) /* a refutation this recent is told on a related incident */

static bool explains(const Rule *rule, const char *symptom) {
        for (size_t n = 0; rule && n < rule->n_explained_by; n++)
                if (strcmp(rule->explained_by[n], symptom) == 0)
                        return true;
        return false;
}

static bool are_related(const Incident *a, const Incident *b) {
        return explains(a->rule, b->symptom) || explains(b->rule, a->symptom);
}

/* What is proven itself is only explained by something deeper, or by what befell the same subject: two
 * proven symptoms never explain each other away. A mere suspicion gives way to whatever was proven. */
static bool may_explain(const Incident *cause, const Incident *of) {
        if (of->state != INCIDENT_CONFIRMED || cause->rule->layer < of->rule->layer)
                return true;
        return cause->rule->layer == of->rule->layer && strcmp(cause->subject, of->subject) == 0 &&
                !explains(cause->rule, of->symptom);
}

static Incident *find_cause(const Diagnosis *d, const Incident *of) {
        Incident *cause = NULL;

        if (!of->rule || of->rule->n_explained_by == 0) /* hundreds of them must not look at each other */
                return NULL;
        for (size_t n = 0; n < d->n_incidents; n++) {
                Incident *i = d->incidents[n];

                if (i->rule == of->rule || i->state != INCIDENT_CONFIRMED || i->tentative || !i->rule ||
                        !explains(of->rule, i->symptom) || !may_explain(i, of))
                        continue;
                if (!cause || i->rule->layer < cause->rule->layer)
                        cause = i;
        }
        return cause;
}

static void link_to(Diagnosis *d, Incident *i, const Incident *cause) {
        const char *id = cause ? cause->id : "";

        if (strcmp(i->consequence_of, id) == 0)
                return;
        memcpy(i->formerly_of, i->consequence_of, INCIDENT_ID_MAX);
        memcpy(i->consequence_of, id, strlen(id) + 1);
        if (!cause) { /* alone again: is it still there? */
                i->ends_on_refute = true;
                i->ask_at = d->now;
                i->ask_since = d->now;
        }
        if (i->seq > 0 || cause)
                incident_report(d, i, CHANGE_UPDATED);
}

void differential_place(Diagnosis *d, Incident *i) {
        const Incident *cause = find_cause(d, i);

        if (cause)
                memcpy(i->consequence_of, cause->id, INCIDENT_ID_MAX);
}

static void note_consequence(Incident *cause, const Incident *of) {
        for (size_t n = 0; n < cause->n_cause_of; n++)
                if (strcmp(cause->cause_of[n], of->id) == 0)
                        return;
        if (cause->n_cause_of < INCIDENT_CAUSE_OF_MAX)
                memcpy(cause->cause_of[cause->n_cause_of++], of->id, INCIDENT_ID_MAX);
}

void differential_update(Diagnosis *d) {
        for (size_t n = 0; n < d->n_incidents; n++)
                d->incidents[n]->n_cause_of = 0;
        for (size_t n = 0; n < d->n_incidents; n++) {
                Incident *i = d->incidents[n], *cause;

                if (!incident_is_active(i) || i->tentative)
                        continue;
                cause = find_cause(d, i);
                if (cause)
                        note_consequence(cause, i);
                link_to(d, i, cause);
        }
}

/* A lower layer's symptom that nobody raised: its probes can tell from state alone. It is looked at as a
 * tentative incident, which becomes one when confirmed and vanishes when not. */
static int look_at(Diagnosis *d, const Rule *below, const Incident *above) {
        _cleanup_(incident_freep) Incident *tentative = NULL;
        _cleanup_(freep) char *subject = NULL;
        int r;

        if (below->n_require == 0 || strcmp(below->id, above->symptom) == 0)
                return 0;
        if (d->n_incidents >= DIAGNOSIS_INCIDENTS_MAX)
                return 0; /* it would take another's place, that of the one above perhaps */
        r = diagnosis_name_subject(d, below, above->variables, above->n_variables, &subject);
        if (r <= 0)
                return r;
        if (diagnosis_find_subject(d, below, subject, true))
                return 0;
        r = incident_new(below, subject, above->id, d->now, &tentative);
        if (r < 0)
                return r;
        tentative->tentative = true;
        tentative->ask_since = d->now;
        tentative->ask_at = d->now;
        return diagnosis_add(d, TAKE_PTR(tentative));
}

int differential_look_below(Diagnosis *d, Incident *i) {
        for (size_t n = 0; n < i->rule->n_explained_by; n++) {
                const Rule *below = rule_set_find(d->rules, i->rule->explained_by[n]);
                int r = below ? look_at(d, below, i) : 0;

                if (r < 0)
                        return r;
        }
        for (size_t n = 0; n < d->n_incidents; n++) {
                const Incident *other = d->incidents[n];

                if (other->state == INCIDENT_REFUTED && other->ending && are_related(i, other) &&
                        usec_sub(d->now, other->last_seen) <= RULED_OUT_WITHIN) {
                        int r = incident_rule_out(i, other->symptom, other->ending);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

int differential_refuted(Diagnosis *d, const Incident *refuted, const char *because) {
        for (size_t n = 0; n < d->n_incidents; n++) {
                Incident *i = d->incidents[n];
                int r;

                if (i == refuted || !incident_is_active(i) || !are_related(i, refuted))
                        continue;
                r = incident_rule_out(i, refuted->symptom, because);
                if (r < 0)
                        return r;
        }
        return 0;
}
