#pragma once

/* One request a connection: how edgewatch's programs ask one another through a socket in the file system,
 * and how the one that is asked reads it from standard input. */

#include <stddef.h>

/* Returns the connection, which the caller closes, or a negative errno. flags: SOCK_NONBLOCK or 0. */
int socket_connect(const char *path, int flags);
/* Sends all of it and says that there is no more. A request is shorter than any socket's buffer: it goes out
 * whole, or -EIO. */
int request_send(int fd, const char *text);

/* One line, or everything until the other side has said that there is no more. Returns its length, at most
 * `size`, or a negative errno: -ETIMEDOUT when it is not whole within a few seconds. */
int request_read(int fd, char *buffer, size_t size);
