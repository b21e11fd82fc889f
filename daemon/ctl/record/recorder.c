/* The directory of a recording. Promise: files are new, readable by their owner only, below that directory
 * and nowhere else. */

#include "daemon/ctl/record/recorder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/ctl/output.h"
#include "lib/event/redact-json.h"

static int is_empty(int fd) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        DIR *d = copy < 0 ? NULL : fdopendir(copy);
        int r = 1;

        if (!d) {
                r = -errno;
                if (copy >= 0)
                        (void) close(copy);
                return r;
        }
        for (struct dirent *e; (e = readdir(d));)
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        r = 0;
        (void) closedir(d);
        return r;
}

int recorder_open(Recorder *r, const char *path) {
        _cleanup_(closep) int fd = -EBADF;
        int empty;

        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        empty = is_empty(fd);
        if (empty <= 0)
                return empty < 0 ? empty : -ENOTEMPTY;
        r->fd = TAKE_FD(fd);
        return 0;
}

void recorder_done(Recorder *r) {
        closep(&r->fd);
        r->fd = -EBADF;
}

void recorder_say(const char *part, const char *what, int error) {
        (void) fail(error, "%s %s", part, what);
}

/* Makes the directories of name and opens the last; *ret_name points to what comes after. */
static int open_parent(const Recorder *r, const char *name, const char **ret_name) {
        _cleanup_(closep) int fd = fcntl(r->fd, F_DUPFD_CLOEXEC, 3);

        for (const char *slash; fd >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
                _cleanup_(freep) char *directory = strndup(name, (size_t) (slash - name));
                int inner;

                if (!directory)
                        return -ENOMEM;
                if (mkdirat(fd, directory, 0700) < 0 && errno != EEXIST)
                        return -errno;
                inner = openat(fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                if (inner < 0)
                        return -errno;
                (void) close(fd);
                fd = inner;
        }
        if (fd < 0)
                return -errno;
        *ret_name = name;
        return TAKE_FD(fd);
}

int record_file_open(RecordFile *f, Recorder *r, const char *name, size_t max_bytes) {
        _cleanup_(closep) int parent = -EBADF;
        const char *last = name;
        FILE *stream;
        int fd;

        parent = open_parent(r, name, &last);
        if (parent < 0)
                return parent;
        fd = openat(parent, last, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        stream = fdopen(fd, "w");
        if (!stream) {
                (void) close(fd);
                return -ENOMEM;
        }
        *f = (RecordFile){.recorder = r, .name = name, .stream = stream, .max_bytes = max_bytes};
        return 0;
}

int record_file_append(RecordFile *f, Text piece) {
        if (!f->is_cut && piece.len > f->max_bytes - f->bytes) {
                char what[64];

                (void) snprintf(what, sizeof(what), "cut at %zu MiB: what comes later is missing",
                        f->max_bytes / (1024 * 1024));
                recorder_say(f->name, what, 0);
                f->is_cut = true;
        }
        if (f->is_cut)
                return 0;
        errno = 0;
        if (fwrite(piece.data, 1, piece.len, f->stream) != piece.len)
                return errno > 0 ? -errno : -EIO;
        f->bytes += piece.len;
        return 1;
}

int record_file_close(RecordFile *f) {
        FILE *stream = TAKE_PTR(f->stream);

        errno = 0;
        if (fclose(stream) != 0)
                return errno > 0 ? -errno : -EIO;
        f->recorder->n_files++;
        return 0;
}

void record_file_done(RecordFile *f) {
        if (f->stream)
                (void) fclose(f->stream);
        f->stream = NULL;
}

int recorder_write(Recorder *r, const char *name, Text content) {
        _cleanup_(record_file_done) RecordFile f = {};
        int error;

        error = record_file_open(&f, r, name, content.len);
        if (error < 0)
                return error;
        error = record_file_append(&f, content);
        return error < 0 ? error : record_file_close(&f);
}

int recorder_write_json(Recorder *r, const char *name, const json_t *value) {
        json_t *redacted = redact_json(value);
        _cleanup_(freep) char *text = redacted ? json_dumps(redacted, JSON_INDENT(1)) : NULL;

        json_decref(redacted);
        return text ? recorder_write(r, name, text_of(text)) : -ENOMEM;
}
