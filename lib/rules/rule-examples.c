/* The `examples` of a rule: events and what they must lead to. Events are kept as JSON, for the replay to
 * make real ones through the daemon's own decoders. */

#include "lib/rules/rule-reader.h"

#define EXAMPLES_MAX       64
#define EXAMPLE_EVENTS_MAX 512
#define EXAMPLE_TIME_MAX   (7 * RULE_WINDOW_MAX) /* longer than any window, so that all of them can end */

static const char *const log_fields[] = {"from", "text", "unit", "container"};

static bool example_has_field(EventKind kind, const char *name) {
        /* What the file or the metrics say: no rule tests it, but probes read it. */
        if ((kind == EVENT_FILE && strcmp(name, "content") == 0) ||
                (kind == EVENT_METRICS && strcmp(name, "exposition") == 0))
                return true;
        if (kind != EVENT_LOG)
                return event_kind_has_field(kind, name);
        FOREACH_ARRAY (field, log_fields, ELEMENTSOF(log_fields))
                if (strcmp(*field, name) == 0)
                        return true;
        return false;
}

static int check_log(RuleReader *reader, const YamlNode *value) {
        const YamlNode *from = yaml_find(value, "from"), *text = yaml_find(value, "text");
        int origin, r;

        if (!text || text->kind != YAML_SCALAR)
                return mistake(reader, value, "a log event needs `text`, the line as it stands in the log");
        if (!from)
                return mistake(reader, value, "a log event needs `from`, who wrote it");
        r = read_enum(reader, from, origin_to_string, ORIGIN_OTHER, ORIGIN_X_MAX, &origin);
        return r;
}

static int read_event_fields(RuleReader *reader, const YamlNode *value, ExampleEvent *event) {
        int r;

        event->kind = event_kind_from_string(text_of(value->key));
        if (event->kind < 0) {
                event->kind = EVENT_LOG;
                return mistake_at_key(reader, value, "unknown kind of event `%s`", value->key);
        }
        if (!expect_kind(reader, value, YAML_MAP, &r))
                return r;
        for (size_t i = 0; i < value->n_children; i++) {
                const YamlNode *field = value->children[i];

                if (example_has_field(event->kind, field->key))
                        continue;
                r = mistake_at_key(reader, field, "unknown field `%s`, a %s event has none such", field->key,
                        value->key);
                if (r < 0)
                        return r;
        }
        event->fields = yaml_to_json(value);
        if (!event->fields)
                return -ENOMEM;
        return event->kind == EVENT_LOG ? check_log(reader, value) : 0;
}

static int read_event(RuleReader *reader, const YamlNode *value, ExampleEvent *event) {
        const YamlNode *fields = NULL;
        int r;

        event->line = value->line;
        if (!expect_kind(reader, value, YAML_MAP, &r))
                return r;
        for (size_t i = 0; i < value->n_children; i++) {
                const YamlNode *child = value->children[i];

                if (strcmp(child->key, "after") == 0)
                        r = read_duration_up_to(reader, child, EXAMPLE_TIME_MAX, &event->after);
                else if (fields)
                        r = mistake_at_key(
                                reader, child, "a second event `%s`, expected one and `after`", child->key);
                else {
                        fields = child;
                        r = read_event_fields(reader, child, event);
                }
                if (r < 0)
                        return r;
        }
        return fields ? 0 : mistake(reader, value, "no event, expected one such as `log: {…}`");
}

static int read_events(RuleReader *reader, const YamlNode *value, void *target) {
        Example *example = target;
        int r;

        if (!expect_kind(reader, value, YAML_LIST, &r))
                return r;
        if (value->n_children == 0 || value->n_children > EXAMPLE_EVENTS_MAX)
                return mistake(reader, value, "`events` has %zu, expected 1 to %d", value->n_children,
                        EXAMPLE_EVENTS_MAX);
        example->events = calloc(value->n_children, sizeof(*example->events));
        if (!example->events)
                return -ENOMEM;
        for (size_t i = 0; i < value->n_children; i++) {
                r = read_event(reader, value->children[i], &example->events[example->n_events++]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* true, or the subject that is expected. */
static int read_expectation(RuleReader *reader, const YamlNode *value, Example *example, Expectation kind) {
        example->expectation = kind;
        if (value->kind == YAML_SCALAR && value->plain && strcmp(value->text, "true") == 0)
                return 0;
        if (kind == EXPECT_QUIET)
                return mistake(reader, value, "`quiet` is not true, expected true");
        return read_text(reader, value, &example->subject);
}

static int read_raises(RuleReader *reader, const YamlNode *value, void *target) {
        return read_expectation(reader, value, target, EXPECT_RAISES);
}

static int read_quiet(RuleReader *reader, const YamlNode *value, void *target) {
        return read_expectation(reader, value, target, EXPECT_QUIET);
}

static int read_clears(RuleReader *reader, const YamlNode *value, void *target) {
        return read_expectation(reader, value, target, EXPECT_CLEARS);
}

static int read_wait(RuleReader *reader, const YamlNode *value, void *target) {
        return read_duration_up_to(reader, value, EXAMPLE_TIME_MAX, target);
}

static const KeySpec example_keys[] = {
        {"name", read_text, offsetof(Example, name), true},
        {"events", read_events, 0, true},
        {"wait", read_wait, offsetof(Example, wait), false},
        {"raises", read_raises, 0, false},
        {"quiet", read_quiet, 0, false},
        {"clears", read_clears, 0, false},
};
const KeyTable example_table = KEY_TABLE("example", example_keys);

static int read_example(RuleReader *reader, const YamlNode *value, Example *example) {
        int r, n = 0;

        example->line = value->line;
        r = read_table(reader, value, &example_table, example);
        if (r < 0 || value->kind != YAML_MAP)
                return r;
        n = !!yaml_find(value, "raises") + !!yaml_find(value, "quiet") + !!yaml_find(value, "clears");
        return n == 1
                ? 0
                : mistake(reader, value, "%d expectations, expected one of `raises`, `quiet`, `clears`", n);
}

int read_examples(RuleReader *reader, const YamlNode *value, void *target) {
        Rule *rule = target;
        int r;

        if (!expect_kind(reader, value, YAML_LIST, &r))
                return r;
        if (value->n_children > EXAMPLES_MAX)
                return mistake(
                        reader, value, "%zu examples, expected at most %d", value->n_children, EXAMPLES_MAX);
        rule->examples = calloc(value->n_children + 1, sizeof(*rule->examples));
        if (!rule->examples)
                return -ENOMEM;
        for (size_t i = 0; i < value->n_children; i++) {
                r = read_example(reader, value->children[i], &rule->examples[rule->n_examples++]);
                if (r < 0)
                        return r;
        }
        return 0;
}
