/* Asking an incident's probes, and what their answers make of it. Any probe that refutes refutes it; else
 * all required ones confirming confirm it; else it stays suspected and says what could not be checked. A
 * log-conclusive suspicion needs no confirmation, but a refutation ends it too. A probe that waits for a
 * fact leaves everything as it is until the fact arrives. */

#include "lib/diagnosis/diagnosis-private.h"

/* When a suspicion that could not be settled is asked again, after it was raised. */
static const usec_t ask_again_after[] = {USEC_PER_MIN, 5 * USEC_PER_MIN, 15 * USEC_PER_MIN};

#define RECHECK_EVERY     (60 * USEC_PER_SEC) /* an incident that clears by its probes alone */
#define RECHECKS_OVER_GAP 256                 /* of time in which nothing is heard */

typedef struct Round {
        bool is_pending;
        bool is_refuted;
        size_t n_required_confirmed;
        char *refutation; /* the sentence */
        char *decisive;   /* the first confirmation of a required probe, and its probe */
        const char *decisive_probe;
        Buffer unknown;
} Round;

static void round_done(Round *r) {
        free(r->refutation);
        free(r->decisive);
        buffer_done(&r->unknown);
}

static int take_answer(Diagnosis *d, Incident *i, const Probe *probe, const ProbeAnswer *a) {
        int r;

        /* What refutes is how it is now: an incident that ends still says how it was. */
        for (size_t n = 0; n < a->n_variables && a->verdict != VERDICT_REFUTES; n++) {
                r = incident_set_variable(i, a->variables[n].name, a->variables[n].value);
                if (r < 0)
                        return r;
        }
        if (a->verdict == VERDICT_CONFIRMS && a->because) {
                r = incident_add_evidence(i, EVIDENCE_PROBE, probe->name, d->now, a->because);
                if (r < 0)
                        return r;
        }
        for (size_t n = 0; n < a->n_evidence; n++) {
                r = incident_add_evidence(i, EVIDENCE_STATE, probe->name, d->now, a->evidence[n]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int keep(char **s, const char *value) {
        if (*s || !value)
                return 0;
        *s = strdup(value);
        return *s ? 0 : -ENOMEM;
}

static int note_verdict(Round *round, const Probe *probe, const ProbeAnswer *a, bool is_required) {
        switch (a->verdict) {
        case VERDICT_PENDING:
                round->is_pending = true;
                return 0;
        case VERDICT_REFUTES:
                round->is_refuted = true;
                return keep(&round->refutation, a->because);
        case VERDICT_CONFIRMS:
                if (!is_required)
                        return 0;
                round->n_required_confirmed++;
                if (!round->decisive_probe)
                        round->decisive_probe = probe->name;
                return keep(&round->decisive, a->because);
        default:
                return buffer_append_format(&round->unknown, "%s%s", round->unknown.len > 0 ? "; " : "",
                        a->because ? a->because : probe->question);
        }
}

static int ask_probe(Diagnosis *d, Incident *i, const char *name, bool is_required, Round *round) {
        const Probe *probe = probe_find(name);
        ProbeAnswer answer = {};
        ProbeQuestion question = {
                .world = d->world,
                .symptom = i->symptom,
                .subject = i->subject,
                .variables = i->variables,
                .n_variables = i->n_variables,
                .now = d->now,
                .since = i->ask_since,
                .first_seen = i->first_seen,
                .last_seen = i->last_seen,
        };
        int r;

        if (!probe)
                return buffer_append_format(&round->unknown, "there is no probe %s", name);
        r = probe->ask(&question, &answer);
        if (r >= 0)
                r = note_verdict(round, probe, &answer, is_required);
        if (r >= 0 && answer.verdict != VERDICT_PENDING)
                r = take_answer(d, i, probe, &answer);
        probe_answer_done(&answer);
        return r;
}

static int ask_all(Diagnosis *d, Incident *i, Round *round) {
        int error = 0, r;

        for (size_t n = 0; n < i->rule->n_require; n++) {
                r = ask_probe(d, i, i->rule->require[n], true, round);
                if (r < 0)
                        error = r;
        }
        for (size_t n = 0; n < i->rule->n_ask; n++) {
                r = ask_probe(d, i, i->rule->ask[n], false, round);
                if (r < 0)
                        error = r;
        }
        return error;
}

/* Whether a refutation of a confirmed incident is its end. */
static bool refutation_clears(const Incident *i) {
        if (i->restored || i->ends_on_refute)
                return true;
        for (size_t n = 0; n < i->rule->n_clear; n++)
                if (i->rule->clear[n].kind == CONDITION_REFUTED ||
                        (i->rule->clear[n].refuted && i->clear_latched))
                        return true;
        return false;
}

static int clear_by_state(Diagnosis *d, Incident *i, const char *because) {
        Buffer why = {};

        (void) buffer_append_format(&why, "%s%s", i->restored ? "healed while not watched: " : "", because);
        if (why.error < 0)
                return why.error;
        incident_end(d, i, INCIDENT_CLEARED, why.data);
        buffer_done(&why);
        return 0;
}

static int settle_refuted(Diagnosis *d, Incident *i, const char *because) {
        int r;

        if (i->state == INCIDENT_CONFIRMED)
                return refutation_clears(i) ? clear_by_state(d, i, because) : 0;
        r = differential_refuted(d, i, because);
        if (r < 0)
                return r;
        incident_end(d, i, INCIDENT_REFUTED, because);
        return 0;
}

/* What could not be known is told also of a confirmed incident. */
static int take_unknown(Incident *i, Round *round) {
        char *unknown = NULL;

        if (round->unknown.len > 0 || round->unknown.error < 0) {
                unknown = buffer_take(&round->unknown);
                if (!unknown)
                        return -ENOMEM;
        }
        free(i->unknown);
        i->unknown = unknown;
        return 0;
}

static int settle_confirmed(Diagnosis *d, Incident *i, Round *round) {
        int r = take_unknown(i, round);

        if (r < 0)
                return r;
        if (round->decisive && !i->is_evidence_decisive)
                incident_put_first(i, round->decisive_probe, round->decisive);
        if (!i->consequence_of[0])
                i->formerly_of[0] = '\0'; /* it outlived its cause */
        i->ends_on_refute = i->restored = i->tentative = false;
        if (i->state == INCIDENT_CONFIRMED && i->ended_seq == 0)
                return 0;
        i->state = INCIDENT_CONFIRMED;
        i->confirmed_at = d->now;
        if (i->ended_seq > 0)
                i->seq = i->ended_seq;
        i->ended_seq = 0;
        differential_place(d, i);
        incident_report(d, i, CHANGE_CONFIRMED);
        return 0;
}

static int settle(Diagnosis *d, Incident *i, Round *round) {
        bool all_required = i->rule->n_require > 0 && round->n_required_confirmed == i->rule->n_require;

        if (round->is_refuted)
                return settle_refuted(d, i, round->refutation ? round->refutation : "its probe refutes it");
        if (round->is_pending) {
                i->asking = true;
                return 0;
        }
        if (all_required || (i->rule->conclusive && !i->tentative))
                return settle_confirmed(d, i, round);
        i->restored = i->ends_on_refute = false;
        if (i->state != INCIDENT_SUSPECTED)
                return 0; /* confirmed once; not being able to look again changes nothing */
        return take_unknown(i, round);
}

/* Over a gap of centuries, which a wrong timestamp in a recording makes, the same question is not asked
 * every few minutes: nothing is heard that could change the answer. */
static usec_t recheck_after(const Diagnosis *d) {
        usec_t part = usec_sub(d->advancing_to, d->now) / RECHECKS_OVER_GAP;

        return part > RECHECK_EVERY ? part : RECHECK_EVERY;
}

void incident_schedule(Diagnosis *d, Incident *i) {
        i->ask_at = USEC_INFINITY;
        if (!incident_is_active(i) || !i->rule)
                return;
        if (i->state == INCIDENT_SUSPECTED) {
                FOREACH_ARRAY (after, ask_again_after, ELEMENTSOF(ask_again_after))
                        if (usec_add(i->suspected_at, *after) > d->now) {
                                i->ask_at = usec_add(i->suspected_at, *after);
                                return;
                        }
                return;
        }
        for (size_t n = 0; n < i->rule->n_clear; n++)
                if (i->rule->clear[n].kind == CONDITION_REFUTED ||
                        (i->rule->clear[n].refuted && i->clear_latched))
                        i->ask_at = usec_add(d->now, recheck_after(d));
}

int incident_ask(Diagnosis *d, Incident *i) {
        Round round = {};
        int r;

        if (!i->rule)
                return 0;
        if (d->is_held && i->rule->n_require > 0) {
                i->asking = true; /* waits like for a fact */
                return 0;
        }
        if (!i->asking) {
                i->n_asked++;
                incident_schedule(d, i);
        }
        i->asking = false;
        r = ask_all(d, i, &round);
        if (r >= 0)
                r = settle(d, i, &round);
        if (!incident_is_active(i))
                i->ask_at = USEC_INFINITY;
        round_done(&round);
        return r;
}
