/* Containers: what inspections and events told, whichever came later. One record per id; a name may have had
 * several ids, the existing and latest one answers for it. Records of removed containers stay for a while,
 * because logs and kernel lines still name their ids. */

#include "lib/world/world-tables.h"

#include <signal.h>

/* Of being told to; after that the engine sends SIGKILL, which counts anew. */
#define STOPS_WITHIN (30 * USEC_PER_SEC)

static const char *const statuses[] = {
        "created",
        "running",
        "paused",
        "restarting",
        "removing",
        "exited",
        "dead",
};

static const char *status_word(const char *status) {
        for (size_t i = 0; status && i < ELEMENTSOF(statuses); i++)
                if (strcmp(statuses[i], status) == 0)
                        return statuses[i];
        return NULL;
}

static const struct {
        const char *action;
        const char *status;
} action_statuses[] = {
        {"create", "created"},
        {"start", "running"},
        {"restart", "running"},
        {"unpause", "running"},
        {"pause", "paused"},
        {"die", "exited"},
};

static ContainerRecord *record_free(ContainerRecord *c) {
        if (!c)
                return NULL;
        (void) container_unref(c->object);
        free(c->id);
        free(c->name);
        free(c);
        return NULL;
}
DEFINE_CLEANUP(ContainerRecord, record_free);

#define SHORT_ID_BYTES 12

static ContainerRecord *find_by_id(const World *w, Text id) {
        ContainerRecord *c;

        if (id.len < SHORT_ID_BYTES)
                return NULL;
        HASH_FIND(hh, w->containers, id.data, id.len, c);
        if (c)
                return c;
        for (c = w->containers; c; c = c->hh.next) {
                size_t n = strlen(c->id) < id.len ? strlen(c->id) : id.len;

                if (n >= SHORT_ID_BYTES && memcmp(c->id, id.data, n) == 0)
                        return c;
        }
        return NULL;
}

static ContainerRecord *find_by_name(const World *w, const char *name) {
        ContainerRecord *found = NULL;

        for (ContainerRecord *c = w->containers; c; c = c->hh.next) {
                if (!c->name || strcmp(c->name, name) != 0)
                        continue;
                if (!found || (found->gone && !c->gone) ||
                        (found->gone == c->gone && c->seen >= found->seen))
                        found = c;
        }
        return found;
}

static ContainerRecord *find(const World *w, const char *name_or_id) {
        ContainerRecord *c = find_by_name(w, name_or_id);

        return c ? c : find_by_id(w, text_of(name_or_id));
}

static void make_room(World *w) {
        ContainerRecord *oldest = NULL;

        if (HASH_COUNT(w->containers) < WORLD_CONTAINERS_MAX)
                return;
        for (ContainerRecord *c = w->containers; c; c = c->hh.next)
                if (!oldest || (c->gone && !oldest->gone) ||
                        (c->gone == oldest->gone && c->seen < oldest->seen))
                        oldest = c;
        HASH_DEL(w->containers, oldest);
        (void) record_free(oldest);
}

static int get_record(World *w, Text id, usec_t now, ContainerRecord **ret) {
        ContainerRecord *c = find_by_id(w, id);
        _cleanup_(record_freep) ContainerRecord *fresh = NULL;

        if (c) {
                c->seen = now;
                *ret = c;
                return 0;
        }
        make_room(w);
        fresh = calloc(1, sizeof(*fresh));
        if (!fresh)
                return -ENOMEM;
        fresh->id = text_dup(id);
        if (!fresh->id)
                return -ENOMEM;
        fresh->exit_code = fresh->kill_signal = fresh->owned = -1;
        fresh->seen = now;
        c = TAKE_PTR(fresh);
        HASH_ADD_KEYPTR(hh, w->containers, c->id, strlen(c->id), c);
        *ret = c;
        return 0;
}

static int set_name(ContainerRecord *c, Text name) {
        char *copy;

        if (name.len == 0 || (c->name && text_is(name, c->name)))
                return 0;
        copy = text_dup(name);
        if (!copy)
                return -ENOMEM;
        free(c->name);
        c->name = copy;
        return 0;
}

int world_learn_container_name(World *w, Text id, Text name, usec_t now) {
        ContainerRecord *c;
        int r;

        if (id.len < SHORT_ID_BYTES || name.len == 0)
                return 0;
        c = find_by_id(w, id);
        if (c && c->name)
                return 0;
        r = get_record(w, id, now, &c);
        return r < 0 ? r : set_name(c, name);
}

static void take_state(ContainerRecord *c, const Container *object, usec_t now) {
        c->status = status_word(object->status);
        c->since = container_is_running(object) ? object->started_at : object->finished_at;
        c->inspected_at = now;
        c->gone = false;
        if (!container_is_running(object) && object->finished_at > 0) {
                c->exit_code = object->exit_code;
                c->died_at = object->finished_at;
        }
}

static void count_death(ContainerRecord *c, usec_t now) {
        bool was_healthy = c->status && strcmp(c->status, "running") == 0 &&
                usec_sub(now, c->since) >= WORLD_HEALTHY_AFTER;

        c->n_deaths = was_healthy ? 1 : c->n_deaths + 1;
}

static void take_action(ContainerRecord *c, const ContainerChange *change, usec_t now) {
        if (text_is(change->action, "die"))
                count_death(c, now);
        FOREACH_ARRAY (a, action_statuses, ELEMENTSOF(action_statuses)) {
                if (!text_is(change->action, a->action))
                        continue;
                c->status = a->status;
                c->since = now;
                c->gone = false;
        }
        if (text_is(change->action, "die")) {
                c->died_at = now;
                c->exit_code = change->exit_code;
        } else if (text_is(change->action, "oom"))
                c->oom_at = now;
        else if (text_is(change->action, "kill")) {
                c->kill_at = now;
                c->kill_signal = change->signal;
        } else if (text_is(change->action, "destroy")) {
                c->gone = true;
                c->status = NULL;
                c->since = now;
        }
}

int world_apply_container(World *w, const Event *event) {
        const ContainerChange *change = &event->container;
        ContainerRecord *c;
        int r;

        if (change->id.len < SHORT_ID_BYTES)
                return 0;
        r = get_record(w, change->id, event->time, &c);
        if (r < 0)
                return r;
        r = set_name(c, change->name);
        if (r < 0)
                return r;
        if (!change->object) {
                if (change->owned)
                        c->owned = 1;
                take_action(c, change, event->time);
                return 0;
        }

        (void) container_unref(c->object);
        c->object = container_ref(change->object);
        c->owned = container_is_owned(change->object);
        c->enumerated = true;
        if (!text_is(change->action, "known"))
                take_state(c, change->object, event->time);
        return 0;
}

void world_containers_begin(World *w) {
        for (ContainerRecord *c = w->containers; c; c = c->hh.next)
                c->enumerated = false;
}

void world_containers_end(World *w) {
        for (ContainerRecord *c = w->containers; c; c = c->hh.next)
                if (!c->enumerated) {
                        c->gone = true;
                        c->status = NULL;
                }
}

void world_containers_done(World *w) {
        for (ContainerRecord *c = w->containers, *next; c; c = next) {
                next = c->hh.next;
                HASH_DEL(w->containers, c);
                (void) record_free(c);
        }
}

const Container *world_container(const World *w, const char *name_or_id) {
        ContainerRecord *c = find(w, name_or_id);

        return c && !c->gone ? c->object : NULL;
}

const char *world_container_status(const World *w, const char *name) {
        ContainerRecord *c = find(w, name);

        return c && !c->gone ? c->status : NULL;
}

usec_t world_container_since(const World *w, const char *name) {
        ContainerRecord *c = find(w, name);

        return c ? c->since : 0;
}

const char *world_container_name(const World *w, Text id) {
        ContainerRecord *c = find_by_id(w, id);

        return c ? c->name : NULL;
}

int world_container_exit_code(const World *w, const char *name) {
        ContainerRecord *c = find(w, name);

        return c ? c->exit_code : -1;
}

int world_container_oom(const World *w, const char *name, usec_t since) {
        ContainerRecord *c = find(w, name);

        if (!c)
                return -1;
        if (c->oom_at > 0 && c->oom_at >= since)
                return 1;
        if (!c->object || c->inspected_at < since || c->object->finished_at < since)
                return -1;
        /* "no" is about the last exit only when it was asked after it and before the next start, which
         * resets it */
        if (c->object->oom_killed == 0 && (container_is_running(c->object) || c->inspected_at < c->died_at))
                return -1;
        return c->object->oom_killed;
}

usec_t world_container_died_at(const World *w, const char *name) {
        ContainerRecord *c = find(w, name);

        return c ? c->died_at : 0;
}

unsigned world_container_deaths(const World *w, const char *name) {
        ContainerRecord *c = find(w, name);

        return c ? c->n_deaths : 0;
}

int world_container_kill_signal(const World *w, const char *name, usec_t since) {
        ContainerRecord *c = find(w, name);

        return c && c->kill_at > 0 && c->kill_at >= since ? c->kill_signal : -1;
}

bool world_container_was_stopped(const World *w, const char *name) {
        static const int stops[] = {SIGINT, SIGQUIT, SIGKILL, SIGTERM};
        ContainerRecord *c = find(w, name);

        if (!c || c->kill_at == 0 || c->kill_at > c->died_at || c->died_at - c->kill_at > STOPS_WITHIN)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(stops); i++)
                if (c->kill_signal == stops[i])
                        return true;
        return false;
}

void world_each_container(const World *w, world_container_visit_t visit, void *userdata) {
        for (ContainerRecord *c = w->containers; c; c = c->hh.next)
                if (!c->gone && c->object && !visit(userdata, c->object))
                        return;
}

bool world_has_modules(const World *w) {
        if (w->has_module_logs)
                return true;
        for (const ContainerRecord *c = w->containers; c; c = c->hh.next)
                if (!c->gone && c->owned == 1)
                        return true;
        return false;
}

Origin world_vouch_for_container(const World *w, Text name, Text id) {
        _cleanup_(freep) char *copy = NULL;
        ContainerRecord *c = find_by_id(w, id);
        Origin origin = origin_of_module(name);

        if (!c) {
                copy = text_dup(name);
                c = copy ? find_by_name(w, copy) : NULL;
        }
        if (c && c->owned >= 0)
                return c->owned ? origin : ORIGIN_OTHER;
        return origin == ORIGIN_MODULE ? ORIGIN_OTHER : origin;
}
