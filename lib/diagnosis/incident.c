/* One incident: its identity, variables, evidence. Everything it keeps is bounded; what would go beyond is
 * dropped, the decisive evidence last. */

#include "lib/diagnosis/incident.h"

#include <stdio.h>

#include "lib/base/fnv.h"
#include "lib/base/word.h"

static const char *const states[INCIDENT_X_MAX] = {
        [INCIDENT_SUSPECTED] = "suspected",
        [INCIDENT_CONFIRMED] = "confirmed",
        [INCIDENT_CLEARED] = "cleared",
        [INCIDENT_REFUTED] = "refuted",
};

static const char *const evidence_kinds[EVIDENCE_X_MAX] = {
        [EVIDENCE_LOG] = "log",
        [EVIDENCE_EVENT] = "event",
        [EVIDENCE_PROBE] = "probe",
        [EVIDENCE_STATE] = "state",
};

const char *incident_state_to_string(IncidentState s) {
        return s >= 0 && s < INCIDENT_X_MAX ? states[s] : NULL;
}

IncidentState incident_state_from_string(Text name) {
        return (IncidentState) word_find(states, INCIDENT_X_MAX, name);
}

const char *evidence_kind_to_string(EvidenceKind k) {
        return k >= 0 && k < EVIDENCE_X_MAX ? evidence_kinds[k] : NULL;
}

EvidenceKind evidence_kind_from_string(Text name) {
        return (EvidenceKind) word_find(evidence_kinds, EVIDENCE_X_MAX, name);
}

/* With the end of the string: "ab", "c" is not "a", "bc". */
static uint64_t hash_string(uint64_t hash, const char *s) {
        return fnv_add(hash, s, strlen(s) + 1);
}

int incident_new(const Rule *rule, const char *subject, const char *position, usec_t time, Incident **ret) {
        _cleanup_(incident_freep) Incident *i = calloc(1, sizeof(*i));
        uint64_t hash = FNV_BASIS;
        char when[TIMESTAMP_MAX];

        if (!i)
                return -ENOMEM;
        i->rule = rule;
        i->severity = rule->severity;
        i->symptom = strdup(rule->id);
        i->subject = text_to_utf8(text_of(subject), 512);
        if (!i->symptom || !i->subject)
                return -ENOMEM;
        hash = hash_string(hash, i->symptom);
        hash = hash_string(hash, i->subject);
        hash = hash_string(hash,
                position[0] ? position
                            : timestamp_format(time, when)); /* state has no position but its time */
        (void) snprintf(i->id, sizeof(i->id), "%016" PRIx64, hash);
        i->first_seen = i->last_seen = i->suspected_at = time;
        i->ask_at = USEC_INFINITY;
        i->count = 1;
        *ret = TAKE_PTR(i);
        return 0;
}

void incident_rename(Incident *i, usec_t time) {
        char when[TIMESTAMP_MAX];
        uint64_t hash = hash_string(hash_string(FNV_BASIS, i->id), timestamp_format(time, when));

        (void) snprintf(i->id, sizeof(i->id), "%016" PRIx64, hash);
}

void incident_forget_variables(Incident *i) {
        for (size_t n = 0; n < i->n_variables; n++) {
                free(i->variables[n].name);
                free(i->variables[n].value);
        }
        i->n_variables = 0;
}

static void evidence_done(Evidence *e) {
        free(e->source);
        free(e->text);
}

Incident *incident_free(Incident *i) {
        if (!i)
                return NULL;
        incident_forget_variables(i);
        for (size_t n = 0; n < i->n_evidence; n++)
                evidence_done(i->evidence + n);
        for (size_t n = 0; n < i->n_ruled_out; n++) {
                free(i->ruled_out[n].symptom);
                free(i->ruled_out[n].because);
        }
        free(i->symptom);
        free(i->subject);
        free(i->fix_state);
        free(i->unknown);
        free(i->ending);
        free(i);
        return NULL;
}

static int replace_string(char **s, const char *value) {
        char *copy = strdup(value);

        if (!copy)
                return -ENOMEM;
        free(*s);
        *s = copy;
        return 0;
}

int incident_set_variable(Incident *i, const char *name, const char *value) {
        Variable v = {};

        for (size_t n = 0; n < i->n_variables; n++)
                if (strcmp(i->variables[n].name, name) == 0)
                        return replace_string(&i->variables[n].value, value);
        if (i->n_variables >= INCIDENT_VARIABLES_MAX)
                return 0;
        v = (Variable){.name = strdup(name), .value = strdup(value)};
        if (!v.name || !v.value) {
                free(v.name);
                free(v.value);
                return -ENOMEM;
        }
        i->variables[i->n_variables++] = v;
        return 0;
}

const char *incident_variable(const Incident *i, const char *name) {
        return variables_find(i->variables, i->n_variables, name);
}

int incident_add_evidence(
        Incident *i, EvidenceKind kind, const char *source, usec_t time, const char *text) {
        Evidence e = {.kind = kind, .time = time};

        for (size_t n = 0; n < i->n_evidence; n++)
                if (strcmp(i->evidence[n].source, source) == 0 && strcmp(i->evidence[n].text, text) == 0) {
                        i->evidence[n].time = time;
                        return 0;
                }
        e.source = strdup(source);
        e.text = text_to_utf8(text_of(text), INCIDENT_TEXT_MAX);
        if (!e.source || !e.text) {
                evidence_done(&e);
                return -ENOMEM;
        }
        if (i->n_evidence >= INCIDENT_EVIDENCE_MAX) {
                evidence_done(i->evidence + 1);
                memmove(i->evidence + 1, i->evidence + 2, (INCIDENT_EVIDENCE_MAX - 2) * sizeof(Evidence));
                i->n_evidence--;
        }
        i->evidence[i->n_evidence++] = e;
        return 0;
}

void incident_put_first(Incident *i, const char *source, const char *text) {
        for (size_t n = 1; n < i->n_evidence; n++) {
                Evidence e = i->evidence[n];

                if (strcmp(e.source, source) != 0 || strcmp(e.text, text) != 0)
                        continue;
                memmove(i->evidence + 1, i->evidence, n * sizeof(Evidence));
                i->evidence[0] = e;
                return;
        }
}

int incident_rule_out(Incident *i, const char *symptom, const char *because) {
        RuledOut r = {};

        for (size_t n = 0; n < i->n_ruled_out; n++)
                if (strcmp(i->ruled_out[n].symptom, symptom) == 0)
                        return replace_string(&i->ruled_out[n].because, because);
        if (i->n_ruled_out >= INCIDENT_RULED_OUT_MAX)
                return 0;
        r = (RuledOut){.symptom = strdup(symptom), .because = strdup(because)};
        if (!r.symptom || !r.because) {
                free(r.symptom);
                free(r.because);
                return -ENOMEM;
        }
        i->ruled_out[i->n_ruled_out++] = r;
        return 0;
}

bool incident_is_active(const Incident *i) {
        return i->state == INCIDENT_SUSPECTED || i->state == INCIDENT_CONFIRMED;
}

static char *expand(const Incident *i, const char *template) {
        /* the subject is a variable like any other, so that a sentence can name it */
        Variable variables[INCIDENT_VARIABLES_MAX + 1];

        memcpy(variables, i->variables, i->n_variables * sizeof(Variable));
        variables[i->n_variables] = (Variable){.name = (char *) "subject", .value = i->subject};
        return rule_expand(i->rule, template, variables, i->n_variables + 1);
}

char *incident_message(const Incident *i) {
        char *message;

        if (i->rule)
                return expand(i, i->rule->message);
        return asprintf(&message, "%s: %s", i->subject, i->symptom) < 0 ? NULL : message;
}

char *incident_cause(const Incident *i) {
        return i->rule && i->rule->explanation ? expand(i, i->rule->explanation) : strdup("");
}

char *incident_remedy(const Incident *i) {
        return i->rule && i->rule->remedy.text ? expand(i, i->rule->remedy.text) : strdup("");
}
