#pragma once

/* Shared by the files of lib/diagnosis: the state, and the three steps of an incident's life. */

#include "lib/base/buffer.h"
#include "lib/diagnosis/diagnosis.h"

#define DIAGNOSIS_TENTATIVE_MAX 32

struct Diagnosis {
        const RuleSet *rules;
        Matcher *matcher;
        World *world;
        Engine *engine;
        DiagnosisOps ops;
        usec_t now, grace;
        bool is_held;         /* sources still enumerate */
        usec_t advancing_to;  /* what diagnosis_advance() was asked for: nothing is heard until then */
        Incident **incidents; /* by first_seen of their raising */
        size_t n_incidents, allocated;
        uint64_t n_dropped;
};

/* verdict.c: asks the probes of an incident and draws the consequence. */
int incident_ask(Diagnosis *d, Incident *i);
/* Plans the next time an incident of this age is asked again. */
void incident_schedule(Diagnosis *d, Incident *i);

/* differential.c: links consequences to causes, after anything changed. */
void differential_update(Diagnosis *d);
/* Before its first report: a consequence is told as one from the start. */
void differential_place(Diagnosis *d, Incident *i);
/* A suspicion of a higher layer: the lower layers that could explain it are looked at too. */
int differential_look_below(Diagnosis *d, Incident *i);
/* Notes on others what was just refuted. */
int differential_refuted(Diagnosis *d, const Incident *refuted, const char *because);

/* raising.c: who an incident is about, by what the device itself is called, else by what the signals
 * captured. Returns 1, or 0 when there is nobody it could be about. */
int diagnosis_name_subject(
        Diagnosis *d, const Rule *rule, const Variable *captured, size_t n_captured, char **ret);
/* The engine's handlers. */
int diagnosis_raise(void *userdata, const Finding *finding);
int diagnosis_clear(void *userdata, const Finding *finding);

/* timers.c: tentative looks at lower layers that were not confirmed leave no trace. */
void diagnosis_drop_tentative(Diagnosis *d);

/* diagnosis.c */
int diagnosis_add(Diagnosis *d, Incident *i); /* takes it over */
Incident *diagnosis_find_subject(const Diagnosis *d, const Rule *rule, const char *subject, bool active);
void incident_end(Diagnosis *d, Incident *i, IncidentState state, const char *why);
void incident_report(Diagnosis *d, Incident *i, IncidentChange change);
