/* Compiles and runs patterns. The trap: PCRE2's limit of steps counts from each starting point anew, so the
 * caller bounds the length of the text. */

#include "lib/match/pattern.h"

#define PATTERN_BYTES_MAX 4096
#define NESTING_MAX       64
#define HEAP_LIMIT_KIB    2048

static int list_mistake(
        const Rule *rule, const Pattern *pattern, ProblemList *problems, int error, size_t offset) {
        char reason[160];

        if (pcre2_get_error_message(error, (PCRE2_UCHAR *) reason, sizeof(reason)) < 0)
                reason[0] = '\0';
        return problem_list_add(problems, rule->path, pattern->line, pattern->column,
                "the pattern is wrong at its byte %zu: %s", offset, reason);
}

static void compile_context_done(pcre2_compile_context **context) {
        pcre2_compile_context_free(*context);
}

static void read_names(CompiledPattern *p) {
        PCRE2_SPTR names;

        (void) pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &p->n_names);
        (void) pcre2_pattern_info(p->code, PCRE2_INFO_NAMEENTRYSIZE, &p->name_bytes);
        (void) pcre2_pattern_info(p->code, PCRE2_INFO_NAMETABLE, &names);
        p->names = names;
}

int pattern_compile(const Rule *rule, const Pattern *pattern, ProblemList *problems, PatternRunner *runner,
        CompiledPattern *ret) {
        _cleanup_(compile_context_done) pcre2_compile_context *context = pcre2_compile_context_create(NULL);
        uint32_t groups = 0;
        size_t offset;
        int error;

        if (!context)
                return -ENOMEM;
        (void) pcre2_set_max_pattern_length(context, PATTERN_BYTES_MAX);
        (void) pcre2_set_parens_nest_limit(context, NESTING_MAX);
        ret->code = pcre2_compile((PCRE2_SPTR) pattern->text, strlen(pattern->text),
                PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, context);
        if (!ret->code)
                return error == PCRE2_ERROR_HEAP_FAILED
                        ? -ENOMEM
                        : list_mistake(rule, pattern, problems, error, offset);
        read_names(ret);
        (void) pcre2_pattern_info(ret->code, PCRE2_INFO_CAPTURECOUNT, &groups);
        if (groups > runner->max_groups)
                runner->max_groups = groups;
        return 0;
}

void pattern_done(CompiledPattern *p) {
        pcre2_code_free(p->code);
        *p = (CompiledPattern){};
}

int pattern_runner_start(PatternRunner *runner) {
        runner->context = pcre2_match_context_create(NULL);
        runner->data = pcre2_match_data_create(runner->max_groups + 1, NULL);
        if (!runner->context || !runner->data)
                return -ENOMEM;
        (void) pcre2_set_match_limit(runner->context, MATCH_LIMIT);
        (void) pcre2_set_depth_limit(runner->context, MATCH_LIMIT);
        (void) pcre2_set_heap_limit(runner->context, HEAP_LIMIT_KIB);
        return 0;
}

void pattern_runner_done(PatternRunner *runner) {
        pcre2_match_context_free(runner->context);
        pcre2_match_data_free(runner->data);
        *runner = (PatternRunner){};
}

static void add_captures(const CompiledPattern *p, const PatternRunner *runner, Text text, Hit *hit) {
        const size_t *offsets = pcre2_get_ovector_pointer(runner->data);

        for (uint32_t i = 0; i < p->n_names && hit->n_variables < MATCH_VARIABLES_MAX; i++) {
                const unsigned char *entry = p->names + (size_t) i * p->name_bytes;
                size_t group = (size_t) entry[0] << 8 | entry[1];
                size_t start = offsets[2 * group], end = offsets[2 * group + 1];

                if (start == PCRE2_UNSET || start > end || end > text.len)
                        continue;
                hit->variables[hit->n_variables++] = (HitVariable){
                        .name = (const char *) entry + 2, .value = {text.data + start, end - start}};
        }
}

int pattern_run(const CompiledPattern *p, PatternRunner *runner, Text text, Hit *hit) {
        int r;

        if (!p->code)
                return 0;
        r = pcre2_match(p->code, (PCRE2_SPTR) (text.data ? text.data : ""), text.len, 0, 0, runner->data,
                runner->context);
        if (r == PCRE2_ERROR_NOMATCH)
                return 0;
        if (r == PCRE2_ERROR_NOMEMORY)
                return -ENOMEM;
        if (r < 0)
                return -ELOOP; /* the match, depth or heap limit; and loops of recursion */
        add_captures(p, runner, text, hit);
        return 1;
}
