#pragma once

/* Finds which signals of which rules an event is. For log lines: one Aho-Corasick pass over the text for the
 * literals that the patterns require, then PCRE2 (interpreter, match limit) on the few candidates. The cost
 * of a line that matches nothing does not grow with the number of rules. For all other events: tests on
 * their fields. */

#include "lib/rules/rule-set.h"

#define MATCH_HITS_MAX      64
#define MATCH_VARIABLES_MAX 16
#define MATCH_TEXT_MAX      ((size_t) 16 * 1024) /* longer lines are matched by their beginning */
#define MATCH_LIMIT         10000 /* PCRE2 steps; a pattern that needs more is a fault of its rule */

typedef struct HitVariable {
        const char *name; /* belongs to the matcher */
        Text value;       /* points into the event */
} HitVariable;

typedef struct Hit {
        size_t rule;   /* index in the rule set */
        size_t signal; /* index in the rule */
        HitVariable variables[MATCH_VARIABLES_MAX];
        size_t n_variables;
} Hit;

typedef struct Matcher Matcher;

/* rules must outlive the matcher. A pattern that does not compile or, of a log, has no literal of 3 bytes is
 * a problem; it then never matches. -E2BIG when the literals are more than AUTOMATON_BYTES_MAX can hold. */
int matcher_new(Matcher **ret, const RuleSet *rules, ProblemList *problems);
Matcher *matcher_free(Matcher *m);
DEFINE_CLEANUP(Matcher, matcher_free);

/* Fills hits (at most MATCH_HITS_MAX) and returns their number. The hits are valid until the next call and
 * as long as the event. VariableTests of signals are applied here, except those on variables that the signal
 * did not capture: the engine does those. */
size_t matcher_match(Matcher *m, const Event *event, const Hit **ret);

/* Whether any rule reads this origin's lines: for sources that can leave the others alone. */
bool matcher_reads_origin(const Matcher *m, Origin origin);

typedef struct MatcherStats {
        uint64_t lines;      /* passed through the automaton */
        uint64_t candidates; /* handed to PCRE2 */
        uint64_t hits;
        uint64_t limit_hits; /* patterns that ran into MATCH_LIMIT */
        uint64_t truncated;  /* lines longer than MATCH_TEXT_MAX */
        size_t automaton_bytes;
} MatcherStats;

MatcherStats matcher_stats(const Matcher *m);
/* How often patterns of this rule ran into MATCH_LIMIT. */
uint64_t matcher_limit_hits(const Matcher *m, size_t rule);

/* The longest literal that every match of the pattern contains, lower-cased, into ret (freed by the caller).
 * When the pattern is an alternation of several branches each branch has its own. -ENOENT when a branch has
 * none of 3 bytes. For tests and lint. */
int pattern_literals(const char *pattern, char ***ret, size_t *ret_n);
