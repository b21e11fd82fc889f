/* fix list, history: which fixes there are and what they may, and which were tried. */

#include <string.h>

#include "daemon/ctl/fixer.h"
#include "daemon/ctl/incidents-text.h"
#include "daemon/ctl/verbs/fix.h"

/* Which rows an answer has, and how one becomes cells. A cell that is neither a text nor a time tells
 * whether the run can be undone. */
typedef struct Listing {
        const char *verb, *event, *key, *none;
        const char *titles[TABLE_COLUMNS_MAX];
        size_t n_titles, colored;
        const char *cells[TABLE_COLUMNS_MAX]; /* members of a row, texts */
        const char *times[TABLE_COLUMNS_MAX]; /* or members that are times; NULL where it is a text */
} Listing;

static const Listing fixes = {
        .verb = "list",
        .event = "fixes",
        .key = "fixes",
        .none = "There are no fixes.",
        .titles = {"FIX", "MODE", "SYMPTOM", "DOES"},
        .n_titles = 4,
        .colored = 1,
        .cells = {"name", "mode", "symptom", "title"},
};

static const Listing runs = {
        .verb = "history",
        .event = "history",
        .key = "runs",
        .none = "No fix was ever tried on this device.",
        .titles = {"RUN", "FIX", "SUBJECT", "INCIDENT", "BEGUN", "ENDED", "OUTCOME", "BY", "UNDO",
                "BECAUSE"},
        .n_titles = 10,
        .colored = 6,
        .cells = {"run", "fix", "subject", "incident", NULL, NULL, "outcome", "by", NULL, "because"},
        .times = {[4] = "begun", [5] = "ended"},
};

static Color color_of(const char *word) {
        static const struct {
                const char *word;
                Color color;
        } rows[] = {
                {"apply", COLOR_YELLOW},
                {"failed", COLOR_RED},
                {"fixed", COLOR_GREEN},
                {"off", COLOR_GREY},
                {"rolled-back", COLOR_YELLOW},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (strcmp(rows[i].word, word) == 0)
                        return rows[i].color;
        return COLOR_NONE;
}

static void add_row(Table *t, const Listing *l, const json_t *row) {
        char times[TABLE_COLUMNS_MAX][LOCAL_TIME_MAX];
        const char *cells[TABLE_COLUMNS_MAX];

        for (size_t i = 0; i < l->n_titles; i++) {
                if (l->cells[i])
                        cells[i] = json_field_string(row, l->cells[i]);
                else if (l->times[i])
                        cells[i] = local_time(member_time(row, l->times[i]), times[i]);
                else
                        cells[i] = json_is_true(json_object_get(row, "can_undo")) ? "yes" : "-";
        }
        table_add(t, cells, l->colored, color_of(cells[l->colored]));
}

static int print_table(const Listing *l, const json_t *rows) {
        _cleanup_(table_freep) Table *t = table_new(l->titles, l->n_titles);
        const json_t *row;
        size_t i;

        if (!t)
                return -ENOMEM;
        json_array_foreach (rows, i, row)
                add_row(t, l, row);
        return table_print(t);
}

typedef struct Listed {
        const Listing *listing;
        json_t *rows;
} Listed;

static int take(void *userdata, const json_t *line) {
        Listed *listed = userdata;
        const char *event = json_field_string(line, "event");
        json_t *rows = json_object_get(line, listed->listing->key), *row;
        size_t i;

        if (strcmp(event, "result") == 0) {
                (void) fail(0, "edgewatch-fix: %s", json_field_string(line, "because"));
                return 1;
        }
        if (strcmp(event, listed->listing->event) != 0 || !json_is_array(rows))
                return -EBADMSG;
        json_array_foreach (rows, i, row)
                if (!json_is_object(row))
                        return -EBADMSG;
        listed->rows = json_incref(rows);
        return 1;
}

static ExitCode list(const Listing *l, const Arguments *a) {
        Listed listed = {.listing = l};
        json_t *object = NULL;
        int r;

        r = fixer_ask(json_pack("{s:s}", "do", l->verb), take, &listed);
        if (r < 0 || !listed.rows)
                return EXIT_TROUBLE;
        if (a->json) {
                object = json_pack("{s:i, s:O}", "format", 1, l->key, listed.rows);
                r = object && print_json(object) ? 0 : -ENOMEM;
        } else if (json_array_size(listed.rows) == 0)
                printf("%s\n", l->none);
        else
                r = print_table(l, listed.rows);
        json_decref(object);
        json_decref(listed.rows);
        return r < 0 ? fail(r, "Failed to print") : EXIT_FINE;
}

ExitCode fix_list(const Arguments *a) {
        return list(&fixes, a);
}

ExitCode fix_history(const Arguments *a) {
        return list(&runs, a);
}
