#pragma once

/* The way from events to incidents: World, matcher, engine, probes, differential. The daemon and the replay
 * both drive this and nothing else. */

#include "lib/diagnosis/incident.h"

typedef enum IncidentChange {
        CHANGE_SUSPECTED, /* it could not be checked, and a minute has passed */
        CHANGE_CONFIRMED,
        CHANGE_UPDATED, /* count, or linked to or unlinked from a cause */
        CHANGE_FIX,     /* its fix_state; never an alert */
        CHANGE_CLEARED,
        CHANGE_REFUTED, /* not an alert; only one that was alerted before is reported as over */
        CHANGE_X_MAX,
        CHANGE_X_INVALID = -EINVAL,
} IncidentChange;

const char *incident_change_to_string(IncidentChange c);

typedef struct DiagnosisOps {
        /* incident->seq has been counted up. Borrowed. */
        void (*changed)(void *userdata, const Incident *incident, IncidentChange change);
        void *userdata;
} DiagnosisOps;

#define DIAGNOSIS_INCIDENTS_MAX 512 /* active and past; the oldest past one makes room */
#define DIAGNOSIS_ALERT_AFTER                                                                               \
        (60 * USEC_PER_SEC) /* a suspicion that could not be checked is alerted then                        \
                             */

typedef struct Diagnosis Diagnosis;

/* All borrowed and to outlive the diagnosis. */
int diagnosis_new(Diagnosis **ret, const RuleSet *rules, Matcher *matcher, World *world, DiagnosisOps ops);
Diagnosis *diagnosis_free(Diagnosis *d);
DEFINE_CLEANUP(Diagnosis, diagnosis_free);

/* Whether feeding this event could have any effect: a log line that no rule matches has none. */
bool diagnosis_wants(Diagnosis *d, const Event *event);
int diagnosis_feed(Diagnosis *d, const Event *event);
int diagnosis_advance(Diagnosis *d, usec_t now);
usec_t diagnosis_next_deadline(const Diagnosis *d);
/* Live sources deliver with different delays (journald up to 250 ms and more): an absence or a count in time
 * is settled only this long after its deadline. 0, the default, is for replays. Who feeds events holds back
 * what lies behind diagnosis_next_absence() for as long. */
void diagnosis_set_grace(Diagnosis *d, usec_t grace);
/* While sources still enumerate, half of the state is known: nothing that state has to prove is asked then.
 * Off by default; switching it off asks what waited. */
int diagnosis_set_held(Diagnosis *d, bool held);
/* The next deadline that a late signal could still prevent; USEC_INFINITY when there is none. */
usec_t diagnosis_next_absence(const Diagnosis *d);
/* Facts were answered: probes that wait are asked again. */
int diagnosis_facts_arrived(Diagnosis *d, usec_t now);
/* Everything active is probed again (restored incidents once all sources have enumerated; `check`). */
int diagnosis_probe_all(Diagnosis *d, usec_t now);
/* Time begins again at `now` if it was later: else, after a clock that was wrong by a year was set right, no
 * deadline would pass for a year. Open windows end as unknown; what is active is asked about again. */
void diagnosis_set_back(Diagnosis *d, usec_t now);
/* The clock was set forward: what is active was seen as lately as before. */
void diagnosis_shift(Diagnosis *d, usec_t by);
/* What the fixer does about an incident (daemon/fix); NULL: nothing. -ENOENT when it is not known (any
 * more). */
int diagnosis_set_fix_state(Diagnosis *d, const char *id, const char *state);
/* As engine_forget_windows(). */
void diagnosis_source_lost(Diagnosis *d, SourceKind kind, usec_t now);

const Incident *const *diagnosis_incidents(const Diagnosis *d, size_t *ret_n); /* by first_seen */
const Incident *diagnosis_find(const Diagnosis *d, const char *id);            /* unique prefix is enough */
uint64_t diagnosis_dropped(const Diagnosis *d);

/* After diagnosis_restore(): the journal has the end of this incident, with a seq that the saved state does
 * not know. When it turns out to be as it was saved, it is confirmed once more, behind that end. */
void diagnosis_note_ended(Diagnosis *d, const char *id, uint64_t seq);

json_t *diagnosis_save(const Diagnosis *d);
int diagnosis_restore(Diagnosis *d, const json_t *state);
