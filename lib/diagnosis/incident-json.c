/* Incidents as JSON: the object that replay, the bus and the state file share. Key order is that of
 * docs/recording.md. */

#include "lib/diagnosis/incident.h"
#include "lib/event/json-field.h"

static json_t *time_to_json(usec_t t) {
        char buffer[TIMESTAMP_MAX];

        return t == 0 ? json_null() : json_string(timestamp_format(t, buffer));
}

static json_t *string_or_null(const char *s) {
        return s && s[0] ? json_string(s) : json_null();
}

static json_t *variables_to_json(const Incident *i) {
        json_t *object = json_object();

        for (size_t n = 0; n < i->n_variables; n++)
                (void) json_object_set_new(object, i->variables[n].name, json_string(i->variables[n].value));
        for (size_t n = 0; i->rule && n < i->rule->n_defaults; n++)
                if (!json_object_get(object, i->rule->defaults[n].name))
                        (void) json_object_set_new(
                                object, i->rule->defaults[n].name, json_string(i->rule->defaults[n].value));
        return object;
}

static json_t *evidence_to_json(const Incident *i) {
        json_t *array = json_array();

        for (size_t n = 0; n < i->n_evidence; n++) {
                const Evidence *e = i->evidence + n;

                (void) json_array_append_new(array,
                        json_pack("{s:s, s:s, s:o, s:s}", "kind", evidence_kind_to_string(e->kind), "source",
                                e->source, "time", time_to_json(e->time), "text", e->text));
        }
        return array;
}

static json_t *ruled_out_to_json(const Incident *i) {
        json_t *array = json_array();

        for (size_t n = 0; n < i->n_ruled_out; n++)
                (void) json_array_append_new(array,
                        json_pack("{s:s, s:s}", "symptom", i->ruled_out[n].symptom, "because",
                                i->ruled_out[n].because));
        return array;
}

static json_t *remedy_to_json(const Incident *i) {
        const Remedy *remedy = i->rule ? &i->rule->remedy : NULL;
        _cleanup_(freep) char *text = incident_remedy(i);

        if (!remedy)
                return json_null();
        return json_pack("{s:s, s:s, s:o, s:[], s:o}", "where", remedy_where_to_string(remedy->where),
                "text", text ? text : "", "fix", string_or_null(remedy->fix), "plan", "deployment_patch",
                remedy->deployment_patch
                        ? rule_expand_json(i->rule, remedy->deployment_patch, i->variables, i->n_variables)
                        : json_null());
}

/* What a restart and `explain` need beyond the object that others rely on. */
static json_t *state_to_json(const Incident *i) {
        return json_pack("{s:I, s:o, s:o, s:b, s:I, s:i, s:b, s:b, s:o}", "seq", (json_int_t) i->seq,
                "unknown", string_or_null(i->unknown), "ending", string_or_null(i->ending), "alerted",
                i->alerted, "suspected_at", (json_int_t) i->suspected_at, "n_asked", (int) i->n_asked,
                "decisive", i->is_evidence_decisive, "clear_latched", i->clear_latched, "formerly_of",
                string_or_null(i->formerly_of));
}

json_t *incident_to_json(const Incident *i, bool for_state) {
        _cleanup_(freep) char *message = incident_message(i);
        json_t *object = json_pack(
                "{s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:s, s:o, s:o, s:o, s:o}",
                "id", i->id, "symptom", i->symptom, "subject", i->subject, "state",
                incident_state_to_string(i->state), "consequence_of", string_or_null(i->consequence_of),
                "severity", severity_to_string(i->severity), "fix_state", string_or_null(i->fix_state),
                "first_seen", time_to_json(i->first_seen), "confirmed_at", time_to_json(i->confirmed_at),
                "last_seen", time_to_json(i->last_seen), "cleared_at", time_to_json(i->cleared_at), "count",
                (json_int_t) i->count, "message", message ? message : "", "variables", variables_to_json(i),
                "evidence", evidence_to_json(i), "ruled_out", ruled_out_to_json(i), "remedy",
                remedy_to_json(i));

        if (object && for_state && json_object_set_new(object, "state_file", state_to_json(i)) < 0) {
                json_decref(object);
                return NULL;
        }
        return object;
}

static int copy_string(const json_t *object, const char *key, char **ret) {
        const char *s = json_string_value(json_object_get(object, key));

        if (!s)
                return 0;
        *ret = strdup(s);
        return *ret ? 0 : -ENOMEM;
}

static int evidence_from_json(const json_t *array, Incident *i) {
        json_t *item;
        size_t n;

        json_array_foreach (array, n, item) {
                const char *kind, *source, *text;
                EvidenceKind k;
                int r;

                if (json_unpack(item, "{s:s, s:s, s:s}", "kind", &kind, "source", &source, "text", &text) <
                        0)
                        return -EINVAL;
                k = evidence_kind_from_string(text_of(kind));
                if (k < 0)
                        return -EINVAL;
                r = incident_add_evidence(i, k, source, json_field_time(item, "time"), text);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int lists_from_json(const json_t *object, Incident *i) {
        json_t *item;
        const char *key;
        size_t n;
        int r;

        json_object_foreach (json_object_get(object, "variables"), key, item) {
                r = json_is_string(item) ? incident_set_variable(i, key, json_string_value(item)) : -EINVAL;
                if (r < 0)
                        return r;
        }
        json_array_foreach (json_object_get(object, "ruled_out"), n, item) {
                const char *symptom, *because;

                if (json_unpack(item, "{s:s, s:s}", "symptom", &symptom, "because", &because) < 0)
                        return -EINVAL;
                r = incident_rule_out(i, symptom, because);
                if (r < 0)
                        return r;
        }
        return evidence_from_json(json_object_get(object, "evidence"), i);
}

static void take_id(const json_t *object, const char *key, char ret[static INCIDENT_ID_MAX]) {
        const char *id = json_string_value(json_object_get(object, key));

        if (id && strlen(id) == INCIDENT_ID_MAX - 1)
                memcpy(ret, id, INCIDENT_ID_MAX);
}

static int identity_from_json(const json_t *object, const RuleSet *rules, Incident *i) {
        const char *id, *symptom, *subject, *state, *severity;
        IncidentState s;
        Severity v;

        if (json_unpack((json_t *) object, "{s:s, s:s, s:s, s:s, s:s}", "id", &id, "symptom", &symptom,
                    "subject", &subject, "state", &state, "severity", &severity) < 0)
                return -EINVAL;
        s = incident_state_from_string(text_of(state));
        v = severity_from_string(text_of(severity));
        if (strlen(id) != INCIDENT_ID_MAX - 1 || s < 0 || v < 0)
                return -EINVAL;
        memcpy(i->id, id, INCIDENT_ID_MAX);
        i->state = s;
        i->severity = v;
        i->rule = rule_set_find(rules, symptom);
        i->symptom = strdup(symptom);
        i->subject = strdup(subject);
        take_id(object, "consequence_of", i->consequence_of);
        take_id(json_object_get(object, "state_file"), "formerly_of", i->formerly_of);
        return i->symptom && i->subject ? 0 : -ENOMEM;
}

int incident_from_json(const json_t *object, const RuleSet *rules, Incident **ret) {
        _cleanup_(incident_freep) Incident *i = calloc(1, sizeof(*i));
        const json_t *state = json_object_get(object, "state_file");
        int r;

        if (!i)
                return -ENOMEM;
        r = identity_from_json(object, rules, i);
        if (r < 0)
                return r;
        i->first_seen = json_field_time(object, "first_seen");
        i->last_seen = json_field_time(object, "last_seen");
        i->confirmed_at = json_field_time(object, "confirmed_at");
        i->cleared_at = json_field_time(object, "cleared_at");
        i->count = (uint64_t) json_integer_value(json_object_get(object, "count"));
        i->seq = (uint64_t) json_integer_value(json_object_get(state, "seq"));
        i->alerted = json_is_true(json_object_get(state, "alerted"));
        i->is_evidence_decisive = json_is_true(json_object_get(state, "decisive"));
        i->clear_latched = json_is_true(json_object_get(state, "clear_latched"));
        i->suspected_at = (usec_t) json_integer_value(json_object_get(state, "suspected_at"));
        i->n_asked = (unsigned) json_integer_value(json_object_get(state, "n_asked"));
        i->ask_at = USEC_INFINITY;
        i->restored = true;

        r = lists_from_json(object, i);
        if (r >= 0)
                r = copy_string(object, "fix_state", &i->fix_state);
        if (r >= 0)
                r = copy_string(state, "unknown", &i->unknown);
        if (r >= 0)
                r = copy_string(state, "ending", &i->ending);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(i);
        return 0;
}
