/* The only code of edgewatch that enters a namespace. It enters the network namespace and nothing else of a
 * container: its mount namespace is the container's own say, and a path in there could be anything. */

#include "daemon/probe/namespace.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "daemon/probe/listeners.h"

#define CGROUP_MAX_BYTES 16384
#define PROBE_USER       "edgewatch-probe"
#define NOBODY           65534

bool cgroup_names_container(Text cgroup, const char *id) {
        while (cgroup.len > 0) {
                const char *end = memchr(cgroup.data, '\n', cgroup.len);
                size_t n = end ? (size_t) (end - cgroup.data) : cgroup.len;

                if (text_is(listeners_container_of_cgroup(text_clip(cgroup, n)), id))
                        return true;
                cgroup = text_skip(cgroup, n + 1);
        }
        return false;
}

static bool process_is_in_container(pid_t pid, const char *id) {
        char path[64], content[CGROUP_MAX_BYTES];
        _cleanup_(closep) int fd = -EBADF;
        ssize_t n;

        (void) snprintf(path, sizeof(path), "/proc/%d/cgroup", (int) pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return false;
        n = read(fd, content, sizeof(content));
        return n > 0 && cgroup_names_container((Text){content, (size_t) n}, id);
}

/* The process of the container with the lowest pid: most likely its first. */
static int find_process(const char *id, pid_t *ret) {
        DIR *proc = opendir("/proc");
        struct dirent *entry;
        pid_t found = 0;

        if (!proc)
                return -errno;
        while ((entry = readdir(proc))) {
                uint64_t pid;

                if (text_to_u64(text_of(entry->d_name), &pid) < 0 || pid == 0 || pid > INT32_MAX)
                        continue;
                if ((found == 0 || (pid_t) pid < found) && process_is_in_container((pid_t) pid, id))
                        found = (pid_t) pid;
        }
        (void) closedir(proc);
        if (found == 0)
                return -ENOENT;
        *ret = found;
        return 0;
}

int enter_container_network(const char *id) {
        _cleanup_(closep) int pidfd = -EBADF;
        pid_t pid = 0;
        int r;

        r = find_process(id, &pid);
        if (r < 0)
                return r;
        pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        if (pidfd < 0)
                return -errno;
        /* the pid may have been another's between the search and the pidfd */
        if (!process_is_in_container(pid, id))
                return -ENOENT;
        return setns(pidfd, CLONE_NEWNET) < 0 ? -errno : 0;
}

int drop_rights(void) {
        const struct passwd *user = getpwnam(PROBE_USER);
        uid_t uid = user ? user->pw_uid : NOBODY;
        gid_t gid = user ? user->pw_gid : NOBODY;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        if (geteuid() != 0)
                return 0;
        if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
                return -errno;
        return 0;
}
