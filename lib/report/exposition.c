/* Writes the status as Prometheus reads it: one table of metrics, each row with the function that knows its
 * samples.
 *
 * Promise: a metric's HELP and TYPE lines are there even when it has no samples; every loaded rule, and
 * every fix that a rule names, has its samples from the start, so that an alert's increase() sees the first
 * event. */

#include "lib/report/exposition.h"

#include "lib/base/buffer.h"
#include "lib/base/time.h"

typedef struct Metric Metric;
struct Metric {
        const char *name, *type, *help;
        void (*samples)(Buffer *b, const Metric *m, const json_t *status);
        const char *key; /* of the status, or of a source; what else the writer needs to know */
};

static void append_label_value(Buffer *b, const char *value) {
        for (const char *c = value; *c; c++)
                if (*c == '\n')
                        (void) buffer_append_string(b, "\\n");
                else if (*c == '\\' || *c == '"')
                        (void) buffer_append_format(b, "\\%c", *c);
                else
                        (void) buffer_append(b, c, 1);
}

typedef struct Label {
        const char *name, *value;
} Label;

static void append_sample(Buffer *b, const Metric *m, const Label *labels, size_t n_labels) {
        (void) buffer_append_string(b, m->name);
        for (size_t i = 0; i < n_labels; i++) {
                (void) buffer_append_format(b, "%s%s=\"", i == 0 ? "{" : ",", labels[i].name);
                append_label_value(b, labels[i].value ? labels[i].value : "");
                (void) buffer_append_string(b, "\"");
        }
        (void) buffer_append_string(b, n_labels > 0 ? "} " : " ");
}

static void append_integer(
        Buffer *b, const Metric *m, const Label *labels, size_t n_labels, json_int_t value) {
        append_sample(b, m, labels, n_labels);
        (void) buffer_append_format(b, "%" JSON_INTEGER_FORMAT "\n", value);
}

static json_int_t integer_of(const json_t *object, const char *key) {
        return json_integer_value(json_object_get(object, key));
}

static const char *string_of(const json_t *object, const char *key) {
        return json_string_value(json_object_get(object, key));
}

static void write_up(Buffer *b, const Metric *m, const json_t *status) {
        append_integer(b, m, NULL, 0, status ? 1 : 0);
}

static void write_build(Buffer *b, const Metric *m, const json_t *status) {
        append_integer(b, m, &(Label){"version", string_of(status, "version")}, 1, 1);
}

static void write_start_time(Buffer *b, const Metric *m, const json_t *status) {
        uint64_t nsec;

        if (timestamp_parse(text_of(string_of(status, m->key)), &nsec, NULL) < 0)
                return;
        append_sample(b, m, NULL, 0);
        (void) buffer_append_format(
                b, "%" PRIu64 ".%06" PRIu64 "\n", nsec / NSEC_PER_SEC, nsec % NSEC_PER_SEC / NSEC_PER_USEC);
}

static void write_integer(Buffer *b, const Metric *m, const json_t *status) {
        append_integer(b, m, NULL, 0, integer_of(status, m->key));
}

static void write_rule_count(Buffer *b, const Metric *m, const json_t *status) {
        append_integer(b, m, NULL, 0, integer_of(json_object_get(status, "rules"), m->key));
}

static void write_rule_problems(Buffer *b, const Metric *m, const json_t *status) {
        const json_t *problems = json_object_get(json_object_get(status, "rules"), m->key);

        append_integer(b, m, NULL, 0, (json_int_t) json_array_size(problems));
}

static void write_state_file(Buffer *b, const Metric *m, const json_t *status) {
        append_integer(
                b, m, NULL, 0, string_of(json_object_get(status, "state_file"), m->key) != NULL ? 1 : 0);
}

static void write_symptom_info(Buffer *b, const Metric *m, const json_t *status) {
        const char *symptom;
        json_t *item;

        json_object_foreach (json_object_get(status, "symptoms"), symptom, item) {
                Label labels[] = {{"symptom", symptom}, {"severity", string_of(item, "severity")},
                        {"title", string_of(item, "title")}};

                append_integer(b, m, labels, ELEMENTSOF(labels), 1);
        }
}

static void write_active(Buffer *b, const Metric *m, const json_t *status) {
        static const char *const states[] = {"suspected", "confirmed"};
        const char *symptom;
        json_t *item;

        json_object_foreach (json_object_get(status, "symptoms"), symptom, item)
                for (size_t i = 0; i < ELEMENTSOF(states); i++) {
                        const json_t *of_state = json_object_get(item, states[i]);

                        append_integer(b, m,
                                (Label[]){{"symptom", symptom}, {"state", states[i]}, {"consequence", "no"}},
                                3, integer_of(of_state, "alone"));
                        append_integer(b, m,
                                (Label[]){
                                        {"symptom", symptom}, {"state", states[i]}, {"consequence", "yes"}},
                                3, integer_of(of_state, "consequences"));
                }
}

static void write_raised(Buffer *b, const Metric *m, const json_t *status) {
        const char *symptom;
        json_t *item;

        json_object_foreach (json_object_get(status, "symptoms"), symptom, item)
                append_integer(b, m, &(Label){"symptom", symptom}, 1, integer_of(item, m->key));
}

/* The state that holds is 1, the others 0: a state that is over does not linger as a series. */
static void write_source_state(Buffer *b, const Metric *m, const json_t *status) {
        static const char *const states[] = {"off", "catching-up", "live", "degraded"};
        const json_t *source;
        size_t i;

        json_array_foreach (json_object_get(status, "sources"), i, source)
                for (size_t s = 0; s < ELEMENTSOF(states); s++) {
                        const char *state = string_of(source, m->key);
                        Label labels[] = {{"source", string_of(source, "name")}, {"state", states[s]}};

                        append_integer(b, m, labels, ELEMENTSOF(labels),
                                state && strcmp(state, states[s]) == 0 ? 1 : 0);
                }
}

static void write_source_count(Buffer *b, const Metric *m, const json_t *status) {
        const json_t *source;
        size_t i;

        json_array_foreach (json_object_get(status, "sources"), i, source)
                if (json_object_get(source, m->key)) /* some count more than others */
                        append_integer(b, m, &(Label){"source", string_of(source, "name")}, 1,
                                integer_of(source, m->key));
}

static void write_fixes(Buffer *b, const Metric *m, const json_t *status) {
        const char *fix, *outcome;
        json_t *outcomes, *n;

        json_object_foreach (json_object_get(status, m->key), fix, outcomes)
                json_object_foreach (outcomes, outcome, n)
                        append_integer(b, m, (Label[]){{"fix", fix}, {"outcome", outcome}}, 2,
                                json_integer_value(n));
}

/* The first is all that is said of a daemon that cannot be asked. */
static const Metric metrics[] = {
        {"edgewatch_up", "gauge", "Whether edgewatchd could be asked.", write_up, NULL},
        {"edgewatch_build_info", "gauge", "The version of edgewatchd; always 1.", write_build, NULL},
        {"edgewatch_start_time_seconds", "gauge", "When edgewatchd started, in seconds since 1970 UTC.",
                write_start_time, "started"},
        {"edgewatch_rules", "gauge", "Rules that are loaded.", write_rule_count, "loaded"},
        {"edgewatch_rule_problems", "gauge", "Mistakes in rules and configuration, as last read.",
                write_rule_problems, "problems"},
        {"edgewatch_state_file_failed", "gauge", "Whether the state file could not be saved last.",
                write_state_file, "error"},
        {"edgewatch_symptom_info", "gauge", "A loaded rule: its severity and title; always 1.",
                write_symptom_info, NULL},
        {"edgewatch_incidents_active", "gauge",
                "Incidents that are suspected or confirmed now; consequences have their cause among the "
                "others.",
                write_active, NULL},
        {"edgewatch_incidents_raised_total", "counter", "Incidents that were ever reported.", write_raised,
                "raised"},
        {"edgewatch_incidents_dropped_total", "counter",
                "Suspicions and incidents that a limit of the daemon threw away.", write_integer, "dropped"},
        {"edgewatch_fixes_total", "counter", "Fixes of incidents by outcome.", write_fixes, "fixes"},
        {"edgewatch_source_state", "gauge", "1 for the state that the source is in.", write_source_state,
                "state"},
        {"edgewatch_source_read_total", "counter", "Entries, messages and frames read.", write_source_count,
                "read"},
        {"edgewatch_source_wanted_total", "counter", "Of these, handed to the diagnosis.",
                write_source_count, "wanted"},
        {"edgewatch_source_dropped_total", "counter", "Entries thrown away because of a limit.",
                write_source_count, "dropped"},
        {"edgewatch_source_lost_total", "counter",
                "Times that something was lost before it could be read, and state was read anew.",
                write_source_count, "lost"},
        {"edgewatch_source_truncated_total", "counter", "Log lines that were too long and were cut.",
                write_source_count, "truncated"},
        {"edgewatch_source_errors_total", "counter", "Malformed input.", write_source_count, "errors"},
        {"edgewatch_source_retries_total", "counter", "Attempts to read a degraded source again.",
                write_source_count, "retries"},
};

char *report_exposition(const json_t *status) {
        Buffer b = {};

        for (size_t i = 0; i < (status ? ELEMENTSOF(metrics) : 1); i++) {
                const Metric *m = &metrics[i];

                (void) buffer_append_format(
                        &b, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, m->type);
                m->samples(&b, m, status);
        }
        return buffer_take(&b);
}
