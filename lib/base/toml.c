/* A recursive-descent reader of TOML into JSON. It owns nothing but the object it builds.
 *
 * The traps: a table may be opened by a dotted key, a header or an array of tables, and TOML allows each of
 * them to be continued only in certain ways. Here a header may continue a table that only deeper headers
 * made, and nothing else; everything defined twice is refused. Depth and number of keys are bounded, so that
 * hostile input costs neither stack nor memory. */

#include "lib/base/toml.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>

#include "lib/base/buffer.h"

typedef struct TomlReader {
        const char *at, *end, *line_start;
        unsigned line;
        unsigned depth;
        size_t n_keys;
        json_t *closed; /* set of tables (by address) that a header or a value has defined: not to be opened
                           again */
        json_t *places; /* [offset, length] of each string (by address) in the text; NULL: nobody asks */
        const char *start;
        TomlError *error;
} TomlReader;

static int fail(TomlReader *t, const char *what) {
        if (t->error) {
                *t->error = (TomlError){.line = t->line, .column = (unsigned) (t->at - t->line_start) + 1};
                (void) snprintf(t->error->text, sizeof(t->error->text), "%s", what);
        }
        return -EINVAL;
}

static bool at_end(const TomlReader *t) {
        return t->at >= t->end;
}

static bool looking_at(const TomlReader *t, const char *s) {
        return text_starts_with((Text){t->at, (size_t) (t->end - t->at)}, s);
}

static bool take(TomlReader *t, char c) {
        if (at_end(t) || *t->at != c)
                return false;
        t->at++;
        return true;
}

static void skip_blanks(TomlReader *t) {
        while (!at_end(t) && (*t->at == ' ' || *t->at == '\t'))
                t->at++;
}

static void skip_comment(TomlReader *t) {
        if (!at_end(t) && *t->at == '#')
                while (!at_end(t) && *t->at != '\n')
                        t->at++;
}

static bool take_newline(TomlReader *t) {
        if (looking_at(t, "\r\n"))
                t->at++;
        if (!take(t, '\n'))
                return false;
        t->line++;
        t->line_start = t->at;
        return true;
}

/* Blanks, comments and line ends. */
static void skip_lines(TomlReader *t) {
        do {
                skip_blanks(t);
                skip_comment(t);
        } while (take_newline(t));
}

static int append_codepoint(TomlReader *t, Buffer *b, unsigned digits) {
        uint32_t c = 0;

        for (unsigned i = 0; i < digits; i++) {
                if (at_end(t) || !isxdigit((unsigned char) *t->at))
                        return fail(t, "a \\u escape lacks hexadecimal digits");
                c = c * 16 +
                        (uint32_t) (isdigit((unsigned char) *t->at) ? *t->at - '0'
                                                                    : (*t->at | 0x20) - 'a' + 10);
                t->at++;
        }
        if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
                return fail(t, "a \\u escape that is no character");
        if (c < 0x80)
                return buffer_append_format(b, "%c", (int) c);
        if (c < 0x800)
                return buffer_append_format(b, "%c%c", (int) (0xC0 | c >> 6), (int) (0x80 | (c & 0x3F)));
        if (c < 0x10000)
                return buffer_append_format(b, "%c%c%c", (int) (0xE0 | c >> 12),
                        (int) (0x80 | (c >> 6 & 0x3F)), (int) (0x80 | (c & 0x3F)));
        return buffer_append_format(b, "%c%c%c%c", (int) (0xF0 | c >> 18), (int) (0x80 | (c >> 12 & 0x3F)),
                (int) (0x80 | (c >> 6 & 0x3F)), (int) (0x80 | (c & 0x3F)));
}

static int append_escape(TomlReader *t, Buffer *b, bool multi_line) {
        static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
        const char *found;

        if (multi_line) {
                const char *before = t->at;

                skip_blanks(t);
                if (take_newline(t)) {
                        for (skip_blanks(t); take_newline(t);)
                                skip_blanks(t);
                        return 0;
                }
                t->at = before;
        }
        if (take(t, 'u'))
                return append_codepoint(t, b, 4);
        if (take(t, 'U'))
                return append_codepoint(t, b, 8);
        found = at_end(t) || *t->at == '\0' ? NULL : strchr(names, *t->at);
        if (!found)
                return fail(t, "an unknown escape in a string");
        t->at++;
        return buffer_append(b, &values[found - names], 1);
}

static int read_string(TomlReader *t, Buffer *b) {
        char quote = *t->at;
        const char triple[] = {quote, quote, quote, '\0'};
        bool multi_line = looking_at(t, triple);
        int r;

        t->at += multi_line ? 3 : 1;
        if (multi_line)
                (void) take_newline(t);
        for (;;) {
                if (at_end(t))
                        return fail(t, "a string does not end");
                if (multi_line ? looking_at(t, triple) : *t->at == quote) {
                        t->at += multi_line ? 3 : 1;
                        /* up to two quotes may stand before the closing ones */
                        for (unsigned i = 0; multi_line && i < 2 && take(t, quote); i++)
                                (void) buffer_append(b, &quote, 1);
                        return b->error;
                }
                if (multi_line && take_newline(t))
                        r = buffer_append(b, "\n", 1);
                else if (quote == '"' && take(t, '\\'))
                        r = append_escape(t, b, multi_line);
                else if ((unsigned char) *t->at < 0x20 && *t->at != '\t')
                        return fail(t, "a control character in a string");
                else
                        r = buffer_append(b, t->at++, 1);
                if (r < 0)
                        return r;
        }
}

static bool is_bare(char c) {
        return isalnum((unsigned char) c) || c == '-' || c == '_';
}

static int read_key(TomlReader *t, char **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        const char *start = t->at;
        int r;

        if (!at_end(t) && (*t->at == '"' || *t->at == '\'')) {
                if (looking_at(t, "\"\"\"") || looking_at(t, "'''"))
                        return fail(t, "a key cannot be a multi-line string");
                r = read_string(t, &b);
        } else {
                while (!at_end(t) && is_bare(*t->at))
                        t->at++;
                if (t->at == start)
                        return fail(t, "expected a key");
                r = buffer_append(&b, start, (size_t) (t->at - start));
        }
        if (r < 0)
                return r;
        if (++t->n_keys > TOML_KEYS_MAX)
                return fail(t, "too many keys");
        *ret = buffer_take(&b);
        return *ret ? 0 : -ENOMEM;
}

static bool is_closed(const TomlReader *t, const json_t *table) {
        char address[32];

        (void) snprintf(address, sizeof(address), "%p", (const void *) table);
        return json_object_get(t->closed, address) != NULL;
}

static int close_table(TomlReader *t, const json_t *table) {
        char address[32];

        (void) snprintf(address, sizeof(address), "%p", (const void *) table);
        return json_object_set_new(t->closed, address, json_true()) < 0 ? -ENOMEM : 0;
}

/* The table under `key`, made when it is not there; of an array of tables the last. */
static int step_into(TomlReader *t, json_t **table, const char *key, bool by_header) {
        json_t *next = json_object_get(*table, key);

        if (!next) {
                next = json_object();
                if (!next || json_object_setn_new_nocheck(*table, key, strlen(key), next) < 0)
                        return -ENOMEM;
        } else if (json_is_array(next) && by_header && is_closed(t, next))
                next = json_array_get(next, json_array_size(next) - 1);
        else if (json_is_object(next) && !by_header && is_closed(t, next))
                return fail(t, "this table is already defined");
        if (!json_is_object(next))
                return fail(t, "this key is already defined and is no table");
        *table = next;
        return 0;
}

/* key.key.key: walks to the table of the last key. */
static int read_path(TomlReader *t, json_t **table, char **ret_last, bool by_header) {
        for (unsigned depth = 0;; depth++) {
                _cleanup_(freep) char *key = NULL;
                int r;

                skip_blanks(t);
                if (depth >= TOML_DEPTH_MAX)
                        return fail(t, "nested too deeply");
                r = read_key(t, &key);
                if (r < 0)
                        return r;
                skip_blanks(t);
                if (!take(t, '.')) {
                        *ret_last = TAKE_PTR(key);
                        return 0;
                }
                r = step_into(t, table, key, by_header);
                if (r < 0)
                        return r;
        }
}

static int read_value(TomlReader *t, json_t **ret);

static int read_pair(TomlReader *t, json_t *table) {
        _cleanup_(freep) char *key = NULL;
        json_t *value;
        int r;

        r = read_path(t, &table, &key, false);
        if (r < 0)
                return r;
        if (json_object_get(table, key))
                return fail(t, "this key is already defined");
        if (!take(t, '='))
                return fail(t, "expected = after the key");
        skip_blanks(t);
        r = read_value(t, &value);
        if (r < 0)
                return r;
        return json_object_setn_new_nocheck(table, key, strlen(key), value) < 0 ? -ENOMEM : 0;
}

static int read_array(TomlReader *t, json_t *array) {
        for (;;) {
                json_t *value;
                int r;

                skip_lines(t);
                if (take(t, ']'))
                        return 0;
                r = read_value(t, &value);
                if (r < 0)
                        return r;
                if (json_array_append_new(array, value) < 0)
                        return -ENOMEM;
                skip_lines(t);
                if (take(t, ']'))
                        return 0;
                if (!take(t, ','))
                        return fail(t, "expected , or ] in the array");
        }
}

static int read_inline_table(TomlReader *t, json_t *table) {
        skip_blanks(t);
        if (take(t, '}'))
                return close_table(t, table);
        for (;;) {
                int r;

                skip_blanks(t);
                r = read_pair(t, table);
                if (r < 0)
                        return r;
                skip_blanks(t);
                if (take(t, '}'))
                        return close_table(t, table);
                if (!take(t, ','))
                        return fail(t, "expected , or } in the inline table");
        }
}

static int read_number(Text word, json_t **ret) {
        char digits[64];
        size_t n = 0;
        json_int_t integer;
        double real;
        char *end;
        int base = 10;

        if (word.len >= sizeof(digits))
                return -EINVAL;
        for (size_t i = 0; i < word.len; i++)
                if (word.data[i] != '_')
                        digits[n++] = word.data[i];
        digits[n] = '\0';
        if (n > 2 && digits[0] == '0' && strchr("xob", digits[1]))
                base = digits[1] == 'x' ? 16 : digits[1] == 'o' ? 8 : 2;
        errno = 0;
        integer = strtoll(base == 10 ? digits : digits + 2, &end, base);
        if (*end == '\0' && errno == 0) {
                *ret = json_integer(integer);
                return *ret ? 0 : -ENOMEM;
        }
        errno = 0;
        real = strtod(digits, &end);
        if (base != 10 || *end != '\0' || errno != 0 || !isfinite(real))
                return -EINVAL;
        *ret = json_real(real);
        return *ret ? 0 : -ENOMEM;
}

static bool is_date_or_time(Text word) {
        return word.len >= 8 && isdigit((unsigned char) word.data[0]) &&
                (word.data[2] == ':' || (word.len >= 10 && word.data[4] == '-'));
}

static int read_word(TomlReader *t, json_t **ret) {
        Text word = {t->at, 0};
        int r;

        while (!at_end(t) && (is_bare(*t->at) || strchr("+.:", *t->at)) && *t->at != '\0')
                t->at++;
        word.len = (size_t) (t->at - word.data);
        if (word.len == 0)
                return fail(t, "expected a value");
        if (text_is(word, "true") || text_is(word, "false"))
                *ret = json_boolean(text_is(word, "true"));
        else if (is_date_or_time(word))
                *ret = json_stringn(word.data, word.len);
        else if (isdigit((unsigned char) word.data[0]) || strchr("+-.", word.data[0])) {
                r = read_number(word, ret);
                return r == -EINVAL ? fail(t, "this is no number") : r;
        } else
                return fail(t, "expected a string in quotes, a number, true or false");
        return *ret ? 0 : -ENOMEM;
}

static int note_place(TomlReader *t, const json_t *string, const char *from) {
        char address[32];

        if (!t->places)
                return 0;
        (void) snprintf(address, sizeof(address), "%p", (const void *) string);
        return json_object_set_new(t->places, address,
                       json_pack("[I, I]", (json_int_t) (from - t->start), (json_int_t) (t->at - from))) < 0
                ? -ENOMEM
                : 0;
}

static int read_string_value(TomlReader *t, json_t **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        const char *from = t->at;
        json_t *string;
        int r;

        r = read_string(t, &b);
        if (r < 0)
                return r;
        string = json_stringn(buffer_text(&b).data, b.len);
        if (!string)
                return fail(t, "a string is not valid UTF-8");
        r = note_place(t, string, from);
        if (r < 0) {
                json_decref(string);
                return r;
        }
        *ret = string;
        return 0;
}

static int read_value(TomlReader *t, json_t **ret) {
        bool is_array = !at_end(t) && *t->at == '[', is_table = !at_end(t) && *t->at == '{';
        json_t *value;
        int r;

        if (!is_array && !is_table)
                return !at_end(t) && (*t->at == '"' || *t->at == '\'') ? read_string_value(t, ret)
                                                                       : read_word(t, ret);
        if (++t->depth > TOML_DEPTH_MAX)
                return fail(t, "nested too deeply");
        t->at++;
        value = is_array ? json_array() : json_object();
        if (!value)
                return -ENOMEM;
        r = is_array ? read_array(t, value) : read_inline_table(t, value);
        t->depth--;
        if (r < 0) {
                json_decref(value);
                return r;
        }
        *ret = value;
        return 0;
}

static int open_array_table(TomlReader *t, json_t *parent, const char *key, json_t **ret) {
        json_t *array = json_object_get(parent, key), *table;
        int r;

        if (!array) {
                array = json_array();
                if (!array || json_object_setn_new_nocheck(parent, key, strlen(key), array) < 0)
                        return -ENOMEM;
                r = close_table(t, array); /* marks it as made by headers */
                if (r < 0)
                        return r;
        } else if (!json_is_array(array) || !is_closed(t, array))
                return fail(t, "this key is already defined and is no array of tables");
        table = json_object();
        if (!table || json_array_append_new(array, table) < 0)
                return -ENOMEM;
        *ret = table;
        return 0;
}

/* [a.b] or [[a.b]] */
static int read_header(TomlReader *t, json_t *root, json_t **ret) {
        bool is_array = looking_at(t, "[[");
        _cleanup_(freep) char *key = NULL;
        json_t *table = root;
        int r;

        t->at += is_array ? 2 : 1;
        r = read_path(t, &table, &key, true);
        if (r < 0)
                return r;
        if (!take(t, ']') || (is_array && !take(t, ']')))
                return fail(t, "expected ] after the table's name");
        if (is_array)
                return open_array_table(t, table, key, ret);
        if (json_is_array(json_object_get(table, key)))
                return fail(t, "this key is already defined and is no table");
        r = step_into(t, &table, key, true);
        if (r < 0)
                return r;
        if (is_closed(t, table))
                return fail(t, "this table is already defined");
        *ret = table;
        return close_table(t, table);
}

static int read_document(TomlReader *t, json_t *root) {
        json_t *table = root;
        int r;

        for (;;) {
                skip_lines(t);
                if (at_end(t))
                        return 0;
                r = *t->at == '[' ? read_header(t, root, &table) : read_pair(t, table);
                if (r < 0)
                        return r;
                skip_blanks(t);
                skip_comment(t);
                if (!at_end(t) && !take_newline(t))
                        return fail(t, "expected the end of the line");
        }
}

static int parse(Text text, json_t *places, json_t **ret, TomlError *ret_error) {
        TomlReader t = {
                .at = text.data,
                .end = text.data + text.len,
                .line_start = text.data,
                .line = 1,
                .places = places,
                .start = text.data,
                .error = ret_error,
        };
        json_t *root;
        int r = -ENOMEM;

        if (text.len > TOML_BYTES_MAX)
                return -EFBIG;
        root = json_object();
        t.closed = json_object();
        if (root && t.closed)
                r = text.len > 0 ? read_document(&t, root) : 0;
        json_decref(t.closed);
        if (r < 0) {
                json_decref(root);
                return r;
        }
        *ret = root;
        return 0;
}

int toml_parse(Text text, json_t **ret, TomlError *ret_error) {
        return parse(text, NULL, ret, ret_error);
}

int toml_find_string(Text text, const char *table, const char *key, Text *ret, TomlError *ret_error) {
        json_t *places = json_object(), *root = NULL, *place;
        char address[32];
        int r;

        r = places ? parse(text, places, &root, ret_error) : -ENOMEM;
        if (r >= 0) {
                (void) snprintf(address, sizeof(address), "%p",
                        (const void *) json_object_get(json_object_get(root, table), key));
                place = json_object_get(places, address);
                if (place)
                        *ret = (Text){text.data + json_integer_value(json_array_get(place, 0)),
                                (size_t) json_integer_value(json_array_get(place, 1))};
                r = place != NULL;
        }
        json_decref(root);
        json_decref(places);
        return r;
}
