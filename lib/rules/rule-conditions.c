/* `when` and `clear`: lists of conditions over signals.
 *
 * What kind a condition is follows from the one key that only this kind has (`any`, `sequence`, `after`…);
 * each kind has its own table of keys. Signals are named, so they must have been read before. */

#include "lib/rules/rule-reader.h"
#include "lib/base/buffer.h"

static int find_step(
        RuleReader *reader, const YamlNode *item, size_t steps[static RULE_STEPS_MAX], size_t *n) {
        int r;

        if (!expect_kind(reader, item, YAML_SCALAR, &r))
                return r;
        r = rule_find_signal(reader->rule, item->text);
        if (r < 0)
                return mistake(reader, item, "no signal is named \"%s\"", item->text);
        steps[(*n)++] = (size_t) r;
        return 0;
}

int read_steps(
        RuleReader *reader, const YamlNode *value, size_t steps[static RULE_STEPS_MAX], size_t *ret_n) {
        if (value->kind == YAML_MAP)
                return mistake(reader, value, "`%s` is a mapping, expected names of signals", value->key);
        if (value->kind == YAML_SCALAR)
                return find_step(reader, value, steps, ret_n);
        if (value->n_children == 0 || value->n_children > RULE_STEPS_MAX)
                return mistake(reader, value, "`%s` has %zu signals, expected 1 to %d", value->key,
                        value->n_children, RULE_STEPS_MAX);
        for (size_t i = 0; i < value->n_children; i++) {
                int r = find_step(reader, value->children[i], steps, ret_n);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_condition_steps(RuleReader *reader, const YamlNode *value, void *target) {
        Condition *condition = target;

        return read_steps(reader, value, condition->steps, &condition->n_steps);
}

static int read_absent(RuleReader *reader, const YamlNode *value, void *target) {
        Condition *condition = target;

        return read_steps(reader, value, condition->absent, &condition->n_absent);
}

static int read_before(RuleReader *reader, const YamlNode *value, void *target) {
        Condition *condition = target;

        return read_steps(reader, value, condition->before, &condition->n_before);
}

static int read_condition_where(RuleReader *reader, const YamlNode *value, void *target) {
        Condition *condition = target;

        return read_where(reader, value, &condition->where, &condition->n_where);
}

static int read_refuted(RuleReader *reader, const YamlNode *value, void *target) {
        bool refuted;
        int r;

        if (!expect_plain_bool(reader, value, &r, &refuted))
                return r;
        if (!refuted)
                return mistake(reader, value, "`refuted` is false, expected true or no such key");
        *(bool *) target = true;
        return 0;
}

static int read_below(RuleReader *reader, const YamlNode *value, void *target) {
        Condition *condition = target;

        condition->below = true;
        return read_condition_steps(reader, value, condition);
}

static const KeySpec sustained_keys[] = {
        {"at-least", read_count, offsetof(Condition, sustained_at_least), true},
        {"every", read_duration, offsetof(Condition, sustained_every), true},
};
const KeyTable sustained_table = KEY_TABLE("sustained", sustained_keys);

static int read_sustained(RuleReader *reader, const YamlNode *value, void *target) {
        return read_table(reader, value, &sustained_table, target);
}

#define STEPS(key)                                                                                          \
        { key, read_condition_steps, 0, true }
#define WINDOW(key)                                                                                         \
        { key, read_duration, offsetof(Condition, window), true }
#define AT_LEAST                                                                                            \
        { "at-least", read_count, offsetof(Condition, at_least), true }
#define UNLESS                                                                                              \
        { "unless", read_absent, 0, false }
#define WHERE                                                                                               \
        { "where", read_condition_where, 0, false }
#define REFUTED(is_required)                                                                                \
        { "refuted", read_refuted, offsetof(Condition, refuted), is_required }

static const KeySpec any_keys[] = {STEPS("any"), WHERE, REFUTED(false)};
static const KeySpec all_keys[] = {STEPS("all"), WINDOW("within"), UNLESS, WHERE, REFUTED(false)};
static const KeySpec sequence_keys[] = {STEPS("sequence"), WINDOW("within"), UNLESS, WHERE, REFUTED(false)};
static const KeySpec count_keys[] = {
        STEPS("count"), AT_LEAST, WINDOW("within"), UNLESS, {"sustained", read_sustained, 0, false}, WHERE};
static const KeySpec after_keys[] = {STEPS("after"),
        {"at-least", read_count, offsetof(Condition, at_least), false}, {"absent", read_absent, 0, true},
        WINDOW("for"), {"preceded-by", read_before, 0, false},
        {"within", read_duration, offsetof(Condition, before_window), false}, WHERE, REFUTED(false)};
static const KeySpec below_keys[] = {{"below", read_below, 0, true}, AT_LEAST,
        {"every", read_duration, offsetof(Condition, sustained_every), true}, WINDOW("for"), REFUTED(false)};
static const KeySpec quiet_keys[] = {WINDOW("quiet"), REFUTED(false)};
static const KeySpec refuted_keys[] = {REFUTED(true)};

/* The name of each is the key that tells the kind. `refuted` is last: others have that key too. */
const KeyTable condition_tables[] = {
        KEY_TABLE("any", any_keys),
        KEY_TABLE("all", all_keys),
        KEY_TABLE("sequence", sequence_keys),
        KEY_TABLE("count", count_keys),
        KEY_TABLE("after", after_keys),
        KEY_TABLE("below", below_keys),
        KEY_TABLE("quiet", quiet_keys),
        KEY_TABLE("refuted", refuted_keys),
};
const size_t n_condition_tables = ELEMENTSOF(condition_tables);

static const struct {
        ConditionKind kind;
        bool in_when, in_clear;
} condition_kinds[ELEMENTSOF(condition_tables)] = {
        {CONDITION_ANY, true, true},
        {CONDITION_ALL, true, true},
        {CONDITION_SEQUENCE, true, true},
        {CONDITION_COUNT, true, false},
        {CONDITION_ABSENCE, true, true},
        {CONDITION_COUNT, false, true},
        {CONDITION_QUIET, false, true},
        {CONDITION_REFUTED, false, true},
};

static bool is_allowed(size_t kind, bool in_when) {
        return in_when ? condition_kinds[kind].in_when : condition_kinds[kind].in_clear;
}

static int refuse_condition(RuleReader *reader, const YamlNode *value, bool in_when) {
        _cleanup_(buffer_done) Buffer known = {};

        for (size_t i = 0; i < n_condition_tables; i++)
                if (is_allowed(i, in_when))
                        (void) buffer_append_format(
                                &known, "%s`%s`", known.len > 0 ? ", " : "", condition_tables[i].name);
        if (known.error < 0)
                return known.error;
        return mistake(reader, value, "no condition of `%s`, expected one with %s",
                in_when ? "when" : "clear", known.data);
}

/* What the tables cannot say. */
static int check_condition(RuleReader *reader, const YamlNode *value, const Condition *c, bool in_when) {
        if (in_when && c->refuted)
                return mistake(reader, value, "`refuted` stands only in `clear`");
        if (c->kind == CONDITION_SEQUENCE && c->n_steps == 1)
                return mistake(reader, value, "a sequence of one signal, expected two or more, or `any`");
        if ((c->n_before > 0) != (c->before_window > 0))
                return mistake(reader, value, "`preceded-by` needs `within`, and nothing else here has it");
        if (c->n_before > RULE_STEPS_MAX - 1)
                return mistake(reader, value, "`preceded-by` has %zu signals, expected at most %d",
                        c->n_before, RULE_STEPS_MAX - 1);
        if (c->kind == CONDITION_COUNT && c->sustained_every > c->window)
                return mistake(reader, value, "`every` is longer than the whole window");
        if (c->kind == CONDITION_COUNT && c->sustained_every > 0 &&
                c->window / c->sustained_every > RULE_WINDOW_PARTS_MAX)
                return mistake(reader, value, "`every` cuts the window into more than %d parts",
                        RULE_WINDOW_PARTS_MAX);
        return 0;
}

static int read_condition(RuleReader *reader, const YamlNode *value, Condition *condition, bool in_when) {
        int r;

        if (!expect_kind(reader, value, YAML_MAP, &r))
                return r;
        for (size_t i = 0; i < n_condition_tables; i++) {
                if (!yaml_find(value, condition_tables[i].name))
                        continue;
                if (!is_allowed(i, in_when))
                        break;
                condition->kind = condition_kinds[i].kind;
                r = read_table(reader, value, &condition_tables[i], condition);
                if (r < 0)
                        return r;
                return check_condition(reader, value, condition, in_when);
        }
        return refuse_condition(reader, value, in_when);
}

static int read_conditions(
        RuleReader *reader, const YamlNode *value, Condition **ret, size_t *ret_n, bool in_when) {
        int r;

        if (!expect_kind(reader, value, YAML_LIST, &r))
                return r;
        if (value->n_children == 0 || value->n_children > RULE_CONDITIONS_MAX)
                return mistake(reader, value, "`%s` has %zu conditions, expected 1 to %d", value->key,
                        value->n_children, RULE_CONDITIONS_MAX);
        *ret = calloc(value->n_children, sizeof(**ret));
        if (!*ret)
                return -ENOMEM;
        for (size_t i = 0; i < value->n_children; i++) {
                r = read_condition(reader, value->children[i], &(*ret)[(*ret_n)++], in_when);
                if (r < 0)
                        return r;
        }
        return 0;
}

int read_when(RuleReader *reader, const YamlNode *value, void *target) {
        Rule *rule = target;

        return read_conditions(reader, value, &rule->when, &rule->n_when, true);
}

int read_clear(RuleReader *reader, const YamlNode *value, void *target) {
        Rule *rule = target;

        return read_conditions(reader, value, &rule->clear, &rule->n_clear, false);
}
