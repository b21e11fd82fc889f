/* How the daemon shows itself: the status object, systemd's status line, alerts on a terminal. */

#include <stdio.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/watch/manager-internal.h"
#include "lib/base/printable.h"

static const char *const phase_names[PHASE_X_MAX] = {
        [PHASE_STARTING] = "starting",
        [PHASE_RUNNING] = "running",
        [PHASE_RELOADING] = "reloading",
        [PHASE_STOPPING] = "stopping",
};

static json_t *sources_to_json(const Manager *m) {
        json_t *array = json_array();

        for (size_t i = 0; i < m->n_sources; i++)
                (void) json_array_append_new(array, source_to_json(m->sources[i]));
        return array;
}

static json_t *problems_to_json(const ProblemList *problems) {
        json_t *array = json_array();
        char *text;

        for (size_t i = 0; i < problems->n_items; i++) {
                text = problem_format(&problems->items[i]);
                if (text)
                        (void) json_array_append_new(array, json_string(text));
                free(text);
        }
        return array;
}

static json_t *rules_to_json(const Manager *m) {
        const RuleSet *rules = m->compiled.rules;
        json_t *limits = json_object();
        uint64_t n;

        for (size_t i = 0; i < rules->n_rules; i++) {
                n = matcher_limit_hits(m->compiled.matcher, i);
                if (n > 0)
                        (void) json_object_set_new(
                                limits, rules->rules[i]->id, json_integer((json_int_t) n));
        }
        return json_pack("{s:i, s:i, s:b, s:o, s:o}", "loaded", (int) rules->n_rules, "masked",
                (int) rules->n_masked, "reload_refused", m->reload_refused, "problems",
                problems_to_json(&m->problems), "limit_hits", limits);
}

static json_t *matcher_to_json(const Manager *m) {
        MatcherStats s = matcher_stats(m->compiled.matcher);

        return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "lines", (json_int_t) s.lines, "candidates",
                (json_int_t) s.candidates, "hits", (json_int_t) s.hits, "limit_hits",
                (json_int_t) s.limit_hits, "truncated", (json_int_t) s.truncated, "automaton_bytes",
                (json_int_t) s.automaton_bytes);
}

static json_t *incidents_to_json(const Manager *m) {
        const Incident *const *incidents;
        int by_state[INCIDENT_X_MAX] = {}, n_consequences = 0;
        json_t *object = json_object();
        size_t n;

        incidents = diagnosis_incidents(m->compiled.diagnosis, &n);
        for (size_t i = 0; i < n; i++) {
                by_state[incidents[i]->state]++;
                n_consequences += incident_is_active(incidents[i]) && incidents[i]->consequence_of[0];
        }
        for (IncidentState s = 0; s < INCIDENT_X_MAX; s++)
                (void) json_object_set_new(object, incident_state_to_string(s), json_integer(by_state[s]));
        (void) json_object_set_new(object, "consequences", json_integer(n_consequences));
        return object;
}

static json_t *state_file_to_json(const Manager *m) {
        return json_pack("{s:s, s:s?, s:s?}", "directory", m->config->state_directory, "error",
                m->save_error < 0 ? strerror(-m->save_error) : NULL, "set_aside", m->set_aside);
}

json_t *manager_status(const Manager *m) {
        char started[TIMESTAMP_MAX];

        return json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o}", "version",
                EDGEWATCH_VERSION, "state", phase_names[m->phase], "started",
                timestamp_format(m->started, started), "uptime_seconds",
                (json_int_t) (usec_sub(realtime_now(), m->started) / USEC_PER_SEC), "sources",
                sources_to_json(m), "rules", rules_to_json(m), "matcher", matcher_to_json(m), "incidents",
                incidents_to_json(m), "dropped", (json_int_t) diagnosis_dropped(m->compiled.diagnosis),
                "waiting", (json_int_t) intake_pending(m->intake), "state_file", state_file_to_json(m),
                "silences", silence_save(m->silence, realtime_now()), "symptoms",
                manager_symptoms_to_json(m), "fixes", manager_fixes_to_json(m));
}

static size_t count_active(const Manager *m) {
        const Incident *const *incidents;
        size_t n, n_active = 0;

        incidents = diagnosis_incidents(m->compiled.diagnosis, &n);
        for (size_t i = 0; i < n; i++)
                n_active += incident_is_active(incidents[i]) && !incidents[i]->consequence_of[0];
        return n_active;
}

void manager_show_status(Manager *m) {
        char degraded[256] = "";
        size_t used = 0, n = count_active(m);

        for (size_t i = 0; i < m->n_sources && used < sizeof(degraded); i++)
                if (m->sources[i]->state == SOURCE_DEGRADED)
                        used += (size_t) snprintf(degraded + used, sizeof(degraded) - used, "%s%s",
                                used ? ", " : "; cannot read: ", m->sources[i]->ops->name);
        (void) sd_notifyf(0, "STATUS=%zu active incident%s, %zu rules%s%s%s", n, n == 1 ? "" : "s",
                m->compiled.rules->n_rules, degraded, m->save_error < 0 ? "; state not saved: " : "",
                m->save_error < 0 ? strerror(-m->save_error) : "");
        m->show_status = false;
}

void manager_print_change(const Incident *incident, IncidentChange change) {
        _cleanup_(freep) char *message = incident_message(incident), *line = NULL, *printable = NULL;
        char time[TIMESTAMP_MAX];

        if (asprintf(&line, "%s %s %s %s %s: %s", timestamp_format(incident->last_seen, time),
                    incident_change_to_string(change), incident->id, incident->symptom, incident->subject,
                    message ? message : "(out of memory)") < 0)
                line = NULL;
        printable = line ? printable_text(text_of(line), INCIDENT_TEXT_MAX) : NULL;
        (void) printf("%s\n", printable ? printable : "(out of memory)");
        (void) fflush(stdout);
}
