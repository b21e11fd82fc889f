/* Which file a plan reads and changes where links lead to it, and where it refuses. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/fix/plan-file.h"

#include "tests/unit/unit.h"

static char folder[64], file[96], link_to_it[96], link_to_nothing[96];

static void write_text(const char *path, const char *text) {
        FILE *f = fopen(path, "we");

        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

static void make_folder(void) {
        (void) snprintf(folder, sizeof(folder), "/tmp/edgewatch-test-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        (void) snprintf(file, sizeof(file), "%s/real.json", folder);
        (void) snprintf(link_to_it, sizeof(link_to_it), "%s/daemon.json", folder);
        (void) snprintf(link_to_nothing, sizeof(link_to_nothing), "%s/none.json", folder);
        write_text(file, "{}");
        ck_assert_int_eq(symlink("real.json", link_to_it), 0);
        ck_assert_int_eq(symlink("nowhere.json", link_to_nothing), 0);
}

static void remove_folder(void) {
        (void) unlink(file);
        (void) unlink(link_to_it);
        (void) unlink(link_to_nothing);
        ck_assert_int_eq(rmdir(folder), 0);
}

static int plan_change(FixPlan *plan, const char *path) {
        _cleanup_(freep) char *why = NULL;

        return plan_write_file(plan, path, json_pack("{s:s, s:s}", "kind", "content", "text", "new"), &why,
                "Write %s", path);
}

static FixPlan *new_plan(void) {
        FixPlan *plan;

        ck_assert_int_eq(fix_plan_new(&plan, "docker-dns", "0123456789abcdef", "edgeAgent"), 0);
        return plan;
}

START_TEST(file_behind_a_link_is_read_and_changed) {
        _cleanup_(fix_plan_freep) FixPlan *plan = new_plan();
        _cleanup_(freep) char *text = NULL;
        size_t len;

        ck_assert_int_eq(plan_read_file(link_to_it, &text, &len), 0);
        ck_assert_str_eq(text, "{}");
        ck_assert_int_eq(plan_change(plan, link_to_it), 1);
        ck_assert_ptr_null(plan->refusal);
        ck_assert_str_eq(json_string_value(json_object_get(plan->steps[0].argument, "path")), file);
}
END_TEST

START_TEST(link_to_nothing_stays) {
        _cleanup_(fix_plan_freep) FixPlan *plan = new_plan();
        char *text;
        size_t len;

        ck_assert_int_eq(plan_read_file(link_to_nothing, &text, &len), -ELOOP);
        ck_assert_int_eq(plan_change(plan, link_to_nothing), -ELOOP);
        ck_assert_uint_eq(plan->n_steps, 0);
}
END_TEST

START_TEST(link_of_another_leads_nowhere) {
        _cleanup_(fix_plan_freep) FixPlan *plan = new_plan();
        char *text;
        size_t len;

        if (geteuid() != 0) /* links that are not ours are root's */
                return;
        ck_assert_int_eq(lchown(link_to_it, 65534, 65534), 0);
        ck_assert_int_eq(plan_read_file(link_to_it, &text, &len), -ELOOP);
        ck_assert_int_eq(plan_change(plan, link_to_it), -ELOOP);
}
END_TEST

START_TEST(folder_that_cannot_be_written_is_refused) {
        _cleanup_(fix_plan_freep) FixPlan *plan = new_plan();
        _cleanup_(freep) char *text = NULL;
        char path[128], start[256];
        size_t len;

        (void) snprintf(path, sizeof(path), "%s/a/b/daemon.json", folder);
        ck_assert_int_eq(plan_read_file(path, &text, &len), 0);
        ck_assert_ptr_null(text);
        ck_assert_int_eq(plan_change(plan, path), 1);
        ck_assert_ptr_nonnull(plan->refusal);
        (void) snprintf(start, sizeof(start), "%s cannot be written: %s/a: No such file", path, folder);
        ck_assert_int_eq(strncmp(plan->refusal, start, strlen(start)), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("plan-file");
        TCase *tc = tcase_create("plan-file");

        tcase_add_checked_fixture(tc, make_folder, remove_folder);
        tcase_add_test(tc, file_behind_a_link_is_read_and_changed);
        tcase_add_test(tc, link_to_nothing_stays);
        tcase_add_test(tc, link_of_another_leads_nowhere);
        tcase_add_test(tc, folder_that_cannot_be_written_is_refused);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
