#pragma once

/* The frame of every unit test: one suite, TAP on standard output. */

#include <check.h>

#define ck_assert_text_eq(text, string)                                                                     \
        do {                                                                                                \
                Text _t = (text);                                                                           \
                char *_s = text_dup(_t);                                                                    \
                ck_assert_str_eq(_s, (string));                                                             \
                free(_s);                                                                                   \
        } while (false)

static inline int run_suite(Suite *suite) {
        SRunner *runner = srunner_create(suite);
        int n_failed;

        srunner_set_tap(runner, "-");
        srunner_run_all(runner, CK_SILENT);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
