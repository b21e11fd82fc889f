#pragma once

/* Reads mappings of a rule file by tables of keys. A table is at once the parser, the list of what is
 * allowed in a message about an unknown key, and what conf/rules.schema.json is tested against.
 *
 * A mistake is listed as a problem and reading goes on, so that a person sees all of them; only memory
 * running out ends it. So readers return 0 also after a mistake, and the rule is thrown away at the end. */

#include "lib/rules/yaml-reader.h"

typedef struct RuleReader {
        const char *path;
        ProblemList *problems;
        uint64_t n_mistakes;
        Rule *rule;
        const YamlNode *fragments; /* NULL without any */
} RuleReader;

typedef int (*ReadValue)(RuleReader *reader, const YamlNode *value, void *target);

typedef struct KeySpec {
        const char *key;
        ReadValue read;
        size_t offset; /* of the target in the object that the mapping describes */
        bool required;
} KeySpec;

/* The keys of one kind of mapping, in the order in which they are read. */
typedef struct KeyTable {
        const char *name; /* in messages, and its name in the JSON Schema */
        const KeySpec *keys;
        size_t n_keys;
} KeyTable;

#define KEY_TABLE(table_name, specs)                                                                        \
        { .name = (table_name), .keys = (specs), .n_keys = ELEMENTSOF(specs) }

extern const KeyTable rule_table, evidence_table, confirm_table, remedy_table;
extern const KeyTable log_signal_table, compare_table, match_table;
extern const KeyTable condition_tables[], sustained_table;
extern const size_t n_condition_tables;
extern const KeyTable example_table;

int read_table(RuleReader *reader, const YamlNode *map, const KeyTable *table, void *object);
int mistake(RuleReader *reader, const YamlNode *at, const char *format, ...) _printf_(3, 4);
int mistake_at_key(RuleReader *reader, const YamlNode *at, const char *format, ...) _printf_(3, 4);

/* Whether the node is of that kind; lists a problem when it is not, *ret_r is then what to return. */
bool expect_kind(RuleReader *reader, const YamlNode *node, YamlKind kind, int *ret_r);
bool expect_plain_bool(RuleReader *reader, const YamlNode *node, int *ret_r, bool *ret);

/* Targets: char *, char *, bool, usec_t, uint64_t. */
int read_text(RuleReader *reader, const YamlNode *value, void *target);
int read_name(RuleReader *reader, const YamlNode *value, void *target);
int read_bool(RuleReader *reader, const YamlNode *value, void *target);
int read_duration(RuleReader *reader, const YamlNode *value, void *target);
int read_count(RuleReader *reader, const YamlNode *value, void *target);
int read_duration_up_to(RuleReader *reader, const YamlNode *value, usec_t max, usec_t *ret);

/* One value or a list of them, at most `max`. */
int read_strings(RuleReader *reader, const YamlNode *value, size_t max, char ***ret, size_t *ret_n);

typedef const char *(*EnumToString)(int value);
/* Returns 0 also after a mistake; *ret is then untouched. */
int read_enum(
        RuleReader *reader, const YamlNode *value, EnumToString to_string, int first, int max, int *ret);

/* Parts of a rule; the target is the Rule. */
int read_signals(RuleReader *reader, const YamlNode *value, void *target);
int read_when(RuleReader *reader, const YamlNode *value, void *target);
int read_clear(RuleReader *reader, const YamlNode *value, void *target);
int read_examples(RuleReader *reader, const YamlNode *value, void *target);

int read_fragments(RuleReader *reader, const YamlNode *value, void *target);
/* Replaces the {{fragments}} of a pattern, an allocated string or NULL. */
int expand_fragments(RuleReader *reader, const YamlNode *value, char **text);
int read_where(RuleReader *reader, const YamlNode *value, VariableTest **ret, size_t *ret_n);
/* Indices of the named signals, one or a list. */
int read_steps(
        RuleReader *reader, const YamlNode *value, size_t steps[static RULE_STEPS_MAX], size_t *ret_n);

/* Whether a signal captures the variable or the rule gives it a default. */
bool rule_has_variable(const Rule *rule, Text name);
/* Lists each ${name} of the template that nothing sets. */
int check_template(RuleReader *reader, const YamlNode *at, const char *template);
