/* Colours, tables, JSON and errors of edgewatchctl.
 *
 * The trap: a table's cells, an incident's texts and errors quote what anybody can write. They pass
 * printable_text() here, in one place; JSON on a terminal is written in pure ASCII. */

#include "daemon/ctl/output.h"

#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/printable.h"

#define CELL_MAX ((size_t) 4096)

static bool colored;

void output_init(ColorMode mode) {
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

        colored = mode == COLOR_ALWAYS ||
                (mode == COLOR_AUTO && isatty(STDOUT_FILENO) && !(no_color && no_color[0]) && term &&
                        strcmp(term, "dumb") != 0);
}

static const char *const sequences[] = {
        [COLOR_NONE] = "",
        [COLOR_RED] = "\033[1;31m",
        [COLOR_YELLOW] = "\033[33m",
        [COLOR_GREEN] = "\033[32m",
        [COLOR_GREY] = "\033[2m",
        [COLOR_BOLD] = "\033[1m",
};

const char *color_begin(Color c) {
        return colored ? sequences[c] : "";
}

const char *color_end(void) {
        return colored ? "\033[0m" : "";
}

Color color_of_state(const char *state) {
        static const struct {
                const char *state;
                Color color;
        } rows[] = {
                {"confirmed", COLOR_RED},
                {"degraded", COLOR_RED},
                {"suspected", COLOR_YELLOW},
                {"catching-up", COLOR_YELLOW},
                {"cleared", COLOR_GREEN},
                {"live", COLOR_GREEN},
                {"refuted", COLOR_GREY},
                {"off", COLOR_GREY},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (strcmp(rows[i].state, state) == 0)
                        return rows[i].color;
        return COLOR_NONE;
}

ExitCode fail(int error, const char *format, ...) {
        _cleanup_(freep) char *text = NULL, *printable = NULL;
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&text, format, ap) < 0)
                text = NULL;
        va_end(ap);
        printable = text ? printable_text(text_of(text), SIZE_MAX) : NULL;
        (void) fprintf(stderr, "edgewatchctl: %s", printable ? printable : "(out of memory)");
        if (error != 0)
                (void) fprintf(stderr, ": %s", strerror(error < 0 ? -error : error));
        (void) fputc('\n', stderr);
        return EXIT_TROUBLE;
}

bool print_json(const json_t *value) {
        size_t flags = isatty(STDOUT_FILENO) ? JSON_INDENT(2) | JSON_ENSURE_ASCII : JSON_COMPACT;

        if (json_dumpf(value, stdout, flags | JSON_ENCODE_ANY) < 0)
                return false;
        (void) putchar('\n');
        return true;
}

const char *local_time(usec_t t, char buffer[static LOCAL_TIME_MAX]) {
        time_t seconds = (time_t) (t / USEC_PER_SEC);
        struct tm tm;

        if (t == 0 || !localtime_r(&seconds, &tm) ||
                strftime(buffer, LOCAL_TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm) == 0)
                return "-";
        return buffer;
}

struct Table {
        struct libscols_table *scols;
        size_t n_columns;
        bool failed;
};

Table *table_new(const char *const *titles, size_t n_titles) {
        _cleanup_(table_freep) Table *t = calloc(1, sizeof(*t));
        bool terminal = isatty(STDOUT_FILENO);

        if (!t)
                return NULL;
        t->scols = scols_new_table();
        if (!t->scols)
                return NULL;

        /* Never cut what goes into a file or a pipe. */
        (void) scols_table_set_termforce(t->scols, terminal ? SCOLS_TERMFORCE_AUTO : SCOLS_TERMFORCE_NEVER);
        (void) scols_table_enable_colors(t->scols, colored);
        for (size_t i = 0; i < n_titles; i++) {
                int flags = terminal && i + 1 == n_titles ? SCOLS_FL_WRAP : 0;

                if (!scols_table_new_column(t->scols, titles[i], 0, flags))
                        return NULL;
        }
        t->n_columns = n_titles;
        return TAKE_PTR(t);
}

Table *table_free(Table *t) {
        if (!t)
                return NULL;
        if (t->scols)
                scols_unref_table(t->scols);
        free(t);
        return NULL;
}

void table_add(Table *t, const char *const *cells, size_t colored_column, Color color) {
        struct libscols_line *line = t->failed ? NULL : scols_table_new_line(t->scols, NULL);

        if (!line) {
                t->failed = true;
                return;
        }
        for (size_t i = 0; i < t->n_columns; i++) {
                char *cell = printable_text(text_of(cells[i] ? cells[i] : ""), CELL_MAX);

                if (!cell || scols_line_refer_data(line, i, cell) < 0) {
                        free(cell);
                        t->failed = true;
                        return;
                }
        }
        if (colored && color != COLOR_NONE && colored_column < t->n_columns)
                (void) scols_cell_set_color(scols_line_get_cell(line, colored_column), sequences[color]);
}

int table_print(Table *t) {
        if (t->failed)
                return -ENOMEM;
        return scols_print_table(t->scols);
}
