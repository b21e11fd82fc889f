/* Fills a World from what was read, by the decoders that the daemon and a replay use. Promise: every fact is
 * answered before its question returns, if only by "unknown". */

#include "daemon/collect/device-world.h"

#include <string.h>

#include "daemon/collect/device-file.h"
#include "daemon/collect/module-metrics.h"
#include "daemon/collect/prober.h"
#include "lib/event/docker-event.h"
#include "lib/world/fact-key.h"
#include "lib/world/runtime-config.h"

#define PROBER_SOCKET    "/run/edgewatch-probe.sock"
#define INSTALLED_PROBER EDGEWATCH_LIBEXEC_DIR "/edgewatch-probe"

static int fetch_file(World *world, const char *key, const char *path, usec_t now) {
        _cleanup_(freep) char *data = NULL, *text = NULL;
        size_t len = 0;
        int r;

        r = device_file_read(path, &data, &len);
        if (r == -ENOENT)
                return world_set_fact(world, key, json_null(), now);
        if (r < 0)
                return r == -ENOMEM ? r : world_set_unknown(world, key, strerror(-r), now);
        text = text_to_utf8((Text){data, len}, len);
        return text ? world_set_fact(world, key, json_string(text), now) : -ENOMEM;
}

static int read_config_file(void *userdata, const char *path, char **ret, size_t *ret_len) {
        int r = device_file_read(path, ret, ret_len);

        return r == -ENOMEM ? r : r >= 0;
}

static int fetch_config(World *world, const char *key, usec_t now) {
        json_t *config = NULL;
        int r;

        r = runtime_config_read((RuntimeConfigFiles){.read = read_config_file}, &config);
        if (r > 0)
                return world_set_fact(world, key, config, now);
        return r < 0 ? r : world_set_unknown(world, key, "no configuration of the runtime can be read", now);
}

static int fetch_metrics(World *world, const char *key, const char *module, usec_t now) {
        const Container *c = world_container(world, module);
        _cleanup_(buffer_done) Buffer b = {.max_bytes = MODULE_METRICS_MAX};
        _cleanup_(freep) char *text = NULL;

        if (!c || !container_is_running(c))
                return world_set_unknown(world, key, "it does not run", now);
        if (module_metrics_read(c, &b) == 0)
                return world_set_unknown(world, key, "nobody answers at port 9600", now);
        text = text_to_utf8(buffer_text(&b), b.len);
        return text ? world_set_fact(world, key, json_string(text), now) : -ENOMEM;
}

static int fetch_part(const DeviceWorld *w, World *world, const char *key, DevicePart part, usec_t now) {
        if (!w->device->parts[part])
                return world_set_unknown(world, key, strerror(-w->device->errors[part]), now);
        return world_set_fact(world, key, json_incref(w->device->parts[part]), now);
}

static int fetch(void *userdata, World *world, const char *key, usec_t now) {
        DeviceWorld *w = userdata;
        Text text = text_of(key);

        if (text_starts_with(text, "file:"))
                return fetch_file(world, key, key + strlen("file:"), now);
        if (text_starts_with(text, "metrics:"))
                return fetch_metrics(world, key, key + strlen("metrics:"), now);
        if (strcmp(key, "runtime-config") == 0)
                return fetch_config(world, key, now);
        if (strcmp(key, "listeners") == 0)
                return fetch_part(w, world, key, DEVICE_LISTENERS, now);
        if (strcmp(key, "engine-info") == 0)
                return fetch_part(w, world, key, DEVICE_ENGINE_INFO, now);
        if (strcmp(key, "engine-version") == 0)
                return fetch_part(w, world, key, DEVICE_ENGINE_VERSION, now);
        if (strcmp(key, "firewall") == 0 || text_starts_with(text, "tcp-info:") || fact_key_is_active(key)) {
                char *keys[] = {(char *) key};

                return prober_ask(w->prober, world, keys, 1, now);
        }
        return world_set_unknown(world, key, "nobody answers this question here", now);
}

static int apply_container(World *world, const char *name, const json_t *element, usec_t now) {
        _cleanup_(container_unrefp) Container *c = NULL;
        Event event;
        int r = container_from_json(element, &c);

        if (r < 0)
                return r;
        container_state_event(c, now, &event);
        event.initial = true;
        return world_apply(world, &event);
}

static int apply_docker_network(World *world, const char *name, const json_t *element, usec_t now) {
        _cleanup_(network_unrefp) Network *n = NULL;
        Event event;
        int r = network_from_json(element, &n);

        if (r < 0)
                return r;
        network_state_event(n, now, &event);
        event.initial = true;
        return world_apply(world, &event);
}

static Event event_of(EventKind kind, SourceKind source, usec_t now) {
        return (Event){
                .kind = kind, .source = source, .origin = ORIGIN_DEVICE, .time = now, .initial = true};
}

static int apply_link(World *world, const char *name, const json_t *element, usec_t now) {
        Event event = event_of(EVENT_LINK, SOURCE_NETWORK, now);
        int r = link_from_json(element, &event.link);

        return r < 0 ? r : world_apply(world, &event);
}

static int apply_route(World *world, const char *name, const json_t *element, usec_t now) {
        Event event = event_of(EVENT_ROUTE, SOURCE_NETWORK, now);
        int r = route_from_json(element, &event.route);

        return r < 0 ? r : world_apply(world, &event);
}

static int apply_address(World *world, const char *name, const json_t *element, usec_t now) {
        Event event = event_of(EVENT_ADDRESS, SOURCE_NETWORK, now);
        int r = address_from_json(element, 0, &event.address);

        return r < 0 ? r : world_apply(world, &event);
}

static int apply_unit(World *world, const char *name, const json_t *element, usec_t now) {
        Event event = event_of(EVENT_UNIT, SOURCE_UNITS, now);
        int r = unit_state_from_json(name, element, &event.unit);

        return r < 0 ? r : world_apply(world, &event);
}

static const struct {
        DevicePart part;
        EventKind kind;
        int (*apply)(World *world, const char *name, const json_t *element, usec_t now);
} parts[] = {
        {DEVICE_CONTAINERS, EVENT_CONTAINER, apply_container},
        {DEVICE_NETWORKS, EVENT_DOCKER_NETWORK, apply_docker_network},
        {DEVICE_LINKS, EVENT_LINK, apply_link},
        {DEVICE_ROUTES, EVENT_ROUTE, apply_route},
        {DEVICE_ADDRESSES, EVENT_ADDRESS, apply_address},
        {DEVICE_UNITS, EVENT_UNIT, apply_unit},
};

/* An object that cannot be read costs that object. */
static int apply_part(World *world, size_t i, json_t *part, usec_t now) {
        const char *name;
        json_t *element;
        size_t n;
        int r = 0;

        if (json_is_array(part)) {
                json_array_foreach (part, n, element)
                        if (r != -ENOMEM)
                                r = parts[i].apply(world, NULL, element, now);
        } else
                json_object_foreach (part, name, element)
                        if (r != -ENOMEM)
                                r = parts[i].apply(world, name, element, now);
        return r == -ENOMEM ? r : 0;
}

static const char *find_prober(void) {
        const char *named = getenv("EDGEWATCH_PROBE");

        if (named)
                return named;
        return access(PROBER_SOCKET, W_OK) == 0 ? PROBER_SOCKET : INSTALLED_PROBER;
}

int device_world_init(DeviceWorld *w, const Device *device, usec_t now) {
        int r;

        *w = (DeviceWorld){.device = device, .prober = find_prober()};
        r = world_new(&w->world, (WorldOps){.fetch = fetch, .userdata = w});
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(parts); i++) {
                json_t *part = device->parts[parts[i].part];

                if (!part)
                        continue;
                world_begin_enumeration(w->world, parts[i].kind);
                r = apply_part(w->world, i, part, now);
                world_end_enumeration(w->world, parts[i].kind);
        }
        if (r < 0)
                device_world_done(w);
        return r;
}

void device_world_done(DeviceWorld *w) {
        world_free(w->world);
        w->world = NULL;
}
