/* Events as values: their names, and copies that outlive the handler.
 *
 * The trap: an event's texts point anywhere. event_dup() copies those that the table names; a new Text
 * member without its row there would dangle. */

#include "lib/event/event.h"

#include "lib/base/word.h"

static const char *const source_kind_names[] = {
        [SOURCE_JOURNAL] = "journal",
        [SOURCE_DOCKER_EVENTS] = "docker-events",
        [SOURCE_DOCKER_LOGS] = "docker-logs",
        [SOURCE_DOCKER_STATE] = "docker-state",
        [SOURCE_NETWORK] = "network",
        [SOURCE_UNITS] = "units",
        [SOURCE_FILES] = "files",
        [SOURCE_METRICS] = "metrics",
};

static const char *const event_kind_names[] = {
        [EVENT_LOG] = "log",
        [EVENT_CONTAINER] = "container",
        [EVENT_DOCKER_NETWORK] = "docker-network",
        [EVENT_LINK] = "link",
        [EVENT_ROUTE] = "route",
        [EVENT_ADDRESS] = "address",
        [EVENT_FORWARDING] = "forwarding",
        [EVENT_UNIT] = "unit",
        [EVENT_FILE] = "file",
        [EVENT_METRICS] = "metrics",
};

static const char *const level_names[] = {
        [LEVEL_UNKNOWN] = "unknown",
        [LEVEL_TRACE] = "trace",
        [LEVEL_DEBUG] = "debug",
        [LEVEL_INFO] = "info",
        [LEVEL_WARNING] = "warning",
        [LEVEL_ERROR] = "error",
        [LEVEL_FATAL] = "fatal",
};

const char *source_kind_to_string(SourceKind kind) {
        return kind >= 0 && kind < SOURCE_X_MAX ? source_kind_names[kind] : NULL;
}

SourceKind source_kind_from_string(Text name) {
        return word_find(source_kind_names, SOURCE_X_MAX, name);
}

const char *event_kind_to_string(EventKind kind) {
        return kind >= 0 && kind < EVENT_X_MAX ? event_kind_names[kind] : NULL;
}

EventKind event_kind_from_string(Text name) {
        return word_find(event_kind_names, EVENT_X_MAX, name);
}

const char *level_to_string(Level level) {
        return level >= 0 && level < LEVEL_X_MAX ? level_names[level] : NULL;
}

Level level_from_string(Text name) {
        return word_find(level_names, LEVEL_X_MAX, name);
}

#define EVENT_ANY EVENT_X_MAX

static const struct {
        EventKind kind;
        size_t offset;
} text_members[] = {
        {EVENT_ANY, offsetof(Event, position)},
        {EVENT_LOG, offsetof(Event, log.message)},
        {EVENT_LOG, offsetof(Event, log.head)},
        {EVENT_LOG, offsetof(Event, log.unit)},
        {EVENT_LOG, offsetof(Event, log.container)},
        {EVENT_LOG, offsetof(Event, log.container_id)},
        {EVENT_CONTAINER, offsetof(Event, container.action)},
        {EVENT_CONTAINER, offsetof(Event, container.id)},
        {EVENT_CONTAINER, offsetof(Event, container.name)},
        {EVENT_CONTAINER, offsetof(Event, container.image)},
        {EVENT_CONTAINER, offsetof(Event, container.error)},
        {EVENT_DOCKER_NETWORK, offsetof(Event, network.action)},
        {EVENT_DOCKER_NETWORK, offsetof(Event, network.id)},
        {EVENT_DOCKER_NETWORK, offsetof(Event, network.name)},
        {EVENT_DOCKER_NETWORK, offsetof(Event, network.container_id)},
        {EVENT_FILE, offsetof(Event, file.path)},
        {EVENT_FILE, offsetof(Event, file.content)},
        {EVENT_METRICS, offsetof(Event, metrics.module)},
        {EVENT_METRICS, offsetof(Event, metrics.exposition)},
};

static Text *text_member(const Event *event, size_t i) {
        if (text_members[i].kind != event->kind && text_members[i].kind != EVENT_ANY)
                return NULL;
        return (Text *) ((char *) event + text_members[i].offset);
}

int container_change_exit_code(const ContainerChange *c) {
        static const char *const ended[] = {"dead", "exited", "restarting"};

        if (c->exit_code >= 0 || !c->object || !c->object->status)
                return c->exit_code;
        FOREACH_ARRAY (status, ended, ELEMENTSOF(ended))
                if (strcmp(*status, c->object->status) == 0)
                        return c->object->exit_code;
        return -1;
}

Event *event_dup(const Event *event) {
        size_t bytes = sizeof(*event);
        Event *copy;
        char *end;

        for (size_t i = 0; i < ELEMENTSOF(text_members); i++) {
                const Text *t = text_member(event, i);
                if (t && __builtin_add_overflow(bytes, t->len, &bytes))
                        return NULL;
        }
        copy = malloc(bytes);
        if (!copy)
                return NULL;

        *copy = *event;
        end = (char *) (copy + 1);
        for (size_t i = 0; i < ELEMENTSOF(text_members); i++) {
                Text *t = text_member(copy, i);
                if (!t)
                        continue;
                if (t->len > 0)
                        memcpy(end, t->data, t->len);
                t->data = end;
                end += t->len;
        }
        if (copy->kind == EVENT_CONTAINER)
                (void) container_ref(copy->container.object);
        else if (copy->kind == EVENT_DOCKER_NETWORK)
                (void) network_ref(copy->network.object);
        return copy;
}

Event *event_free(Event *event) {
        if (!event)
                return NULL;
        if (event->kind == EVENT_CONTAINER)
                (void) container_unref(event->container.object);
        else if (event->kind == EVENT_DOCKER_NETWORK)
                (void) network_unref(event->network.object);
        free(event);
        return NULL;
}
