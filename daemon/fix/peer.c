/* The trap: the uid is of when the peer connected, and so it stays true; a pid may be another's by the time
 * polkit looks at it. So polkit is told the uid too, and the time at which that pid's process began. */

#include "daemon/fix/peer.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define POLKIT_ACTION   "org.edgewatch1.fix"
#define POLKIT_PATIENCE (120 * USEC_PER_SEC) /* a person types a password */
#define INTERACTIVE     UINT32_C(1)
#define START_TIME      20 /* fields after the name in /proc/PID/stat, which is the second */

int peer_identify(int fd, FixPeer *ret) {
        struct ucred credentials;
        socklen_t len = sizeof(credentials);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0) {
                if (errno != ENOTSOCK)
                        return -errno;
                credentials = (struct ucred){.uid = getuid(), .pid = getpid()};
        }
        *ret = (FixPeer){.uid = credentials.uid, .pid = credentials.pid};
        return 0;
}

static int read_start_time(pid_t pid, uint64_t *ret) {
        char path[64], line[1024], *field;
        _cleanup_(closep) int fd = -EBADF;
        ssize_t n;

        (void) snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
        if (n < 0)
                return -errno;
        line[n] = '\0';
        field = strrchr(line, ')'); /* a name may hold spaces and brackets */
        for (int i = 0; field && i < START_TIME; i++)
                field = strchr(field + 1, ' ');
        if (!field)
                return -EBADMSG;
        return text_to_u64(text_clip(text_of(field + 1), strcspn(field + 1, " ")), ret);
}

static int ask_polkit(const FixPeer *peer, sd_bus *bus) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int authorized, challenge, r;
        uint64_t start_time;

        r = read_start_time(peer->pid, &start_time);
        if (r < 0)
                return r;
        r = sd_bus_message_new_method_call(bus, &m, "org.freedesktop.PolicyKit1",
                "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority",
                "CheckAuthorization");
        if (r >= 0)
                r = sd_bus_message_append(m, "(sa{sv})sa{ss}us", "unix-process", 3, "pid", "u",
                        (uint32_t) peer->pid, "start-time", "t", start_time, "uid", "i", (int32_t) peer->uid,
                        POLKIT_ACTION, 0, INTERACTIVE, "");
        if (r >= 0)
                r = sd_bus_call(bus, m, POLKIT_PATIENCE, NULL, &reply);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(reply, "bb", &authorized, &challenge);
        return r < 0 ? r : authorized;
}

int peer_may_change(const FixPeer *peer, uid_t daemon_uid, sd_bus *bus) {
        if (peer->uid == 0)
                return 1;
        if (peer->uid == daemon_uid || !bus)
                return 0;
        return ask_polkit(peer, bus);
}
