/* State.StartedAt and State.FinishedAt name the last start and the last end of a container. Each is compared
 * with what was told; what the stream told is recognised by its time, which is never before State's.
 *
 * The trap: inspect and the stream race. A change is told by one of them exactly once: the stream has
 * DOCKER_HISTORY_SETTLE to do it, and is not believed again afterwards. */

#include "daemon/watch/sources/docker-history.h"

#include "lib/base/fnv.h"

/* The engine stamps the event after State, but State's end is containerd's clock reading. */
#define STAMP_TOLERANCE (100 * USEC_PER_MSEC)

static uint64_t error_hash(const char *error) {
        if (!error || !*error)
                return 0;
        return fnv_add(FNV_BASIS, error, strlen(error)) & INT64_MAX; /* JSON has no more */
}

static bool is_seen(usec_t seen, usec_t stamp) {
        return usec_add(seen, STAMP_TOLERANCE) >= stamp;
}

/* Whether a stamp of State that differs from what was told is ours to tell: returns `missed`, or
 * DOCKER_LOOK_AGAIN, or 0. */
static unsigned compare(usec_t *told, usec_t stamp, usec_t seen, usec_t now, unsigned missed) {
        if (stamp == 0 || stamp == *told)
                return 0;
        if (is_seen(seen, stamp)) {
                *told = stamp;
                return 0;
        }
        if (now < usec_add(stamp, DOCKER_HISTORY_SETTLE) && now >= stamp)
                return DOCKER_LOOK_AGAIN;
        *told = stamp;
        return missed;
}

unsigned docker_history_observe(DockerHistory *h, const Container *c, usec_t now) {
        uint64_t error = error_hash(c->error);
        unsigned missed = 0;

        if (!h->known) {
                h->known = true;
                h->started_at = c->started_at;
                h->finished_at = c->finished_at;
                h->error = error;
                return 0;
        }
        missed |= compare(&h->started_at, c->started_at, h->start_seen, now, DOCKER_MISSED_START);
        if (missed & DOCKER_MISSED_START)
                h->start_derived = c->started_at;
        missed |= compare(&h->finished_at, c->finished_at, h->die_seen, now, DOCKER_MISSED_DIE);
        if (missed & DOCKER_MISSED_DIE) {
                h->die_derived = c->finished_at;
                if (c->oom_killed == 1 && h->oom_seen < c->started_at)
                        missed |= DOCKER_MISSED_OOM;
        }
        if (error != h->error && error != 0)
                missed |= DOCKER_NEW_ERROR;
        h->error = error;
        return missed;
}

static bool note(usec_t *seen, usec_t *derived, usec_t time) {
        bool is_told =
                *derived > 0 && is_seen(time, *derived) && time < usec_add(*derived, DOCKER_HISTORY_SETTLE);

        *seen = time;
        *derived = 0;
        return !is_told;
}

bool docker_history_note(DockerHistory *h, Text action, usec_t time) {
        if (text_is(action, "start"))
                return note(&h->start_seen, &h->start_derived, time);
        if (text_is(action, "die"))
                return note(&h->die_seen, &h->die_derived, time);
        if (text_is(action, "oom")) {
                if (h->die_derived > 0 && is_seen(time, h->die_derived) && is_seen(h->die_derived, time))
                        return false;
                h->oom_seen = time;
        }
        return true;
}

json_t *docker_history_to_json(const DockerHistory *h) {
        return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "started", (json_int_t) h->started_at, "finished",
                (json_int_t) h->finished_at, "error", (json_int_t) h->error, "start_seen",
                (json_int_t) h->start_seen, "die_seen", (json_int_t) h->die_seen, "oom_seen",
                (json_int_t) h->oom_seen);
}

static uint64_t get(const json_t *object, const char *key) {
        json_int_t value = json_integer_value(json_object_get(object, key));

        return value > 0 ? (uint64_t) value : 0;
}

DockerHistory docker_history_from_json(const json_t *object) {
        return (DockerHistory){
                .known = true,
                .started_at = get(object, "started"),
                .finished_at = get(object, "finished"),
                .error = get(object, "error"),
                .start_seen = get(object, "start_seen"),
                .die_seen = get(object, "die_seen"),
                .oom_seen = get(object, "oom_seen"),
        };
}
