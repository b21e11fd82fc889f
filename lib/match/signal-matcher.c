/* The tests of one signal. A test on a variable that the signal did not capture is the engine's: it knows
 * the other signals' variables. */

#include "lib/match/signal-matcher.h"

static int compile_all(const Rule *rule, const Signal *signal, ProblemList *problems, PatternRunner *runner,
        CompiledSignal *s) {
        int r = 0;

        if (signal->head.text)
                r = pattern_compile(rule, &signal->head, problems, runner, &s->head);
        for (size_t i = 0; r >= 0 && i < signal->n_patterns; i++)
                r = pattern_compile(rule, &signal->patterns[i], problems, runner, &s->patterns[i]);
        for (size_t i = 0; r >= 0 && i < signal->n_tests; i++)
                if (signal->tests[i].pattern.text)
                        r = pattern_compile(
                                rule, &signal->tests[i].pattern, problems, runner, &s->tests[i].pattern);
        return r;
}

int signal_compile(const Rule *rule, const Signal *signal, ProblemList *problems, PatternRunner *runner,
        CompiledSignal *ret) {
        CompiledSignal s = {.source = signal};
        int r;

        s.patterns = calloc(signal->n_patterns + 1, sizeof(*s.patterns));
        s.tests = calloc(signal->n_tests + 1, sizeof(*s.tests));
        r = s.patterns && s.tests ? compile_all(rule, signal, problems, runner, &s) : -ENOMEM;
        if (r < 0) {
                signal_compiled_done(&s);
                return r;
        }
        *ret = s;
        return 0;
}

void signal_compiled_done(CompiledSignal *s) {
        for (size_t i = 0; s->patterns && i < s->source->n_patterns; i++)
                pattern_done(&s->patterns[i]);
        for (size_t i = 0; s->tests && i < s->source->n_tests; i++)
                pattern_done(&s->tests[i].pattern);
        pattern_done(&s->head);
        free(s->patterns);
        free(s->tests);
        *s = (CompiledSignal){};
}

bool signal_reads(const CompiledSignal *s, const Event *event) {
        return (s->source->origins & UINT32_C(1) << event->origin) &&
                event->log.level >= s->source->min_level;
}

static bool is_one_of(Text value, char *const *values, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (text_is(value, values[i]))
                        return true;
        return false;
}

static int test_field(
        const FieldTest *test, CompiledTest *compiled, PatternRunner *runner, const Event *event, Hit *hit) {
        Text value;
        int r;

        r = event_field(event, test->field, compiled->number, &value);
        if (r <= 0)
                return 0; /* the event does not tell it: that is no match */
        if (test->pattern.text)
                return pattern_run(&compiled->pattern, runner, text_clip(value, MATCH_TEXT_MAX), hit);
        return is_one_of(value, test->values, test->n_values);
}

int signal_test_fields(CompiledSignal *s, PatternRunner *runner, const Event *event, Hit *hit) {
        if (s->source->head.text) {
                int r = pattern_run(&s->head, runner, text_clip(event->log.head, MATCH_TEXT_MAX), hit);

                if (r <= 0)
                        return r;
        }
        for (size_t i = 0; i < s->source->n_tests; i++) {
                int r = test_field(&s->source->tests[i], &s->tests[i], runner, event, hit);

                if (r <= 0)
                        return r;
        }
        return 1;
}

static const Text *find_variable(const Hit *hit, const char *name) {
        FOREACH_ARRAY (v, hit->variables, hit->n_variables)
                if (strcmp(v->name, name) == 0)
                        return &v->value;
        return NULL;
}

/* The number that a comparison names: written out, or a variable's. False when it is not to be had here. */
static bool read_operand(const Hit *hit, const char *operand, uint64_t *ret) {
        const Text *variable;

        if (text_to_u64(text_of(operand), ret) == 0)
                return true;
        variable = find_variable(hit, operand);
        return variable && text_to_u64(*variable, ret) == 0;
}

static bool comparison_holds(const VariableTest *test, Text value, const Hit *hit) {
        uint64_t left, right;

        if (!read_operand(hit, test->values[0], &right))
                return !find_variable(hit, test->values[0]); /* another signal's: for the engine */
        if (text_to_u64(value, &left) < 0)
                return false;
        return test->op == COMPARE_GREATER ? left > right : left < right;
}

static bool test_holds(const VariableTest *test, const Hit *hit) {
        const Text *value = find_variable(hit, test->variable);

        if (!value || test->n_values == 0)
                return true;
        if (test->op == COMPARE_IS)
                return is_one_of(*value, test->values, test->n_values);
        if (test->op == COMPARE_IS_NOT)
                return !is_one_of(*value, test->values, test->n_values);
        return comparison_holds(test, *value, hit);
}

bool signal_where_holds(const CompiledSignal *s, const Hit *hit) {
        FOREACH_ARRAY (test, s->source->where, s->source->n_where)
                if (!test_holds(test, hit))
                        return false;
        return true;
}
