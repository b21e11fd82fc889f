/* `where`: tests on captured variables, of one signal or of all steps of a condition together.
 *
 * `port: ["443", "5671"]`, `reason: {not: denied}`, `to: {greater-than: from}`. A key of the mapping is a
 * variable's name, so there is no table of them; the comparisons have one. */

#include "lib/rules/rule-reader.h"

#define WHERE_MAX  16
#define VALUES_MAX 64

static int read_values(RuleReader *reader, const YamlNode *value, VariableTest *test, CompareOp op) {
        test->op = op;
        return read_strings(
                reader, value, op == COMPARE_IS_NOT ? VALUES_MAX : 1, &test->values, &test->n_values);
}

static int read_not(RuleReader *reader, const YamlNode *value, void *target) {
        return read_values(reader, value, target, COMPARE_IS_NOT);
}

static int read_greater(RuleReader *reader, const YamlNode *value, void *target) {
        return read_values(reader, value, target, COMPARE_GREATER);
}

static int read_less(RuleReader *reader, const YamlNode *value, void *target) {
        return read_values(reader, value, target, COMPARE_LESS);
}

static const KeySpec compare_keys[] = {
        {"not", read_not, 0, false},
        {"greater-than", read_greater, 0, false},
        {"less-than", read_less, 0, false},
};
const KeyTable compare_table = KEY_TABLE("where", compare_keys);

static int read_test(RuleReader *reader, const YamlNode *value, VariableTest *test) {
        test->variable = strdup(value->key);
        if (!test->variable)
                return -ENOMEM;
        if (value->kind != YAML_MAP)
                return read_strings(reader, value, VALUES_MAX, &test->values, &test->n_values);
        if (value->n_children != 1)
                return mistake(reader, value, "`%s` has %zu comparisons, expected one", value->key,
                        value->n_children);
        return read_table(reader, value, &compare_table, test);
}

int read_where(RuleReader *reader, const YamlNode *value, VariableTest **ret, size_t *ret_n) {
        int r;

        if (!expect_kind(reader, value, YAML_MAP, &r))
                return r;
        if (value->n_children == 0 || value->n_children > WHERE_MAX)
                return mistake(reader, value, "`where` has %zu tests, expected 1 to %d", value->n_children,
                        WHERE_MAX);
        *ret = calloc(value->n_children, sizeof(**ret));
        if (!*ret)
                return -ENOMEM;
        for (size_t i = 0; i < value->n_children; i++) {
                r = read_test(reader, value->children[i], &(*ret)[(*ret_n)++]);
                if (r < 0)
                        return r;
        }
        return 0;
}
