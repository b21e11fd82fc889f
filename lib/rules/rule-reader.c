/* Tables of keys and the readers of single values. */

#include "lib/rules/rule-reader.h"
#include "lib/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

static int add_mistake(
        RuleReader *reader, unsigned line, unsigned column, const char *format, va_list args) {
        _cleanup_(freep) char *text = NULL;

        reader->n_mistakes++;
        if (vasprintf(&text, format, args) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        return problem_list_add(reader->problems, reader->path, line, column, "%s", text);
}

int mistake(RuleReader *reader, const YamlNode *at, const char *format, ...) {
        va_list args;
        int r;

        va_start(args, format);
        r = add_mistake(reader, at->line, at->column, format, args);
        va_end(args);
        return r;
}

int mistake_at_key(RuleReader *reader, const YamlNode *at, const char *format, ...) {
        va_list args;
        int r;

        va_start(args, format);
        r = add_mistake(reader, at->key_line, at->key_column, format, args);
        va_end(args);
        return r;
}

bool expect_kind(RuleReader *reader, const YamlNode *node, YamlKind kind, int *ret_r) {
        if (node->kind == kind)
                return true;
        if (node->key)
                *ret_r = mistake(reader, node, "`%s` is %s, expected %s", node->key,
                        yaml_kind_to_string(node->kind), yaml_kind_to_string(kind));
        else
                *ret_r = mistake(reader, node, "%s, expected %s", yaml_kind_to_string(node->kind),
                        yaml_kind_to_string(kind));
        return false;
}

static const KeySpec *find_key(const KeyTable *table, const char *key) {
        FOREACH_ARRAY (spec, table->keys, table->n_keys)
                if (strcmp(spec->key, key) == 0)
                        return spec;
        return NULL;
}

static int refuse_unknown_key(RuleReader *reader, const YamlNode *child, const KeyTable *table) {
        _cleanup_(buffer_done) Buffer known = {};

        FOREACH_ARRAY (spec, table->keys, table->n_keys)
                (void) buffer_append_format(&known, "%s%s",
                        spec == table->keys                               ? ""
                                : spec == table->keys + table->n_keys - 1 ? " or "
                                                                          : ", ",
                        spec->key);
        if (known.error < 0)
                return known.error;
        return mistake_at_key(
                reader, child, "unknown key `%s` in %s, expected %s", child->key, table->name, known.data);
}

int read_table(RuleReader *reader, const YamlNode *map, const KeyTable *table, void *object) {
        int r;

        if (!expect_kind(reader, map, YAML_MAP, &r))
                return r;
        for (size_t i = 0; i < map->n_children; i++) {
                if (find_key(table, map->children[i]->key))
                        continue;
                r = refuse_unknown_key(reader, map->children[i], table);
                if (r < 0)
                        return r;
        }
        /* In the table's order, not the file's: conditions need the signals. */
        FOREACH_ARRAY (spec, table->keys, table->n_keys) {
                const YamlNode *value = yaml_find(map, spec->key);

                if (value)
                        r = spec->read(reader, value, (char *) object + spec->offset);
                else if (spec->required)
                        r = mistake(reader, map, "%s lacks `%s`", table->name, spec->key);
                else
                        continue;
                if (r < 0)
                        return r;
        }
        return 0;
}

int read_text(RuleReader *reader, const YamlNode *value, void *target) {
        char **ret = target, *copy;
        int r;

        if (!expect_kind(reader, value, YAML_SCALAR, &r))
                return r;
        if (value->text[0] == '\0')
                return mistake(reader, value, "`%s` is empty, expected text", value->key);
        copy = strdup(value->text);
        if (!copy)
                return -ENOMEM;
        free(*ret);
        *ret = copy;
        return 0;
}

/* A word of letters, digits, '-' and '_': an id, a signal, a probe, a variable. */
static bool is_name(const char *s) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

        return n > 0 && n <= RULE_NAME_MAX && s[n] == '\0';
}

int read_name(RuleReader *reader, const YamlNode *value, void *target) {
        int r;

        if (!expect_kind(reader, value, YAML_SCALAR, &r))
                return r;
        if (!is_name(value->text))
                return mistake(reader, value,
                        "\"%s\" is no name, expected up to %d letters, digits, '-' and '_'", value->text,
                        RULE_NAME_MAX);
        return read_text(reader, value, target);
}

bool expect_plain_bool(RuleReader *reader, const YamlNode *node, int *ret_r, bool *ret) {
        if (!expect_kind(reader, node, YAML_SCALAR, ret_r))
                return false;
        if (node->plain && (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)) {
                *ret = node->text[0] == 't';
                return true;
        }
        *ret_r = mistake(reader, node, "`%s` is \"%s\", expected true or false", node->key, node->text);
        return false;
}

int read_bool(RuleReader *reader, const YamlNode *value, void *target) {
        int r;

        return expect_plain_bool(reader, value, &r, target) ? 0 : r;
}

int read_duration_up_to(RuleReader *reader, const YamlNode *value, usec_t max, usec_t *ret) {
        char limit[DURATION_MAX];
        usec_t duration;
        int r;

        if (!expect_kind(reader, value, YAML_SCALAR, &r))
                return r;
        if (duration_parse(text_of(value->text), &duration) < 0 || duration == 0)
                return mistake(reader, value, "`%s` is \"%s\", expected a duration such as 90s, 3min or 1h",
                        value->key, value->text);
        if (duration > max)
                return mistake(reader, value, "`%s` is \"%s\", expected at most %s", value->key, value->text,
                        duration_format(max, limit));
        *ret = duration;
        return 0;
}

int read_duration(RuleReader *reader, const YamlNode *value, void *target) {
        return read_duration_up_to(reader, value, RULE_WINDOW_MAX, target);
}

int read_count(RuleReader *reader, const YamlNode *value, void *target) {
        uint64_t number;
        int r;

        if (!expect_kind(reader, value, YAML_SCALAR, &r))
                return r;
        if (text_to_u64(text_of(value->text), &number) < 0 || number == 0 || number > UINT32_MAX)
                return mistake(
                        reader, value, "`%s` is \"%s\", expected a number from 1", value->key, value->text);
        *(uint64_t *) target = number;
        return 0;
}

static int read_string_list(RuleReader *reader, const YamlNode *list, char **strings, size_t *n) {
        for (size_t i = 0; i < list->n_children; i++) {
                const YamlNode *item = list->children[i];
                int r;

                if (!expect_kind(reader, item, YAML_SCALAR, &r)) {
                        if (r < 0)
                                return r;
                        continue;
                }
                strings[*n] = strdup(item->text);
                if (!strings[*n])
                        return -ENOMEM;
                (*n)++;
        }
        return 0;
}

int read_strings(RuleReader *reader, const YamlNode *value, size_t max, char ***ret, size_t *ret_n) {
        size_t n = value->kind == YAML_LIST ? value->n_children : 1;
        char **strings;
        int r;

        if (value->kind == YAML_MAP)
                return mistake(reader, value, "`%s` is a mapping, expected a value or a list", value->key);
        if (n == 0 || n > max)
                return mistake(reader, value, "`%s` has %zu values, expected 1 to %zu", value->key, n, max);
        strings = calloc(n, sizeof(*strings));
        if (!strings)
                return -ENOMEM;
        *ret = strings; /* from here on freed with the rule */
        *ret_n = 0;
        if (value->kind == YAML_LIST)
                return read_string_list(reader, value, strings, ret_n);
        r = read_text(reader, value, &strings[0]);
        if (r < 0)
                return r;
        *ret_n = strings[0] ? 1 : 0;
        return 0;
}

static int refuse_word(
        RuleReader *reader, const YamlNode *value, EnumToString to_string, int first, int max) {
        _cleanup_(buffer_done) Buffer known = {};

        for (int i = first; i < max; i++)
                (void) buffer_append_format(&known, "%s%s",
                        i == first             ? ""
                                : i == max - 1 ? " or "
                                               : ", ",
                        to_string(i));
        if (known.error < 0)
                return known.error;
        if (value->key)
                return mistake(
                        reader, value, "`%s` is \"%s\", expected %s", value->key, value->text, known.data);
        return mistake(reader, value, "\"%s\", expected %s", value->text, known.data);
}

int read_enum(
        RuleReader *reader, const YamlNode *value, EnumToString to_string, int first, int max, int *ret) {
        int r;

        if (!expect_kind(reader, value, YAML_SCALAR, &r))
                return r;
        for (int i = first; i < max; i++)
                if (strcmp(value->text, to_string(i)) == 0) {
                        *ret = i;
                        return 0;
                }
        return refuse_word(reader, value, to_string, first, max);
}
