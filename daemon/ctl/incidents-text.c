/* The table of incidents, for `list` and `replay`. */

#include "daemon/ctl/incidents-text.h"

#include <string.h>

#include "lib/report/report.h"

usec_t member_time(const json_t *object, const char *name) {
        uint64_t nsec;

        if (timestamp_parse(text_of(json_field_string(object, name)), &nsec, NULL) < 0)
                return 0;
        return nsec / NSEC_PER_USEC;
}

bool incident_is_id(const char *word) {
        size_t len = strlen(word);
        return len > 0 && len < INCIDENT_ID_MAX && strspn(word, "0123456789abcdef") == len;
}

bool incident_json_is_active(const json_t *incident) {
        const char *state = json_field_string(incident, "state");
        return strcmp(state, "suspected") == 0 || strcmp(state, "confirmed") == 0;
}

json_t *incidents_find(const json_t *report, const char *what) {
        json_t *incident, *found = NULL;
        size_t i;

        json_array_foreach (json_object_get(report, "incidents"), i, incident) {
                bool is_meant = incident_is_id(what)
                        ? text_starts_with(text_of(json_field_string(incident, "id")), what)
                        : strcmp(json_field_string(incident, "symptom"), what) == 0;

                if (is_meant &&
                        (!found || (incident_json_is_active(incident) && !incident_json_is_active(found))))
                        found = incident;
        }
        return json_incref(found);
}

static void add_incident(Table *t, const json_t *incident) {
        char first[LOCAL_TIME_MAX], last[LOCAL_TIME_MAX], count[24];
        const char *cause = json_field_string(incident, "consequence_of"),
                   *state = json_field_string(incident, "state"),
                   *message = json_field_string(incident, "message");
        const char *cells[] = {
                json_field_string(incident, "id"),
                json_field_string(incident, "symptom"),
                json_field_string(incident, "subject"),
                state,
                json_field_string(incident, "severity"),
                count,
                local_time(member_time(incident, "first_seen"), first),
                local_time(member_time(incident, "last_seen"), last),
                cause[0] ? cause : "-",
                message[0] ? message : "-",
        };

        (void) snprintf(count, sizeof(count), "%" JSON_INTEGER_FORMAT,
                json_integer_value(json_object_get(incident, "count")));
        table_add(t, cells, 3, color_of_state(state));
}

static ExitCode print_table(const json_t *incidents, bool all) {
        static const char *const titles[] = {"ID", "SYMPTOM", "SUBJECT", "STATE", "SEVERITY", "COUNT",
                "FIRST SEEN", "LAST SEEN", "CONSEQUENCE OF", "MESSAGE"};
        _cleanup_(table_freep) Table *t = table_new(titles, ELEMENTSOF(titles));
        size_t n_shown = 0, i;
        json_t *incident;

        if (!t)
                return fail(ENOMEM, "Failed to print incidents");
        json_array_foreach (incidents, i, incident)
                if (all || incident_json_is_active(incident)) {
                        add_incident(t, incident);
                        n_shown++;
                }
        if (n_shown == 0) {
                printf("%s\n", all ? "No incidents." : "Nothing is wrong that is known.");
                return EXIT_FINE;
        }
        if (table_print(t) < 0)
                return fail(ENOMEM, "Failed to print incidents");
        return EXIT_FINE;
}

int incidents_explain(const json_t *report) {
        json_t *incident;
        size_t i;

        json_array_foreach (json_object_get(report, "incidents"), i, incident) {
                _cleanup_(freep) char *text = NULL;

                if (!incident_json_is_active(incident) || json_field_string(incident, "consequence_of")[0])
                        continue;
                text = report_explain(incident);
                if (!text)
                        return -ENOMEM;
                (void) printf("\n%s", text);
        }
        return 0;
}

/* A copy of the report with what is active only. NULL when memory is out. */
static json_t *only_active(const json_t *report) {
        json_t *copy = json_copy((json_t *) report), *active = json_array(), *incident;
        size_t i;

        json_array_foreach (json_object_get(report, "incidents"), i, incident)
                if (incident_json_is_active(incident) && json_array_append(active, incident) < 0) {
                        json_decref(active);
                        json_decref(copy);
                        return NULL;
                }
        if (json_object_set_new(copy, "incidents", active) < 0) {
                json_decref(copy);
                return NULL;
        }
        return copy;
}

ExitCode incidents_print(const json_t *report, const Arguments *a) {
        const json_t *incidents = json_object_get(report, "incidents");
        ExitCode code = EXIT_FINE, printed = EXIT_FINE;
        json_t *incident;
        size_t i;

        json_array_foreach (incidents, i, incident)
                if (incident_json_is_active(incident))
                        code = EXIT_FINDINGS;

        if (a->json) {
                json_t *shown = a->all ? json_incref((json_t *) report) : only_active(report);

                if (!shown || !print_json(shown))
                        printed = fail(ENOMEM, "Failed to print incidents");
                json_decref(shown);
        } else
                printed = print_table(incidents, a->all);
        return printed == EXIT_FINE ? code : printed;
}
