/* The `signals` of a rule: what a log line or a change must look like, and `where` tests on what it
 * captured.
 *
 * A signal is a mapping with one key, the kind of event. The fields of a log are this file's table; those of
 * the other kinds are whatever event_field() knows, so a new field needs no change here. */

#include "lib/rules/rule-reader.h"

#define TEST_VALUES_MAX 64

static int read_origins(RuleReader *reader, const YamlNode *value, void *target) {
        Signal *signal = target;
        const YamlNode *const *items =
                value->kind == YAML_LIST ? (const YamlNode *const *) value->children : &value;
        size_t n = value->kind == YAML_LIST ? value->n_children : 1;

        for (size_t i = 0; i < n; i++) {
                int origin = ORIGIN_OTHER, r;

                r = read_enum(reader, items[i], origin_to_string, ORIGIN_OTHER + 1, ORIGIN_X_MAX, &origin);
                if (r < 0)
                        return r;
                if (origin != ORIGIN_OTHER)
                        signal->origins |= UINT32_C(1) << origin;
        }
        return n > 0 ? 0 : mistake(reader, value, "`from` is empty, expected an origin");
}

static int read_level(RuleReader *reader, const YamlNode *value, void *target) {
        int level = LEVEL_UNKNOWN, r;

        r = read_enum(reader, value, level_to_string, LEVEL_UNKNOWN + 1, LEVEL_X_MAX, &level);
        *(Level *) target = (Level) level;
        return r;
}

static int read_pattern(RuleReader *reader, const YamlNode *value, void *target) {
        Pattern *pattern = target;
        int r;

        pattern->line = value->line;
        pattern->column = value->column;
        r = read_text(reader, value, &pattern->text);
        if (r >= 0)
                r = expand_fragments(reader, value, &pattern->text);
        if (r < 0) {
                free(pattern->text);
                pattern->text = NULL;
        }
        return r;
}

static int read_patterns(RuleReader *reader, const YamlNode *value, void *target) {
        Signal *signal = target;
        const YamlNode *const *items =
                value->kind == YAML_LIST ? (const YamlNode *const *) value->children : &value;
        size_t n = value->kind == YAML_LIST ? value->n_children : 1;

        if (n == 0 || n > RULE_PATTERNS_MAX)
                return mistake(reader, value, "`%s` has %zu patterns, expected 1 to %d", value->key, n,
                        RULE_PATTERNS_MAX);
        signal->patterns = calloc(n, sizeof(Pattern));
        if (!signal->patterns)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                int r = read_pattern(reader, items[i], &signal->patterns[signal->n_patterns]);

                if (r < 0)
                        return r;
                if (signal->patterns[signal->n_patterns].text)
                        signal->n_patterns++;
        }
        return 0;
}

static const KeySpec match_keys[] = {{"match", read_pattern, 0, true}};
const KeyTable match_table = KEY_TABLE("match", match_keys);

/* Room for every key of the signal was made by the caller. */
static int add_field_test(RuleReader *reader, const YamlNode *value, Signal *signal) {
        FieldTest *test = &signal->tests[signal->n_tests++];

        test->field = strdup(value->key);
        if (!test->field)
                return -ENOMEM;
        if (value->kind == YAML_MAP)
                return read_table(reader, value, &match_table, &test->pattern);
        return read_strings(reader, value, TEST_VALUES_MAX, &test->values, &test->n_values);
}

static int read_field_test(RuleReader *reader, const YamlNode *value, void *target) {
        return add_field_test(reader, value, target);
}

static int read_signal_where(RuleReader *reader, const YamlNode *value, void *target) {
        Signal *signal = target;

        return read_where(reader, value, &signal->where, &signal->n_where);
}

static const KeySpec log_keys[] = {
        {"from", read_origins, 0, true},
        {"level", read_level, offsetof(Signal, min_level), false},
        {"head", read_pattern, offsetof(Signal, head), false},
        {"match", read_patterns, 0, true},
        {"unit", read_field_test, 0, false},
        {"container", read_field_test, 0, false},
        {"where", read_signal_where, 0, false},
};
const KeyTable log_signal_table = KEY_TABLE("log", log_keys);

static int read_field_tests(RuleReader *reader, const YamlNode *map, Signal *signal) {
        for (size_t i = 0; i < map->n_children; i++) {
                const YamlNode *child = map->children[i];
                int r;

                if (strcmp(child->key, "where") == 0)
                        r = read_signal_where(reader, child, signal);
                else if (event_kind_has_field(signal->kind, child->key))
                        r = add_field_test(reader, child, signal);
                else
                        r = mistake_at_key(reader, child, "unknown field `%s`, a %s event has none such",
                                child->key, event_kind_to_string(signal->kind));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_kind(RuleReader *reader, const YamlNode *kind, Signal *signal) {
        int r;

        signal->kind = event_kind_from_string(text_of(kind->key));
        if (signal->kind < 0) {
                signal->kind = EVENT_LOG;
                return mistake_at_key(reader, kind,
                        "unknown kind of event `%s`, expected log, container, docker-network, link, route, "
                        "address, forwarding, unit, file or metrics",
                        kind->key);
        }
        if (!expect_kind(reader, kind, YAML_MAP, &r))
                return r;
        if (kind->n_children == 0)
                return mistake(
                        reader, kind, "`%s` is empty, expected what the event must look like", kind->key);
        signal->tests = calloc(kind->n_children, sizeof(*signal->tests));
        if (!signal->tests)
                return -ENOMEM;
        if (signal->kind == EVENT_LOG)
                return read_table(reader, kind, &log_signal_table, signal);
        return read_field_tests(reader, kind, signal);
}

static int read_signal(RuleReader *reader, const YamlNode *value, Signal *signal) {
        int r;

        signal->name = strdup(value->key);
        if (!signal->name)
                return -ENOMEM;
        if (strlen(value->key) > RULE_NAME_MAX) {
                r = mistake_at_key(reader, value, "a signal's name has at most %d bytes", RULE_NAME_MAX);
                if (r < 0)
                        return r;
        }
        if (!expect_kind(reader, value, YAML_MAP, &r))
                return r;
        if (value->n_children != 1)
                return mistake(reader, value, "signal `%s` has %zu kinds of event, expected one", value->key,
                        value->n_children);
        return read_kind(reader, value->children[0], signal);
}

int read_signals(RuleReader *reader, const YamlNode *value, void *target) {
        Rule *rule = target;
        int r;

        if (!expect_kind(reader, value, YAML_MAP, &r))
                return r;
        if (value->n_children == 0 || value->n_children > RULE_SIGNALS_MAX)
                return mistake(reader, value, "`signals` has %zu, expected 1 to %d", value->n_children,
                        RULE_SIGNALS_MAX);
        rule->signals = calloc(value->n_children, sizeof(*rule->signals));
        if (!rule->signals)
                return -ENOMEM;
        for (size_t i = 0; i < value->n_children; i++) {
                r = read_signal(reader, value->children[i], &rule->signals[rule->n_signals++]);
                if (r < 0)
                        return r;
        }
        return 0;
}
