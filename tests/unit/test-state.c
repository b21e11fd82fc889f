#include "daemon/watch/state.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <fcntl.h>

static char directory[64];

static void setup(void) {
        (void) snprintf(directory, sizeof(directory), "/tmp/edgewatch-test-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void write_file(const char *name, const char *content) {
        char path[128];
        FILE *f;

        (void) snprintf(path, sizeof(path), "%s/%s", directory, name);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(content, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

/* Removes the directory's files; returns how many there were. */
static int clean(void) {
        DIR *d = opendir(directory);
        int n = 0;

        for (struct dirent *entry; (entry = readdir(d));)
                if (entry->d_name[0] != '.') {
                        ck_assert_int_eq(unlinkat(dirfd(d), entry->d_name, 0), 0);
                        n++;
                }
        (void) closedir(d);
        return n;
}

static void teardown(void) {
        (void) clean();
        ck_assert_int_eq(rmdir(directory), 0);
}

START_TEST(test_saved_is_loaded) {
        json_t *state = json_pack("{s:i, s:s}", "version", STATE_VERSION, "a", "ü"), *loaded = NULL;
        char *aside = NULL;

        ck_assert_int_eq(state_save(directory, state), 0);
        ck_assert_int_eq(state_save(directory, state), 0);
        ck_assert_int_eq(state_load(directory, 0, &loaded, &aside), 1);
        ck_assert(json_equal(state, loaded));
        ck_assert_ptr_null(aside);
        ck_assert_int_eq(clean(), 1);
        json_decref(state);
        json_decref(loaded);
}
END_TEST

START_TEST(test_nothing_there) {
        json_t *loaded = NULL;
        char *aside = NULL;

        ck_assert_int_eq(state_load(directory, 0, &loaded, &aside), 0);
        ck_assert_int_eq(state_load("/nonexistent/edgewatch", 0, &loaded, &aside), 0);
        ck_assert_ptr_null(loaded);
}
END_TEST

static const struct {
        const char *content, *name;
} unusable[] = {
        {"", "state.json.unreadable.7"},
        {"{\"version\":1", "state.json.unreadable.7"},
        {"[1]", "state.json.unreadable.7"},
        {"{\"version\":\"1\"}", "state.json.unreadable.7"},
        {"{\"version\":2}", "state.json.version-2.7"},
        {"{\"version\":1,\"version\":1}", "state.json.unreadable.7"},
};

START_TEST(test_unusable_is_set_aside) {
        json_t *loaded = NULL;
        char *aside = NULL, path[256];

        write_file("state.json", unusable[_i].content);
        ck_assert_int_eq(state_load(directory, 7 * USEC_PER_SEC, &loaded, &aside), 0);
        ck_assert_ptr_null(loaded);
        ck_assert_str_eq(aside, unusable[_i].name);
        (void) snprintf(path, sizeof(path), "%s/%s", directory, aside);
        ck_assert_int_eq(access(path, F_OK), 0);
        free(aside);
        ck_assert_int_eq(clean(), 1);
}
END_TEST

/* A crash between writing and renaming leaves the new file behind: it must neither count nor be in the way.
 */
START_TEST(test_leftover_does_not_count) {
        json_t *state = json_pack("{s:i}", "version", STATE_VERSION), *loaded = NULL;
        char *aside = NULL;

        write_file("state.json.new", "{\"version\":1,\"half");
        ck_assert_int_eq(state_load(directory, 0, &loaded, &aside), 0);
        ck_assert_int_eq(state_save(directory, state), 0);
        ck_assert_int_eq(state_load(directory, 0, &loaded, &aside), 1);
        json_decref(state);
        json_decref(loaded);
}
END_TEST

/* A folder in the file's place stands for any disk that refuses. */
START_TEST(test_failure_keeps_the_old_one) {
        json_t *old = json_pack("{s:i, s:i}", "version", STATE_VERSION, "n", 1);
        json_t *state = json_pack("{s:i, s:i}", "version", STATE_VERSION, "n", 2), *loaded = NULL;
        char *aside = NULL, path[128];

        ck_assert_int_eq(state_save(directory, old), 0);
        (void) snprintf(path, sizeof(path), "%s/state.json.new", directory);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        ck_assert_int_lt(state_save(directory, state), 0);
        ck_assert_int_eq(rmdir(path), 0);
        ck_assert_int_eq(state_load(directory, 0, &loaded, &aside), 1);
        ck_assert(json_equal(old, loaded));
        json_decref(old);
        json_decref(state);
        json_decref(loaded);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("state");
        TCase *tcase = tcase_create("state");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_saved_is_loaded);
        tcase_add_test(tcase, test_nothing_there);
        tcase_add_loop_test(tcase, test_unusable_is_set_aside, 0, ELEMENTSOF(unusable));
        tcase_add_test(tcase, test_leftover_does_not_count);
        tcase_add_test(tcase, test_failure_keeps_the_old_one);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
