/* The objects that every connection offers: the manager, the evidence, one object per incident.
 *
 * Open to all are id, symptom, subject, state, counts and times. Whatever quotes a log is behind
 * org.edgewatch1.Evidence. Names and types are API: added to, never changed. */

#include "daemon/watch/bus-internal.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "lib/report/report.h"

static Diagnosis *diagnosis_of(const Connection *c) {
        return manager_diagnosis(c->owner->manager);
}

static int reply_json(sd_bus_message *m, json_t *object) {
        _cleanup_(freep) char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

        json_decref(object);
        return text ? sd_bus_reply_method_return(m, "s", text) : -ENOMEM;
}

/* ---- org.edgewatch1.Manager ---- */

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", EDGEWATCH_VERSION);
}

static int get_state(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Connection *c = userdata;
        json_t *status = manager_status(c->owner->manager);
        const char *state = json_string_value(json_object_get(status, "state"));
        int r = sd_bus_message_append(reply, "s", state ? state : "");

        json_decref(status);
        return r;
}

static int get_count(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        bool is_active_only = strcmp(property, "ActiveIncidents") == 0;
        uint32_t count = 0;
        size_t n;
        const Incident *const *incidents = diagnosis_incidents(diagnosis_of(userdata), &n);

        for (size_t i = 0; i < n; i++)
                count += !is_active_only || incident_is_active(incidents[i]);
        return sd_bus_message_append(reply, "u", count);
}

static int get_status(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const Connection *c = userdata;
        json_t *status = manager_status(c->owner->manager);

        if (!status || json_object_set_new(status, "bus", bus_to_json(c->owner)) < 0) {
                json_decref(status);
                return -ENOMEM;
        }
        return reply_json(m, status);
}

static int append_incident(sd_bus_message *reply, const Incident *i) {
        return sd_bus_message_append(reply, BUS_INCIDENT_ROW, i->id, i->symptom, i->subject,
                incident_state_to_string(i->state), severity_to_string(i->severity), i->consequence_of,
                i->count, i->first_seen, i->last_seen, i->seq);
}

static int list_incidents(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        size_t n;
        const Incident *const *incidents = diagnosis_incidents(diagnosis_of(userdata), &n);
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(reply, 'a', BUS_INCIDENT_ROW);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = append_incident(reply, incidents[i]);
        if (r < 0)
                return r;
        r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

static int run_reload(Connection *c, sd_bus_message *m, sd_bus_error *error) {
        int r = manager_reload(c->owner->manager);

        if (r == -EINVAL)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                        "The configuration or the rules have problems; the old ones stay "
                        "(edgewatchctl status lists them)");
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "");
}

static int run_silence(Connection *c, sd_bus_message *m, sd_bus_error *error) {
        const Incident *incident;
        const char *what;
        uint64_t until;
        int r;

        r = sd_bus_message_read(m, "st", &what, &until);
        if (r < 0)
                return r;
        incident = what[0] ? diagnosis_find(diagnosis_of(c), what) : NULL;
        if (incident)
                what = incident->id;
        else if (!rule_set_find(manager_rules(c->owner->manager), what))
                return sd_bus_error_setf(
                        error, BUS_ERROR_BAD_SUBJECT, "\"%s\" is neither a symptom nor an incident", what);

        r = manager_silence(c->owner->manager, what, until);
        if (r == -ENOBUFS)
                return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many silences");
        if (r < 0)
                return r;
        log_notice("%s is %s.", what, until > 0 ? "silenced for a while" : "not silenced any more");
        return sd_bus_reply_method_return(m, "");
}

static const Access reload_access = {.action = BUS_NAME ".reload", .run = run_reload};
static const Access silence_access = {.action = BUS_NAME ".silence", .run = run_silence};

static int reload(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return bus_access_check(userdata, m, &reload_access, error);
}

static int set_silence(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return bus_access_check(userdata, m, &silence_access, error);
}

#define EMITS SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define OPEN  SD_BUS_VTABLE_UNPRIVILEGED /* we look ourselves who calls */

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_state, 0, 0),
        SD_BUS_PROPERTY("Incidents", "u", get_count, 0, EMITS),
        SD_BUS_PROPERTY("ActiveIncidents", "u", get_count, 0, EMITS),
        SD_BUS_METHOD_WITH_ARGS("GetStatus", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), get_status, OPEN),
        SD_BUS_METHOD_WITH_ARGS("ListIncidents", SD_BUS_NO_ARGS, SD_BUS_RESULT(BUS_INCIDENT_LIST, incidents),
                list_incidents, OPEN),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, reload, OPEN),
        SD_BUS_METHOD_WITH_ARGS(
                "Silence", SD_BUS_ARGS("s", what, "t", until), SD_BUS_NO_RESULT, set_silence, OPEN),
        SD_BUS_SIGNAL_WITH_ARGS("IncidentChanged",
                SD_BUS_ARGS("s", id, "s", symptom, "s", subject, "s", change, "t", seq), 0),
        SD_BUS_VTABLE_END,
};

/* ---- org.edgewatch1.Evidence ---- */

static int run_describe(Connection *c, sd_bus_message *m, sd_bus_error *error) {
        const Incident *incident;
        const char *id;
        int r;

        r = sd_bus_message_read(m, "s", &id);
        if (r < 0)
                return r;
        incident = id[0] ? diagnosis_find(diagnosis_of(c), id) : NULL;
        if (!incident)
                return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_INCIDENT,
                        "There is no incident \"%s\", or more than one whose id begins so", id);
        return reply_json(m, incident_to_json(incident, true));
}

static int run_describe_all(Connection *c, sd_bus_message *m, sd_bus_error *error) {
        const Incident *shown[DIAGNOSIS_INCIDENTS_MAX];
        size_t n, n_shown = 0;
        const Incident *const *incidents = diagnosis_incidents(diagnosis_of(c), &n);
        int all, r;

        r = sd_bus_message_read(m, "b", &all);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n && n_shown < DIAGNOSIS_INCIDENTS_MAX; i++)
                if (all || incident_is_active(incidents[i]))
                        shown[n_shown++] = incidents[i];
        return reply_json(m, report_incidents(shown, n_shown, diagnosis_dropped(diagnosis_of(c))));
}

static const Access describe_access = {.run = run_describe};
static const Access describe_all_access = {.run = run_describe_all};

static int describe(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return bus_access_check(userdata, m, &describe_access, error);
}

static int describe_all(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return bus_access_check(userdata, m, &describe_all_access, error);
}

static const sd_bus_vtable evidence_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Describe", SD_BUS_ARGS("s", id), SD_BUS_RESULT("s", json), describe, OPEN),
        SD_BUS_METHOD_WITH_ARGS(
                "DescribeAll", SD_BUS_ARGS("b", all), SD_BUS_RESULT("s", json), describe_all, OPEN),
        SD_BUS_VTABLE_END,
};

/* ---- org.edgewatch1.Incident ---- */

static int get_string(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const char *const *value = userdata;

        return sd_bus_message_append(reply, "s", *value);
}

static int get_chars(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", (const char *) userdata);
}

static int get_incident_state(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const IncidentState *state = userdata;

        return sd_bus_message_append(reply, "s", incident_state_to_string(*state));
}

static int get_severity(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Severity *severity = userdata;

        return sd_bus_message_append(reply, "s", severity_to_string(*severity));
}

static int get_u64(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const uint64_t *value = userdata;

        return sd_bus_message_append(reply, "t", *value);
}

#define AT(member) offsetof(Incident, member)

static const sd_bus_vtable incident_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Id", "s", get_chars, AT(id), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Symptom", "s", get_string, AT(symptom), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Subject", "s", get_string, AT(subject), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_incident_state, AT(state), EMITS),
        SD_BUS_PROPERTY("Severity", "s", get_severity, AT(severity), EMITS),
        SD_BUS_PROPERTY("Count", "t", get_u64, AT(count), EMITS),
        SD_BUS_PROPERTY("FirstSeen", "t", get_u64, AT(first_seen), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("LastSeen", "t", get_u64, AT(last_seen), EMITS),
        SD_BUS_PROPERTY("ConfirmedAt", "t", get_u64, AT(confirmed_at), EMITS),
        SD_BUS_PROPERTY("ClearedAt", "t", get_u64, AT(cleared_at), EMITS),
        SD_BUS_PROPERTY("ConsequenceOf", "s", get_chars, AT(consequence_of), EMITS),
        SD_BUS_VTABLE_END,
};

/* An id is a valid part of a path as it stands; sd_bus_path_encode() would escape its first digit. */
static char *incident_path(const Incident *i) {
        char *path;

        return asprintf(&path, BUS_INCIDENT_PATH "/%s", i->id) < 0 ? NULL : path;
}

static int find_incident(sd_bus *bus, const char *path, const char *interface, void *userdata,
        void **ret_found, sd_bus_error *error) {
        const char *id = path + strlen(BUS_INCIDENT_PATH);
        const Incident *incident;

        if (*id++ != '/')
                return 0;
        incident = *id ? diagnosis_find(diagnosis_of(userdata), id) : NULL;
        if (!incident || strcmp(incident->id, id) != 0)
                return 0;
        *ret_found = (void *) incident;
        return 1;
}

static int enumerate_incidents(
        sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *error) {
        size_t n;
        const Incident *const *incidents = diagnosis_incidents(diagnosis_of(userdata), &n);
        char **nodes = calloc(n + 1, sizeof(*nodes));

        if (!nodes)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                nodes[i] = incident_path(incidents[i]);
                if (nodes[i])
                        continue;
                for (char **node = nodes; *node; node++)
                        free(*node);
                free(nodes);
                return -ENOMEM;
        }
        *ret_nodes = nodes;
        return 1;
}

int bus_objects_add(Connection *c) {
        int r;

        r = sd_bus_add_object_vtable(c->bus, NULL, BUS_PATH, BUS_MANAGER_INTERFACE, manager_vtable, c);
        if (r < 0)
                return r;
        r = sd_bus_add_object_vtable(c->bus, NULL, BUS_PATH, BUS_EVIDENCE_INTERFACE, evidence_vtable, c);
        if (r < 0)
                return r;
        r = sd_bus_add_fallback_vtable(
                c->bus, NULL, BUS_INCIDENT_PATH, BUS_INCIDENT_INTERFACE, incident_vtable, find_incident, c);
        if (r < 0)
                return r;
        r = sd_bus_add_node_enumerator(c->bus, NULL, BUS_INCIDENT_PATH, enumerate_incidents, c);
        if (r < 0)
                return r;
        return sd_bus_add_object_manager(c->bus, NULL, BUS_PATH);
}

static int emit_change(Connection *c, const Incident *i, IncidentChange change) {
        _cleanup_(freep) char *path = incident_path(i);
        int r;

        if (!path)
                return -ENOMEM;
        r = i->seq == 1
                ? sd_bus_emit_object_added(c->bus, path)
                : sd_bus_emit_properties_changed(c->bus, path, BUS_INCIDENT_INTERFACE, "State", "Severity",
                          "Count", "LastSeen", "ConfirmedAt", "ClearedAt", "ConsequenceOf", NULL);
        if (r < 0)
                return r;
        r = sd_bus_emit_signal(c->bus, BUS_PATH, BUS_MANAGER_INTERFACE, "IncidentChanged",
                BUS_INCIDENT_CHANGED, i->id, i->symptom, i->subject, incident_change_to_string(change),
                i->seq);
        if (r < 0)
                return r;
        return sd_bus_emit_properties_changed(
                c->bus, BUS_PATH, BUS_MANAGER_INTERFACE, "Incidents", "ActiveIncidents", NULL);
}

void bus_objects_changed(Connection *c, const Incident *incident, IncidentChange change) {
        int r = emit_change(c, incident, change);

        if (r < 0)
                log_write_errno(LOG_DEBUG, r, "Failed to signal a change of incident %s, ignoring: %m",
                        incident->id);
}
