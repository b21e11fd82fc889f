/* Opens and reads the files of a recording.
 *
 * A recording may come from a stranger. Promise: nothing outside its directory is ever opened, whatever its
 * names and links say, and reading never blocks on a FIFO or device. Each component of a path is opened by
 * itself with O_NOFOLLOW: O_NOFOLLOW alone guards only the last one. */

#include "lib/world/recording-folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/base/buffer.h"
#include "lib/world/recording.h"

int recording_folder_open(RecordingFolder *f, const char *path, ProblemList *problems) {
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char *copy;

        if (fd < 0)
                return -errno;
        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        *f = (RecordingFolder){.fd = TAKE_FD(fd), .path = copy, .problems = problems};
        return 0;
}

void recording_folder_done(RecordingFolder *f) {
        closep(&f->fd);
        free(f->path);
        *f = (RecordingFolder){.fd = -EBADF};
}

int recording_problem(const RecordingFolder *f, const char *name, unsigned line, unsigned column,
        const char *format, ...) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        va_list args;
        int n;

        va_start(args, format);
        n = vasprintf(&text, format, args);
        va_end(args);
        if (n < 0) {
                text = NULL;
                return -ENOMEM;
        }
        if (asprintf(&path, "%s/%s", f->path, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return problem_list_add(f->problems, path, line, column, "%s", text);
}

/* Opens one component after the other. */
static int open_below(int folder, const char *name, int last_flags) {
        _cleanup_(closep) int at = -EBADF;

        for (;;) {
                size_t n = strcspn(name, "/");
                bool last = name[n] == '\0';
                char component[NAME_MAX + 1];
                int fd;

                if (n == 0 || n > NAME_MAX || (n == 1 && name[0] == '.') ||
                        (n == 2 && name[0] == '.' && name[1] == '.'))
                        return -EINVAL;
                memcpy(component, name, n);
                component[n] = '\0';

                fd = openat(at >= 0 ? at : folder, component,
                        O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | (last ? last_flags : O_DIRECTORY));
                if (fd < 0)
                        return -errno;
                closep(&at);
                at = fd;
                if (last)
                        return TAKE_FD(at);
                name += n + 1;
        }
}

/* What cannot be opened is told once and then counts as absent. */
static int unreadable(const RecordingFolder *f, const char *name, int error) {
        const char *why = error == -ELOOP ? "is a symbolic link, which is not followed" : strerror(-error);
        int r;

        if (error == -ENOENT)
                return -ENOENT;
        r = recording_problem(f, name, 0, 0, "cannot be read: %s", why);
        return r < 0 ? r : -ENOENT;
}

int recording_folder_open_file(const RecordingFolder *f, const char *name) {
        _cleanup_(closep) int fd = open_below(f->fd, name, O_NONBLOCK);
        struct stat st;

        if (fd < 0)
                return unreadable(f, name, fd);
        if (fstat(fd, &st) < 0)
                return unreadable(f, name, -errno);
        if (S_ISDIR(st.st_mode))
                return unreadable(f, name, -EISDIR);
        if (!S_ISREG(st.st_mode))
                return unreadable(f, name, -EINVAL);
        return TAKE_FD(fd);
}

int recording_folder_open_directory(const RecordingFolder *f, const char *name) {
        int fd = open_below(f->fd, name, O_DIRECTORY);

        return fd < 0 ? unreadable(f, name, fd) : fd;
}

bool recording_folder_has_directory(const RecordingFolder *f, const char *name) {
        _cleanup_(closep) int fd = open_below(f->fd, name, O_DIRECTORY);

        return fd >= 0;
}

/* -EFBIG when there is more than the buffer's cap. */
static int read_all(int fd, Buffer *b) {
        char block[16 * 1024];

        for (;;) {
                ssize_t n = read(fd, block, sizeof(block));
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
                r = buffer_append(b, block, (size_t) n);
                if (r < 0)
                        return r;
        }
}

int recording_folder_read(
        const RecordingFolder *f, const char *name, size_t max_bytes, char **ret, size_t *ret_len) {
        _cleanup_(closep) int fd = recording_folder_open_file(f, name);
        Buffer b = {.max_bytes = max_bytes};
        size_t len;
        char *content;
        int r;

        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        r = read_all(fd, &b);
        if (r < 0) {
                buffer_done(&b);
                if (r == -ENOMEM)
                        return r;
                if (r == -EFBIG)
                        return recording_problem(f, name, 0, 0, "larger than %zu bytes, skipped", max_bytes);
                return recording_problem(f, name, 0, 0, "cannot be read: %s", strerror(-r));
        }
        len = b.len;
        content = buffer_take(&b);
        if (!content)
                return -ENOMEM;
        *ret = content;
        *ret_len = len;
        return 1;
}

int recording_folder_read_json(const RecordingFolder *f, const char *name, json_type type, json_t **ret) {
        _cleanup_(freep) char *content = NULL;
        json_error_t error;
        size_t len;
        json_t *json;
        int r;

        r = recording_folder_read(f, name, RECORDING_FILE_MAX, &content, &len);
        if (r <= 0)
                return r;
        json = json_loadb(content, len, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
        if (!json)
                return recording_problem(f, name, error.line > 0 ? (unsigned) error.line : 0,
                        error.column > 0 ? (unsigned) error.column : 0, "not JSON: %s", error.text);
        if (json_typeof(json) != type) {
                json_decref(json);
                return recording_problem(
                        f, name, 1, 1, "expected a JSON %s", type == JSON_ARRAY ? "array" : "object");
        }
        *ret = json;
        return 1;
}

void name_list_done(NameList *l) {
        for (size_t i = 0; i < l->n_names; i++)
                free(l->names[i]);
        free(l->names);
        *l = (NameList){};
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void close_directory(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

int recording_folder_list(const RecordingFolder *f, const char *name, const char *suffix, NameList *ret) {
        _cleanup_(name_list_done) NameList list = {};
        _cleanup_(close_directory) DIR *directory = NULL;
        _cleanup_(closep) int fd = recording_folder_open_directory(f, name);
        struct dirent *entry;
        int r;

        if (fd == -ENOENT)
                return 0;
        if (fd < 0)
                return fd;
        directory = fdopendir(fd);
        if (!directory)
                return -errno;
        (void) TAKE_FD(fd);

        while ((entry = readdir(directory))) {
                if (entry->d_name[0] == '.' || !text_ends_with(text_of(entry->d_name), suffix))
                        continue;
                if (list.n_names >= RECORDING_NAMES_MAX) {
                        r = recording_problem(f, name, 0, 0, "more than %d entries, the rest is skipped",
                                RECORDING_NAMES_MAX);
                        if (r < 0)
                                return r;
                        break;
                }
                if (!GROW_ARRAY(list.names, list.allocated, list.n_names, RECORDING_NAMES_MAX))
                        return -ENOMEM;
                list.names[list.n_names] = strdup(entry->d_name);
                if (!list.names[list.n_names])
                        return -ENOMEM;
                list.n_names++;
        }
        if (list.n_names > 0)
                qsort(list.names, list.n_names, sizeof(char *), compare_names);
        *ret = list;
        list = (NameList){};
        return 0;
}
