/* Reads the JSON documents of a recording's snapshot. One table says which file holds what. */

#include "lib/world/recording-state-load.h"

#include <stdio.h>

#include "lib/event/docker-event.h"
#include "lib/world/firewall.h"

#define TABLE_DEFAULT 253
#define TABLE_MAIN    254

/* Each reads one element and returns 0, 1 when it is of no interest, -EINVAL when it is not one, -ENOBUFS
 * when there are too many, or -ENOMEM. `name` is the key of an object's member. */
typedef int (*element_reader_t)(RecordingState *s, const char *name, const json_t *element);

static int read_container(RecordingState *s, const char *name, const json_t *element) {
        _cleanup_(container_unrefp) Container *c = NULL;
        Event event;
        int r;

        r = container_from_json(element, &c);
        if (r < 0)
                return r;
        container_state_event(c, 0, &event);
        event.initial = true;
        r = recording_state_add(s, &event);
        if (r < 0)
                return r;
        (void) TAKE_PTR(c); /* the item's */
        return 0;
}

static int read_network(RecordingState *s, const char *name, const json_t *element) {
        _cleanup_(network_unrefp) Network *n = NULL;
        Event event;
        int r;

        r = network_from_json(element, &n);
        if (r < 0)
                return r;
        network_state_event(n, 0, &event);
        event.initial = true;
        r = recording_state_add(s, &event);
        if (r < 0)
                return r;
        (void) TAKE_PTR(n);
        return 0;
}

static Event network_event(EventKind kind) {
        return (Event){.kind = kind, .source = SOURCE_NETWORK, .origin = ORIGIN_DEVICE, .initial = true};
}

static int read_link(RecordingState *s, const char *name, const json_t *element) {
        Event event = network_event(EVENT_LINK);
        int r;

        r = link_from_json(element, &event.link);
        return r < 0 ? r : recording_state_add(s, &event);
}

static int read_route(RecordingState *s, const char *name, const json_t *element) {
        Event event = network_event(EVENT_ROUTE);
        int r;

        r = route_from_json(element, &event.route);
        if (r < 0)
                return r;
        if (event.route.table != TABLE_MAIN && event.route.table != TABLE_DEFAULT)
                return 1; /* local, broadcast: as the live source */
        return recording_state_add(s, &event);
}

static int read_addresses(RecordingState *s, const char *name, const json_t *element) {
        const json_t *addresses = json_object_get(element, "addr_info");
        int r;

        if (!json_is_array(addresses))
                return -EINVAL;
        for (size_t i = 0; i < json_array_size(addresses); i++) {
                Event event = network_event(EVENT_ADDRESS);

                r = address_from_json(element, i, &event.address);
                if (r < 0)
                        return r;
                r = recording_state_add(s, &event);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_unit(RecordingState *s, const char *name, const json_t *element) {
        Event event = {.kind = EVENT_UNIT, .source = SOURCE_UNITS, .origin = ORIGIN_DEVICE, .initial = true};
        int r;

        r = unit_state_from_json(name, element, &event.unit);
        return r < 0 ? r : recording_state_add(s, &event);
}

static const struct {
        const char *name;
        json_type type; /* JSON_OBJECT: each member is an element */
        EventKind kind;
        element_reader_t read;
} documents[] = {
        {"docker/api/containers.json", JSON_ARRAY, EVENT_CONTAINER, read_container},
        {"docker/api/networks.json", JSON_ARRAY, EVENT_DOCKER_NETWORK, read_network},
        {"net/links.json", JSON_ARRAY, EVENT_LINK, read_link},
        {"net/routes.json", JSON_ARRAY, EVENT_ROUTE, read_route},
        {"net/addresses.json", JSON_ARRAY, EVENT_ADDRESS, read_addresses},
        {"units.json", JSON_OBJECT, EVENT_UNIT, read_unit},
};

/* Lists what is wrong with an element, and goes on; too many of them, or no memory, ends it. */
static int check_element(const RecordingFolder *f, const char *document, const char *element, int error) {
        int r;

        if (error >= 0 || error == -ENOMEM)
                return error;
        if (error == -ENOBUFS) {
                r = recording_problem(f, document, 0, 0, "%s: more than %d objects in the recording",
                        element, RECORDING_STATE_MAX);
                return r < 0 ? r : error;
        }
        return recording_problem(f, document, 0, 0, "%s: not what the tool prints, skipped", element);
}

static int load_array(RecordingState *s, const RecordingFolder *f, size_t document, const json_t *array) {
        size_t i;
        json_t *element;

        json_array_foreach (array, i, element) {
                char which[32];
                int r;

                (void) snprintf(which, sizeof(which), "element %zu", i);
                r = check_element(
                        f, documents[document].name, which, documents[document].read(s, NULL, element));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int load_object(RecordingState *s, const RecordingFolder *f, size_t document, json_t *object) {
        const char *key;
        json_t *element;

        json_object_foreach (object, key, element) {
                int r = check_element(
                        f, documents[document].name, key, documents[document].read(s, key, element));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int load_document(RecordingState *s, const RecordingFolder *f, size_t document) {
        json_t *json;
        int r;

        r = recording_folder_read_json(f, documents[document].name, documents[document].type, &json);
        if (r <= 0)
                return r;
        s->has[documents[document].kind] = true;
        r = documents[document].type == JSON_ARRAY ? load_array(s, f, document, json)
                                                   : load_object(s, f, document, json);
        json_decref(json);
        return r < 0 ? r : 0;
}

/* `docker version` prints {"Client": …, "Server": {"Version": …}}, the engine's API the server's part alone.
 */
static int load_version(RecordingState *s, const RecordingFolder *f) {
        json_t *json, *server;
        int r;

        r = recording_folder_read_json(f, "docker/api/version.json", JSON_OBJECT, &json);
        if (r <= 0)
                return r;
        server = json_object_get(json, "Server");
        s->engine_version = json_incref(json_is_object(server) ? server : json);
        json_decref(json);
        return 0;
}

/* Where the kernel's own file is missing, `docker info` tells the bit of all links. */
static int add_engine_forwarding(RecordingState *s) {
        const json_t *bit = json_object_get(s->engine_info, "IPv4Forwarding");
        Event event = network_event(EVENT_FORWARDING);

        if (!json_is_boolean(bit))
                return 0;
        for (size_t i = 0; i < s->n_items; i++) {
                const Event *known = &s->items[i].event;

                if (known->kind == EVENT_FORWARDING && known->forwarding.family == FAMILY_INET &&
                        strcmp(known->forwarding.ifname, "all") == 0)
                        return 0;
        }
        event.forwarding =
                (Forwarding){.family = FAMILY_INET, .ifname = "all", .enabled = json_is_true(bit)};
        s->has[EVENT_FORWARDING] = true;
        return recording_state_add(s, &event);
}

static int load_firewall(RecordingState *s, const RecordingFolder *f) {
        _cleanup_(freep) char *content = NULL, *text = NULL;
        size_t len;
        int r;

        r = recording_folder_read(f, "net/firewall.rules", FIREWALL_BYTES_MAX, &content, &len);
        if (r <= 0)
                return r;
        text = text_to_utf8((Text){content, len}, len);
        s->firewall = text ? json_string(text) : NULL;
        return s->firewall ? 0 : -ENOMEM;
}

int recording_state_load(RecordingState *s, const RecordingFolder *f) {
        int r;

        for (size_t i = 0; i < ELEMENTSOF(documents); i++) {
                r = load_document(s, f, i);
                if (r < 0)
                        return r;
        }
        r = recording_folder_read_json(f, "net/listeners.json", JSON_ARRAY, &s->listeners);
        if (r < 0)
                return r;
        r = recording_folder_read_json(f, "docker/api/info.json", JSON_OBJECT, &s->engine_info);
        if (r < 0)
                return r;
        r = load_version(s, f);
        if (r < 0)
                return r;
        r = load_firewall(s, f);
        if (r < 0)
                return r;
        r = recording_root_load(s, f);
        return r < 0 ? r : add_engine_forwarding(s);
}
