/* What is counted about incidents and fixes for `metrics`: per symptom what is active and what was ever
 * raised, per fix how it ended.
 *
 * What is only ever counted up is kept over restarts. Trap: an incident is counted with its first report
 * (seq 1), so one that is read again after a kill, and keeps its seq in the state file, is not counted
 * twice. */

#include "daemon/watch/manager-internal.h"

#include <string.h>

/* Of symptoms whose rules went with a reload; more are not counted. */
#define RAISED_MAX 1024

void manager_count_raised(Manager *m, const Incident *incident, IncidentChange change) {
        json_t *old = json_object_get(m->raised, incident->symptom);

        if (incident->seq != 1 || change == CHANGE_REFUTED)
                return;
        if (old || json_object_size(m->raised) < RAISED_MAX)
                (void) json_object_set_new(
                        m->raised, incident->symptom, json_integer(json_integer_value(old) + 1));
}

static const char *const outcomes[] = {"fixed", "rolled-back", "failed"};

static void add_to(json_t *fixes, const char *fix, const char *outcome, json_int_t n) {
        json_t *of_fix = json_object_get(fixes, fix);

        if (!of_fix && json_object_size(fixes) < CONFIG_FIXES_MAX) {
                of_fix = json_object();
                (void) json_object_set_new(fixes, fix, of_fix);
        }
        (void) json_object_set_new(
                of_fix, outcome, json_integer(json_integer_value(json_object_get(of_fix, outcome)) + n));
}

void manager_count_fix(Manager *m, const Incident *incident, IncidentChange change) {
        const char *fix = incident->rule ? incident->rule->remedy.fix : NULL;

        for (size_t o = 0; change == CHANGE_FIX && fix && incident->fix_state && o < ELEMENTSOF(outcomes);
                o++)
                if (strcmp(incident->fix_state, outcomes[o]) == 0)
                        add_to(m->fixed, fix, outcomes[o], 1);
}

static void restore_fixed(Manager *m, const json_t *saved) {
        const char *fix;
        json_t *of_fix;

        json_object_foreach ((json_t *) saved, fix, of_fix)
                for (size_t o = 0; json_is_object(of_fix) && o < ELEMENTSOF(outcomes); o++)
                        add_to(m->fixed, fix, outcomes[o],
                                json_integer_value(json_object_get(of_fix, outcomes[o])));
}

int manager_restore_counts(Manager *m, const json_t *state) {
        const json_t *saved = json_object_get(state, "raised");
        const char *symptom;
        json_t *n;

        json_object_foreach ((json_t *) saved, symptom, n)
                if (json_is_integer(n) && json_object_size(m->raised) < RAISED_MAX &&
                        json_object_set(m->raised, symptom, n) < 0)
                        return -ENOMEM;
        restore_fixed(m, json_object_get(state, "fixed"));
        return 0;
}

static json_t *new_symptom(const Manager *m, const char *id, const char *severity, const char *title) {
        return json_pack("{s:s, s:s, s:I, s:{s:i, s:i}, s:{s:i, s:i}}", "severity", severity, "title", title,
                "raised", (json_int_t) json_integer_value(json_object_get(m->raised, id)), "suspected",
                "alone", 0, "consequences", 0, "confirmed", "alone", 0, "consequences", 0);
}

static void count_up(json_t *object, const char *key) {
        (void) json_object_set_new(
                object, key, json_integer(json_integer_value(json_object_get(object, key)) + 1));
}

static void count_incident(const Manager *m, json_t *symptoms, const Incident *i) {
        if (!incident_is_active(i))
                return;
        if (!json_object_get(symptoms, i->symptom)) /* restored, and its rule is gone */
                (void) json_object_set_new(symptoms, i->symptom,
                        new_symptom(m, i->symptom, severity_to_string(i->severity), ""));
        count_up(json_object_get(json_object_get(symptoms, i->symptom), incident_state_to_string(i->state)),
                i->consequence_of[0] ? "consequences" : "alone");
}

json_t *manager_symptoms_to_json(const Manager *m) {
        const RuleSet *rules = m->compiled.rules;
        json_t *symptoms = json_object();
        const Incident *const *incidents;
        size_t n;

        for (size_t i = 0; i < rules->n_rules; i++) {
                const Rule *rule = rules->rules[i];

                (void) json_object_set_new(symptoms, rule->id,
                        new_symptom(m, rule->id, severity_to_string(rule->severity), rule->title));
        }
        incidents = diagnosis_incidents(m->compiled.diagnosis, &n);
        for (size_t i = 0; i < n; i++)
                count_incident(m, symptoms, incidents[i]);
        return symptoms;
}

json_t *manager_fixes_to_json(const Manager *m) {
        const RuleSet *rules = m->compiled.rules;
        json_t *fixes = json_deep_copy(m->fixed);

        for (size_t i = 0; i < rules->n_rules; i++)
                for (size_t o = 0; rules->rules[i]->remedy.fix && o < ELEMENTSOF(outcomes); o++)
                        add_to(fixes, rules->rules[i]->remedy.fix, outcomes[o], 0);
        return fixes;
}
