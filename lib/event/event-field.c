/* The fields of events by the names that rules use: one row a field, one reader a type.
 *
 * Promise: a name that stands here for a kind is a name that rules may use for it, nothing else is. */

#include "lib/event/event.h"
#include "lib/event/metrics-point.h"

#include <stdio.h>

/* Reads the member: 1 and its text, 0 when the event does not tell it. */
typedef int (*field_getter_t)(const void *member, char *buffer, Text *ret);

static int get_text(const void *member, char *buffer, Text *ret) {
        const Text *t = member;

        if (text_is_empty(*t))
                return 0;
        *ret = *t;
        return 1;
}

static int get_string(const void *member, char *buffer, Text *ret) {
        Text t = text_of(member);

        return get_text(&t, buffer, ret);
}

static int get_bool(const void *member, char *buffer, Text *ret) {
        *ret = *(const bool *) member ? TEXT_LITERAL("true") : TEXT_LITERAL("false");
        return 1;
}

static int get_int(const void *member, char *buffer, Text *ret) {
        int value = *(const int *) member;

        if (value < 0)
                return 0;
        (void) snprintf(buffer, EVENT_FIELD_MAX, "%d", value);
        *ret = text_of(buffer);
        return 1;
}

static int get_ifindex(const void *member, char *buffer, Text *ret) {
        return *(const int *) member == 0 ? 0 : get_int(member, buffer, ret);
}

static int get_u32(const void *member, char *buffer, Text *ret) {
        (void) snprintf(buffer, EVENT_FIELD_MAX, "%" PRIu32, *(const uint32_t *) member);
        *ret = text_of(buffer);
        return 1;
}

static int get_level(const void *member, char *buffer, Text *ret) {
        Level level = *(const Level *) member;

        return level == LEVEL_UNKNOWN ? 0 : get_string(level_to_string(level), buffer, ret);
}

static int get_family(const void *member, char *buffer, Text *ret) {
        return get_string(family_to_string(*(const Family *) member), buffer, ret);
}

static int get_status(const void *member, char *buffer, Text *ret) {
        const Container *c = *(Container *const *) member;

        return c && c->status ? get_string(c->status, buffer, ret) : 0;
}

static int get_oom_killed(const void *member, char *buffer, Text *ret) {
        const Container *c = *(Container *const *) member;

        if (!c || c->oom_killed < 0)
                return 0;
        return get_bool(&(bool){c->oom_killed > 0}, buffer, ret);
}

static int get_exit_code(const void *member, char *buffer, Text *ret) {
        return get_int(&(int){container_change_exit_code(member)}, buffer, ret);
}

static int get_seconds(usec_t duration, char *buffer, Text *ret) {
        (void) snprintf(buffer, EVENT_FIELD_MAX, "%" PRIu64, duration / USEC_PER_SEC);
        *ret = text_of(buffer);
        return 1;
}

/* For how long it has run, or has been down. */
static int get_since_secs(const void *event, char *buffer, Text *ret) {
        const Event *e = event;
        const Container *c = e->container.object;
        usec_t since = !c ? 0 : container_is_running(c) ? c->started_at : c->finished_at;

        return since == 0 ? 0 : get_seconds(usec_sub(e->time, since), buffer, ret);
}

static int get_restarts(const void *member, char *buffer, Text *ret) {
        const Container *c = *(Container *const *) member;

        return c ? get_int(&c->restart_count, buffer, ret) : 0;
}

/* From one restart by the engine to the next, on the average of the container's life. */
static int get_restart_every_secs(const void *event, char *buffer, Text *ret) {
        const Event *e = event;
        const Container *c = e->container.object;

        if (!c || c->restart_count <= 0 || c->created_at == 0)
                return 0;
        return get_seconds(usec_sub(e->time, c->created_at) / (usec_t) c->restart_count, buffer, ret);
}

/* Whole numbers only: rules compare them as such. */
static int get_number(double value, char *buffer, Text *ret) {
        if (value < 0 || value > (double) (UINT64_C(1) << 53))
                return 0;
        (void) snprintf(buffer, EVENT_FIELD_MAX, "%.0f", value);
        *ret = text_of(buffer);
        return 1;
}

static int get_queue_length(const void *member, char *buffer, Text *ret) {
        return get_number(metrics_point_read(0, *(const Text *) member).queue_length, buffer, ret);
}

static int get_upstream_queue(const void *member, char *buffer, Text *ret) {
        return get_number(metrics_point_read(0, *(const Text *) member).upstream_queue, buffer, ret);
}

static int get_send_ms(const void *member, char *buffer, Text *ret) {
        double seconds = metrics_point_read(0, *(const Text *) member).send_seconds;

        return seconds < 0 ? 0 : get_number(seconds * 1000, buffer, ret);
}

static const struct {
        EventKind kind;
        const char *name;
        field_getter_t get;
        size_t offset;
} fields[] = {
        {EVENT_LOG, "container", get_text, offsetof(Event, log.container)},
        {EVENT_LOG, "level", get_level, offsetof(Event, log.level)},
        {EVENT_LOG, "unit", get_text, offsetof(Event, log.unit)},
        {EVENT_CONTAINER, "action", get_text, offsetof(Event, container.action)},
        {EVENT_CONTAINER, "error", get_text, offsetof(Event, container.error)},
        {EVENT_CONTAINER, "exit-code", get_exit_code, offsetof(Event, container)},
        {EVENT_CONTAINER, "id", get_text, offsetof(Event, container.id)},
        {EVENT_CONTAINER, "image", get_text, offsetof(Event, container.image)},
        {EVENT_CONTAINER, "name", get_text, offsetof(Event, container.name)},
        {EVENT_CONTAINER, "oom-killed", get_oom_killed, offsetof(Event, container.object)},
        {EVENT_CONTAINER, "owned", get_bool, offsetof(Event, container.owned)},
        {EVENT_CONTAINER, "restart-every-secs", get_restart_every_secs, 0},
        {EVENT_CONTAINER, "restarts", get_restarts, offsetof(Event, container.object)},
        {EVENT_CONTAINER, "signal", get_int, offsetof(Event, container.signal)},
        {EVENT_CONTAINER, "since-secs", get_since_secs, 0},
        {EVENT_CONTAINER, "status", get_status, offsetof(Event, container.object)},
        {EVENT_CONTAINER, "stopped", get_bool, offsetof(Event, container.stopped)},
        {EVENT_DOCKER_NETWORK, "action", get_text, offsetof(Event, network.action)},
        {EVENT_DOCKER_NETWORK, "container-id", get_text, offsetof(Event, network.container_id)},
        {EVENT_DOCKER_NETWORK, "id", get_text, offsetof(Event, network.id)},
        {EVENT_DOCKER_NETWORK, "name", get_text, offsetof(Event, network.name)},
        {EVENT_LINK, "deleted", get_bool, offsetof(Event, deleted)},
        {EVENT_LINK, "ifindex", get_ifindex, offsetof(Event, link.ifindex)},
        {EVENT_LINK, "kind", get_string, offsetof(Event, link.kind)},
        {EVENT_LINK, "master", get_string, offsetof(Event, link.master)},
        {EVENT_LINK, "mtu", get_int, offsetof(Event, link.mtu)},
        {EVENT_LINK, "name", get_string, offsetof(Event, link.name)},
        {EVENT_LINK, "operstate", get_string, offsetof(Event, link.operstate)},
        {EVENT_ROUTE, "deleted", get_bool, offsetof(Event, deleted)},
        {EVENT_ROUTE, "destination", get_string, offsetof(Event, route.destination)},
        {EVENT_ROUTE, "dev", get_string, offsetof(Event, route.dev)},
        {EVENT_ROUTE, "family", get_family, offsetof(Event, route.family)},
        {EVENT_ROUTE, "gateway", get_string, offsetof(Event, route.gateway)},
        {EVENT_ROUTE, "metric", get_u32, offsetof(Event, route.metric)},
        {EVENT_ADDRESS, "address", get_string, offsetof(Event, address.address)},
        {EVENT_ADDRESS, "deleted", get_bool, offsetof(Event, deleted)},
        {EVENT_ADDRESS, "family", get_family, offsetof(Event, address.family)},
        {EVENT_ADDRESS, "ifname", get_string, offsetof(Event, address.ifname)},
        {EVENT_FORWARDING, "enabled", get_bool, offsetof(Event, forwarding.enabled)},
        {EVENT_FORWARDING, "family", get_family, offsetof(Event, forwarding.family)},
        {EVENT_FORWARDING, "ifname", get_string, offsetof(Event, forwarding.ifname)},
        {EVENT_UNIT, "active-state", get_string, offsetof(Event, unit.active_state)},
        {EVENT_UNIT, "exit-status", get_int, offsetof(Event, unit.exit_status)},
        {EVENT_UNIT, "load-state", get_string, offsetof(Event, unit.load_state)},
        {EVENT_UNIT, "n-restarts", get_int, offsetof(Event, unit.n_restarts)},
        {EVENT_UNIT, "name", get_string, offsetof(Event, unit.name)},
        {EVENT_UNIT, "result", get_string, offsetof(Event, unit.result)},
        {EVENT_UNIT, "sub-state", get_string, offsetof(Event, unit.sub_state)},
        {EVENT_UNIT, "unit-file-state", get_string, offsetof(Event, unit.unit_file_state)},
        {EVENT_FILE, "exists", get_bool, offsetof(Event, file.exists)},
        {EVENT_FILE, "path", get_text, offsetof(Event, file.path)},
        {EVENT_METRICS, "module", get_text, offsetof(Event, metrics.module)},
        {EVENT_METRICS, "queue-length", get_queue_length, offsetof(Event, metrics.exposition)},
        {EVENT_METRICS, "send-ms", get_send_ms, offsetof(Event, metrics.exposition)},
        {EVENT_METRICS, "upstream-queue", get_upstream_queue, offsetof(Event, metrics.exposition)},
};

int event_field(const Event *event, const char *name, char buffer[static EVENT_FIELD_MAX], Text *ret) {
        FOREACH_ARRAY (f, fields, ELEMENTSOF(fields))
                if (f->kind == event->kind && strcmp(f->name, name) == 0)
                        return f->get((const char *) event + f->offset, buffer, ret);
        return -ENOENT;
}

bool event_kind_has_field(EventKind kind, const char *name) {
        FOREACH_ARRAY (f, fields, ELEMENTSOF(fields))
                if (f->kind == kind && strcmp(f->name, name) == 0)
                        return true;
        return false;
}
