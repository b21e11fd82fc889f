/* What all sources have alike: state, counters, back-off.
 *
 * Promise: a failing source is stopped, says once why, and is started again after 1, 2, 4 … 60 s for as long
 * as the daemon runs. A change of the reason is news, the same reason again is not.
 * Trap: start() may call source_degrade() itself, deep down; source_start() sees that by the count of
 * failures and must not declare the source started. */

#include "daemon/watch/source.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "lib/report/report.h"

#define BACK_OFF_MIN (1 * USEC_PER_SEC)
#define BACK_OFF_MAX (60 * USEC_PER_SEC)

static const char *const state_names[SOURCE_STATE_X_MAX] = {
        [SOURCE_OFF] = "off",
        [SOURCE_CATCHING_UP] = "catching-up",
        [SOURCE_LIVE] = "live",
        [SOURCE_DEGRADED] = "degraded",
};

const char *source_state_to_string(SourceState s) {
        return s >= 0 && s < SOURCE_STATE_X_MAX ? state_names[s] : NULL;
}

usec_t source_now(const Source *s, clockid_t clock) {
        usec_t now;

        return sd_event_now(s->context.event, clock, &now) < 0 ? 0 : now;
}

usec_t source_due(const Source *s) {
        return s->ops->due ? s->ops->due(s) : s->due;
}

int source_new(const SourceOps *ops, const SourceContext *context, Source **ret) {
        Source *s = calloc(1, ops->object_bytes);

        if (!s)
                return -ENOMEM;
        s->ops = ops;
        s->context = *context;
        s->state = SOURCE_OFF;
        s->since = realtime_now();
        *ret = s;
        return 0;
}

static void disarm_retry(Source *s) {
        if (s->retry)
                (void) sd_event_source_set_enabled(s->retry, SD_EVENT_OFF);
        s->retry = sd_event_source_unref(s->retry);
}

Source *source_free(Source *s) {
        if (!s)
                return NULL;
        s->ops->stop(s);
        if (s->ops->done)
                s->ops->done(s);
        disarm_retry(s);
        free(s->reason);
        free(s);
        return NULL;
}

static void set_state(Source *s, SourceState state) {
        if (s->state == state)
                return;
        s->state = state;
        s->since = realtime_now();
        if (s->context.changed)
                s->context.changed(s->context.userdata, s);
}

/* Whether the reason is another one than before. Out of memory: then none is told, which counts as new. */
static bool set_reason(Source *s, char *reason) {
        bool is_new = !reason || !s->reason || strcmp(s->reason, reason) != 0;

        free(s->reason);
        s->reason = reason;
        return is_new;
}

static void announce_restored(Source *s) {
        s->n_failures = 0;
        if (!s->reason)
                return;
        log_write(LOG_NOTICE, MESSAGE_ID_SOURCE_RESTORED, "Source %s works again.", s->ops->name);
        (void) set_reason(s, NULL);
}

void source_set_live(Source *s) {
        announce_restored(s);
        set_state(s, SOURCE_LIVE);
}

/* Not yet proof that it works: a source that fails each time right after opening would announce itself
 * restored once a second. */
void source_set_catching_up(Source *s) {
        set_state(s, SOURCE_CATCHING_UP);
}

static char *format_reason(const char *format, va_list args) {
        char *text = NULL;

        return vasprintf(&text, format, args) < 0 ? NULL : text;
}

void source_set_off(Source *s, const char *format, ...) {
        va_list args;

        s->ops->stop(s);
        disarm_retry(s);
        s->due = 0;
        va_start(args, format);
        if (set_reason(s, format_reason(format, args)) && s->reason)
                log_info("Source %s is off: %s.", s->ops->name, s->reason);
        va_end(args);
        set_state(s, SOURCE_OFF);
}

static int on_retry(sd_event_source *timer, uint64_t usec, void *userdata) {
        Source *s = userdata;

        s->counters.n_retries++;
        source_start(s);
        return 0;
}

static usec_t back_off(unsigned n_failures) {
        usec_t pause = BACK_OFF_MIN;

        for (unsigned n = 1; n < n_failures && pause < BACK_OFF_MAX; n++)
                pause *= 2;
        return pause < BACK_OFF_MAX ? pause : BACK_OFF_MAX;
}

static int schedule_retry(Source *s) {
        int r;

        disarm_retry(s);
        r = sd_event_add_time_relative(s->context.event, &s->retry, CLOCK_MONOTONIC, back_off(s->n_failures),
                100 * USEC_PER_MSEC, on_retry, s);
        if (r < 0)
                return r;
        return sd_event_source_set_description(s->retry, "source-retry");
}

void source_degrade(Source *s, int error, const char *format, ...) {
        va_list args;
        char *reason;
        int r;

        s->ops->stop(s);
        s->due = 0;
        if (s->n_failures < UINT32_MAX)
                s->n_failures++;

        errno = error < 0 ? -error : error; /* for %m */
        va_start(args, format);
        reason = format_reason(format, args);
        va_end(args);
        if (set_reason(s, reason))
                log_write(LOG_WARNING, MESSAGE_ID_SOURCE_DEGRADED,
                        "Source %s cannot be read, trying again: %s.", s->ops->name,
                        s->reason ? s->reason : "out of memory");
        set_state(s, SOURCE_DEGRADED);
        if (s->context.lost)
                s->context.lost(s->context.userdata, s->ops->kind);

        r = schedule_retry(s);
        if (r < 0)
                log_error_errno(r, "Failed to schedule a retry of source %s: %m", s->ops->name);
}

/* A retry stays `degraded` until it worked: status and log are to tell of changes, not of attempts. */
void source_start(Source *s) {
        unsigned n_failures = s->n_failures;
        int r;

        disarm_retry(s);
        s->ops->stop(s);
        if (s->state != SOURCE_DEGRADED)
                source_set_catching_up(s);
        r = s->ops->start(s);
        if (s->n_failures > n_failures)
                return;
        if (r < 0)
                source_degrade(s, r, "%s", strerror(-r));
        else if (s->state == SOURCE_DEGRADED)
                source_set_catching_up(s);
}

void source_lost(Source *s, SourceKind kind, const char *format, ...) {
        va_list args;
        char *text;

        s->counters.n_lost++;
        va_start(args, format);
        text = format_reason(format, args);
        va_end(args);
        log_notice("Source %s lost events: %s.", s->ops->name, text ? text : "out of memory");
        free(text);
        if (s->context.lost)
                s->context.lost(s->context.userdata, kind);
}

const json_t *source_saved_position(const Source *s) {
        return json_object_get(s->context.positions, s->ops->name);
}

json_t *source_to_json(const Source *s) {
        const SourceCounters *c = &s->counters;
        char since[TIMESTAMP_MAX];
        json_t *object = json_pack("{s:s, s:s, s:s?, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "name",
                s->ops->name, "state", source_state_to_string(s->state), "reason", s->reason, "since",
                timestamp_format(s->since, since), "read", (json_int_t) c->n_read, "wanted",
                (json_int_t) c->n_wanted, "dropped", (json_int_t) c->n_dropped, "lost",
                (json_int_t) c->n_lost, "errors", (json_int_t) c->n_errors, "retries",
                (json_int_t) c->n_retries);

        if (object && s->ops->describe)
                s->ops->describe(s, object);
        return object;
}
