#pragma once

/* A temporary directory that a test fills with files and that goes away with it. */

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/base/text.h"

typedef struct TestFolder {
        char path[64];
} TestFolder;

static inline TestFolder test_folder_new(void) {
        TestFolder f = {"/tmp/edgewatch-test-XXXXXX"};

        ck_assert_ptr_nonnull(mkdtemp(f.path));
        return f;
}

static inline int test_folder_remove(const char *path, const struct stat *st, int type, struct FTW *where) {
        return remove(path);
}

static inline void test_folder_done(TestFolder *f) {
        ck_assert_int_eq(nftw(f->path, test_folder_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* The path of a file in the folder, whose directories are made. */
static inline char *test_folder_path(const TestFolder *f, const char *name, char buffer[static PATH_MAX]) {
        ck_assert_int_lt(snprintf(buffer, PATH_MAX, "%s/%s", f->path, name), PATH_MAX);
        for (char *slash = strchr(buffer + strlen(f->path) + 1, '/'); slash;
                slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                ck_assert(mkdir(buffer, 0700) == 0 || errno == EEXIST);
                *slash = '/';
        }
        return buffer;
}

static inline void test_folder_write(
        const TestFolder *f, const char *name, const void *content, size_t len) {
        char path[PATH_MAX];
        FILE *file = fopen(test_folder_path(f, name, path), "w");

        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(fwrite(content, 1, len, file), len);
        ck_assert_int_eq(fclose(file), 0);
}
