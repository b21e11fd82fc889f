#pragma once

/* How edgewatchctl writes: colours, tables, JSON, errors. Nothing that came from a log reaches the terminal
 * unescaped. */

#include <jansson.h>

#include "daemon/ctl/verb.h"
#include "lib/base/time.h"

typedef enum Color {
        COLOR_NONE,
        COLOR_RED,
        COLOR_YELLOW,
        COLOR_GREEN,
        COLOR_GREY,
        COLOR_BOLD,
} Color;

void output_init(ColorMode mode);
/* The escape sequences that begin and end a colour; "" when the output has none. */
const char *color_begin(Color c);
const char *color_end(void);
/* The colour in which a state of an incident or a source is shown. */
Color color_of_state(const char *state);

/* Says on standard error what failed, with the text of the errno unless that is 0; returns EXIT_TROUBLE. */
ExitCode fail(int error, const char *format, ...) _printf_(2, 3);

/* Prints the value on one line, on a terminal indented. Returns false when memory is out. */
bool print_json(const json_t *value);

/* "2024-05-23 07:50:52", local time; "-" for 0. */
#define LOCAL_TIME_MAX 32
const char *local_time(usec_t t, char buffer[static LOCAL_TIME_MAX]);

/* A table on standard output. Rows are added whole; its cells are made printable. The last column is wrapped
 * when the terminal is narrow. Once something failed, it stays failed and table_print() says so. */
typedef struct Table Table;

#define TABLE_COLUMNS_MAX 12

Table *table_new(const char *const *titles, size_t n_titles); /* NULL when memory is out */
Table *table_free(Table *t);
DEFINE_CLEANUP(Table, table_free);
void table_add(Table *t, const char *const *cells, size_t colored_column, Color color);
int table_print(Table *t);
