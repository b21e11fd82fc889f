/* Keeps the state file whole.
 *
 * Promise: at any instant the file is either the old or the new one, complete; what this version cannot read
 * is kept for a person (or an older or newer version) to look at. */

#include "daemon/watch/state.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/atomic-file.h"

#define STATE_NAME "state.json"

static int open_directory(const char *directory) {
        int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
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
        if (r < 0) {
                name = NULL;
                return -ENOMEM;
        }
        if (renameat(directory_fd, STATE_NAME, directory_fd, name) < 0)
                return -errno;
        *ret = TAKE_PTR(name);
        return 0;
}

int state_load(const char *directory, usec_t now, json_t **ret, char **ret_set_aside) {
        _cleanup_(closep) int directory_fd = -EBADF;
        _cleanup_(freep) char *data = NULL;
        json_int_t version = 0;
        json_t *state = NULL;
        size_t len = 0;
        int r;

        *ret_set_aside = NULL;
        directory_fd = open_directory(directory);
        if (directory_fd < 0)
                return directory_fd == -ENOENT ? 0 : directory_fd;
        r = file_read_at(directory_fd, STATE_NAME, STATE_FILE_MAX_BYTES, &data, &len);
        if (r < 0 && r != -EFBIG)
                return r == -ENOENT ? 0 : r;
        if (r >= 0)
                state = parse(data, len, &version);
        if (!state)
                return set_aside(directory_fd, version, now, ret_set_aside);
        *ret = state;
        return 1;
}

int state_save(const char *directory, const json_t *state) {
        _cleanup_(closep) int directory_fd = -EBADF;
        _cleanup_(freep) char *text = NULL;

        text = json_dumps(state, JSON_COMPACT);
        if (!text)
                return -ENOMEM;
        directory_fd = open_directory(directory);
        if (directory_fd < 0)
                return directory_fd;
        return atomic_file_write(directory_fd, STATE_NAME, text_of(text), 0600);
}
