#include "daemon/watch/sources/files-watches.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/unit.h"

/* A folder of the test's own with an inotify instance; paths are told by what is below it. */
typedef struct Lab {
        char directory[32];
        FileWatches watches;
} Lab;

static void lab_init(Lab *lab) {
        *lab = (Lab){.directory = "/tmp/test-files-XXXXXX"};
        ck_assert_ptr_nonnull(mkdtemp(lab->directory));
        lab->watches.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        ck_assert_int_ge(lab->watches.fd, 0);
}

static void run(const Lab *lab, const char *format) {
        char command[256];

        (void) snprintf(command, sizeof(command), "cd %s && { %s; }", lab->directory, format);
        ck_assert_int_eq(system(command), 0);
}

static void lab_done(Lab *lab) {
        int fd = lab->watches.fd;

        run(lab, "rm -r \"$PWD\"");
        file_watches_done(&lab->watches);
        (void) close(fd);
}

static void follow(Lab *lab, const char *below) {
        char path[128];

        (void) snprintf(path, sizeof(path), "%s/%s", lab->directory, below);
        file_watches_begin(&lab->watches);
        ck_assert_int_eq(file_watches_add(&lab->watches, path), 0);
        if (!text_ends_with(text_of(path), "/"))
                ck_assert_int_eq(file_watches_add_target(&lab->watches, path), 0);
        file_watches_end(&lab->watches);
}

/* Whether anything that matters happened since the last question. */
static bool heard(Lab *lab) {
        _Alignas(struct inotify_event) char buffer[16384];
        ssize_t n = read(lab->watches.fd, buffer, sizeof(buffer));
        bool any = false;

        for (size_t at = 0; n > 0 && at < (size_t) n;) {
                const struct inotify_event *event = (const struct inotify_event *) (buffer + at);

                any |= file_watches_match(&lab->watches, event);
                at += sizeof(*event) + event->len;
        }
        return any;
}

static const struct {
        const char *name, *before, *path, *change;
        bool is_heard;
} changes[] = {
        {"written", "mkdir a; echo 1 > a/f", "a/f", "echo 2 > a/f", true},
        {"renamed over", "mkdir a; echo 1 > a/f; echo 2 > g", "a/f", "mv g a/f", true},
        {"removed", "mkdir a; echo 1 > a/f", "a/f", "rm a/f", true},
        {"its mode changed", "mkdir a; echo 1 > a/f", "a/f", "chmod 600 a/f", true},
        {"read", "mkdir a; echo 1 > a/f", "a/f", "cat a/f > /dev/null", false},
        {"another one written", "mkdir a; echo 1 > a/f", "a/f", "echo 2 > a/g", false},
        {"made", "mkdir a", "a/f", "echo 1 > a/f", true},
        {"its directory made", "true", "a/f", "mkdir a", true},
        {"another directory made", "true", "a/f", "mkdir b", false},
        {"its directory renamed", "mkdir a; echo 1 > a/f", "a/f", "mv a b", true},
        {"a link turned elsewhere", "mkdir a b; ln -s a c; echo 1 > a/f", "c/f", "ln -sfn b c", true},
        {"behind a link", "mkdir a; ln -s a c; echo 1 > a/f", "c/f", "echo 2 > a/f", true},
        {"the target of a link", "mkdir a; echo 1 > a/f; ln -s a/f f", "f", "echo 2 > a/f", true},
        {"a link to nothing", "ln -s nothing f", "f", "ln -sf other f", true},
        {"a link to itself", "ln -s f f", "f", "rm f", true},
        {"any in a directory", "mkdir a", "a/", "echo 1 > a/x", true},
        {"a file in place of a directory", "echo 1 > a", "a/f", "rm a", true},
};

START_TEST(change_is_heard) {
        typeof(&changes[0]) c = &changes[_i];
        Lab lab;

        lab_init(&lab);
        run(&lab, c->before);
        follow(&lab, c->path);
        ck_assert_msg(!heard(&lab), "%s: too early", c->name);
        run(&lab, c->change);
        ck_assert_msg(heard(&lab) == c->is_heard, "%s", c->name);
        lab_done(&lab);
}
END_TEST

START_TEST(old_way_is_left) {
        Lab lab;
        size_t n;

        lab_init(&lab);
        run(&lab, "mkdir a b; ln -s a c");
        follow(&lab, "c/f");
        n = lab.watches.n_items;
        run(&lab, "ln -sfn b c");
        ck_assert(heard(&lab));
        follow(&lab, "c/f");
        ck_assert_uint_eq(lab.watches.n_items, n);
        ck_assert(!heard(&lab));
        run(&lab, "echo 1 > a/f");
        ck_assert(!heard(&lab));
        run(&lab, "echo 1 > b/f");
        ck_assert(heard(&lab));
        lab_done(&lab);
}
END_TEST

START_TEST(walking_again_changes_nothing) {
        Lab lab;
        size_t n;

        lab_init(&lab);
        run(&lab, "mkdir a");
        follow(&lab, "a/f");
        n = lab.watches.n_items;
        follow(&lab, "a/f");
        ck_assert_uint_eq(lab.watches.n_items, n);
        lab_done(&lab);
}
END_TEST

START_TEST(names_are_bounded) {
        char path[64];
        int r = 0;
        Lab lab;

        lab_init(&lab);
        for (unsigned i = 0; i < 2 * FILE_WATCHES_MAX && r == 0; i++) {
                (void) snprintf(path, sizeof(path), "%s/%u", lab.directory, i);
                r = file_watches_add(&lab.watches, path);
        }
        ck_assert_int_eq(r, -ENOBUFS);
        ck_assert_uint_eq(lab.watches.n_items, FILE_WATCHES_MAX);
        lab_done(&lab);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("files-watches");
        TCase *c = tcase_create("files-watches");

        tcase_add_loop_test(c, change_is_heard, 0, ELEMENTSOF(changes));
        tcase_add_test(c, old_way_is_left);
        tcase_add_test(c, walking_again_changes_nothing);
        tcase_add_test(c, names_are_bounded);
        suite_add_tcase(suite, c);
        return run_suite(suite);
}
