/* edgewatch-fix: reads one request from standard input, answers in JSON lines on standard output, ends.
 * Started by systemd for each connection to its socket. The only program of edgewatch that changes the
 * device. */

#include <getopt.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/base/log.h"
#include "daemon/base/request.h"
#include "daemon/fix/peer.h"
#include "daemon/fix/runner.h"
#include "daemon/fix/trusted-config.h"

#define READER_WAIT_MS      5000
#define DEFAULT_CONFIG      EDGEWATCH_CONFIG_DIR "/edgewatch.yaml"
#define DEFAULT_STATE       "/var/lib/edgewatch-fix"
#define DEFAULT_DAEMON_USER "edgewatch"
/* the runtime's end takes 40 s, each container's up to 10 s */
#define DEFAULT_JOB_TIME       (180 * USEC_PER_SEC)
#define DEFAULT_RECOVERY_PAUSE (5 * USEC_PER_MIN)

typedef struct Options {
        const char *config, *state_directory, *daemon_user;
        usec_t job_time, recovery_pause;
        bool recover;
} Options;

static void print_help(void) {
        (void) printf(
                "Usage: edgewatch-fix [OPTION]...\n"
                "Repairs the device: one request on standard input, JSON lines on standard output.\n"
                "`edgewatchctl fix` is the way to ask it.\n\n"
                "  --config FILE           the configuration (" DEFAULT_CONFIG ")\n"
                "  --state-directory DIR   ledger and runs ($STATE_DIRECTORY, else " DEFAULT_STATE ")\n"
                "  --daemon-user NAME      the user whose requests need the configuration's consent "
                "(" DEFAULT_DAEMON_USER ")\n"
                "  --job-time DURATION     how long a job of systemd may take (3min)\n"
                "  --recovery-pause DURATION  after the second failure to take something back (5min)\n"
                "  --recover               finish or take back what was cut off, and end\n"
                "  --help, --version\n");
}

/* Returns 1 to go on, 0 when everything is said, -EINVAL. */
static int parse_options(int argc, char *argv[], Options *o) {
        enum {
                CONFIG = 256,
                JOB_TIME,
                RECOVERY_PAUSE,
                STATE,
                USER,
                RECOVER,
                HELP,
                VERSION
        };
        static const struct option options[] = {
                {"config", required_argument, NULL, CONFIG},
                {"job-time", required_argument, NULL, JOB_TIME},
                {"recovery-pause", required_argument, NULL, RECOVERY_PAUSE},
                {"state-directory", required_argument, NULL, STATE},
                {"daemon-user", required_argument, NULL, USER},
                {"recover", no_argument, NULL, RECOVER},
                {"help", no_argument, NULL, HELP},
                {"version", no_argument, NULL, VERSION},
                {},
        };
        const char *state = getenv("STATE_DIRECTORY");
        int c;

        *o = (Options){.config = DEFAULT_CONFIG,
                .state_directory = state ? state : DEFAULT_STATE,
                .daemon_user = DEFAULT_DAEMON_USER,
                .job_time = DEFAULT_JOB_TIME,
                .recovery_pause = DEFAULT_RECOVERY_PAUSE};
        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (c) {
                case CONFIG:
                        o->config = optarg;
                        break;
                case JOB_TIME:
                        if (duration_parse(text_of(optarg), &o->job_time) < 0)
                                return -EINVAL;
                        break;
                case RECOVERY_PAUSE:
                        if (duration_parse(text_of(optarg), &o->recovery_pause) < 0)
                                return -EINVAL;
                        break;
                case STATE:
                        o->state_directory = optarg;
                        break;
                case USER:
                        o->daemon_user = optarg;
                        break;
                case RECOVER:
                        o->recover = true;
                        break;
                case HELP:
                        print_help();
                        return 0;
                case VERSION:
                        (void) printf("edgewatch-fix %s\n", EDGEWATCH_VERSION);
                        return 0;
                default:
                        return -EINVAL;
                }
        return optind == argc ? 1 : -EINVAL;
}

/* All of it, or -ETIMEDOUT when the reader has stalled. */
static int send_whole(const char *data, size_t len) {
        while (len > 0) {
                struct pollfd wait = {.fd = STDOUT_FILENO, .events = POLLOUT};
                ssize_t n = send(STDOUT_FILENO, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n >= 0) {
                        data += n;
                        len -= (size_t) n;
                } else if (errno != EAGAIN && errno != EINTR)
                        return -errno;
                else if (poll(&wait, 1, READER_WAIT_MS) == 0)
                        return -ETIMEDOUT;
        }
        return 0;
}

/* Waits for a reader once, and not for long: the fix goes on whether somebody listens or not. What comes
 * after a line that was cut would not be understood. */
static void say(void *userdata, json_t *line) {
        static bool has_stalled;
        char *text = has_stalled ? NULL : json_dumps(line, JSON_COMPACT);
        size_t len = text ? strlen(text) : 0;
        int r;

        json_decref(line);
        if (!text)
                return;
        text[len] = '\n'; /* in place of the end */
        r = send_whole(text, len + 1);
        if (r == -ENOTSOCK) {
                (void) fwrite(text, len + 1, 1, stdout);
                (void) fflush(stdout);
        } else if (r < 0)
                has_stalled = true;
        free(text);
}

static int refuse(const char *because) {
        say(NULL, json_pack("{s:s, s:s, s:s}", "event", "result", "outcome", "error", "because", because));
        return 0;
}

static int serve(Runner *r, const FixRequest *q, uid_t daemon_uid) {
        sd_bus *bus = NULL;
        int may;

        switch (q->verb) {
        case FIX_VERB_LIST:
                return runner_list(r);
        case FIX_VERB_PLAN:
                return runner_plan(r, q);
        case FIX_VERB_HISTORY:
                return runner_history(r);
        default:
                break;
        }
        (void) context_bus(r->context, &bus);
        may = peer_may_change(&r->peer, daemon_uid, bus);
        if (may < 0)
                (void) log_warning_errno(
                        may, "polkit could not be asked about uid %lu: %m", (unsigned long) r->peer.uid);
        r->peer.is_person = may > 0;
        if (!r->peer.is_person && r->peer.uid != daemon_uid)
                return refuse("this needs root, or polkit's consent to org.edgewatch1.fix");
        return q->verb == FIX_VERB_APPLY ? runner_apply(r, q) : runner_undo(r, q);
}

static int answer_request(Runner *r, const char *daemon_user) {
        const struct passwd *user = getpwnam(daemon_user);
        uid_t daemon_uid = user ? user->pw_uid : (uid_t) -1;
        char buffer[FIX_REQUEST_MAX + 1];
        const char *why = NULL;
        FixRequest request;
        int k, len;

        k = peer_identify(STDIN_FILENO, &r->peer);
        if (k < 0)
                return k;
        len = request_read(STDIN_FILENO, buffer, sizeof(buffer));
        if (len < 0)
                return refuse("no request came");
        if (fix_request_parse((Text){buffer, (size_t) len}, &request, &why) < 0)
                return refuse(why);
        k = serve(r, &request, daemon_uid);
        if (k < 0)
                (void) refuse(strerror(-k));
        return k;
}

static int run(const Options *o) {
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(freep) char *why = NULL;
        FixContext context;
        Runner runner = {.context = &context,
                .state_directory = o->state_directory,
                .recovery_pause = o->recovery_pause,
                .say = say};
        int r;

        r = trusted_config_load(o->config, &config, &why);
        if (r < 0) {
                log_error("Nothing is repaired: %s", why ? why : strerror(-r));
                if (o->recover)
                        return r;
                return refuse(why ? why : strerror(-r));
        }
        r = context_init(&context, config);
        context.is_recovery = o->recover;
        context.job_time = o->job_time;
        if (r >= 0)
                r = o->recover ? runner_recover(&runner) : answer_request(&runner, o->daemon_user);
        context_done(&context);
        return r;
}

static void on_end(int signal) {
        _exit(EXIT_FAILURE);
}

/* For systemd an end by one of these is a success, and no recovery would be started. */
static void fail_when_ended(void) {
        static const int signals[] = {SIGHUP, SIGINT, SIGTERM};

        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) signal(signals[i], on_end);
}

int main(int argc, char *argv[]) {
        Options options;
        int r;

        log_set_identifier("edgewatch-fix");
        r = parse_options(argc, argv, &options);
        if (r <= 0)
                return r < 0 ? 2 : EXIT_SUCCESS;
        (void) signal(SIGPIPE, SIG_IGN);
        fail_when_ended();
        r = run(&options);
        if (r < 0)
                (void) log_error_errno(r, "The request could not be served: %m");
        return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
