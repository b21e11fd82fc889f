/* Which rules does the host's packet filter have? Read through the programs that print them, because there
 * are two backends with nothing in common, and the rules of either or of both may count. They are run by
 * absolute path, without an environment, and without arguments: with -t the legacy one would load a table
 * that nobody uses.
 *
 * The trap: nftables may hold tables that neither prints. Their names are asked of the kernel, so that
 * nobody takes what is missing here for missing. */

#include "daemon/probe/filter-tables.h"
#include "daemon/probe/questions.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include <fcntl.h>

#include "lib/base/buffer.h"
#include "lib/world/firewall.h"

/* Of each row the first that is there: what it is called when the distribution has only one backend. */
static const char *const programs[][3] = {
        {"/usr/sbin/iptables-nft-save", "/usr/sbin/iptables-save", "/sbin/iptables-save"},
        {"/usr/sbin/iptables-legacy-save", "/sbin/iptables-legacy-save"},
};

static int64_t monotonic_ms(void) {
        struct timespec now = {};

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int start(const char *program, int output, pid_t *ret) {
        char *const argv[] = {(char *) program, NULL}, *const no_environment[] = {NULL};
        posix_spawn_file_actions_t actions;
        int r;

        if (posix_spawn_file_actions_init(&actions) != 0)
                return -ENOMEM;
        r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (r == 0)
                r = posix_spawn(ret, program, &actions, NULL, argv, no_environment);
        (void) posix_spawn_file_actions_destroy(&actions);
        return -r;
}

static int read_output(int fd, int64_t until_ms, Buffer *output) {
        for (;;) {
                struct pollfd wait = {.fd = fd, .events = POLLIN};
                int64_t left = until_ms - monotonic_ms();
                char chunk[4096];
                ssize_t n;
                int r;

                if (left <= 0 || poll(&wait, 1, (int) left) <= 0)
                        return -ETIMEDOUT;
                n = read(fd, chunk, sizeof(chunk));
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                r = buffer_append(output, chunk, (size_t) n);
                if (r < 0)
                        return r;
        }
}

/* Appends what the program prints. -EIO when it fails. */
static int run(const char *program, int64_t until_ms, Buffer *output) {
        _cleanup_(closep) int reading = -EBADF, writing = -EBADF;
        int pair[2], status = 0, r;
        pid_t pid = 0;

        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        reading = pair[0];
        writing = pair[1];
        r = start(program, writing, &pid);
        if (r < 0)
                return r;
        (void) close(TAKE_FD(writing));
        r = read_output(reading, until_ms, output);
        if (r < 0)
                (void) kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (r < 0)
                return r;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

static const char *find_program(const char *const *names) {
        for (size_t i = 0; i < ELEMENTSOF(programs[0]) && names[i]; i++)
                if (access(names[i], X_OK) == 0)
                        return names[i];
        return NULL;
}

static int read_rules(const Request *request, Buffer *saved, bool *ret_any) {
        int64_t until_ms = monotonic_ms() + request->timeout_ms;
        int r = 0;

        *ret_any = false;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(programs); i++) {
                const char *program = find_program(programs[i]);

                if (!program)
                        continue;
                *ret_any = true;
                r = run(program, until_ms, saved);
        }
        return r;
}

static const char *describe(int error) {
        switch (error) {
        case -EFBIG:
                return "the packet filter has too many rules";
        case -ENOENT:
                return "there is no iptables-save on this device";
        case -ETIMEDOUT:
                return "iptables-save did not answer in time";
        default:
                return "no right to read the packet filter's rules";
        }
}

static json_t *ask(const Request *request, const char **ret_why) {
        _cleanup_(buffer_done) Buffer saved = {.max_bytes = FIREWALL_BYTES_MAX};
        json_t *value;
        bool any;
        int r;

        r = read_rules(request, &saved, &any);
        if (r >= 0)
                r = any ? filter_tables_tell(&saved) : -ENOENT;
        if (r < 0) {
                *ret_why = describe(r);
                return NULL;
        }
        value = json_stringn(saved.data ? saved.data : "", saved.len);
        if (!value)
                *ret_why = "the packet filter's rules are no text";
        return value;
}

const Question question_firewall = {.name = "firewall", .ask = ask};
