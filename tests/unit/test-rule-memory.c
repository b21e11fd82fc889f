/* The n-th allocation fails, for each n: reading a rule and building a matcher then return -ENOMEM, lose no
 * memory (ASan and valgrind watch) and never half a rule. Allocations inside libyaml and PCRE2 are their
 * own; those of our code and of jansson pass here. */

#include <stdarg.h>
#include <stdio.h>

#include "lib/match/matcher.h"

#include "tests/unit/rule-text.h"
#include "tests/unit/unit.h"

static size_t until_failure = SIZE_MAX; /* allocations that still succeed */

/* Once the chosen one failed all succeed again: code that goes on as if nothing were is then found out. */
static bool fails(void) {
        return until_failure != SIZE_MAX && until_failure-- == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *pointer, size_t size);
char *__real_strdup(const char *s);
int __real_vasprintf(char **ret, const char *format, va_list args);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
char *__wrap_strdup(const char *s);
int __wrap_vasprintf(char **ret, const char *format, va_list args);

void *__wrap_malloc(size_t size) {
        return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *pointer, size_t size) {
        return fails() ? NULL : __real_realloc(pointer, size);
}

char *__wrap_strdup(const char *s) {
        return fails() ? NULL : __real_strdup(s);
}

int __wrap_vasprintf(char **ret, const char *format, va_list args) {
        return fails() ? -1 : __real_vasprintf(ret, format, args);
}

/* Parses and, when that is good, matches, with the n-th allocation failing. */
static int run(size_t n, const char *yaml) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(rule_freep) Rule *rule = NULL;
        _cleanup_(matcher_freep) Matcher *matcher = NULL;
        RuleSet set = {.rules = &rule, .n_rules = 1};
        int r;

        until_failure = n;
        r = rule_parse("good.yaml", text_of(yaml), &problems, &rule);
        if (r >= 0)
                r = matcher_new(&matcher, &set, &problems);
        return r;
}

static void fail_each(const char *yaml, int expected) {
        size_t n_harmless = 0;

        for (size_t n = 0;; n++) {
                int r = run(n, yaml);
                bool failed = until_failure == SIZE_MAX;

                until_failure = SIZE_MAX;
                if (!failed) {
                        ck_assert_int_eq(r, expected);
                        ck_assert_uint_gt(n, 50);
                        return;
                }
                if (r == -ENOMEM)
                        continue;
                ck_assert_msg(r == expected, "allocation %zu: %d", n, r);
                ck_assert_uint_le(++n_harmless, 1); /* shrinking the automaton */
        }
}

START_TEST(good_rule_survives) {
        fail_each(good_rule, 0);
}
END_TEST

START_TEST(bad_rule_survives) {
        _cleanup_(freep) char *yaml = spoilt_rule("title: A title", "titel: ${none}\nlayr: [a, b]");

        fail_each(yaml, -EINVAL);
}
END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("rule-memory");
        TCase *t = tcase_create("rule-memory");

        tcase_add_test(t, good_rule_survives);
        tcase_add_test(t, bad_rule_survives);
        suite_add_tcase(s, t);
        return s;
}

int main(void) {
        json_set_alloc_funcs(__wrap_malloc, free);
        return run_suite(suite());
}
