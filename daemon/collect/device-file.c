/* Reading files of the device. The traps: files of /proc have no size, so reading goes on to the end; a FIFO
 * in the place of a file must not make us wait. */

#include "daemon/collect/device-file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "lib/base/buffer.h"

int device_file_read(const char *path, char **ret, size_t *ret_len) {
        _cleanup_(buffer_done) Buffer b = {.max_bytes = DEVICE_FILE_MAX};
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;
        char chunk[4096];
        ssize_t n;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
                int r = buffer_append(&b, chunk, (size_t) n);
                if (r < 0)
                        return r;
        }
        if (n < 0)
                return -errno;
        *ret_len = b.len;
        *ret = buffer_take(&b);
        return *ret ? 0 : -ENOMEM;
}
