/* The operation write-file, cut off anywhere: a file that is planned to get a setting, its backup beside it.
 */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/base/atomic-file.h"
#include "daemon/fix/operation-list.h"
#include "daemon/fix/plan-file.h"
#include "tests/unit/unit.h"

#define BEFORE "[listen]\nmanagement_uri = \"unix:///var/run/iotedge/mgmt.sock\"\n"

static char folder[] = "/tmp/edgewatch-write-file-XXXXXX";
static char path[PATH_MAX];
static const Operation *const operation = &operation_write_file;

static void write_text(const char *name, const char *text) {
        FILE *f = fopen(name, "we");

        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

static bool holds(const char *name, const char *text) {
        _cleanup_(freep) char *content = NULL;
        size_t len;

        if (file_read_at(AT_FDCWD, name, 4096, &content, &len) < 0)
                return text == NULL;
        return text && strcmp(content, text) == 0;
}

/* A plan of one step; the file is there. */
static FixPlan *plan(void) {
        json_t *edit = json_pack("{s:s, s:s, s:{s:s}}", "kind", "toml-strings", "table", "listen", "strings",
                "management_uri", "fd://aziot-edged.mgmt.socket");
        _cleanup_(freep) char *why = NULL;
        FixPlan *p = NULL;

        write_text(path, BEFORE);
        ck_assert_int_eq(fix_plan_new(&p, "daemon-sockets", "0123456789abcdef", "runtime"), 0);
        ck_assert_int_eq(plan_write_file(p, path, edit, &why, "Write"), 1);
        ck_assert_uint_eq(p->n_steps, 1);
        return p;
}

static const char *backup_of(const FixPlan *p) {
        return json_string_value(json_object_get(p->steps[0].undo, "backup"));
}

static void undo(const FixPlan *p) {
        _cleanup_(freep) char *why = NULL;

        ck_assert_msg(operation->undo(NULL, &p->steps[0], &why) == 0, "%s", why ? why : "");
}

static void apply(const FixPlan *p) {
        _cleanup_(freep) char *why = NULL;

        ck_assert_int_eq(operation->prepare(NULL, &p->steps[0], &why), 0);
        ck_assert_msg(operation->apply(NULL, &p->steps[0], &why) == 0, "%s", why ? why : "");
        ck_assert(!holds(path, BEFORE));
        ck_assert(holds(backup_of(p), BEFORE));
}

/* The process may be killed between the end of an undo and the note of it. */
START_TEST(is_taken_back_twice) {
        _cleanup_(fix_plan_freep) FixPlan *p = plan();

        apply(p);
        undo(p);
        ck_assert(holds(path, BEFORE));
        ck_assert(holds(backup_of(p), NULL));
        write_text(path, "[aziot_keys]\n"); /* somebody's, since */
        undo(p);
        ck_assert(holds(path, "[aziot_keys]\n"));
}
END_TEST

/* The power may go while the backup is written. */
START_TEST(a_torn_backup_is_put_away) {
        _cleanup_(fix_plan_freep) FixPlan *p = plan();

        write_text(backup_of(p), "[listen]\nmanagement_uri = \"uni");
        ck_assert_int_eq(operation->discard(&p->steps[0]), 0);
        ck_assert(holds(path, BEFORE));
        ck_assert(holds(backup_of(p), NULL));
        ck_assert_int_eq(operation->discard(&p->steps[0]), 0);
}
END_TEST

START_TEST(knows_whether_its_backup_is_there) {
        _cleanup_(fix_plan_freep) FixPlan *p = plan();
        _cleanup_(freep) char *why = NULL, *why_not = NULL;

        apply(p);
        ck_assert(operation->is_kept(&p->steps[0], &why));
        ck_assert_int_eq(unlink(backup_of(p)), 0);
        ck_assert(!operation->is_kept(&p->steps[0], &why));
        ck_assert_ptr_nonnull(strstr(why, backup_of(p)));
        ck_assert_int_eq(operation->apply(NULL, &p->steps[0], &why_not), -ESTALE);
}
END_TEST

START_TEST(leaves_what_another_changed) {
        _cleanup_(fix_plan_freep) FixPlan *p = plan();

        apply(p);
        write_text(path, "[agent]\n");
        undo(p);
        ck_assert(holds(path, "[agent]\n"));
        ck_assert(holds(backup_of(p), BEFORE));
        ck_assert_int_eq(unlink(backup_of(p)), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("write-file");
        TCase *c = tcase_create("write-file");
        int r;

        if (!mkdtemp(folder))
                return EXIT_FAILURE;
        (void) snprintf(path, sizeof(path), "%s/config.toml", folder);
        tcase_add_test(c, is_taken_back_twice);
        tcase_add_test(c, a_torn_backup_is_put_away);
        tcase_add_test(c, knows_whether_its_backup_is_there);
        tcase_add_test(c, leaves_what_another_changed);
        suite_add_tcase(suite, c);
        r = run_suite(suite);
        (void) unlink(path);
        (void) rmdir(folder);
        return r;
}
