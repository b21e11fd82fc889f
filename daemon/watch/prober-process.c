/* Asks edgewatch-probe, one process a question, a bounded number at a time. Whatever happens to that process
 * (it hangs, dies, answers nonsense) ends in exactly one reply: the deadline sees to it. */

#include "daemon/watch/prober-process.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "daemon/base/request.h"
#include "lib/base/buffer.h"
#include "lib/world/fact-key.h"

#define QUESTIONS_AT_ONCE 8
#define QUESTIONS_WAITING 64
#define ANSWER_MAX_BYTES  ((size_t) 1024 * 1024)
#define GRACE             (2 * USEC_PER_SEC) /* beyond the time that the question itself has */
#define TIMEOUT_MAX       (15 * USEC_PER_SEC)

typedef struct ProberProcess ProberProcess;

typedef struct Asked {
        ProberProcess *prober;
        struct Asked *next;
        char *key;
        char *request;
        usec_t timeout;
        prober_reply_t reply;
        void *userdata;
        int fd;
        pid_t pid;
        Buffer answer;
        sd_event_source *io, *deadline, *child;
        bool is_running;
} Asked;

struct ProberProcess {
        Prober prober;
        sd_event *event;
        char *socket_path, *program;
        Asked *questions; /* running ones and, behind them, waiting ones */
};

static const char *const plain_questions[] = {"firewall", "listeners", "runtime-config"};

static bool is_network_question(const char *key) {
        return fact_key_is_active(key) || text_is(fact_key_parse(key).question, "tcp-info");
}

static bool is_plain_question(const char *key) {
        for (size_t i = 0; i < ELEMENTSOF(plain_questions); i++)
                if (strcmp(key, plain_questions[i]) == 0)
                        return true;
        return false;
}

static bool prober_knows(const Prober *p, const char *key) {
        const ProberProcess *self = (const ProberProcess *) p;

        if (!is_plain_question(key) && !is_network_question(key))
                return false;
        return (self->socket_path && access(self->socket_path, W_OK) == 0) ||
                (self->program && access(self->program, X_OK) == 0);
}

static Asked *asked_free(Asked *a) {
        if (!a)
                return NULL;
        (void) sd_event_source_disable_unref(a->io);
        (void) sd_event_source_disable_unref(a->deadline);
        /* owns the process: kills and reaps it if it still runs */
        (void) sd_event_source_disable_unref(a->child);
        if (a->fd >= 0)
                (void) close(a->fd);
        buffer_done(&a->answer);
        free(a->key);
        free(a->request);
        free(a);
        return NULL;
}
DEFINE_CLEANUP(Asked, asked_free);

static void start_waiting(ProberProcess *p);

static void unlink_question(Asked *a) {
        for (Asked **at = &a->prober->questions; *at; at = &(*at)->next)
                if (*at == a) {
                        *at = a->next;
                        return;
                }
}

static void finish(Asked *a, const char *why) {
        ProberProcess *p = a->prober;
        json_t *answer = NULL, *value = NULL;

        unlink_question(a);
        if (!why) {
                answer = json_loadb(a->answer.data ? a->answer.data : "", a->answer.len, 0, NULL);
                value = json_object_get(answer, "value");
                why = json_string_value(json_object_get(answer, "error"));
                if (!value && !why)
                        why = "the prober gave no answer";
        }
        a->reply(a->userdata, a->key, value, value ? NULL : why);
        json_decref(answer);
        (void) asked_free(a);
        start_waiting(p);
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *userdata) {
        finish(userdata, "the prober did not answer in time");
        return 0;
}

static int on_readable(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        char chunk[4096];
        Asked *a = userdata;
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n <= 0)
                finish(a, n < 0 ? "the prober's answer could not be read" : NULL);
        else if (buffer_append(&a->answer, chunk, (size_t) n) < 0)
                finish(a, "the prober's answer is too long");
        return 0;
}

static int spawn(const char *program, int fd, pid_t *ret) {
        char *const argv[] = {(char *) program, NULL}, *const no_environment[] = {NULL};
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t no_signals;
        int r;

        if (posix_spawn_file_actions_init(&actions) != 0)
                return -ENOMEM;
        if (posix_spawnattr_init(&attributes) != 0) {
                (void) posix_spawn_file_actions_destroy(&actions);
                return -ENOMEM;
        }
        /* the loop blocks signals; the child must not */
        (void) sigemptyset(&no_signals);
        (void) posix_spawnattr_setsigmask(&attributes, &no_signals);
        r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn(ret, program, &actions, &attributes, argv, no_environment);
        (void) posix_spawnattr_destroy(&attributes);
        (void) posix_spawn_file_actions_destroy(&actions);
        return -r;
}

static int on_child(sd_event_source *s, const siginfo_t *si, void *userdata) {
        /* its end of the socket is what tells: the answer may still be in there */
        return 0;
}

static int start_child(Asked *a) {
        _cleanup_(closep) int mine = -EBADF, theirs = -EBADF;
        int pair[2], pidfd, r;

        if (!a->prober->program)
                return -ENOENT;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        mine = pair[0];
        theirs = pair[1];
        r = spawn(a->prober->program, theirs, &a->pid);
        if (r < 0)
                return r;
        a->fd = TAKE_FD(mine);
        pidfd = (int) syscall(SYS_pidfd_open, a->pid, 0);
        if (pidfd < 0)
                return -errno;
        r = sd_event_add_child_pidfd(a->prober->event, &a->child, pidfd, WEXITED, on_child, a);
        if (r < 0) {
                (void) close(pidfd);
                return r;
        }
        (void) sd_event_source_set_child_pidfd_own(a->child, 1);
        return sd_event_source_set_child_process_own(a->child, 1);
}

static int start_question(Asked *a) {
        const char *path = a->prober->socket_path;
        int r;

        a->is_running = true;
        r = path ? socket_connect(path, SOCK_NONBLOCK) : -ENOENT;
        if (r >= 0)
                a->fd = r;
        else {
                r = start_child(a);
                if (r < 0)
                        return r;
        }
        r = request_send(a->fd, a->request);
        if (r < 0)
                return r;
        r = sd_event_add_io(a->prober->event, &a->io, a->fd, EPOLLIN, on_readable, a);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(a->io, "prober");
        return sd_event_add_time_relative(a->prober->event, &a->deadline, CLOCK_MONOTONIC,
                usec_add(a->timeout, GRACE), 100 * USEC_PER_MSEC, on_deadline, a);
}

/* A question that could not even be started is answered like any other: later, through the loop. */
static int on_failed_start(sd_event_source *s, void *userdata) {
        finish(userdata, "the prober could not be started");
        return 0;
}

static void start_waiting(ProberProcess *p) {
        size_t running = 0;

        for (Asked *a = p->questions; a; a = a->next)
                running += a->is_running;
        for (Asked *a = p->questions; a && running < QUESTIONS_AT_ONCE; a = a->next) {
                if (a->is_running)
                        continue;
                running++;
                if (start_question(a) >= 0)
                        continue;
                a->io = sd_event_source_disable_unref(a->io);
                a->deadline = sd_event_source_disable_unref(a->deadline);
                if (sd_event_add_defer(p->event, &a->io, on_failed_start, a) < 0)
                        a->is_running = false; /* no memory now: it is started with the next one */
        }
}

static int prober_ask(Prober *p, const char *key, const json_t *object, usec_t timeout, prober_reply_t reply,
        void *userdata) {
        ProberProcess *self = (ProberProcess *) p;
        _cleanup_(asked_freep) Asked *a = NULL;
        Asked **end = &self->questions;
        size_t n = 0;

        for (; *end; end = &(*end)->next)
                if (++n >= QUESTIONS_WAITING)
                        return -ENOBUFS;
        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        *a = (Asked){
                .prober = self,
                .fd = -EBADF,
                .timeout = timeout < TIMEOUT_MAX ? timeout : TIMEOUT_MAX,
                .reply = reply,
                .userdata = userdata,
                .answer.max_bytes = ANSWER_MAX_BYTES,
        };
        a->key = strdup(key);
        a->request = fact_key_request(key, json_string_value(json_object_get(object, "id")),
                (unsigned) (a->timeout / USEC_PER_MSEC));
        if (!a->key)
                return -ENOMEM;
        if (!a->request)
                return -EINVAL;
        *end = TAKE_PTR(a);
        start_waiting(self);
        return 0;
}

static Prober *prober_free(Prober *p) {
        ProberProcess *self = (ProberProcess *) p;

        if (!self)
                return NULL;
        while (self->questions) {
                Asked *a = self->questions;

                self->questions = a->next;
                (void) asked_free(a);
        }
        (void) sd_event_unref(self->event);
        free(self->socket_path);
        free(self->program);
        free(self);
        return NULL;
}

int prober_process_new(Prober **ret, sd_event *event, const char *socket_path, const char *program) {
        ProberProcess *self;
        sigset_t child;

        /* sd-event watches children only where SIGCHLD is blocked */
        (void) sigemptyset(&child);
        (void) sigaddset(&child, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &child, NULL) < 0)
                return -errno;
        self = calloc(1, sizeof(*self));
        if (!self)
                return -ENOMEM;
        *self = (ProberProcess){
                .prober = {.knows = prober_knows, .ask = prober_ask, .free = prober_free},
                .event = sd_event_ref(event),
                .socket_path = socket_path ? strdup(socket_path) : NULL,
                .program = program ? strdup(program) : NULL,
        };
        if ((socket_path && !self->socket_path) || (program && !self->program)) {
                (void) prober_free(&self->prober);
                return -ENOMEM;
        }
        *ret = &self->prober;
        return 0;
}
