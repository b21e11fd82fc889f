/* The trap: between the question and the answer lie minutes, in which incidents change, clear and make room
 * for others. So what is wanted is known by an incident's id only, and looked up whenever something happens.
 */

#include "daemon/watch/repair.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/request.h"
#include "lib/base/buffer.h"
#include "lib/event/json-field.h"

#define FIRST_PAUSE    (2 * USEC_PER_SEC)  /* by then consequences are linked to their causes */
#define RETRY_SOON     (60 * USEC_PER_SEC) /* all are doubled with each refusal */
#define RETRY_PAUSE    (10 * USEC_PER_MIN)
#define RECOVERY_PAUSE (10 * USEC_PER_SEC)
#define RETRY_MAX      (12 * USEC_PER_HOUR)
#define PATIENCE       (60 * USEC_PER_MIN) /* a fix waits for jobs of systemd and for the device to settle */
#define LINE_MAX_BYTES ((size_t) 1024 * 1024)

typedef struct Wanted {
        char id[INCIDENT_ID_MAX];
        usec_t ask_at; /* realtime: the fixer names such a time */
        unsigned n_refusals;
        bool is_lost; /* a run began and was cut off: what the fixer's recovery made of it is to be asked */
} Wanted;

struct Repair {
        sd_event *event;
        RepairOps ops;
        Wanted wanted[REPAIR_WANTED_MAX];
        size_t n_wanted;
        sd_event_source *timer;

        /* the request under way */
        char asked[INCIDENT_ID_MAX]; /* "" when there is none */
        int fd;
        Buffer answer;
        sd_event_source *io, *deadline;
};

static void arm(Repair *r);

static Wanted *find(Repair *r, const char *id) {
        FOREACH_ARRAY (w, r->wanted, r->n_wanted)
                if (strcmp(w->id, id) == 0)
                        return w;
        return NULL;
}

static void forget(Repair *r, const char *id) {
        Wanted *w = find(r, id);

        if (w)
                *w = r->wanted[--r->n_wanted];
}

static FixMode mode_of(const Repair *r, const Incident *i) {
        if (!i || i->state != INCIDENT_CONFIRMED || i->consequence_of[0] || !i->rule || !i->rule->remedy.fix)
                return FIX_MODE_OFF;
        return config_fix_mode(r->ops.config(r->ops.userdata), i->rule->remedy.fix);
}

/* A plan that stands need not be made again. */
static bool is_settled(const Incident *i, FixMode mode) {
        return mode == FIX_MODE_PLAN && i->fix_state && strcmp(i->fix_state, "planned") == 0;
}

void repair_consider(Repair *r, const Incident *i) {
        FixMode mode = mode_of(r, i);
        Wanted *w = find(r, i->id);

        if (mode == FIX_MODE_OFF || is_settled(i, mode)) {
                if (w && !w->is_lost && strcmp(r->asked, i->id) != 0)
                        forget(r, i->id);
                return;
        }
        if (w)
                return;
        if (r->n_wanted >= REPAIR_WANTED_MAX) {
                log_warning(
                        "Too many incidents wait for their repair; %s has to be repaired by hand.", i->id);
                return;
        }
        w = &r->wanted[r->n_wanted++];
        *w = (Wanted){.ask_at = usec_add(realtime_now(), FIRST_PAUSE)};
        (void) snprintf(w->id, sizeof(w->id), "%s", i->id);
        arm(r);
}

void repair_consider_all(Repair *r) {
        size_t n;
        const Incident *const *incidents = diagnosis_incidents(r->ops.diagnosis(r->ops.userdata), &n);

        for (size_t i = 0; i < n; i++)
                repair_consider(r, incidents[i]);
}

static void end_request(Repair *r) {
        r->io = sd_event_source_disable_unref(r->io);
        r->deadline = sd_event_source_disable_unref(r->deadline);
        closep(&r->fd);
        r->fd = -EBADF;
        buffer_done(&r->answer);
        r->asked[0] = '\0';
}

/* retry_at 0: after the pause, doubled with each refusal so far. */
static void ask_again(Repair *r, const char *id, usec_t pause, usec_t retry_at) {
        Wanted *w = find(r, id);

        if (!w)
                return;
        for (unsigned i = 0; i < w->n_refusals && pause < RETRY_MAX; i++)
                pause = usec_add(pause, pause);
        w->n_refusals++;
        w->ask_at =
                retry_at > 0 ? retry_at : usec_add(realtime_now(), pause < RETRY_MAX ? pause : RETRY_MAX);
}

static void set_state(Repair *r, const char *state) {
        int k = diagnosis_set_fix_state(r->ops.diagnosis(r->ops.userdata), r->asked, state);

        if (k < 0 && k != -ENOENT)
                (void) log_error_errno(
                        k, "The state of the repair of incident %s could not be noted: %m", r->asked);
}

/* What follows from an outcome (daemon/fix/request.h): the incident's fix state, and when to ask again. */
static const struct {
        const char *outcome, *state;
        usec_t pause; /* 0: never again */
        bool is_told; /* by nobody else: the fixer writes an entry for the other outcomes */
} outcomes[] = {
        {"error", NULL, RETRY_SOON, true},
        {"failed", "failed", RETRY_PAUSE, false},
        {"fixed", "fixed", RETRY_PAUSE, false}, /* it may break again before its incident clears */
        {"not-needed", NULL, RETRY_SOON, true},
        {"planned", "planned", 0, false},
        {"refused", NULL, RETRY_PAUSE, false},
        {"rolled-back", "rolled-back", RETRY_SOON, false},
};

static void take_result(Repair *r, const json_t *line) {
        const char *outcome = json_string_value(json_object_get(line, "outcome"));
        const char *why = json_string_value(json_object_get(line, "because"));

        for (size_t i = 0; outcome && i < ELEMENTSOF(outcomes); i++) {
                if (strcmp(outcomes[i].outcome, outcome) != 0)
                        continue;
                if (outcomes[i].is_told)
                        log_notice("The fixer does nothing about incident %s (%s): %s.", r->asked, outcome,
                                why ? why : "it does not say why");
                if (outcomes[i].state)
                        set_state(r, outcomes[i].state);
                if (outcomes[i].pause == 0)
                        forget(r, r->asked);
                else
                        ask_again(r, r->asked, outcomes[i].pause, json_field_time(line, "retry_at"));
        }
}

/* What the fixer's recovery made of a run that was cut off. */
static void take_history(Repair *r, const json_t *line) {
        const char *outcome = NULL;
        Wanted *w = find(r, r->asked);
        const json_t *run;
        size_t i;

        json_array_foreach (json_object_get(line, "runs"), i, run) {
                const char *incident = json_string_value(json_object_get(run, "incident"));

                if (incident && strcmp(incident, r->asked) == 0)
                        outcome = json_string_value(json_object_get(run, "outcome"));
        }
        if (!w)
                return;
        w->is_lost = outcome && (strcmp(outcome, "none") == 0 || strcmp(outcome, "failed") == 0);
        if (outcome && strcmp(outcome, "none") != 0)
                set_state(r, outcome);
        ask_again(r, r->asked, w->is_lost ? RECOVERY_PAUSE : RETRY_PAUSE, 0);
}

static void take_line(Repair *r, Text text, bool *ret_is_last) {
        json_t *line = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
        const char *event = json_string_value(json_object_get(line, "event"));

        *ret_is_last = event && (strcmp(event, "result") == 0 || strcmp(event, "history") == 0);
        if (*ret_is_last && strcmp(event, "history") == 0)
                take_history(r, line);
        else if (*ret_is_last)
                take_result(r, line);
        else if (event && strcmp(event, "step") == 0 && !json_is_true(json_object_get(line, "undoing")))
                set_state(r, "fixing");
        json_decref(line);
}

/* Without a result: the fixer is gone, and what it began is finished or taken back by its own recovery. */
static void lose_request(Repair *r, const char *why) {
        const Incident *i = diagnosis_find(r->ops.diagnosis(r->ops.userdata), r->asked);
        Wanted *w = find(r, r->asked);

        if (w && i && i->fix_state && strcmp(i->fix_state, "fixing") == 0) {
                set_state(r, "failed");
                w->is_lost = true;
        }
        log_warning("The fixer gave no result for incident %s: %s.", r->asked, why);
        ask_again(r, r->asked, w && w->is_lost ? RECOVERY_PAUSE : RETRY_PAUSE, 0);
        end_request(r);
        arm(r);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        lose_request(userdata, "it takes too long");
        return 0;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Repair *r = userdata;
        char chunk[4096];
        ssize_t n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
        bool is_last = false;
        char *end;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n <= 0 || buffer_append(&r->answer, chunk, (size_t) n) < 0) {
                lose_request(r, n < 0 ? strerror(errno) : n > 0 ? "its answer is too long" : "it ended");
                return 0;
        }
        while (!is_last && (end = memchr(r->answer.data, '\n', r->answer.len))) {
                size_t len = (size_t) (end - r->answer.data);

                take_line(r, (Text){r->answer.data, len}, &is_last);
                buffer_consume(&r->answer, len + 1);
        }
        if (is_last) {
                end_request(r);
                arm(r);
        }
        return 0;
}

static int send_request(Repair *r, const Incident *i, FixMode mode, bool is_lost) {
        json_t *object = is_lost
                ? json_pack("{s:s}", "do", "history")
                : json_pack("{s:s, s:s, s:s, s:s}", "do", mode == FIX_MODE_APPLY ? "apply" : "plan", "fix",
                          i->rule->remedy.fix, "subject", i->subject, "incident", i->id);
        _cleanup_(freep) char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

        json_decref(object);
        return text ? request_send(r->fd, text) : -ENOMEM;
}

static int start_request(Repair *r, const Incident *i, FixMode mode, bool is_lost) {
        int k;

        (void) snprintf(r->asked, sizeof(r->asked), "%s", i->id);
        r->answer.max_bytes = LINE_MAX_BYTES;
        k = socket_connect(r->ops.config(r->ops.userdata)->fix_socket, SOCK_NONBLOCK);
        if (k < 0)
                return k;
        r->fd = k;
        k = send_request(r, i, mode, is_lost);
        if (k >= 0)
                k = sd_event_add_io(r->event, &r->io, r->fd, EPOLLIN, on_readable, r);
        if (k >= 0)
                k = sd_event_add_time_relative(
                        r->event, &r->deadline, CLOCK_MONOTONIC, PATIENCE, USEC_PER_SEC, on_deadline, r);
        return k;
}

static Wanted *earliest(Repair *r) {
        Wanted *first = NULL;

        FOREACH_ARRAY (w, r->wanted, r->n_wanted)
                if (!first || w->ask_at < first->ask_at)
                        first = w;
        return first;
}

static int on_time(sd_event_source *timer, uint64_t usec, void *userdata) {
        Repair *r = userdata;
        Wanted *w = earliest(r);
        const Incident *i;
        FixMode mode;
        int k;

        if (!w || r->asked[0])
                return 0;
        i = diagnosis_find(r->ops.diagnosis(r->ops.userdata), w->id);
        mode = mode_of(r, i);
        if (!i || (mode == FIX_MODE_OFF && !w->is_lost)) {
                forget(r, w->id);
                arm(r);
                return 0;
        }
        k = start_request(r, i, mode, w->is_lost);
        if (k < 0)
                lose_request(r, strerror(-k));
        return 0;
}

static void arm(Repair *r) {
        const Wanted *w = earliest(r);
        int k = 0;

        if (r->asked[0] || !w) {
                if (r->timer)
                        k = sd_event_source_set_enabled(r->timer, SD_EVENT_OFF);
        } else if (!r->timer)
                k = sd_event_add_time(
                        r->event, &r->timer, CLOCK_REALTIME, w->ask_at, 100 * USEC_PER_MSEC, on_time, r);
        else {
                k = sd_event_source_set_time(r->timer, w->ask_at);
                if (k >= 0)
                        k = sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
        }
        if (k < 0)
                (void) log_error_errno(k, "The next repair could not be scheduled: %m");
}

void repair_shift(Repair *r, int64_t by_usec) {
        FOREACH_ARRAY (w, r->wanted, r->n_wanted)
                w->ask_at = by_usec < 0 ? usec_sub(w->ask_at, (usec_t) -by_usec)
                                        : usec_add(w->ask_at, (usec_t) by_usec);
        arm(r);
}

int repair_new(Repair **ret, sd_event *event, RepairOps ops) {
        Repair *r = calloc(1, sizeof(*r));

        if (!r)
                return -ENOMEM;
        *r = (Repair){.event = sd_event_ref(event), .ops = ops, .fd = -EBADF};
        *ret = r;
        return 0;
}

Repair *repair_free(Repair *r) {
        if (!r)
                return NULL;
        end_request(r);
        (void) sd_event_source_disable_unref(r->timer);
        (void) sd_event_unref(r->event);
        free(r);
        return NULL;
}
