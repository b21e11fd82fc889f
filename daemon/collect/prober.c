/* Asks edgewatch-probe, one process a question, all at the same time.
 *
 * The traps: the prober knows containers by id only, the World by name; a prober that hangs must not hang
 * us, so one deadline holds for all. */

#include "daemon/collect/prober.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "daemon/base/clock.h"
#include "daemon/base/request.h"
#include "lib/base/buffer.h"
#include "lib/world/fact-key.h"

#define QUESTION_TIMEOUT_MS 6000U
#define GRACE               (4 * USEC_PER_SEC)
#define ANSWER_MAX          ((size_t) 1024 * 1024)

typedef struct Question {
        const char *key;
        pid_t pid;
        int fd;
        Buffer answer;
        bool is_open;
} Question;

/* Returns NULL when the key names a container that is not known. */
static char *make_request(const World *world, const char *key) {
        FactKey k = fact_key_parse(key);
        _cleanup_(freep) char *from = text_dup(k.from);
        const Container *container = from ? world_container(world, from) : NULL;

        return fact_key_request(key, container ? container->id : NULL, QUESTION_TIMEOUT_MS);
}

static int spawn_prober(const char *prober, Question *q) {
        char *const argv[] = {(char *) prober, NULL}, *const no_environment[] = {NULL};
        posix_spawn_file_actions_t actions;
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        r = posix_spawn_file_actions_init(&actions);
        if (r == 0) {
                r = posix_spawn_file_actions_adddup2(&actions, pair[1], STDIN_FILENO);
                if (r == 0)
                        r = posix_spawn_file_actions_adddup2(&actions, pair[1], STDOUT_FILENO);
                if (r == 0)
                        r = posix_spawn(&q->pid, prober, &actions, NULL, argv, no_environment);
                (void) posix_spawn_file_actions_destroy(&actions);
        }
        (void) close(pair[1]);
        if (r != 0) {
                (void) close(pair[0]);
                return -r;
        }
        return pair[0];
}

static int start_question(const char *prober, const char *request, Question *q) {
        struct stat st;
        int r;

        r = stat(prober, &st) < 0      ? -errno
                : S_ISSOCK(st.st_mode) ? socket_connect(prober, 0)
                                       : spawn_prober(prober, q);
        if (r < 0)
                return r;
        q->fd = r;
        /* one that has gone already is found out by reading */
        q->is_open = request_send(q->fd, request) >= 0;
        return 0;
}

/* Reads until all have answered, or the deadline. */
static void read_answers(Question *questions, size_t n) {
        usec_t deadline = usec_add(monotonic_now(), QUESTION_TIMEOUT_MS * USEC_PER_MSEC + GRACE);

        for (;;) {
                struct pollfd waits[PROBER_QUESTIONS_MAX];
                usec_t now = monotonic_now();
                size_t n_open = 0;

                for (size_t i = 0; i < n; i++) {
                        waits[i] = (struct pollfd){
                                .fd = questions[i].is_open ? questions[i].fd : -1, .events = POLLIN};
                        n_open += questions[i].is_open;
                }
                if (n_open == 0 || now >= deadline)
                        return;
                if (poll(waits, n, (int) ((deadline - now) / USEC_PER_MSEC) + 1) < 0 && errno != EINTR)
                        return;
                for (size_t i = 0; i < n; i++) {
                        char chunk[4096];
                        ssize_t got;

                        if (!waits[i].revents)
                                continue;
                        got = read(questions[i].fd, chunk, sizeof(chunk));
                        if (got <= 0 || buffer_append(&questions[i].answer, chunk, (size_t) got) < 0)
                                questions[i].is_open = false;
                }
        }
}

static int take_answer(World *world, Question *q, usec_t now) {
        json_t *answer = NULL, *value;
        const char *why = "edgewatch-probe did not answer in time";
        int r;

        if (!q->is_open) {
                answer = json_loadb(buffer_text(&q->answer).data, q->answer.len, 0, NULL);
                why = json_string_value(json_object_get(answer, "error"));
                why = why ? why : "edgewatch-probe gave no answer";
        }
        value = json_object_get(answer, "value");
        r = value ? world_set_fact(world, q->key, json_incref(value), now)
                  : world_set_unknown(world, q->key, why, now);
        json_decref(answer);
        return r;
}

static void end_question(Question *q) {
        if (q->pid > 0) {
                if (q->is_open)
                        (void) kill(q->pid, SIGKILL);
                while (waitpid(q->pid, NULL, 0) < 0 && errno == EINTR)
                        ;
        }
        closep(&q->fd);
        buffer_done(&q->answer);
}

int prober_ask(const char *prober, World *world, char *const *keys, size_t n_keys, usec_t now) {
        Question questions[PROBER_QUESTIONS_MAX] = {};
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n_keys && n < PROBER_QUESTIONS_MAX; i++) {
                _cleanup_(freep) char *request = make_request(world, keys[i]);
                Question *q = &questions[n];
                int started;

                if (!request) {
                        r = world_set_unknown(world, keys[i], "there is no such container", now);
                        continue;
                }
                *q = (Question){.key = keys[i], .fd = -EBADF, .answer = {.max_bytes = ANSWER_MAX}};
                started = start_question(prober, request, q);
                if (started < 0)
                        r = world_set_unknown(world, keys[i],
                                started == -ENOENT ? "edgewatch-probe is not installed" : strerror(-started),
                                now);
                else
                        n++;
        }
        read_answers(questions, n);
        for (size_t i = 0; i < n; i++) {
                if (r >= 0)
                        r = take_answer(world, &questions[i], now);
                end_question(&questions[i]);
        }
        return r;
}
