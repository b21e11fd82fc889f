/* An incident as journal fields, and the message catalog. */

#include "lib/report/report.h"

#include <stdio.h>

#include "tests/unit/unit.h"

#define ID_CAUSE  "00000000000000c0"
#define ID_EFFECT "00000000000000e1"
#define ID_OTHER  "00000000000000e2"
#define RULE_ID   "0123456789abcdef0123456789abcdef"

static char text_id[] = "hub-port-conflict", text_title[] = "A port is taken",
            text_link[] = "https://example.org/p", text_message[] = "Port ${port} of ${subject} is taken.",
            text_cause[] = "Something listens on ${port}.", text_remedy[] = "Free ${port}.",
            text_fix[] = "docker-dns";

static const Rule full_rule = {
        .id = text_id,
        .title = text_title,
        .severity = SEVERITY_ERROR,
        .message_id = RULE_ID,
        .documentation = text_link,
        .message = text_message,
        .explanation = text_cause,
        .remedy = {.text = text_remedy, .fix = text_fix},
};

static Incident *incident_of(const Rule *rule) {
        Incident *i;

        ck_assert_int_eq(incident_new(rule, "edgeHub", "position", USEC_PER_SEC, &i), 0);
        ck_assert_int_eq(incident_set_variable(i, "port", "443"), 0);
        i->count = 3;
        i->seq = 7;
        return i;
}

static JournalFields fields_of(const Incident *i, IncidentChange change) {
        JournalFields fields;

        ck_assert_int_eq(report_journal_fields(i, change, &fields), 0);
        return fields;
}

/* How many fields are this one, or begin with it when it ends in '='. */
static size_t count_fields(const JournalFields *f, const char *wanted) {
        bool is_name = text_ends_with(text_of(wanted), "=");
        size_t count = 0;

        for (size_t i = 0; i < f->n; i++)
                count += is_name ? strncmp(f->fields[i], wanted, strlen(wanted)) == 0
                                 : strcmp(f->fields[i], wanted) == 0;
        return count;
}

static void assert_field(const JournalFields *f, const char *wanted) {
        if (count_fields(f, wanted) == 1)
                return;
        for (size_t i = 0; i < f->n; i++)
                (void) fprintf(stderr, "# %s\n", f->fields[i]);
        ck_abort_msg("not once among the fields: %s", wanted);
}

#define MESSAGE "Port 443 of edgeHub is taken."

static const struct {
        IncidentChange change;
        IncidentState state;
        Severity severity;
        const char *consequence_of, *unknown, *ending;
        const char *message, *priority, *message_id;
} changes[] = {
        {CHANGE_CONFIRMED, INCIDENT_CONFIRMED, SEVERITY_ERROR, .message = MESSAGE, .priority = "3",
                .message_id = RULE_ID},
        {CHANGE_CONFIRMED, INCIDENT_CONFIRMED, SEVERITY_WARNING, .message = MESSAGE, .priority = "4",
                .message_id = RULE_ID},
        {CHANGE_CONFIRMED, INCIDENT_CONFIRMED, SEVERITY_ERROR, .consequence_of = ID_CAUSE,
                .message = MESSAGE, .priority = "6", .message_id = RULE_ID},
        {CHANGE_SUSPECTED, INCIDENT_SUSPECTED, SEVERITY_ERROR, .unknown = "who listens",
                .message = "Suspected: " MESSAGE " Could not be checked: who listens.", .priority = "4",
                .message_id = RULE_ID},
        {CHANGE_SUSPECTED, INCIDENT_SUSPECTED, SEVERITY_WARNING, .unknown = "",
                .message = "Suspected: " MESSAGE " Could not be checked: nothing on this device can tell.",
                .priority = "4", .message_id = RULE_ID},
        {CHANGE_SUSPECTED, INCIDENT_SUSPECTED, SEVERITY_ERROR, .consequence_of = ID_CAUSE,
                .message = "Suspected: " MESSAGE " Could not be checked: nothing on this device can tell.",
                .priority = "6", .message_id = RULE_ID},
        {CHANGE_UPDATED, INCIDENT_CONFIRMED, SEVERITY_ERROR, .message = MESSAGE " (Seen 3 times.)",
                .priority = "6", .message_id = RULE_ID},
        {CHANGE_UPDATED, INCIDENT_CONFIRMED, SEVERITY_ERROR, .consequence_of = ID_CAUSE,
                .message = MESSAGE " (A consequence of incident " ID_CAUSE ".)", .priority = "6",
                .message_id = RULE_ID},
        {CHANGE_CLEARED, INCIDENT_CLEARED, SEVERITY_ERROR, .ending = "started",
                .message = "Cleared: " MESSAGE " (started)", .priority = "5",
                .message_id = MESSAGE_ID_CLEARED},
        {CHANGE_CLEARED, INCIDENT_CLEARED, SEVERITY_ERROR, .consequence_of = ID_CAUSE,
                .message = "Cleared: " MESSAGE " (it is over)", .priority = "5",
                .message_id = MESSAGE_ID_CLEARED},
        {CHANGE_REFUTED, INCIDENT_REFUTED, SEVERITY_ERROR, .ending = "nothing listens",
                .message = "Withdrawn: " MESSAGE " (nothing listens)", .priority = "5",
                .message_id = MESSAGE_ID_CLEARED},
        {CHANGE_REFUTED, INCIDENT_REFUTED, SEVERITY_ERROR, .message = "Withdrawn: " MESSAGE " (refuted)",
                .priority = "5", .message_id = MESSAGE_ID_CLEARED},
};

static void assert_pair(const JournalFields *f, const char *name, const char *value) {
        char wanted[256];

        (void) snprintf(wanted, sizeof(wanted), "%s=%s", name, value);
        assert_field(f, wanted);
}

START_TEST(tells_each_change) {
        _cleanup_(incident_freep) Incident *i = incident_of(&full_rule);
        JournalFields f;

        i->state = changes[_i].state;
        i->severity = changes[_i].severity;
        if (changes[_i].consequence_of)
                (void) snprintf(
                        i->consequence_of, sizeof(i->consequence_of), "%s", changes[_i].consequence_of);
        i->unknown = changes[_i].unknown ? strdup(changes[_i].unknown) : NULL;
        i->ending = changes[_i].ending ? strdup(changes[_i].ending) : NULL;

        f = fields_of(i, changes[_i].change);
        assert_pair(&f, "MESSAGE", changes[_i].message);
        assert_pair(&f, "PRIORITY", changes[_i].priority);
        assert_pair(&f, "MESSAGE_ID", changes[_i].message_id);
        assert_pair(&f, "EDGEWATCH_INCIDENT", i->id);
        assert_pair(&f, "EDGEWATCH_STATE", incident_state_to_string(changes[_i].state));
        assert_pair(&f, "EDGEWATCH_CHANGE", incident_change_to_string(changes[_i].change));
        if (changes[_i].consequence_of)
                assert_pair(&f, "EDGEWATCH_CONSEQUENCE_OF", changes[_i].consequence_of);
        else
                ck_assert_uint_eq(count_fields(&f, "EDGEWATCH_CONSEQUENCE_OF="), 0);
        journal_fields_done(&f);
        ck_assert_uint_eq(f.n, 0);
}
END_TEST

static const char *const always[] = {
        "EDGEWATCH_SEQ=7",
        "EDGEWATCH_SYMPTOM=hub-port-conflict",
        "EDGEWATCH_SUBJECT=edgeHub",
        "EDGEWATCH_COUNT=3",
        "EDGEWATCH_CAUSE=Something listens on 443.",
        "EDGEWATCH_REMEDY=Free 443.",
        "EDGEWATCH_FIX=docker-dns",
        "DOCUMENTATION=https://example.org/p",
        "EDGEWATCH_CAUSE_OF=" ID_EFFECT,
        "EDGEWATCH_CAUSE_OF=" ID_OTHER,
        "EDGEWATCH_EVIDENCE=runtime: Bind failed",
        "EDGEWATCH_EVIDENCE=port-holder: nginx listens on 443",
        "EDGEWATCH_RULED_OUT=hub-oom-small-device: there was memory",
};

START_TEST(tells_all) {
        _cleanup_(incident_freep) Incident *i = incident_of(&full_rule);
        JournalFields f;
        size_t first = 0;

        (void) snprintf(i->cause_of[i->n_cause_of++], INCIDENT_ID_MAX, "%s", ID_EFFECT);
        (void) snprintf(i->cause_of[i->n_cause_of++], INCIDENT_ID_MAX, "%s", ID_OTHER);
        ck_assert_int_eq(incident_add_evidence(i, EVIDENCE_LOG, "runtime", USEC_PER_SEC, "Bind failed"), 0);
        ck_assert_int_eq(incident_add_evidence(
                                 i, EVIDENCE_PROBE, "port-holder", USEC_PER_SEC, "nginx listens on 443"),
                0);
        ck_assert_int_eq(incident_rule_out(i, "hub-oom-small-device", "there was memory"), 0);
        incident_put_first(i, "port-holder", "nginx listens on 443");

        f = fields_of(i, CHANGE_CONFIRMED);
        for (size_t n = 0; n < ELEMENTSOF(always); n++)
                assert_field(&f, always[n]);
        ck_assert_uint_eq(count_fields(&f, "EDGEWATCH_CAUSE_OF="), 2);
        while (strncmp(f.fields[first], "EDGEWATCH_EVIDENCE=", 19) != 0)
                first++;
        ck_assert_str_eq(f.fields[first], "EDGEWATCH_EVIDENCE=port-holder: nginx listens on 443");
        journal_fields_done(&f);
}
END_TEST

/* As much as an incident holds has room in an entry. */
START_TEST(leaves_nothing_out) {
        _cleanup_(incident_freep) Incident *i = incident_of(&full_rule);
        JournalFields f;
        char text[32];

        (void) snprintf(i->consequence_of, sizeof(i->consequence_of), "%s", ID_CAUSE);
        for (size_t n = 0; n < 2 * INCIDENT_EVIDENCE_MAX; n++) {
                (void) snprintf(text, sizeof(text), "number %zu", n);
                ck_assert_int_eq(incident_add_evidence(i, EVIDENCE_LOG, "hub", USEC_PER_SEC + n, text), 0);
                ck_assert_int_eq(incident_rule_out(i, text, "no"), 0);
        }
        for (; i->n_cause_of < INCIDENT_CAUSE_OF_MAX; i->n_cause_of++)
                (void) snprintf(i->cause_of[i->n_cause_of], INCIDENT_ID_MAX, "%016zx", i->n_cause_of);

        f = fields_of(i, CHANGE_UPDATED);
        ck_assert_uint_eq(count_fields(&f, "EDGEWATCH_CAUSE_OF="), INCIDENT_CAUSE_OF_MAX);
        ck_assert_uint_eq(count_fields(&f, "EDGEWATCH_EVIDENCE="), INCIDENT_EVIDENCE_MAX);
        ck_assert_uint_eq(count_fields(&f, "EDGEWATCH_RULED_OUT="), INCIDENT_RULED_OUT_MAX);
        journal_fields_done(&f);
}
END_TEST

/* A restored incident may have lost its rule: it still says what it was, and with which id it ended. */
START_TEST(tells_without_a_rule) {
        _cleanup_(incident_freep) Incident *i = incident_of(&full_rule);
        JournalFields f;

        i->rule = NULL;
        f = fields_of(i, CHANGE_CONFIRMED);
        assert_field(&f, "MESSAGE=edgeHub: hub-port-conflict");
        ck_assert_uint_eq(count_fields(&f, "MESSAGE_ID="), 0);
        ck_assert_uint_eq(count_fields(&f, "DOCUMENTATION="), 0);
        ck_assert_uint_eq(count_fields(&f, "EDGEWATCH_FIX="), 0);
        journal_fields_done(&f);

        f = fields_of(i, CHANGE_CLEARED);
        assert_field(&f, "MESSAGE_ID=" MESSAGE_ID_CLEARED);
        journal_fields_done(&f);
}
END_TEST

START_TEST(lists_incidents) {
        _cleanup_(incident_freep) Incident *i = incident_of(&full_rule);
        const Incident *const list[] = {i, i};
        json_t *object = report_incidents(list, ELEMENTSOF(list), 5), *first;

        ck_assert_ptr_nonnull(object);
        ck_assert_int_eq(json_integer_value(json_object_get(object, "format")), 1);
        ck_assert_int_eq(json_integer_value(json_object_get(object, "dropped")), 5);
        ck_assert_uint_eq(json_array_size(json_object_get(object, "incidents")), 2);
        first = json_array_get(json_object_get(object, "incidents"), 0);
        ck_assert_str_eq(json_string_value(json_object_get(first, "id")), i->id);
        ck_assert_ptr_null(json_object_get(first, "state_file"));
        json_decref(object);
}
END_TEST

static size_t count_text(const char *text, const char *part) {
        size_t count = 0;

        for (; (text = strstr(text, part)); text += strlen(part))
                count++;
        return count;
}

/* Every entry begins with its id and has a subject; every field that a text names is one that entries of the
 * kind have. */
START_TEST(writes_the_catalog) {
        static const Rule plain = {
                .id = text_id, .title = text_title, .message_id = "fedcba9876543210fedcba9876543210"};
        Rule *list[] = {(Rule *) &full_rule, (Rule *) &plain};
        const RuleSet rules = {.rules = list, .n_rules = ELEMENTSOF(list)};
        static const char *const own[] = {MESSAGE_ID_CLEARED, MESSAGE_ID_SOURCE_DEGRADED,
                MESSAGE_ID_SOURCE_RESTORED, MESSAGE_ID_STARTED, MESSAGE_ID_FIX_PLANNED, MESSAGE_ID_FIX_STEP,
                MESSAGE_ID_FIX_APPLIED, MESSAGE_ID_FIX_FAILED, MESSAGE_ID_FIX_ROLLED_BACK,
                MESSAGE_ID_FIX_REFUSED};
        _cleanup_(freep) char *catalog = report_catalog(&rules);
        static const char first[] = "-- " RULE_ID "\nSubject: A port is taken\nDefined-By: edgewatch\n"
                                    "Documentation: https://example.org/p\n\n@EDGEWATCH_CAUSE@\n";
        char head[64];

        ck_assert_ptr_nonnull(catalog);
        ck_assert_ptr_eq(strstr(catalog, first), catalog);
        ck_assert_uint_eq(count_text(catalog, "\nDocumentation: "), 1);
        ck_assert_uint_eq(count_text(catalog, "-- "), ELEMENTSOF(list) + ELEMENTSOF(own));
        ck_assert_uint_eq(
                count_text(catalog, "\nDefined-By: edgewatch\n"), ELEMENTSOF(list) + ELEMENTSOF(own));
        ck_assert_uint_eq(count_text(catalog, "@EDGEWATCH_REMEDY@"), ELEMENTSOF(list));
        for (size_t n = 0; n < ELEMENTSOF(own); n++) {
                (void) snprintf(head, sizeof(head), "\n\n-- %s\nSubject: ", own[n]);
                ck_assert_msg(strstr(catalog, head), "no entry %s", own[n]);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("report");
        TCase *tests = tcase_create("report");

        tcase_add_loop_test(tests, tells_each_change, 0, ELEMENTSOF(changes));
        tcase_add_test(tests, tells_all);
        tcase_add_test(tests, leaves_nothing_out);
        tcase_add_test(tests, tells_without_a_rule);
        tcase_add_test(tests, lists_incidents);
        tcase_add_test(tests, writes_the_catalog);
        suite_add_tcase(suite, tests);
        return run_suite(suite);
}
