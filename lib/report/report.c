/* Incidents for programs: the JSON answer of list and replay, and the journal's fields. Field names are API
 * (edgewatch-fields(7)): never renamed. */

#include "lib/report/report.h"

#include <stdarg.h>
#include <stdio.h>

json_t *report_incidents(const Incident *const *incidents, size_t n, uint64_t dropped) {
        json_t *array = json_array();

        for (size_t i = 0; i < n; i++)
                if (json_array_append_new(array, incident_to_json(incidents[i], false)) < 0) {
                        json_decref(array);
                        return NULL;
                }
        return json_pack(
                "{s:i, s:o, s:I}", "format", 1, "incidents", array, "dropped", (json_int_t) dropped);
}

void journal_fields_done(JournalFields *f) {
        for (size_t i = 0; i < f->n; i++)
                free(f->fields[i]);
        f->n = 0;
}

_printf_(2, 3) static int add_field(JournalFields *f, const char *format, ...) {
        va_list args;
        char *field;
        int n;

        if (f->n >= JOURNAL_FIELDS_MAX)
                return 0;
        va_start(args, format);
        n = vasprintf(&field, format, args);
        va_end(args);
        if (n < 0)
                return -ENOMEM;
        f->fields[f->n++] = field;
        return 0;
}

#define LOG_ERR     3
#define LOG_WARNING 4
#define LOG_NOTICE  5
#define LOG_INFO    6

/* A consequence is no second alarm: it is told at info. */
static int priority_of(const Incident *i, IncidentChange change) {
        if (change == CHANGE_CLEARED || change == CHANGE_REFUTED)
                return LOG_NOTICE;
        if (change == CHANGE_UPDATED || change == CHANGE_FIX || i->consequence_of[0])
                return LOG_INFO;
        return change == CHANGE_CONFIRMED && i->severity == SEVERITY_ERROR ? LOG_ERR : LOG_WARNING;
}

static int add_message(const Incident *i, IncidentChange change, JournalFields *f) {
        _cleanup_(freep) char *message = incident_message(i);

        if (!message)
                return -ENOMEM;
        switch (change) {
        case CHANGE_SUSPECTED:
                return add_field(f, "MESSAGE=Suspected: %s Could not be checked: %s.", message,
                        i->unknown && i->unknown[0] ? i->unknown : "nothing on this device can tell");
        case CHANGE_FIX:
                return add_field(f,
                        "MESSAGE=%s (A repair is %s; `edgewatchctl fix plan %s` shows its steps.)", message,
                        i->fix_state ? i->fix_state : "not known", i->id);
        case CHANGE_UPDATED:
                if (i->consequence_of[0])
                        return add_field(
                                f, "MESSAGE=%s (A consequence of incident %s.)", message, i->consequence_of);
                return add_field(f, "MESSAGE=%s (Seen %" PRIu64 " times.)", message, i->count);
        case CHANGE_CLEARED:
                return add_field(
                        f, "MESSAGE=Cleared: %s (%s)", message, i->ending ? i->ending : "it is over");
        case CHANGE_REFUTED:
                return add_field(
                        f, "MESSAGE=Withdrawn: %s (%s)", message, i->ending ? i->ending : "refuted");
        default:
                return add_field(f, "MESSAGE=%s", message);
        }
}

static int add_texts(const Incident *i, JournalFields *f) {
        _cleanup_(freep) char *remedy = incident_remedy(i), *cause = incident_cause(i);
        int r = remedy && cause ? 0 : -ENOMEM;

        if (r >= 0)
                r = add_field(f, "EDGEWATCH_CAUSE=%s", cause);
        if (r >= 0)
                r = add_field(f, "EDGEWATCH_REMEDY=%s", remedy);
        if (r >= 0 && i->rule && i->rule->documentation)
                r = add_field(f, "DOCUMENTATION=%s", i->rule->documentation);
        if (r >= 0 && i->rule && i->rule->remedy.fix)
                r = add_field(f, "EDGEWATCH_FIX=%s", i->rule->remedy.fix);
        if (r >= 0 && i->fix_state)
                r = add_field(f, "EDGEWATCH_FIX_STATE=%s", i->fix_state);
        for (size_t n = 0; r >= 0 && n < i->n_evidence; n++)
                r = add_field(f, "EDGEWATCH_EVIDENCE=%s: %s", i->evidence[n].source, i->evidence[n].text);
        for (size_t n = 0; r >= 0 && n < i->n_ruled_out; n++)
                r = add_field(
                        f, "EDGEWATCH_RULED_OUT=%s: %s", i->ruled_out[n].symptom, i->ruled_out[n].because);
        return r;
}

int report_journal_fields(const Incident *i, IncidentChange change, JournalFields *ret) {
        bool is_over = change == CHANGE_CLEARED || change == CHANGE_REFUTED;
        JournalFields f = {};
        int r;

        r = add_message(i, change, &f);
        if (r >= 0)
                r = add_field(&f, "PRIORITY=%d", priority_of(i, change));
        if (r >= 0 && (is_over || i->rule || change == CHANGE_FIX))
                r = add_field(&f, "MESSAGE_ID=%s",
                        is_over                        ? MESSAGE_ID_CLEARED
                                : change == CHANGE_FIX ? MESSAGE_ID_FIX_PLANNED
                                                       : i->rule->message_id);
        if (r >= 0)
                r = add_field(&f, "EDGEWATCH_INCIDENT=%s", i->id);
        if (r >= 0)
                r = add_field(&f, "EDGEWATCH_SEQ=%" PRIu64, i->seq);
        if (r >= 0)
                r = add_field(&f, "EDGEWATCH_SYMPTOM=%s", i->symptom);
        if (r >= 0)
                r = add_field(&f, "EDGEWATCH_SUBJECT=%s", i->subject);
        if (r >= 0)
                r = add_field(&f, "EDGEWATCH_STATE=%s", incident_state_to_string(i->state));
        if (r >= 0)
                r = add_field(&f, "EDGEWATCH_CHANGE=%s", incident_change_to_string(change));
        if (r >= 0)
                r = add_field(&f, "EDGEWATCH_COUNT=%" PRIu64, i->count);
        if (r >= 0 && i->consequence_of[0])
                r = add_field(&f, "EDGEWATCH_CONSEQUENCE_OF=%s", i->consequence_of);
        for (size_t n = 0; r >= 0 && n < i->n_cause_of; n++)
                r = add_field(&f, "EDGEWATCH_CAUSE_OF=%s", i->cause_of[n]);
        if (r >= 0)
                r = add_texts(i, &f);
        if (r < 0) {
                journal_fields_done(&f);
                return r;
        }
        *ret = f;
        return 0;
}
