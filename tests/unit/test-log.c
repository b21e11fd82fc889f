/* What the daemon's own log writes to standard error. */

#include "daemon/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static char written[1024];

static void begin(int *ret_saved, FILE **ret_file) {
        (void) unsetenv("JOURNAL_STREAM");
        *ret_file = tmpfile();
        ck_assert_ptr_nonnull(*ret_file);
        *ret_saved = dup(STDERR_FILENO);
        ck_assert_int_ge(*ret_saved, 0);
        ck_assert_int_ge(dup2(fileno(*ret_file), STDERR_FILENO), 0);
}

static void end(int saved, FILE *file) {
        size_t n;

        (void) fflush(stderr);
        ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
        ck_assert_int_eq(close(saved), 0);
        rewind(file);
        n = fread(written, 1, sizeof(written) - 1, file);
        written[n] = '\0';
        ck_assert_int_eq(fclose(file), 0);
}

/* The foreground daemon wrote the bytes of a binary configuration file, or a container's name, as they are.
 */
START_TEST(nothing_reaches_a_terminal_raw) {
        FILE *file;
        int saved;

        begin(&saved, &file);
        log_warning("\"%s\" is no key", "\033[2J\xc2\x9bk\nx\xff");
        end(saved, file);
        ck_assert_ptr_null(strchr(written, '\033'));
        ck_assert_ptr_null(strstr(written, "\xc2\x9b"));
        ck_assert_ptr_null(strchr(written, '\xff'));
        ck_assert_ptr_eq(strchr(written, '\n'), written + strlen(written) - 1);
        ck_assert_ptr_nonnull(strstr(written, "\\x1b[2J"));
}
END_TEST

START_TEST(the_error_is_the_one_handed_in) {
        FILE *file;
        int saved, r;

        begin(&saved, &file);
        errno = EPERM;
        r = log_error_errno(-ENOSPC, "Failed to save: %m");
        end(saved, file);
        ck_assert_int_eq(r, -ENOSPC);
        ck_assert_str_eq(written, "Failed to save: No space left on device\n");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("log");
        TCase *tcase = tcase_create("log");

        tcase_add_test(tcase, nothing_reaches_a_terminal_raw);
        tcase_add_test(tcase, the_error_is_the_one_handed_in);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
