#pragma once

/* One symptom of one subject, from suspicion to its end. */

#include "lib/engine/engine.h"
#include "lib/probes/probe.h"

#define INCIDENT_ID_MAX        17
#define INCIDENT_EVIDENCE_MAX  24
#define INCIDENT_RULED_OUT_MAX 16
#define INCIDENT_VARIABLES_MAX 32
#define INCIDENT_CAUSE_OF_MAX  16
#define INCIDENT_TEXT_MAX      ((size_t) 2048)

typedef enum IncidentState {
        INCIDENT_SUSPECTED,
        INCIDENT_CONFIRMED,
        INCIDENT_CLEARED,
        INCIDENT_REFUTED,
        INCIDENT_X_MAX,
        INCIDENT_X_INVALID = -EINVAL,
} IncidentState;

const char *incident_state_to_string(IncidentState s);
IncidentState incident_state_from_string(Text name);

typedef enum EvidenceKind {
        EVIDENCE_LOG,
        EVIDENCE_EVENT,
        EVIDENCE_PROBE,
        EVIDENCE_STATE,
        EVIDENCE_X_MAX,
        EVIDENCE_X_INVALID = -EINVAL,
} EvidenceKind;

const char *evidence_kind_to_string(EvidenceKind k);
EvidenceKind evidence_kind_from_string(Text name);

typedef struct Evidence {
        EvidenceKind kind;
        char *source; /* an origin ("runtime"), or the probe's name */
        usec_t time;
        char *text;
} Evidence;

typedef struct RuledOut {
        char *symptom;
        char *because;
} RuledOut;

typedef struct Incident {
        char id[INCIDENT_ID_MAX]; /* 16 hex digits: hash over symptom, subject and position of the first
                                     signal; hashed again when it is taken */
        const Rule *rule;         /* NULL for a restored incident whose rule is gone */
        char *symptom;
        char *subject;
        IncidentState state;
        char *fix_state;                      /* NULL, planned, fixing, fixed, failed, rolled-back */
        char consequence_of[INCIDENT_ID_MAX]; /* "" when it stands alone */
        char formerly_of[INCIDENT_ID_MAX];    /* its cause that is over, until it is proven without it */
        char cause_of[INCIDENT_CAUSE_OF_MAX]
                     [INCIDENT_ID_MAX]; /* active consequences; not saved, linked anew */
        size_t n_cause_of;
        Severity severity;
        usec_t first_seen, last_seen, confirmed_at, cleared_at; /* 0 when not */
        uint64_t count;
        uint64_t seq;       /* of the last change that was reported */
        uint64_t ended_seq; /* the journal says that it ended, though the state that was restored does not;
                               0 when not */
        bool alerted;       /* a suspicion that stayed one was reported */
        Variable variables[INCIDENT_VARIABLES_MAX];
        size_t n_variables;
        Evidence evidence[INCIDENT_EVIDENCE_MAX]; /* the first is the decisive one */
        size_t n_evidence;
        RuledOut ruled_out[INCIDENT_RULED_OUT_MAX];
        size_t n_ruled_out;
        char *unknown; /* what could not be checked; NULL when nothing */
        char *ending;  /* why it cleared or was refuted */
        unsigned n_asked;
        usec_t ask_at;       /* next time its probes are asked; USEC_INFINITY when not scheduled */
        usec_t ask_since;    /* how fresh the facts have to be */
        bool asking;         /* a probe waits for a fact */
        bool clear_latched;  /* a clear condition that also asks the probes has seen its signals */
        usec_t suspected_at; /* when it was raised, by the engine's time */
        bool restored;       /* from the state file and not yet probed again */
        bool tentative; /* raised to look at a lower layer: not listed until confirmed, dropped when refuted
                         */
        bool ends_on_refute;       /* its cause is over, or it was restored: a refutation ends it */
        bool is_evidence_decisive; /* evidence[0] proves it; later proof does not take its place */
} Incident;

int incident_new(const Rule *rule, const char *subject, const char *position, usec_t time, Incident **ret);
/* Another id for one whose id another one has already, always the same one of that time. */
void incident_rename(Incident *i, usec_t time);
void incident_forget_variables(Incident *i);
Incident *incident_free(Incident *i);
DEFINE_CLEANUP(Incident, incident_free);

int incident_set_variable(Incident *i, const char *name, const char *value);
const char *incident_variable(const Incident *i, const char *name);
/* Evidence that is already there (same source and text) only gets the later time. When full, the oldest but
 * the first makes room. */
int incident_add_evidence(Incident *i, EvidenceKind kind, const char *source, usec_t time, const char *text);
/* Makes this the first, decisive evidence if it is there. */
void incident_put_first(Incident *i, const char *source, const char *text);
int incident_rule_out(Incident *i, const char *symptom, const char *because);
bool incident_is_active(const Incident *i); /* suspected or confirmed */
char *incident_message(const Incident *i);  /* the sentence a person acts on; NULL when memory is out */
char *incident_cause(const Incident *i);    /* a few sentences */
char *incident_remedy(const Incident *i);

/* The object of a recording's `incidents` (docs/recording.md). With for_state a member `state_file` more:
 * what a restart and `explain` need. */
json_t *incident_to_json(const Incident *i, bool for_state);
int incident_from_json(const json_t *object, const RuleSet *rules, Incident **ret);
