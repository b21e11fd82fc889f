#pragma once

/* Loads rule files: /usr/share/edgewatch/rules.d, overridden by files of the same name in
 * /etc/edgewatch/rules.d, masked by a link to /dev/null or an empty file there. One bad file is reported and
 * skipped; it never stops the others. */

#include "lib/rules/rule.h"

/* What is wrong with what a person wrote, and where. */
typedef struct Problem {
        char *path;
        unsigned line, column; /* from 1; 0 when it is about the whole file */
        char *text;            /* what is wrong, what was expected */
} Problem;

#define PROBLEMS_MAX 256

typedef struct ProblemList {
        Problem *items;
        size_t n_items, allocated;
        uint64_t n_dropped;
} ProblemList;

void problem_list_done(ProblemList *l);
int problem_list_add(ProblemList *l, const char *path, unsigned line, unsigned column, const char *format,
        ...) _printf_(5, 6);
/* "path:line:column: text" */
char *problem_format(const Problem *p);

/* Parses one file's text. Returns 0 and the rule, or -EINVAL with at least one problem listed, or -ENOMEM.
 */
int rule_parse(const char *path, Text yaml, ProblemList *problems, Rule **ret);

typedef struct RuleSet {
        Rule **rules; /* sorted by id */
        size_t n_rules, allocated;
        char **masked; /* ids */
        size_t n_masked;
} RuleSet;

/* Directories in order of precedence, the strongest first, NULL-terminated; one that does not exist is no
 * fault. Bad files go to problems. Examples are checked in any case. Returns 0 or a negative errno when
 * nothing could be loaded at all (memory). */
int rule_set_load(RuleSet **ret, const char *const *directories, bool keep_examples, ProblemList *problems);
RuleSet *rule_set_free(RuleSet *s);
DEFINE_CLEANUP(RuleSet, rule_set_free);

const Rule *rule_set_find(const RuleSet *s, const char *id);
