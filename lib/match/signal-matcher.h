#pragma once

/* One signal, compiled: what is left to check once the literals and the origin made it a candidate. */

#include "lib/match/pattern.h"

typedef struct CompiledTest {
        CompiledPattern pattern;
        char number[EVENT_FIELD_MAX]; /* where a number that the pattern captures from is written */
} CompiledTest;

typedef struct CompiledSignal {
        size_t rule, signal;
        const Signal *source;
        CompiledPattern head;
        CompiledPattern *patterns; /* of a log, in the order of the rule */
        CompiledTest *tests;
} CompiledSignal;

int signal_compile(const Rule *rule, const Signal *signal, ProblemList *problems, PatternRunner *runner,
        CompiledSignal *ret);
void signal_compiled_done(CompiledSignal *s);

/* Whether origin and level let the signal read this log line. */
bool signal_reads(const CompiledSignal *s, const Event *event);

/* Everything but the patterns of a log. Returns 1, 0, -ELOOP or -ENOMEM as pattern_run(). */
int signal_test_fields(CompiledSignal *s, PatternRunner *runner, const Event *event, Hit *hit);

/* `where`, as far as the hit has the variables. */
bool signal_where_holds(const CompiledSignal *s, const Hit *hit);
