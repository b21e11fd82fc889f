/* history: what edgewatch has written about incidents. The journal is the only history there is.
 *
 * The trap: any program may write EDGEWATCH_ fields. Only entries of edgewatchd's own unit count, unless
 * --all asks for those of others too. Of what other machines sent (--merge) even that is the sender's word,
 * so each row says who the sender was. */

#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/ctl/incidents-text.h"
#include "daemon/ctl/journal-set.h"
#include "lib/base/printable.h"
#include "lib/diagnosis/incident.h"

#define OWN_UNIT         "edgewatchd.service"
#define REMOTE_DIRECTORY "/var/log/journal/remote" /* where systemd-journal-remote writes */
#define FIELD_MAX        ((size_t) 16 * 1024)
#define DEFAULT_SINCE    (7 * 24 * USEC_PER_HOUR)

/* The columns, and the names they have in JSON. */
static const struct {
        const char *field, *key, *title;
        bool merged_only, json_only;
} columns[] = {
        {"_HOSTNAME", "host", "HOST", .merged_only = true},
        {"_MACHINE_ID", "machine", NULL, .merged_only = true, .json_only = true},
        {NULL, "sender", "SENDER", .merged_only = true}, /* no field: who the receiver says it was */
        {"EDGEWATCH_INCIDENT", "incident", "INCIDENT"},
        {"EDGEWATCH_SYMPTOM", "symptom", "SYMPTOM"},
        {"EDGEWATCH_SUBJECT", "subject", "SUBJECT"},
        {"EDGEWATCH_STATE", "state", "STATE"},
        {"MESSAGE", "message", "MESSAGE"},
};

typedef struct History {
        JournalSet journals;
        usec_t since, until;
        bool merged;
} History;

static void history_done(History *h) {
        journal_set_done(&h->journals);
}

static int add_matches(sd_journal *j, bool of_others) {
        char match[64];
        int r;

        if (!of_others) {
                r = sd_journal_add_match(j, "_SYSTEMD_UNIT=" OWN_UNIT, 0);
                if (r < 0)
                        return r;
        }
        for (IncidentState state = 0; state < INCIDENT_X_MAX; state++) {
                (void) snprintf(match, sizeof(match), "EDGEWATCH_STATE=%s", incident_state_to_string(state));
                r = sd_journal_add_match(j, match, 0);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* "" when the entry has no such field. NULL when memory is out. */
static char *read_field(sd_journal *j, const char *name) {
        const void *data;
        size_t len, skip = strlen(name) + 1;

        if (sd_journal_get_data(j, name, &data, &len) < 0 || len < skip)
                return strdup("");
        return text_to_utf8((Text){(const char *) data + skip, len - skip}, FIELD_MAX);
}

typedef struct Row {
        usec_t time;
        char *values[ELEMENTSOF(columns)];
} Row;

static void row_done(Row *row) {
        for (size_t i = 0; i < ELEMENTSOF(columns); i++)
                free(row->values[i]);
}

static int row_read(Row *row, const JournalSource *source) {
        row->time = source->time;
        for (size_t i = 0; i < ELEMENTSOF(columns); i++) {
                row->values[i] = columns[i].field ? read_field(source->journal, columns[i].field)
                                                  : strdup(source->name ? source->name : "");
                if (!row->values[i])
                        return -ENOMEM;
        }
        return 0;
}

static bool has_column(const History *h, size_t i, bool json) {
        return (h->merged || !columns[i].merged_only) && (json || !columns[i].json_only);
}

static void row_to_table(const History *h, const Row *row, Table *t) {
        char time[LOCAL_TIME_MAX];
        const char *cells[1 + ELEMENTSOF(columns)] = {local_time(row->time, time)};
        size_t n = 1, state = 0;

        for (size_t i = 0; i < ELEMENTSOF(columns); i++)
                if (has_column(h, i, false)) {
                        if (strcmp(columns[i].key, "state") == 0)
                                state = n;
                        cells[n++] = row->values[i];
                }
        table_add(t, cells, state, color_of_state(cells[state]));
}

static int row_to_json(const History *h, const Row *row, json_t *list) {
        char time[TIMESTAMP_MAX];
        json_t *object = json_pack("{s:s}", "time", timestamp_format(row->time, time));

        for (size_t i = 0; object && i < ELEMENTSOF(columns); i++)
                if (has_column(h, i, true) &&
                        json_object_set_new(object, columns[i].key, json_string(row->values[i])) < 0) {
                        json_decref(object);
                        return -ENOMEM;
                }
        return json_array_append_new(list, object) < 0 ? -ENOMEM : 0;
}

static int read_all(History *h, json_t *list, Table *t, size_t *ret_n) {
        JournalSet *set = &h->journals;
        size_t n = 0;
        int r;

        r = journal_set_seek(set, h->since);
        if (r < 0)
                return r;
        while ((r = journal_set_next(set)) > 0 && set->current->time <= h->until) {
                _cleanup_(row_done) Row row = {};

                r = row_read(&row, set->current);
                if (r >= 0 && list)
                        r = row_to_json(h, &row, list);
                if (r < 0)
                        return r;
                if (t)
                        row_to_table(h, &row, t);
                n++;
        }
        *ret_n = n;
        return r < 0 ? r : 0;
}

static ExitCode print_json_history(History *h) {
        json_t *list = json_array(), *object;
        ExitCode code = EXIT_FINE;
        size_t n;
        int r;

        r = list ? read_all(h, list, NULL, &n) : -ENOMEM;
        object = json_pack("{s:i, s:o}", "format", 1, "history", list);
        if (r >= 0 && !(object && print_json(object)))
                r = -ENOMEM;
        if (r < 0)
                code = fail(r, "Failed to read the journal");
        json_decref(object);
        return code;
}

static ExitCode print_table_history(History *h) {
        const char *titles[1 + ELEMENTSOF(columns)] = {"TIME"};
        _cleanup_(table_freep) Table *t = NULL;
        size_t n_titles = 1, n;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(columns); i++)
                if (has_column(h, i, false))
                        titles[n_titles++] = columns[i].title;
        t = table_new(titles, n_titles);
        r = t ? read_all(h, NULL, t, &n) : -ENOMEM;
        if (r >= 0 && n == 0) {
                printf("The journal tells of no incident in that time.\n");
                return EXIT_FINE;
        }
        if (r >= 0)
                r = table_print(t);
        return r < 0 ? fail(r, "Failed to read the journal") : EXIT_FINE;
}

static ExitCode open_journals(const Arguments *a, History *h) {
        const char *directory = a->directory || !a->merge ? a->directory : REMOTE_DIRECTORY;
        int r;

        h->merged = a->merge;
        r = a->merge ? journal_set_open_senders(&h->journals, directory)
                     : journal_set_open(&h->journals, directory);
        if (r < 0)
                return fail(r, "Failed to open %s", directory ? directory : "the journal");
        FOREACH_ARRAY (source, h->journals.sources, h->journals.n_sources) {
                r = add_matches(source->journal, a->all);
                if (r < 0)
                        return fail(r, "Failed to read the journal");
                (void) sd_journal_set_data_threshold(source->journal, FIELD_MAX);
        }
        return EXIT_FINE;
}

static ExitCode run(const Arguments *a) {
        _cleanup_(history_done) History h = {};
        usec_t now = realtime_now();
        ExitCode code;

        if (arguments_time(a->since, now, usec_sub(now, DEFAULT_SINCE), &h.since) < 0)
                return fail(0, "--since=%s is no " TIME_WORDS, a->since);
        if (arguments_time(a->until, now, USEC_INFINITY, &h.until) < 0)
                return fail(0, "--until=%s is no " TIME_WORDS, a->until);
        code = open_journals(a, &h);
        if (code != EXIT_FINE)
                return code;
        code = a->json ? print_json_history(&h) : print_table_history(&h);
        return h.journals.n_unreadable > 0 ? EXIT_TROUBLE : code;
}

const Verb verb_history = {
        .name = "history",
        .arguments = "",
        .help = "what the journal tells of incidents, of the last 7 days or --since a time",
        .options = "all directory merge since until",
        .run = run,
};
