#include "daemon/base/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/clock.h"

static int start(const char *const *argv, int stream, int output, pid_t *ret) {
        char *const no_environment[] = {NULL};
        posix_spawn_file_actions_t actions;
        int r, other = stream == STDOUT_FILENO ? STDERR_FILENO : STDOUT_FILENO;

        if (posix_spawn_file_actions_init(&actions) != 0)
                return -ENOMEM;
        r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, output, stream);
        if (r == 0)
                r = posix_spawn_file_actions_addopen(&actions, other, "/dev/null", O_WRONLY, 0);
        if (r == 0)
                r = posix_spawn(ret, argv[0], &actions, NULL, (char *const *) argv, no_environment);
        (void) posix_spawn_file_actions_destroy(&actions);
        return -r;
}

static int read_output(int fd, usec_t until, Buffer *output) {
        for (;;) {
                struct pollfd wait = {.fd = fd, .events = POLLIN};
                usec_t left = usec_sub(until, monotonic_now());
                char chunk[4096];
                ssize_t n;
                int r;

                if (left == 0 || poll(&wait, 1, (int) (left / USEC_PER_MSEC) + 1) <= 0)
                        return -ETIMEDOUT;
                n = read(fd, chunk, sizeof(chunk));
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                r = buffer_append(output, chunk, (size_t) n);
                if (r < 0)
                        return r;
        }
}

int child_run(const char *const *argv, int stream, usec_t timeout, Buffer *output) {
        _cleanup_(closep) int reading = -EBADF, writing = -EBADF;
        int pair[2], status = 0, r;
        pid_t pid = 0;

        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        reading = pair[0];
        writing = pair[1];
        r = start(argv, stream, writing, &pid);
        if (r < 0)
                return r;
        (void) close(TAKE_FD(writing));
        r = read_output(reading, usec_add(monotonic_now(), timeout), output);
        if (r < 0)
                (void) kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (r < 0)
                return r;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
