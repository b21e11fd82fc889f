/* edgewatch-gate: the way to Docker for edgewatchd, which is not in the group that may do anything there.
 * Started by its socket. It owns no list of its own: lib/gate decides what may be asked. */

#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>

#include <systemd/sd-daemon.h>

#include "daemon/base/log.h"
#include "daemon/gate/gate.h"

#define DEFAULT_ENGINE "/run/docker.sock"
#define DEFAULT_USER   "edgewatch"

typedef struct Options {
        const char *engine, *user;
} Options;

static void print_help(void) {
        (void) printf("Usage: edgewatch-gate [OPTION]...\n"
                      "Lets one user ask the Docker engine a closed list of questions. Started by\n"
                      "edgewatch-gate.socket.\n\n"
                      "  --engine PATH           the engine's socket (" DEFAULT_ENGINE ")\n"
                      "  --user NAME             the user who may ask (" DEFAULT_USER ")\n"
                      "  --help, --version\n");
}

/* Returns 1 to go on, 0 when everything is said, -EINVAL. */
static int parse_options(int argc, char *argv[], Options *o) {
        enum {
                ENGINE = 256,
                USER,
                HELP,
                VERSION
        };
        static const struct option options[] = {
                {"engine", required_argument, NULL, ENGINE},
                {"user", required_argument, NULL, USER},
                {"help", no_argument, NULL, HELP},
                {"version", no_argument, NULL, VERSION},
                {},
        };
        int c;

        *o = (Options){.engine = DEFAULT_ENGINE, .user = DEFAULT_USER};
        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (c) {
                case ENGINE:
                        o->engine = optarg;
                        break;
                case USER:
                        o->user = optarg;
                        break;
                case HELP:
                        print_help();
                        return 0;
                case VERSION:
                        (void) printf("edgewatch-gate %s\n", EDGEWATCH_VERSION);
                        return 0;
                default:
                        return -EINVAL;
                }
        return optind == argc ? 1 : -EINVAL;
}

static int passed_socket(void) {
        int n = sd_listen_fds(1);

        if (n < 0)
                return n;
        return n == 1 && sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) > 0
                ? SD_LISTEN_FDS_START
                : -EBADF;
}

static int end_on_sigterm(sd_event *event) {
        sigset_t set;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        return sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
}

static int run(const Options *o) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(gate_freep) Gate *gate = NULL;
        const struct passwd *user = getpwnam(o->user);
        int listener, r;

        if (!user)
                return log_error_errno(-ESRCH, "There is no user %s who could ask.", o->user);
        listener = passed_socket();
        if (listener < 0)
                return log_error_errno(
                        listener, "No listening Unix socket was passed; edgewatch-gate.socket does that.");
        r = sd_event_new(&event);
        if (r < 0) {
                (void) close(listener);
                return log_error_errno(r, "Failed to make an event loop: %m");
        }
        r = gate_new(&gate, event, listener, user->pw_uid, o->engine);
        if (r >= 0)
                r = end_on_sigterm(event);
        if (r < 0)
                return log_error_errno(r, "Failed to listen: %m");
        (void) sd_notify(0, "READY=1");
        return sd_event_loop(event);
}

int main(int argc, char *argv[]) {
        Options options;
        int r;

        log_set_identifier("edgewatch-gate");
        r = parse_options(argc, argv, &options);
        if (r <= 0)
                return r < 0 ? 2 : EXIT_SUCCESS;
        return run(&options) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
