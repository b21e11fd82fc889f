/* The engine's event stream, and the events that an inspection stands for.
 *
 * Both shapes are read: Type, Action and Actor, and the older status, id and from. The trap: attributes are
 * labels too, so a label called "exitCode" could stand for the engine's own; the engine writes its own last
 * and wins. */

#include "lib/event/docker-event.h"

#include "lib/event/json-field.h"

/* What the engine does on someone's request without changing the container. */
static const char *const idle_actions[] = {
        "archive-path",
        "attach",
        "commit",
        "copy",
        "detach",
        "exec_create",
        "exec_detach",
        "exec_die",
        "exec_start",
        "export",
        "extract-to-dir",
        "resize",
        "top",
};

/* "exec_start: /bin/sh -c …" is of the action before the colon. */
static bool is_idle(Text action) {
        Text verb = text_cut(&action, ':');

        FOREACH_ARRAY (idle, idle_actions, ELEMENTSOF(idle_actions))
                if (text_is(verb, *idle))
                        return true;
        return false;
}

static Text member_text(const json_t *object, const char *key) {
        return json_text(json_object_get(object, key));
}

static int number(Text text) {
        uint64_t value;

        return text_to_u64(text, &value) == 0 && value <= INT32_MAX ? (int) value : -1;
}

static int read_time(const json_t *object, uint64_t *ret_nsec) {
        uint64_t nsec = 0, seconds = 0;

        if (json_field_u64(object, "timeNano", &nsec) < 0 || json_field_u64(object, "time", &seconds) < 0)
                return -EBADMSG;
        if (nsec == 0 && __builtin_mul_overflow(seconds, NSEC_PER_SEC, &nsec))
                return -EBADMSG;
        if (nsec == 0)
                return -EBADMSG;
        *ret_nsec = nsec;
        return 0;
}

static void read_container(
        const json_t *object, const json_t *attributes, Text action, Text id, Event *ret) {
        Text image = member_text(attributes, "image");

        ret->kind = EVENT_CONTAINER;
        ret->container = (ContainerChange){
                .action = action,
                .id = id,
                .name = member_text(attributes, "name"),
                .image = text_is_empty(image) ? member_text(object, "from") : image,
                .owned = text_is(member_text(attributes, CONTAINER_OWNER_LABEL), CONTAINER_OWNER),
                .exit_code = text_is(action, "die") ? number(member_text(attributes, "exitCode")) : -1,
                .signal = text_is(action, "kill") ? number(member_text(attributes, "signal")) : -1,
        };
}

static void read_network(const json_t *attributes, Text action, Text id, Event *ret) {
        ret->kind = EVENT_DOCKER_NETWORK;
        ret->deleted = text_is(action, "destroy");
        ret->network = (NetworkChange){
                .action = action,
                .id = id,
                .name = member_text(attributes, "name"),
                .container_id = member_text(attributes, "container"),
        };
}

int docker_event_decode(const json_t *object, Event *ret, uint64_t *ret_time_nsec) {
        Event event = {.source = SOURCE_DOCKER_EVENTS, .origin = ORIGIN_DEVICE};
        const json_t *actor, *attributes;
        Text type, action, id;
        uint64_t nsec;
        int r;

        if (!json_is_object(object) || json_field_object(object, "Actor", &actor) < 0 ||
                json_field_object(actor, "Attributes", &attributes) < 0)
                return -EBADMSG;
        type = member_text(object, "Type");
        action = member_text(object, json_object_get(object, "Action") ? "Action" : "status");
        id = actor ? member_text(actor, "ID") : member_text(object, "id");
        if (text_is_empty(action))
                return -EBADMSG;
        r = read_time(object, &nsec);
        if (r < 0)
                return r;

        if (text_is(type, "network"))
                read_network(attributes, action, id, &event);
        else if (text_is(type, "container") || text_is_empty(type))
                read_container(object, attributes, action, id, &event);
        else
                return 0;
        if (text_is_empty(id))
                return -EBADMSG;
        if (event.kind == EVENT_CONTAINER && is_idle(action))
                return 0;
        event.time = nsec / NSEC_PER_USEC;
        *ret = event;
        if (ret_time_nsec)
                *ret_time_nsec = nsec;
        return 1;
}

void container_state_event(Container *c, usec_t now, Event *ret) {
        bool has_failed = !container_is_running(c) && c->error && c->error[0];

        *ret = (Event){
                .kind = EVENT_CONTAINER,
                .source = SOURCE_DOCKER_STATE,
                .origin = ORIGIN_DEVICE,
                .time = now,
                .container =
                        {
                                .action = has_failed              ? TEXT_LITERAL("error")
                                        : container_is_running(c) ? TEXT_LITERAL("running")
                                                                  : TEXT_LITERAL("state"),
                                .id = text_of(c->id),
                                .name = text_of(c->name),
                                .image = text_of(c->image),
                                .owned = container_is_owned(c),
                                .exit_code = -1,
                                .signal = -1,
                                .error = text_of(c->error),
                                .object = c,
                        },
        };
}

void network_state_event(Network *n, usec_t now, Event *ret) {
        *ret = (Event){
                .kind = EVENT_DOCKER_NETWORK,
                .source = SOURCE_DOCKER_STATE,
                .origin = ORIGIN_DEVICE,
                .time = now,
                .network =
                        {
                                .action = TEXT_LITERAL("state"),
                                .id = text_of(n->id),
                                .name = text_of(n->name),
                                .object = n,
                        },
        };
}
