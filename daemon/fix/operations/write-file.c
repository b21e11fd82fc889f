/* Changes a file: its content anew beside it, synced, renamed over it, with mode, owner and extended
 * attributes of the old one, which stays as a backup beside it.
 *
 * The trap: somebody else may change the file meanwhile. What the file was (the backup) and what it was to
 * be (the edit of the backup) are both known, so a third content is another's work and is not touched. */

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "daemon/base/atomic-file.h"
#include "daemon/base/log.h"
#include "daemon/fix/operation-list.h"
#include "daemon/fix/plan-file.h"
#include "lib/fix/edit.h"

#define XATTR_NAMES_BYTES 4096
#define XATTR_VALUE_BYTES 65536
#define BACKUPS_MAX       100

/* Where a path leads to. Only a link that root made, as whom we run, is followed: who else may put one into
 * a folder decides nothing. */
static int follow(const char *path, char ret[static PATH_MAX]) {
        struct stat st;

        if (lstat(path, &st) < 0)
                return -errno;
        if (S_ISLNK(st.st_mode) && st.st_uid != geteuid())
                return -ELOOP;
        return realpath(path, ret) ? 0 : -errno;
}

static int read_file(const char *path, char **ret, size_t *ret_len) {
        int r = file_read_at(AT_FDCWD, path, FIX_FILE_MAX, ret, ret_len);

        if (r != -ENOENT && r != -ENOTDIR)
                return r;
        *ret = NULL;
        *ret_len = 0;
        return 0;
}

int plan_read_file(const char *path, char **ret, size_t *ret_len) {
        char real[PATH_MAX];

        return read_file(follow(path, real) < 0 ? path : real, ret, ret_len);
}

static int copy_xattrs(int from, int to) {
        char names[XATTR_NAMES_BYTES];
        _cleanup_(freep) char *value = malloc(XATTR_VALUE_BYTES);
        ssize_t n = flistxattr(from, names, sizeof(names));

        if (!value)
                return -ENOMEM;
        if (n < 0)
                return errno == ENOTSUP ? 0 : -errno;
        for (const char *name = names; name < names + n; name += strlen(name) + 1) {
                ssize_t len = fgetxattr(from, name, value, XATTR_VALUE_BYTES);

                if (len < 0 || fsetxattr(to, name, value, (size_t) len, 0) < 0)
                        return -errno;
        }
        return 0;
}

static int copy_attributes(int from, int to) {
        struct stat st;

        if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0 ||
                fchmod(to, st.st_mode & 07777) < 0)
                return -errno;
        return copy_xattrs(from, to);
}

static int sync_folder_of(const char *path) {
        _cleanup_(freep) char *copy = strdup(path);
        _cleanup_(closep) int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -EBADF;

        if (!copy)
                return -ENOMEM;
        return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* like: a file whose attributes it gets; NULL for 0644 of root. */
static int write_whole(const char *path, const char *like, Text content) {
        _cleanup_(closep) int from = -EBADF, to = -EBADF;
        int r = 0;

        if (like) {
                from = open(like, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
                if (from < 0)
                        return -errno;
        }
        to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (to < 0)
                return -errno;
        r = from >= 0 ? copy_attributes(from, to) : fchmod(to, 0644) < 0 ? -errno : 0;
        if (r >= 0)
                r = file_write_all(to, content);
        if (r < 0)
                (void) unlink(path);
        return r;
}

static char *name_beside(const char *path) {
        char *beside;

        return asprintf(&beside, "%s.edgewatch-new", path) < 0 ? NULL : beside;
}

static int replace(const char *path, const char *like, Text content) {
        _cleanup_(freep) char *beside = name_beside(path);
        int r;

        if (!beside)
                return -ENOMEM;
        r = write_whole(beside, like, content);
        if (r >= 0 && rename(beside, path) < 0) {
                r = -errno;
                (void) unlink(beside);
        }
        return r < 0 ? r : sync_folder_of(path);
}

static int remove_file(const char *path) {
        if (unlink(path) < 0)
                return errno == ENOENT ? 0 : -errno;
        return sync_folder_of(path);
}

/* What a step speaks about, read anew. */
typedef struct Target {
        const char *path, *backup; /* backup: NULL when there was no file */
        bool made_folder;
        char *old, *wanted,
                *current; /* old and current: NULL when there is no file; wanted: without a backup */
        size_t old_len, wanted_len, current_len;
} Target;

static void target_done(Target *t) {
        free(t->old);
        free(t->wanted);
        free(t->current);
}

static int target_read(const FixStep *step, Target *ret, char **ret_why) {
        _cleanup_(target_done) Target t = {
                .path = json_string_value(json_object_get(step->argument, "path")),
                .backup = json_string_value(json_object_get(step->undo, "backup")),
                .made_folder = json_is_true(json_object_get(step->undo, "made_folder")),
        };
        int r;

        if (!t.path || t.path[0] != '/')
                return -EINVAL;
        r = read_file(t.path, &t.current, &t.current_len);
        if (r >= 0 && t.backup)
                r = read_file(t.backup, &t.old, &t.old_len);
        if (r >= 0 && (t.old || !t.backup))
                r = fix_edit(json_object_get(step->argument, "edit"), (Text){t.old, t.old_len}, &t.wanted,
                        ret_why);
        if (r < 0)
                return r;
        t.wanted_len = t.wanted ? strlen(t.wanted) : 0;
        *ret = t;
        t = (Target){};
        return 0;
}

static bool is_same(const char *a, size_t a_len, const char *b, size_t b_len) {
        return a && b ? text_equals((Text){a, a_len}, (Text){b, b_len}) : a == b;
}

static int prepare(FixContext *c, const FixStep *step, char **ret_why) {
        const char *path = json_string_value(json_object_get(step->argument, "path"));
        const char *backup = json_string_value(json_object_get(step->undo, "backup"));
        _cleanup_(freep) char *content = NULL;
        size_t len = 0;
        int r;

        if (!backup)
                return 0;
        r = read_file(path, &content, &len);
        if (r >= 0 && !content)
                return because(ret_why, -ESTALE, "%s has gone since the plan was made", path);
        if (r >= 0)
                r = write_whole(backup, path, (Text){content, len});
        return r < 0 ? r : sync_folder_of(path);
}

static int apply(FixContext *c, const FixStep *step, char **ret_why) {
        _cleanup_(target_done) Target t = {};
        int r = target_read(step, &t, ret_why);

        if (r < 0)
                return r;
        if (!t.wanted)
                return because(ret_why, -ESTALE, "the backup %s has gone", t.backup);
        if (is_same(t.current, t.current_len, t.wanted, t.wanted_len))
                return 0;
        if (!is_same(t.current, t.current_len, t.old, t.old_len))
                return because(ret_why, -ESTALE, "%s was changed by somebody else meanwhile", t.path);
        if (t.made_folder) {
                _cleanup_(freep) char *copy = strdup(t.path);

                if (!copy || (mkdir(dirname(copy), 0755) < 0 && errno != EEXIST))
                        return copy ? -errno : -ENOMEM;
        }
        r = replace(t.path, t.backup, (Text){t.wanted, t.wanted_len});
        return r < 0 ? because(ret_why, r, "%s: %s", t.path, strerror(-r)) : 0;
}

/* What was written, and not renamed yet when the fixer was killed. */
static int remove_beside(const char *path) {
        _cleanup_(freep) char *beside = name_beside(path);

        if (!beside)
                return -ENOMEM;
        return unlink(beside) < 0 && errno != ENOENT ? -errno : 0;
}

static int discard(const FixStep *step) {
        const char *path = json_string_value(json_object_get(step->argument, "path"));
        const char *backup = json_string_value(json_object_get(step->undo, "backup"));
        int r = path ? remove_beside(path) : -EINVAL;

        return r < 0 || !backup ? r : remove_file(backup);
}

static bool is_kept(const FixStep *step, char **ret_why) {
        const char *backup = json_string_value(json_object_get(step->undo, "backup"));

        if (!backup || access(backup, F_OK) == 0)
                return true;
        (void) because(ret_why, 0, "the backup %s has gone", backup);
        return false;
}

/* There was no file before. */
static int undo_new_file(const Target *t) {
        int r = t->current ? remove_file(t->path) : 0;

        if (r >= 0 && t->made_folder) {
                _cleanup_(freep) char *copy = strdup(t->path);

                if (copy)
                        (void) rmdir(dirname(copy)); /* another's file in it keeps it */
        }
        return r;
}

static int undo(FixContext *c, const FixStep *step, char **ret_why) {
        _cleanup_(target_done) Target t = {};
        int r = target_read(step, &t, ret_why);

        if (r >= 0)
                r = remove_beside(t.path);
        if (r < 0)
                return r;
        if (!t.wanted)
                return 0; /* taken back already: the backup goes last */
        if (t.current && !is_same(t.current, t.current_len, t.wanted, t.wanted_len) &&
                !is_same(t.current, t.current_len, t.old, t.old_len)) {
                log_warning("%s was changed by somebody else meanwhile and is left as it is%s%s.", t.path,
                        t.backup ? "; its old content is in " : "", t.backup ? t.backup : "");
                return 0;
        }
        if (!t.backup)
                return undo_new_file(&t);
        if (!is_same(t.current, t.current_len, t.old, t.old_len)) {
                r = replace(t.path, t.backup, (Text){t.old, t.old_len});
                if (r < 0)
                        return because(ret_why, r, "%s: %s", t.path, strerror(-r));
        }
        return remove_file(t.backup);
}

const Operation operation_write_file = {
        .name = "write-file",
        .prepare = prepare,
        .discard = discard,
        .is_kept = is_kept,
        .apply = apply,
        .undo = undo,
};

/* A name that nothing has yet. */
static int name_backup(const char *path, const char *incident, char **ret) {
        for (int i = 1; i <= BACKUPS_MAX; i++) {
                _cleanup_(freep) char *name = NULL;
                int n = i == 1 ? asprintf(&name, "%s.edgewatch-%s", path, incident)
                               : asprintf(&name, "%s.edgewatch-%s-%d", path, incident, i);

                if (n < 0) {
                        name = NULL;
                        return -ENOMEM;
                }
                if (access(name, F_OK) < 0 && errno == ENOENT) {
                        *ret = TAKE_PTR(name);
                        return 0;
                }
        }
        return -EEXIST;
}

/* The file behind symbolic links, or where it will be. */
static int find_path(const char *path, char ret[static PATH_MAX], bool *ret_made_folder) {
        _cleanup_(freep) char *copy = strdup(path);
        char folder[PATH_MAX];
        int n, r = copy ? follow(path, ret) : -ENOMEM;

        *ret_made_folder = false;
        if (r != -ENOENT)
                return r;
        *ret_made_folder = !realpath(dirname(copy), folder);
        if (*ret_made_folder)
                n = snprintf(ret, PATH_MAX, "%s", path);
        else
                n = snprintf(ret, PATH_MAX, "%s/%s", folder, strrchr(path, '/') + 1);
        return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int add_step(FixPlan *plan, const char *path, bool made_folder, const char *old, size_t old_len,
        json_t *edit, char **ret_why, const char *text) {
        _cleanup_(freep) char *wanted = NULL, *backup = NULL;
        int r;

        r = fix_edit(edit, (Text){old, old_len}, &wanted, ret_why);
        if (r < 0)
                return r;
        if (old && strlen(wanted) == old_len && memcmp(wanted, old, old_len) == 0)
                return 0;
        r = old ? name_backup(path, plan->incident, &backup) : 0;
        if (r >= 0)
                r = fix_plan_add(plan, "write-file", json_pack("{s:s, s:O}", "path", path, "edit", edit),
                        json_pack("{s:s?, s:b}", "backup", backup, "made_folder", made_folder), "%s", text);
        return r < 0 ? r : 1;
}

/* The unit has everything read-only but what it names. */
static int guard_place(FixPlan *plan, const char *path, bool made_folder) {
        _cleanup_(freep) char *copy = strdup(path);
        const char *folder;

        if (!copy)
                return -ENOMEM;
        folder = dirname(copy);
        if (made_folder)
                folder = dirname(copy);
        if (access(folder, W_OK) == 0)
                return 0;
        return fix_plan_refuse(plan,
                "%s cannot be written: %s: %s (ReadWritePaths= of edgewatch-fix@.service says where it may)",
                path, folder, strerror(errno));
}

int plan_write_file(FixPlan *plan, const char *path, json_t *edit, char **ret_why, const char *format, ...) {
        _cleanup_(freep) char *old = NULL, *text = NULL;
        char real[PATH_MAX];
        size_t old_len = 0;
        bool made_folder;
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(&text, format, args);
        va_end(args);
        if (r < 0)
                text = NULL;
        r = text && edit ? find_path(path, real, &made_folder) : -ENOMEM;
        if (r >= 0)
                r = read_file(real, &old, &old_len);
        if (r >= 0)
                r = add_step(plan, real, made_folder, old, old_len, edit, ret_why, text);
        json_decref(edit);
        if (r > 0 && guard_place(plan, real, made_folder) < 0)
                r = -ENOMEM;
        return r;
}
