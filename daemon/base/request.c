#include "daemon/base/request.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/clock.h"

#define WAIT (5 * USEC_PER_SEC) /* for the whole request, however slowly it comes */

int socket_connect(const char *path, int flags) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_(closep) int fd = -EBADF;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path) + 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int request_send(int fd, const char *text) {
        size_t len = strlen(text);
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 || shutdown(fd, SHUT_WR) < 0)
                return -errno;
        return (size_t) n == len ? 0 : -EIO;
}

int request_read(int fd, char *buffer, size_t size) {
        usec_t deadline = usec_add(monotonic_now(), WAIT);
        size_t len = 0;

        while (len < size && !memchr(buffer, '\n', len)) {
                struct pollfd wait = {.fd = fd, .events = POLLIN};
                ssize_t n;

                if (poll(&wait, 1, (int) (usec_sub(deadline, monotonic_now()) / USEC_PER_MSEC)) <= 0)
                        return -ETIMEDOUT;
                n = read(fd, buffer + len, size - len);
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                len += (size_t) n;
        }
        return (int) len;
}
