/* net/events.jsonl: changes of links, routes, addresses and forwarding while the recording was made. */

#include "lib/world/recording-part.h"

typedef struct NetworkPart {
        RecordingPart part;
        RecordingStream stream;
} NetworkPart;

static void network_done(RecordingPart *p) {
        NetworkPart *n = (NetworkPart *) p;

        recording_stream_done(&n->stream);
        free(n);
}

/* Returns 0, or -EINVAL when the object is not a network event. */
static int network_decode(const json_t *object, Event *ret) {
        const char *type = json_string_value(json_object_get(object, "type"));
        Event event = {.source = SOURCE_NETWORK, .origin = ORIGIN_DEVICE};
        int r;

        r = recording_time(object, "time", &event.time);
        if (r < 0)
                return r;
        if (!type)
                return -EINVAL;

        if (strcmp(type, "link") == 0) {
                event.kind = EVENT_LINK;
                r = link_from_json(object, &event.link);
        } else if (strcmp(type, "route") == 0) {
                event.kind = EVENT_ROUTE;
                r = route_from_json(object, &event.route);
        } else if (strcmp(type, "address") == 0) {
                event.kind = EVENT_ADDRESS;
                r = address_from_json(object, 0, &event.address);
        } else if (strcmp(type, "forwarding") == 0) {
                event.kind = EVENT_FORWARDING;
                r = forwarding_from_json(object, &event.forwarding);
        } else
                r = -EINVAL;
        if (r < 0)
                return r;
        event.deleted = json_is_true(json_object_get(object, "deleted"));
        *ret = event;
        return 0;
}

static int network_next(RecordingPart *p, Event *ret) {
        NetworkPart *n = (NetworkPart *) p;

        for (;;) {
                json_t *object;
                int r;

                r = recording_stream_json(&n->stream, &object);
                if (r <= 0)
                        return r;
                r = network_decode(object, ret);
                json_decref(object);
                if (r == -ENOMEM)
                        return r;
                if (r >= 0)
                        return 1;
                r = recording_stream_problem(&n->stream, 0,
                        "expected an object with \"time\" and \"type\" (link, route, address, forwarding) "
                        "and what it says of it");
                if (r < 0)
                        return r;
        }
}

static const RecordingPartOps network_ops = {.next = network_next, .done = network_done};

int recording_network_events_open(const RecordingFolder *f, RecordingPart **ret) {
        NetworkPart *n = calloc(1, sizeof(*n));
        int r;

        if (!n)
                return -ENOMEM;
        n->part = (RecordingPart){.ops = &network_ops, .kind = SOURCE_NETWORK};
        r = recording_stream_open(&n->stream, f, "net/events.jsonl");
        if (r < 0) {
                network_done(&n->part);
                return r;
        }
        *ret = &n->part;
        return 0;
}
