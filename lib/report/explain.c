/* An incident told to a person: what, since when, on what evidence, what it is not, what to do.
 *
 * It reads the JSON, not the struct, because edgewatchctl has only that. The trap: most of its strings quote
 * logs, so each passes printable_text(); an object from another version may lack anything. */

#include "lib/report/report.h"

#include "lib/base/buffer.h"
#include "lib/base/printable.h"
#include "lib/event/json-field.h"
#include "lib/fix/deployment.h"

#define EXPLANATION_MAX ((size_t) 256 * 1024)

/* Failures stay in the buffer. */
static void add_printable(Buffer *b, const char *s) {
        _cleanup_(freep) char *printable = printable_text(text_of(s), INCIDENT_TEXT_MAX);

        if (!printable)
                b->error = -ENOMEM;
        else
                (void) buffer_append_string(b, printable);
}

static void add_labelled(Buffer *b, const char *label, const char *s) {
        if (!s[0])
                return;
        (void) buffer_append_format(b, "  %-12s ", label);
        add_printable(b, s);
        (void) buffer_append_string(b, "\n");
}

#define LINE_BYTES_MAX 100

/* One line of prose, broken between words, each part indented. */
static void add_wrapped(Buffer *b, const char *line) {
        size_t used = 0;

        (void) buffer_append_string(b, "  ");
        while (line[0]) {
                size_t space = strspn(line, " "), word = strcspn(line + space, " ");

                if (used > 0 && used + space + word > LINE_BYTES_MAX) {
                        (void) buffer_append_string(b, "\n  ");
                        line += space;
                        space = used = 0;
                }
                (void) buffer_append(b, line, space + word);
                used += space + word;
                line += space + word;
        }
        (void) buffer_append_string(b, "\n");
}

/* Prose of several lines. */
static void add_paragraph(Buffer *b, const char *s) {
        Text rest = text_strip(text_of(s));

        while (!text_is_empty(rest)) {
                _cleanup_(freep) char *line = printable_text(text_cut(&rest, '\n'), INCIDENT_TEXT_MAX);

                if (!line)
                        b->error = -ENOMEM;
                else
                        add_wrapped(b, line);
        }
}

static void add_head(Buffer *b, const json_t *incident) {
        const char *cause = json_field_string(incident, "consequence_of");

        add_printable(b, json_field_string(incident, "symptom"));
        (void) buffer_append_string(b, " of ");
        add_printable(b, json_field_string(incident, "subject"));
        (void) buffer_append_string(b, ": ");
        add_printable(b, json_field_string(incident, "state"));
        (void) buffer_append_string(b, "\n\n");
        if (json_field_string(incident, "message")[0]) {
                add_paragraph(b, json_field_string(incident, "message"));
                (void) buffer_append_string(b, "\n");
        }

        add_labelled(b, "Incident", json_field_string(incident, "id"));
        add_labelled(b, "Severity", json_field_string(incident, "severity"));
        add_labelled(b, "First seen", json_field_string(incident, "first_seen"));
        add_labelled(b, "Last seen", json_field_string(incident, "last_seen"));
        add_labelled(b, "Confirmed", json_field_string(incident, "confirmed_at"));
        add_labelled(b, "Cleared", json_field_string(incident, "cleared_at"));
        (void) buffer_append_format(b, "  %-12s %" JSON_INTEGER_FORMAT "\n", "Count",
                json_integer_value(json_object_get(incident, "count")));
        if (cause[0]) {
                add_labelled(b, "Consequence", "of the incident below; it clears with it");
                add_labelled(b, "", cause);
        }
        add_labelled(b, "Fix", json_field_string(incident, "fix_state"));
}

static void add_variables(Buffer *b, const json_t *variables) {
        const char *name;
        json_t *value;

        if (json_object_size(variables) == 0)
                return;
        (void) buffer_append_string(b, "\nValues\n");
        json_object_foreach ((json_t *) variables, name, value) {
                const char *s = json_string_value(value);

                (void) buffer_append_string(b, "  ");
                add_printable(b, name);
                (void) buffer_append_string(b, " = ");
                add_printable(b, s ? s : "");
                (void) buffer_append_string(b, "\n");
        }
}

static void add_evidence(Buffer *b, const json_t *evidence) {
        json_t *item;
        size_t i;

        if (json_array_size(evidence) > 0)
                (void) buffer_append_string(b, "\nEvidence\n");
        json_array_foreach (evidence, i, item) {
                (void) buffer_append_string(b, "  ");
                add_printable(b, json_field_string(item, "time"));
                (void) buffer_append_string(b, "  ");
                add_printable(b, json_field_string(item, "kind"));
                (void) buffer_append_string(b, " ");
                add_printable(b, json_field_string(item, "source"));
                (void) buffer_append_string(b, ":\n    ");
                add_printable(b, json_field_string(item, "text"));
                (void) buffer_append_string(b, "\n");
        }
}

static void add_ruled_out(Buffer *b, const json_t *ruled_out) {
        json_t *item;
        size_t i;

        if (json_array_size(ruled_out) > 0)
                (void) buffer_append_string(b, "\nWhat it is not\n");
        json_array_foreach (ruled_out, i, item) {
                _cleanup_(buffer_done) Buffer line = {.max_bytes = EXPLANATION_MAX};

                (void) buffer_append_format(&line, "%s: %s", json_field_string(item, "symptom"),
                        json_field_string(item, "because"));
                if (line.error < 0)
                        b->error = line.error;
                else
                        add_paragraph(b, line.data);
        }
}

static void add_section(Buffer *b, const char *title, const char *s) {
        if (!s[0])
                return;
        (void) buffer_append_format(b, "\n%s\n", title);
        add_paragraph(b, s);
}

/* Not wrapped: it is there to be copied. */
static void add_json(Buffer *b, const char *title, const json_t *value) {
        _cleanup_(freep) char *dump = deployment_write(value, JSON_INDENT(2) | JSON_ENSURE_ASCII);

        (void) buffer_append_format(b, "\n%s\n", title);
        if (!dump)
                b->error = -ENOMEM;
        for (const char *line = dump; line && *line; line += *line == '\n') {
                size_t len = strcspn(line, "\n");

                (void) buffer_append_format(b, "  %.*s\n", (int) len, line);
                line += len;
        }
}

static void add_patch(Buffer *b, const json_t *patch) {
        json_t *snippet = NULL;

        add_json(b, "Change of the deployment manifest", patch);
        if (deployment_snippet(patch, &snippet) < 0)
                b->error = -ENOMEM;
        else if (json_object_size(snippet) > 0)
                add_json(b, "To be put into the deployment", snippet);
        json_decref(snippet);
}

static void add_remedy(Buffer *b, const json_t *incident) {
        const json_t *remedy = json_object_get(incident, "remedy"),
                     *patch = json_object_get(remedy, "deployment_patch");
        const char *where = json_field_string(remedy, "where");

        if (!where[0])
                return;
        (void) buffer_append_format(b, "\nWhat to do %s\n",
                strcmp(where, "device") == 0          ? "on the device"
                        : strcmp(where, "cloud") == 0 ? "in the cloud"
                                                      : "in the module's code");
        add_paragraph(b, json_field_string(remedy, "text"));
        if (json_is_array(patch))
                add_patch(b, patch);
}

char *report_explain(const json_t *incident) {
        const json_t *state = json_object_get(incident, "state_file");
        _cleanup_(buffer_done) Buffer b = {.max_bytes = EXPLANATION_MAX};

        add_head(&b, incident);
        add_section(&b, "What could not be checked", json_field_string(state, "unknown"));
        add_section(&b, "Why it is over", json_field_string(state, "ending"));
        add_variables(&b, json_object_get(incident, "variables"));
        add_evidence(&b, json_object_get(incident, "evidence"));
        add_ruled_out(&b, json_object_get(incident, "ruled_out"));
        add_remedy(&b, incident);
        return buffer_take(&b);
}

static void add_general_section(Buffer *b, const char *title, const char *template) {
        _cleanup_(freep) char *text = template ? rule_expand_to_names(template) : NULL;

        if (template && !text)
                b->error = -ENOMEM;
        else if (text)
                add_section(b, title, text);
}

char *report_explain_rule(const Rule *rule) {
        _cleanup_(buffer_done) Buffer b = {.max_bytes = EXPLANATION_MAX};

        add_printable(&b, rule->id);
        (void) buffer_append_string(&b, ": ");
        add_printable(&b, rule->title);
        (void) buffer_append_string(&b, "\n");
        add_general_section(&b, "Cause", rule->explanation);
        add_general_section(&b, "What to do", rule->remedy.text);
        if (rule->remedy.deployment_patch) {
                json_t *patch = rule_expand_json(rule, rule->remedy.deployment_patch, NULL, 0);

                if (!patch)
                        b.error = -ENOMEM;
                else
                        add_patch(&b, patch);
                json_decref(patch);
        }
        add_section(&b, "Documentation", rule->documentation ? rule->documentation : "");
        return buffer_take(&b);
}
