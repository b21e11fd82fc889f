/* Keeps the state file whole.
 *
 * Promise: at any instant the file is either the old or the new one, complete; what this version cannot read
 * is kept for a person (or an older or newer version) to look at.
 * Trap: rename() alone is not enough on a power loss, the file's data and the folder have to be synced. */

#include "daemon/watch/state.h"

#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>

#define STATE_NAME     "state.json"
#define STATE_NEW_NAME "state.json.new"

static int open_directory(const char *directory) {
        int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static int read_whole(int fd, char **ret, size_t *ret_len) {
        _cleanup_(freep) char *data = NULL;
        size_t len = 0, size;
        struct stat st;
        ssize_t n;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || (uint64_t) st.st_size > STATE_FILE_MAX_BYTES)
                return -EFBIG;

        size = (size_t) st.st_size;
        data = malloc(size + 1);
        if (!data)
                return -ENOMEM;
        while (len < size) {
                n = read(fd, data + len, size - len);
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                len += (size_t) n;
        }
        *ret = TAKE_PTR(data);
        *ret_len = len;
        return 0;
}

/* Returns NULL when it is not an object of our version; ret_version is then 0 or that version. */
static json_t *parse(const char *data, size_t len, json_int_t *ret_version) {
        json_t *state = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);

        *ret_version = json_integer_value(json_object_get(state, "version"));
        if (*ret_version == STATE_VERSION)
                return state;
        json_decref(state);
        return NULL;
}

static int set_aside(int directory_fd, json_int_t version, usec_t now, char **ret) {
        _cleanup_(freep) char *name = NULL;
        int r;

        if (version != 0)
                r = asprintf(&name, "%s.version-%lld.%llu", STATE_NAME, (long long) version,
                        (unsigned long long) (now / USEC_PER_SEC));
        else
                r = asprintf(
                        &name, "%s.unreadable.%llu", STATE_NAME, (unsigned long long) (now / USEC_PER_SEC));
        if (r < 0)
                return -ENOMEM;
        if (renameat(directory_fd, STATE_NAME, directory_fd, name) < 0)
                return -errno;
        *ret = TAKE_PTR(name);
        return 0;
}

int state_load(const char *directory, usec_t now, json_t **ret, char **ret_set_aside) {
        _cleanup_(closep) int directory_fd = -EBADF, fd = -EBADF;
        _cleanup_(freep) char *data = NULL;
        json_int_t version = 0;
        json_t *state = NULL;
        size_t len = 0;
        int r;

        *ret_set_aside = NULL;
        directory_fd = open_directory(directory);
        if (directory_fd < 0)
                return directory_fd == -ENOENT ? 0 : directory_fd;
        fd = openat(directory_fd, STATE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;

        r = read_whole(fd, &data, &len);
        if (r < 0 && r != -EFBIG)
                return r;
        if (r >= 0)
                state = parse(data, len, &version);
        if (!state)
                return set_aside(directory_fd, version, now, ret_set_aside);
        *ret = state;
        return 1;
}

static int write_whole(int fd, const char *data, size_t len) {
        ssize_t n;

        while (len > 0) {
                n = write(fd, data, len);
                if (n < 0)
                        return -errno;
                data += n;
                len -= (size_t) n;
        }
        return fsync(fd) < 0 ? -errno : 0;
}

static int replace(int directory_fd, const char *data, size_t len) {
        _cleanup_(closep) int fd = -EBADF;
        int r;

        fd = openat(
                directory_fd, STATE_NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        r = write_whole(fd, data, len);
        if (r >= 0 && renameat(directory_fd, STATE_NEW_NAME, directory_fd, STATE_NAME) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(directory_fd, STATE_NEW_NAME, 0);
        return r;
}

int state_save(const char *directory, const json_t *state) {
        _cleanup_(closep) int directory_fd = -EBADF;
        _cleanup_(freep) char *text = NULL;
        int r;

        text = json_dumps(state, JSON_COMPACT);
        if (!text)
                return -ENOMEM;
        directory_fd = open_directory(directory);
        if (directory_fd < 0)
                return directory_fd;
        r = replace(directory_fd, text, strlen(text));
        if (r < 0)
                return r;
        return fsync(directory_fd) < 0 ? -errno : 0;
}
