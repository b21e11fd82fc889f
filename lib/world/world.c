/* The World: dispatches state events to its tables, holds units and facts. A fact is fetched through
 * WorldOps the first time a probe needs it fresher than it is; the fetcher may answer from within the call
 * (a replay, a small file) or later (an active question). */

#include "lib/world/world-tables.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

/* A question whose answer never came is asked once more. */
#define ANSWER_LOST_AFTER (60 * USEC_PER_SEC)

int world_new(World **ret, WorldOps ops) {
        World *w = calloc(1, sizeof(*w));

        if (!w)
                return -ENOMEM;
        w->ops = ops;
        *ret = w;
        return 0;
}

static void fact_done(Fact *f) {
        free(f->key);
        free(f->why);
        json_decref(f->value);
}

World *world_free(World *w) {
        if (!w)
                return NULL;
        world_containers_done(w);
        world_net_done(w);
        for (UnitRecord *u = w->units, *next; u; u = next) {
                next = u->hh.next;
                HASH_DEL(w->units, u);
                free(u);
        }
        for (FactRecord *f = w->facts, *next; f; f = next) {
                next = f->hh.next;
                HASH_DEL(w->facts, f);
                fact_done(&f->fact);
                free(f);
        }
        free(w);
        return NULL;
}

static int apply_unit(World *w, const Event *event) {
        UnitRecord *u;

        HASH_FIND_STR(w->units, event->unit.name, u);
        if (event->deleted) {
                if (u) {
                        HASH_DEL(w->units, u);
                        free(u);
                }
                return 0;
        }
        if (!u) {
                if (HASH_COUNT(w->units) >= WORLD_UNITS_MAX)
                        return -ENOBUFS;
                u = calloc(1, sizeof(*u));
                if (!u)
                        return -ENOMEM;
                u->unit = event->unit;
                HASH_ADD_STR(w->units, unit.name, u);
        }
        u->unit = event->unit;
        return 0;
}

/* What was known of the runtime's configuration is history once one of its files changed. */
static int forget_runtime_config(World *w, const Event *event) {
        if (event->initial ||
                !(text_starts_with(event->file.path, "/etc/aziot/") ||
                        text_starts_with(event->file.path, "/etc/iotedge/")))
                return 0;
        return world_fact(w, event->time, event->time, "runtime-config") ? 0 : -ENOMEM;
}

static int take_file(World *w, const Event *event) {
        char key[PATH_MAX + 8];
        json_t *content;

        if (event->file.path.len >= PATH_MAX)
                return -ENAMETOOLONG;
        (void) snprintf(key, sizeof(key), "file:%.*s", (int) event->file.path.len, event->file.path.data);
        if (!event->file.exists || event->deleted)
                return world_set_fact(w, key, json_null(), event->time);
        if (event->file.is_unreadable)
                return world_set_unknown(w, key, "it exists, but is not read", event->time);
        content = json_stringn(
                event->file.content.data ? event->file.content.data : "", event->file.content.len);
        return content ? world_set_fact(w, key, content, event->time)
                       : world_set_unknown(w, key, "it is not text", event->time);
}

static int apply_file(World *w, const Event *event) {
        int r = take_file(w, event);

        return r < 0 ? r : forget_runtime_config(w, event);
}

static int apply_metrics(World *w, const Event *event) {
        MetricsPoint point;
        char key[256];
        json_t *text;

        if (text_is(event->metrics.module, "edgeHub")) {
                point = metrics_point_read(event->time, event->metrics.exposition);
                metrics_series_add(&w->hub_metrics, &point);
        }
        if (snprintf(key, sizeof(key), "metrics:%.*s", (int) text_clip(event->metrics.module, 200).len,
                    event->metrics.module.data) >= (int) sizeof(key))
                return -ENAMETOOLONG;
        text = json_stringn(event->metrics.exposition.data, event->metrics.exposition.len);
        return text ? world_set_fact(w, key, text, event->time)
                    : world_set_unknown(w, key, "the metrics are not text", event->time);
}

const MetricsSeries *world_hub_metrics(const World *w) {
        return &w->hub_metrics;
}

int world_apply(World *w, const Event *event) {
        switch (event->kind) {
        case EVENT_LOG:
                if (event->origin == ORIGIN_AGENT || event->origin == ORIGIN_HUB ||
                        event->origin == ORIGIN_MODULE)
                        w->has_module_logs = true;
                return world_learn_container_name(
                        w, event->log.container_id, event->log.container, event->time);
        case EVENT_CONTAINER:
                return world_apply_container(w, event);
        case EVENT_DOCKER_NETWORK:
                return world_apply_network(w, event);
        case EVENT_LINK:
                return world_apply_link(w, event);
        case EVENT_ROUTE:
                return world_apply_route(w, event);
        case EVENT_ADDRESS:
                return world_apply_address(w, event);
        case EVENT_FORWARDING:
                return world_apply_forwarding(w, event);
        case EVENT_UNIT:
                return apply_unit(w, event);
        case EVENT_FILE:
                return apply_file(w, event);
        case EVENT_METRICS:
                return apply_metrics(w, event);
        default:
                return 0;
        }
}

void world_begin_enumeration(World *w, EventKind kind) {
        if (kind == EVENT_CONTAINER)
                world_containers_begin(w);
        else
                world_net_begin(w, kind);
}

void world_end_enumeration(World *w, EventKind kind) {
        if (kind == EVENT_CONTAINER)
                world_containers_end(w);
        else
                world_net_end(w, kind);
        w->known[kind] = true;
}

bool world_knows(const World *w, EventKind kind) {
        return w->known[kind];
}

const UnitState *world_unit(const World *w, const char *name) {
        UnitRecord *u;

        HASH_FIND_STR(w->units, name, u);
        return u ? &u->unit : NULL;
}

void world_each_unit(const World *w, world_unit_visit_t visit, void *userdata) {
        for (UnitRecord *u = w->units; u; u = u->hh.next)
                if (!visit(userdata, &u->unit))
                        return;
}

static int fact_record(World *w, const char *key, FactRecord **ret) {
        FactRecord *f;

        HASH_FIND_STR(w->facts, key, f);
        if (!f) {
                if (HASH_COUNT(w->facts) >= WORLD_FACTS_MAX)
                        return -ENOBUFS;
                f = calloc(1, sizeof(*f));
                if (!f)
                        return -ENOMEM;
                f->fact.key = strdup(key);
                if (!f->fact.key) {
                        free(f);
                        return -ENOMEM;
                }
                HASH_ADD_KEYPTR(hh, w->facts, f->fact.key, strlen(f->fact.key), f);
        }
        *ret = f;
        return 0;
}

/* An answer tells how it was when the question was asked, not when it came. */
static void fact_set(Fact *f, FactState state, json_t *value, char *why, usec_t now) {
        json_decref(f->value);
        free(f->why);
        f->time = f->state == FACT_PENDING && f->asked < now ? f->asked : now;
        f->state = state;
        f->value = value;
        f->why = why;
}

int world_set_fact(World *w, const char *key, json_t *value, usec_t now) {
        FactRecord *f;
        int r = value ? fact_record(w, key, &f) : -ENOMEM;

        if (r < 0) {
                json_decref(value);
                return r;
        }
        fact_set(&f->fact, FACT_KNOWN, value, NULL, now);
        return 0;
}

int world_set_unknown(World *w, const char *key, const char *why, usec_t now) {
        _cleanup_(freep) char *copy = strdup(why);
        FactRecord *f;
        int r = copy ? fact_record(w, key, &f) : -ENOMEM;

        if (r < 0)
                return r;
        fact_set(&f->fact, FACT_UNKNOWN, NULL, TAKE_PTR(copy), now);
        return 0;
}

void world_set_back(World *w, usec_t now) {
        for (FactRecord *f = w->facts; f; f = f->hh.next) {
                if (f->fact.time > now)
                        f->fact.time = 0;
                if (f->fact.asked > now)
                        f->fact.asked = now;
        }
}

const Fact *world_peek(const World *w, const char *key) {
        FactRecord *f;

        HASH_FIND_STR(w->facts, key, f);
        return f ? &f->fact : NULL;
}

const Fact *world_fact(World *w, usec_t now, usec_t since, const char *format, ...) {
        char key[PATH_MAX + 64];
        FactRecord *f;
        va_list args;
        int n, r;

        va_start(args, format);
        n = vsnprintf(key, sizeof(key), format, args);
        va_end(args);
        if (n < 0 || (size_t) n >= sizeof(key))
                return NULL;
        r = fact_record(w, key, &f);
        if (r < 0)
                return NULL;

        if ((f->fact.state == FACT_KNOWN || f->fact.state == FACT_UNKNOWN) && f->fact.time >= since)
                return &f->fact;
        /* one question at a time: who needs a later answer asks again when this one has come */
        if (f->fact.state == FACT_PENDING && now < usec_add(f->fact.asked, ANSWER_LOST_AFTER))
                return &f->fact;
        f->fact.state = FACT_PENDING;
        f->fact.asked = now;
        r = w->ops.fetch ? w->ops.fetch(w->ops.userdata, w, key, now) : -EOPNOTSUPP;
        if (r < 0)
                (void) world_set_unknown(
                        w, key, r == -EOPNOTSUPP ? "nothing here can tell" : strerror(-r), now);
        return &f->fact;
}
