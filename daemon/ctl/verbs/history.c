/* history: what edgewatch has written about incidents. The journal is the only history there is.
 *
 * The trap: any program may write EDGEWATCH_ fields. Only entries of edgewatchd's own unit count, unless
 * --all asks for those of others too. */

#include <systemd/sd-journal.h>

#include "daemon/ctl/incidents-text.h"
#include "daemon/base/clock.h"
#include "lib/base/printable.h"
#include "lib/diagnosis/incident.h"

#define OWN_UNIT      "edgewatchd.service"
#define FIELD_MAX     ((size_t) 16 * 1024)
#define DEFAULT_SINCE (7 * 24 * USEC_PER_HOUR)

/* The columns, and the names they have in JSON. */
static const struct {
        const char *field, *key, *title;
} columns[] = {
        {"EDGEWATCH_INCIDENT", "incident", "INCIDENT"},
        {"EDGEWATCH_SYMPTOM", "symptom", "SYMPTOM"},
        {"EDGEWATCH_SUBJECT", "subject", "SUBJECT"},
        {"EDGEWATCH_STATE", "state", "STATE"},
        {"MESSAGE", "message", "MESSAGE"},
};
#define COLUMN_STATE 3

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

static int row_read(Row *row, sd_journal *j) {
        int r;

        r = sd_journal_get_realtime_usec(j, &row->time);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(columns); i++) {
                row->values[i] = read_field(j, columns[i].field);
                if (!row->values[i])
                        return -ENOMEM;
        }
        return 0;
}

static void row_to_table(const Row *row, Table *t) {
        char time[LOCAL_TIME_MAX];
        const char *cells[1 + ELEMENTSOF(columns)] = {local_time(row->time, time)};

        for (size_t i = 0; i < ELEMENTSOF(columns); i++)
                cells[1 + i] = row->values[i];
        table_add(t, cells, 1 + COLUMN_STATE, color_of_state(row->values[COLUMN_STATE]));
}

static int row_to_json(const Row *row, json_t *list) {
        char time[TIMESTAMP_MAX];
        json_t *object = json_pack("{s:s}", "time", timestamp_format(row->time, time));

        for (size_t i = 0; object && i < ELEMENTSOF(columns); i++)
                if (json_object_set_new(object, columns[i].key, json_string(row->values[i])) < 0) {
                        json_decref(object);
                        return -ENOMEM;
                }
        return json_array_append_new(list, object) < 0 ? -ENOMEM : 0;
}

static int read_all(sd_journal *j, usec_t since, json_t *list, Table *t, size_t *ret_n) {
        size_t n = 0;
        int r;

        r = sd_journal_seek_realtime_usec(j, since);
        if (r < 0)
                return r;
        while ((r = sd_journal_next(j)) > 0) {
                _cleanup_(row_done) Row row = {};

                r = row_read(&row, j);
                if (r >= 0 && list)
                        r = row_to_json(&row, list);
                if (r < 0)
                        return r;
                if (t)
                        row_to_table(&row, t);
                n++;
        }
        *ret_n = n;
        return r;
}

static ExitCode print_json_history(sd_journal *j, usec_t since) {
        json_t *list = json_array(), *object;
        ExitCode code = EXIT_FINE;
        size_t n;
        int r;

        r = list ? read_all(j, since, list, NULL, &n) : -ENOMEM;
        object = json_pack("{s:i, s:o}", "format", 1, "history", list);
        if (r >= 0 && !(object && print_json(object)))
                r = -ENOMEM;
        if (r < 0)
                code = fail(r, "Failed to read the journal");
        json_decref(object);
        return code;
}

static ExitCode print_table_history(sd_journal *j, usec_t since) {
        const char *titles[1 + ELEMENTSOF(columns)] = {"TIME"};
        _cleanup_(table_freep) Table *t = NULL;
        size_t n;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(columns); i++)
                titles[1 + i] = columns[i].title;
        t = table_new(titles, ELEMENTSOF(titles));
        r = t ? read_all(j, since, NULL, t, &n) : -ENOMEM;
        if (r >= 0 && n == 0) {
                printf("The journal tells of no incident in that time.\n");
                return EXIT_FINE;
        }
        if (r >= 0)
                r = table_print(t);
        return r < 0 ? fail(r, "Failed to read the journal") : EXIT_FINE;
}

static void journal_closep(sd_journal **j) {
        sd_journal_close(*j);
}

static ExitCode run(const Arguments *a) {
        _cleanup_(journal_closep) sd_journal *j = NULL;
        usec_t since;
        int r;

        if (arguments_since(a, realtime_now(), DEFAULT_SINCE, &since) < 0)
                return fail(
                        0, "--since=%s is neither a duration (90min, 2d) nor a time (RFC 3339)", a->since);
        r = a->directory ? sd_journal_open_directory(&j, a->directory, 0)
                         : sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY);
        if (r < 0)
                return fail(r, "Failed to open the journal");
        r = add_matches(j, a->all);
        if (r < 0)
                return fail(r, "Failed to read the journal");
        (void) sd_journal_set_data_threshold(j, FIELD_MAX);
        return a->json ? print_json_history(j, since) : print_table_history(j, since);
}

const Verb verb_history = {
        .name = "history",
        .arguments = "",
        .help = "what the journal tells of incidents, of the last 7 days or --since a time",
        .options = "all directory since",
        .run = run,
};
