/* What happens to incidents as time goes on: suspicions are asked again and at last alerted, quiet ones
 * clear. Deadlines of the engine and of incidents fire in the order of their time. */

#include "lib/diagnosis/diagnosis-private.h"

#include <stdio.h>

#define FACTS_FRESH_ENOUGH (2 * USEC_PER_SEC) /* for a recheck that an event or the clock asked for */

static usec_t quiet_deadline(const Incident *i) {
        usec_t deadline = USEC_INFINITY;

        for (size_t n = 0; i->rule && n < i->rule->n_clear; n++) {
                const Condition *c = i->rule->clear + n;

                if (c->kind == CONDITION_QUIET && !(c->refuted && i->clear_latched) &&
                        usec_add(i->last_seen, c->window) < deadline)
                        deadline = usec_add(i->last_seen, c->window);
        }
        return deadline;
}

/* Whether silence is an end only when the probes agree. */
static bool quiet_needs_refutation(const Incident *i) {
        for (size_t n = 0; n < i->rule->n_clear; n++)
                if (i->rule->clear[n].kind == CONDITION_QUIET)
                        return i->rule->clear[n].refuted && i->state == INCIDENT_CONFIRMED;
        return false;
}

static usec_t alert_deadline(const Incident *i) {
        return i->state == INCIDENT_SUSPECTED && !i->alerted && !i->tentative
                ? usec_add(i->suspected_at, DIAGNOSIS_ALERT_AFTER)
                : USEC_INFINITY;
}

static usec_t incident_deadline(const Incident *i) {
        usec_t deadline = i->ask_at, other;

        if (!incident_is_active(i))
                return USEC_INFINITY;
        other = alert_deadline(i);
        if (other < deadline)
                deadline = other;
        other = quiet_deadline(i);
        return other < deadline ? other : deadline;
}

void diagnosis_set_grace(Diagnosis *d, usec_t grace) {
        d->grace = grace;
}

usec_t diagnosis_next_absence(const Diagnosis *d) {
        return engine_next_deadline(d->engine);
}

usec_t diagnosis_next_deadline(const Diagnosis *d) {
        usec_t deadline = usec_add(engine_next_deadline(d->engine), d->grace);

        for (size_t n = 0; n < d->n_incidents; n++) {
                usec_t other = incident_deadline(d->incidents[n]);
                if (other < deadline)
                        deadline = other;
        }
        return deadline;
}

static int fire_incident(Diagnosis *d, Incident *i) {
        char duration[DURATION_MAX];
        char why[DURATION_MAX + 32];
        int r = 0;

        if (quiet_deadline(i) <= d->now && quiet_needs_refutation(i)) {
                i->clear_latched = true;
                i->ask_at = d->now;
        } else if (quiet_deadline(i) <= d->now) {
                (void) snprintf(why, sizeof(why), "not seen again for %s",
                        duration_format(usec_sub(d->now, i->last_seen), duration));
                incident_end(d, i, INCIDENT_CLEARED, why);
                return 0;
        }
        if (i->ask_at <= d->now) {
                if (!i->tentative && !i->asking) /* what it looks at may be just what has changed */
                        i->ask_since = usec_sub(d->now, FACTS_FRESH_ENOUGH);
                i->asking = false;
                r = incident_ask(d, i);
                if (incident_is_active(i) && i->ask_at <= d->now)
                        incident_schedule(d, i);
        }
        if (incident_is_active(i) && alert_deadline(i) <= d->now) {
                if (i->asking)
                        i->suspected_at = d->now; /* an answer is on its way: not yet */
                else {
                        differential_place(d, i);
                        incident_report(d, i, CHANGE_SUSPECTED);
                }
        }
        return r;
}

/* Is this look at a lower layer over without a result? */
static bool is_spent(const Incident *i) {
        bool waits = incident_is_active(i) && (i->asking || (i->n_asked == 0 && i->ask_at != USEC_INFINITY));

        return i->tentative && !waits;
}

void diagnosis_drop_tentative(Diagnosis *d) {
        Incident *waiting[DIAGNOSIS_TENTATIVE_MAX];
        size_t n_waiting = 0, n_kept = 0;

        for (size_t n = 0; n < d->n_incidents; n++) {
                Incident *i = d->incidents[n];

                if (!i->tentative)
                        d->incidents[n_kept++] = i;
                else if (!is_spent(i) && n_waiting < ELEMENTSOF(waiting))
                        waiting[n_waiting++] = i;
                else
                        (void) incident_free(i);
        }
        /* those that still wait stay behind all others, where diagnosis_incidents() does not show them */
        for (size_t n = 0; n < n_waiting; n++)
                d->incidents[n_kept++] = waiting[n];
        d->n_incidents = n_kept;
}

static void set_back(usec_t *t, usec_t now) {
        if (*t != USEC_INFINITY && *t > now)
                *t = now;
}

void diagnosis_set_back(Diagnosis *d, usec_t now) {
        engine_set_back(d->engine, now);
        if (now >= d->now)
                return;
        d->now = now;
        for (size_t n = 0; n < d->n_incidents; n++) {
                Incident *i = d->incidents[n];

                set_back(&i->first_seen, now);
                set_back(&i->last_seen, now);
                set_back(&i->suspected_at, now);
                set_back(&i->confirmed_at, now);
                set_back(&i->cleared_at, now);
                set_back(&i->ask_since, now);
                set_back(&i->ask_at, now);
        }
}

static void shift(usec_t *t, usec_t by) {
        *t = usec_add(*t, by);
}

void diagnosis_shift(Diagnosis *d, usec_t by) {
        for (size_t n = 0; n < d->n_incidents; n++) {
                Incident *i = d->incidents[n];

                if (!incident_is_active(i))
                        continue;
                shift(&i->last_seen, by);
                shift(&i->suspected_at, by);
                shift(&i->ask_at, by);
        }
}

static int fire_incidents(Diagnosis *d) {
        int error = 0;

        for (size_t n = 0; n < d->n_incidents; n++) /* the list may grow at its end */
                if (incident_deadline(d->incidents[n]) <= d->now) {
                        int r = fire_incident(d, d->incidents[n]);
                        if (r < 0)
                                error = r;
                }
        return error;
}

#define ROUNDS_AT_ONCE                                                                                      \
        64 /* of deadlines that set themselves again without time going on: a guard, not a limit */

int diagnosis_advance(Diagnosis *d, usec_t now) {
        unsigned rounds = 0;
        int error = 0;

        d->advancing_to = now;
        for (;;) {
                usec_t deadline = diagnosis_next_deadline(d);
                int r;

                if (deadline > now || (deadline <= d->now && ++rounds > ROUNDS_AT_ONCE))
                        break;
                if (deadline > d->now) {
                        d->now = deadline;
                        rounds = 0;
                }
                r = engine_advance(d->engine, usec_sub(d->now, d->grace));
                if (r < 0)
                        error = r;
                r = fire_incidents(d);
                if (r < 0)
                        error = r;
                differential_update(d);
                diagnosis_drop_tentative(d);
        }
        if (now > d->now)
                d->now = now;
        return error;
}
