/* A rule file's top level, and the checks that need the whole rule.
 *
 * The tables' order is the order of reading: the signals before the conditions that name them, all before
 * the templates that use what they capture. Problems are listed in the order of the file. */

#include "lib/rules/rule-reader.h"

#define NAMES_MAX     16
#define VARIABLES_MAX 32

/* The file's base name without ".yaml". */
static Text name_of_path(const char *path) {
        const char *slash = strrchr(path, '/');
        Text name = text_of(slash ? slash + 1 : path);

        return text_ends_with(name, ".yaml") ? text_clip(name, name.len - strlen(".yaml")) : name;
}

static int read_id(RuleReader *reader, const YamlNode *value, void *target) {
        Text name = name_of_path(reader->path);

        if (value->kind == YAML_SCALAR && !text_is(name, value->text))
                return mistake(reader, value, "`id` is \"%s\", expected \"%.*s\" as the file is named",
                        value->text, (int) name.len, name.data);
        return read_name(reader, value, target);
}

static int read_severity(RuleReader *reader, const YamlNode *value, void *target) {
        int severity = SEVERITY_WARNING;
        int r = read_enum(reader, value, severity_to_string, 0, SEVERITY_X_MAX, &severity);

        *(Severity *) target = (Severity) severity;
        return r;
}

static int read_layer(RuleReader *reader, const YamlNode *value, void *target) {
        int layer = LAYER_UPLINK, r = read_enum(reader, value, layer_to_string, 0, LAYER_X_MAX, &layer);

        *(Layer *) target = (Layer) layer;
        return r;
}

static int read_message_id(RuleReader *reader, const YamlNode *value, void *target) {
        const size_t digits = sizeof(((Rule *) NULL)->message_id) - 1;
        int r;

        if (!expect_kind(reader, value, YAML_SCALAR, &r))
                return r;
        if (strlen(value->text) != digits || strspn(value->text, "0123456789abcdef") != digits)
                return mistake(reader, value, "`message-id` is \"%s\", expected 32 lower-case hex digits",
                        value->text);
        memcpy(target, value->text, digits + 1);
        return 0;
}

static int read_keys(RuleReader *reader, const YamlNode *value, void *target) {
        Rule *rule = target;

        return read_strings(reader, value, NAMES_MAX, &rule->keys, &rule->n_keys);
}

static int read_variables(RuleReader *reader, const YamlNode *value, void *target) {
        Rule *rule = target;
        int r;

        if (!expect_kind(reader, value, YAML_MAP, &r))
                return r;
        if (value->n_children > VARIABLES_MAX)
                return mistake(reader, value, "`variables` has %zu, expected at most %d", value->n_children,
                        VARIABLES_MAX);
        rule->defaults = calloc(value->n_children + 1, sizeof(*rule->defaults));
        if (!rule->defaults)
                return -ENOMEM;
        for (size_t i = 0; i < value->n_children; i++) {
                const YamlNode *child = value->children[i];
                Variable *variable = &rule->defaults[rule->n_defaults];

                if (!expect_kind(reader, child, YAML_SCALAR, &r)) {
                        if (r < 0)
                                return r;
                        continue;
                }
                rule->n_defaults++;
                variable->name = strdup(child->key);
                variable->value = strdup(child->text);
                if (!variable->name || !variable->value)
                        return -ENOMEM;
        }
        return 0;
}

static int read_template(RuleReader *reader, const YamlNode *value, void *target) {
        char **template = target;
        int r = read_text(reader, value, template);

        return r < 0 || !*template ? r : check_template(reader, value, *template);
}

static int read_evidence_signals(RuleReader *reader, const YamlNode *value, void *target) {
        Rule *rule = target;

        return read_steps(reader, value, rule->evidence, &rule->n_evidence);
}

static const KeySpec evidence_keys[] = {
        {"signals", read_evidence_signals, 0, true},
        {"within", read_duration, offsetof(Rule, evidence_window), true},
};
const KeyTable evidence_table = KEY_TABLE("evidence", evidence_keys);

static int read_evidence(RuleReader *reader, const YamlNode *value, void *target) {
        return read_table(reader, value, &evidence_table, target);
}

static int read_require(RuleReader *reader, const YamlNode *value, void *target) {
        Rule *rule = target;

        return read_strings(reader, value, RULE_PROBES_MAX, &rule->require, &rule->n_require);
}

static int read_ask(RuleReader *reader, const YamlNode *value, void *target) {
        Rule *rule = target;

        return read_strings(reader, value, RULE_PROBES_MAX, &rule->ask, &rule->n_ask);
}

static const KeySpec confirm_keys[] = {
        {"conclusive", read_bool, offsetof(Rule, conclusive), false},
        {"require", read_require, 0, false},
        {"ask", read_ask, 0, false},
};
const KeyTable confirm_table = KEY_TABLE("confirm", confirm_keys);

static int read_confirm(RuleReader *reader, const YamlNode *value, void *target) {
        const Rule *rule = target;
        int r = read_table(reader, value, &confirm_table, target);

        if (r < 0 || value->kind != YAML_MAP || rule->conclusive || rule->n_require > 0)
                return r;
        return mistake(
                reader, value, "nothing can confirm this rule, expected `conclusive: true` or `require`");
}

static int read_explained_by(RuleReader *reader, const YamlNode *value, void *target) {
        Rule *rule = target;

        rule->explained_by_line = value->line;
        rule->explained_by_column = value->column;
        return read_strings(reader, value, NAMES_MAX, &rule->explained_by, &rule->n_explained_by);
}

static int read_remedy_where(RuleReader *reader, const YamlNode *value, void *target) {
        int where = REMEDY_DEVICE;
        int r = read_enum(reader, value, remedy_where_to_string, 0, REMEDY_X_MAX, &where);

        *(RemedyWhere *) target = (RemedyWhere) where;
        return r;
}

static int check_patch_strings(RuleReader *reader, const YamlNode *node) {
        if (node->kind == YAML_SCALAR)
                return check_template(reader, node, node->text);
        for (size_t i = 0; i < node->n_children; i++) {
                int r = check_patch_strings(reader, node->children[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_deployment_patch(RuleReader *reader, const YamlNode *value, void *target) {
        json_t **patch = target;
        int r;

        if (!expect_kind(reader, value, YAML_LIST, &r))
                return r;
        for (size_t i = 0; i < value->n_children; i++) {
                const YamlNode *op = value->children[i];

                if (op->kind == YAML_MAP && yaml_find(op, "op") && yaml_find(op, "path"))
                        continue;
                r = mistake(reader, op, "no operation of RFC 6902, expected a mapping with `op` and `path`");
                if (r < 0)
                        return r;
        }
        *patch = yaml_to_json(value);
        return *patch ? check_patch_strings(reader, value) : -ENOMEM;
}

static const KeySpec remedy_keys[] = {
        {"where", read_remedy_where, offsetof(Remedy, where), true},
        {"text", read_template, offsetof(Remedy, text), true},
        {"fix", read_name, offsetof(Remedy, fix), false},
        {"deployment-patch", read_deployment_patch, offsetof(Remedy, deployment_patch), false},
};
const KeyTable remedy_table = KEY_TABLE("remedy", remedy_keys);

static int read_remedy(RuleReader *reader, const YamlNode *value, void *target) {
        return read_table(reader, value, &remedy_table, target);
}

static const KeySpec rule_keys[] = {
        {"id", read_id, offsetof(Rule, id), true},
        {"title", read_text, offsetof(Rule, title), true},
        {"severity", read_severity, offsetof(Rule, severity), true},
        {"message-id", read_message_id, offsetof(Rule, message_id), true},
        {"documentation", read_text, offsetof(Rule, documentation), false},
        {"layer", read_layer, offsetof(Rule, layer), true},
        {"variables", read_variables, 0, false},
        {"fragments", read_fragments, 0, false},
        {"signals", read_signals, 0, true},
        {"key", read_keys, 0, false},
        {"when", read_when, 0, true},
        {"clear", read_clear, 0, true},
        {"evidence", read_evidence, 0, false},
        {"refractory", read_duration, offsetof(Rule, refractory), false},
        {"confirm", read_confirm, 0, true},
        {"explained-by", read_explained_by, 0, false},
        {"subject", read_template, offsetof(Rule, subject), true},
        {"message", read_template, offsetof(Rule, message), true},
        {"explanation", read_template, offsetof(Rule, explanation), true},
        {"remedy", read_remedy, offsetof(Rule, remedy), true},
        {"examples", read_examples, 0, false},
};
const KeyTable rule_table = KEY_TABLE("rule", rule_keys);

static int check_keys(RuleReader *reader, const YamlNode *root) {
        const YamlNode *value = root->kind == YAML_MAP ? yaml_find(root, "key") : NULL;
        const Rule *rule = reader->rule;

        for (size_t i = 0; value && i < rule->n_keys; i++) {
                int r;

                if (rule_has_variable(rule, text_of(rule->keys[i])))
                        continue;
                r = mistake(reader, value, "no signal captures \"%s\", expected a group (?<%s>…)",
                        rule->keys[i], rule->keys[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* `where` may name variables of signals that stand further down, so it waits until all are read. */
static int check_where(RuleReader *reader, const YamlNode *node) {
        bool is_where = node->key && strcmp(node->key, "where") == 0;

        for (size_t i = 0; i < node->n_children; i++) {
                const YamlNode *child = node->children[i];
                int r = 0;

                if (!is_where)
                        r = check_where(reader, child);
                else if (!rule_has_variable(reader->rule, text_of(child->key)))
                        r = mistake_at_key(reader, child,
                                "no signal captures \"%s\", expected a group (?<%s>…)", child->key,
                                child->key);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void mark_used(bool *used, const size_t *steps, size_t n) {
        for (size_t i = 0; i < n; i++)
                used[steps[i]] = true;
}

static void mark_conditions(bool *used, const Condition *conditions, size_t n) {
        FOREACH_ARRAY (c, conditions, n) {
                mark_used(used, c->steps, c->n_steps);
                mark_used(used, c->absent, c->n_absent);
                mark_used(used, c->before, c->n_before);
        }
}

/* A signal that nothing names is a forgotten or misspelt one. */
static int check_signals_used(RuleReader *reader, const YamlNode *root) {
        const YamlNode *signals = root->kind == YAML_MAP ? yaml_find(root, "signals") : NULL;
        const Rule *rule = reader->rule;
        bool used[RULE_SIGNALS_MAX] = {};

        mark_conditions(used, rule->when, rule->n_when);
        mark_conditions(used, rule->clear, rule->n_clear);
        mark_used(used, rule->evidence, rule->n_evidence);
        for (size_t i = 0; i < rule->n_signals; i++) {
                const YamlNode *signal = signals ? yaml_find(signals, rule->signals[i].name) : NULL;
                int r;

                if (used[i] || !signal)
                        continue;
                r = mistake_at_key(
                        reader, signal, "no condition and no evidence names the signal `%s`", signal->key);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int compare_problems(const void *a, const void *b) {
        const Problem *x = a, *y = b;

        if (x->line != y->line)
                return x->line < y->line ? -1 : 1;
        return x->column < y->column ? -1 : x->column > y->column;
}

static int read_rule(RuleReader *reader, const YamlNode *root) {
        int r;

        r = read_table(reader, root, &rule_table, reader->rule);
        if (r < 0)
                return r;
        r = check_keys(reader, root);
        if (r < 0)
                return r;
        r = check_where(reader, root);
        if (r < 0 || reader->n_mistakes > 0) /* an unread condition names no signal: no more complaints */
                return r;
        return check_signals_used(reader, root);
}

int rule_parse(const char *path, Text yaml, ProblemList *problems, Rule **ret) {
        _cleanup_(yaml_node_freep) YamlNode *root = NULL;
        _cleanup_(rule_freep) Rule *rule = NULL;
        RuleReader reader = {.path = path, .problems = problems};
        size_t n_before = problems->n_items;
        uint64_t n_dropped = problems->n_dropped;
        int r;

        r = yaml_read(path, yaml, problems, &root);
        if (r < 0)
                return r;
        rule = reader.rule = calloc(1, sizeof(*rule));
        if (!rule)
                return -ENOMEM;
        rule->path = strdup(path);
        if (!rule->path)
                return -ENOMEM;
        r = read_rule(&reader, root);
        if (r < 0)
                return r;
        if (problems->n_items > n_before)
                qsort(problems->items + n_before, problems->n_items - n_before, sizeof(Problem),
                        compare_problems);
        if (problems->n_items > n_before || problems->n_dropped > n_dropped)
                return -EINVAL;
        *ret = TAKE_PTR(rule);
        return 0;
}
