/* The trap: rename() alone is not enough on a power loss, the file's data and the folder have to be synced.
 */

#include "daemon/base/atomic-file.h"

#include <fcntl.h>
#include <stdio.h>

int file_write_all(int fd, Text content) {
        while (content.len > 0) {
                ssize_t n = write(fd, content.data, content.len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                content = text_skip(content, (size_t) n);
        }
        return fsync(fd) < 0 ? -errno : 0;
}

static char *name_beside(const char *name) {
        char *beside;

        return asprintf(&beside, "%s.new", name) < 0 ? NULL : beside;
}

int atomic_file_tidy(int directory_fd, const char *name) {
        _cleanup_(freep) char *beside = name_beside(name);

        if (!beside)
                return -ENOMEM;
        return unlinkat(directory_fd, beside, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int atomic_file_write(int directory_fd, const char *name, Text content, mode_t mode) {
        _cleanup_(freep) char *beside = name_beside(name);
        _cleanup_(closep) int fd = -EBADF;
        int r;

        if (!beside)
                return -ENOMEM;
        fd = openat(directory_fd, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd < 0)
                return -errno;
        r = fchmod(fd, mode) < 0 ? -errno : file_write_all(fd, content);
        if (r >= 0 && renameat(directory_fd, beside, directory_fd, name) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlinkat(directory_fd, beside, 0);
                return r;
        }
        return fsync(directory_fd) < 0 ? -errno : 0;
}

int atomic_file_write_path(const char *path, Text content, mode_t mode) {
        const char *slash = strrchr(path, '/');
        _cleanup_(freep) char *folder = NULL;
        _cleanup_(closep) int fd = -EBADF;

        folder = !slash ? strdup(".") : strndup(path, slash == path ? 1 : (size_t) (slash - path));
        if (!folder)
                return -ENOMEM;
        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return atomic_file_write(fd, slash ? slash + 1 : path, content, mode);
}

int file_read_at(int directory_fd, const char *name, size_t max_bytes, char **ret, size_t *ret_len) {
        _cleanup_(freep) char *data = NULL;
        _cleanup_(closep) int fd =
                openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        size_t len = 0, size;
        struct stat st;
        ssize_t n;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || (uint64_t) st.st_size > max_bytes)
                return -EFBIG;
        size = (size_t) st.st_size;
        data = malloc(size + 1);
        if (!data)
                return -ENOMEM;
        while (len < size) {
                n = read(fd, data + len, size - len);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                len += (size_t) n;
        }
        data[len] = '\0';
        *ret = TAKE_PTR(data);
        *ret_len = len;
        return 0;
}
