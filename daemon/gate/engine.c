/* The trap: an engine whose socket belongs to another group than `docker` is no reason for the gate not to
 * start, since both may be put right while it runs: it says what is in the way and what would help. */

#include "daemon/gate/engine.h"

#include <grp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "daemon/base/request.h"

#define DROP_IN "/etc/systemd/system/edgewatch-gate.service.d/docker.conf"

/* A request is far smaller than what a fresh socket takes at once. */
static int send_request(int fd, const char *target) {
        _cleanup_(freep) char *request = NULL;
        int len = asprintf(&request,
                "GET %s HTTP/1.1\r\nHost: docker\r\nUser-Agent: edgewatch-gate/" EDGEWATCH_VERSION
                "\r\nConnection: close\r\n\r\n",
                target);
        ssize_t n;

        if (len < 0) {
                request = NULL;
                return -ENOMEM;
        }
        n = send(fd, request, (size_t) len, MSG_NOSIGNAL);
        if (n < 0)
                return -errno;
        return n == len ? 0 : -EIO;
}

int engine_ask(const char *socket_path, const char *target, int *ret_fd) {
        _cleanup_(closep) int fd = socket_connect(socket_path, SOCK_NONBLOCK);
        int r;

        if (fd < 0)
                return fd;
        r = send_request(fd, target);
        if (r >= 0)
                *ret_fd = TAKE_FD(fd);
        return r;
}

static void explain_forbidden(const char *socket_path, char ret[static ENGINE_REASON_MAX]) {
        const struct group *group;
        struct stat st;

        if (stat(socket_path, &st) < 0 || !(st.st_mode & S_IWGRP)) {
                (void) snprintf(ret, ENGINE_REASON_MAX, "edgewatch-gate may not open %s, nor may any group",
                        socket_path);
                return;
        }
        group = getgrgid(st.st_gid);
        if (group)
                (void) snprintf(ret, ENGINE_REASON_MAX,
                        "edgewatch-gate may not open %s, which is for the group %s; what lets it in is "
                        "[Service] SupplementaryGroups=%s in " DROP_IN,
                        socket_path, group->gr_name, group->gr_name);
        else
                (void) snprintf(ret, ENGINE_REASON_MAX,
                        "edgewatch-gate may not open %s, which is for the group %lu, which has no name; "
                        "what lets it in is [Service] SupplementaryGroups=%lu in " DROP_IN,
                        socket_path, (unsigned long) st.st_gid, (unsigned long) st.st_gid);
}

void engine_explain(const char *socket_path, int error, char ret[static ENGINE_REASON_MAX]) {
        switch (error) {
        case -EACCES:
                explain_forbidden(socket_path, ret);
                return;
        case -EAGAIN:
                (void) snprintf(ret, ENGINE_REASON_MAX,
                        "the engine at %s takes no more connections: it hangs", socket_path);
                return;
        case -ENOENT:
                (void) snprintf(ret, ENGINE_REASON_MAX, "there is no engine at %s", socket_path);
                return;
        default:
                (void) snprintf(ret, ENGINE_REASON_MAX, "the engine at %s cannot be reached: %s",
                        socket_path, strerror(-error));
        }
}
