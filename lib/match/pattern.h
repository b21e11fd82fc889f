#pragma once

/* PCRE2 as this project uses it: bytes, no JIT (the daemon runs with MemoryDenyWriteExecute), and limits on
 * steps, depth and memory, because the text comes from outside. */

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "lib/match/matcher.h"

/* Memory that all matches share: one of them runs at a time. */
typedef struct PatternRunner {
        pcre2_match_context *context;
        pcre2_match_data *data;
        uint32_t max_groups;
} PatternRunner;

typedef struct CompiledPattern {
        pcre2_code *code; /* NULL when there is none */
        const unsigned char *names;
        uint32_t n_names, name_bytes;
} CompiledPattern;

/* Returns 0, also when the pattern does not compile: that is listed as a problem of the rule and *ret stays
 * without code. */
int pattern_compile(const Rule *rule, const Pattern *pattern, ProblemList *problems, PatternRunner *runner,
        CompiledPattern *ret);
void pattern_done(CompiledPattern *p);

/* To be called when all patterns are compiled. */
int pattern_runner_start(PatternRunner *runner);
void pattern_runner_done(PatternRunner *runner);

/* Returns 1 and adds the named groups to the hit, 0 when the text does not match, -ELOOP when a limit was
 * reached, -ENOMEM. */
int pattern_run(const CompiledPattern *p, PatternRunner *runner, Text text, Hit *hit);
