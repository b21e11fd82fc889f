/* Reads the device's state into JSON. The trap: a container may be gone between the list and its inspection;
 * that is no error. */

#include "daemon/collect/device.h"

#include <stdio.h>
#include <string.h>

#include "daemon/probe/listeners.h"
#include "lib/event/network-json.h"

#define OBJECTS_MAX 1024 /* of one kind */

static const char *const part_names[DEVICE_PART_X_MAX] = {
        [DEVICE_CONTAINERS] = "docker/api/containers.json",
        [DEVICE_NETWORKS] = "docker/api/networks.json",
        [DEVICE_ENGINE_INFO] = "docker/api/info.json",
        [DEVICE_ENGINE_VERSION] = "docker/api/version.json",
        [DEVICE_LINKS] = "net/links.json",
        [DEVICE_ROUTES] = "net/routes.json",
        [DEVICE_ADDRESSES] = "net/addresses.json",
        [DEVICE_LISTENERS] = "net/listeners.json",
        [DEVICE_UNITS] = "units.json",
};

const char *device_part_to_string(DevicePart part) {
        return part >= 0 && part < DEVICE_PART_X_MAX ? part_names[part] : NULL;
}

void device_done(Device *d) {
        for (DevicePart part = 0; part < DEVICE_PART_X_MAX; part++)
                json_decref(d->parts[part]);
        *d = (Device){};
}

/* Takes over value. */
static void set_part(Device *d, DevicePart part, json_t *value, int error) {
        json_decref(d->parts[part]);
        d->parts[part] = error < 0 ? NULL : value;
        d->errors[part] = error;
        if (error < 0)
                json_decref(value);
}

/* Lists and then asks for each: lists are abridged. */
static int read_objects(DockerApi *api, const char *list, const char *one, json_t **ret) {
        json_t *found, *objects = json_array();
        int r = -ENOMEM;

        if (objects)
                r = docker_api_json(api, list, JSON_ARRAY, &found);
        if (r < 0) {
                json_decref(objects);
                return r;
        }
        for (size_t i = 0; r >= 0 && i < json_array_size(found) && i < OBJECTS_MAX; i++) {
                const char *id = json_string_value(json_object_get(json_array_get(found, i), "Id"));
                json_t *object;
                char path[256];

                if (!id || id[strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz")] != '\0')
                        continue;
                (void) snprintf(path, sizeof(path), one, id);
                r = docker_api_json(api, path, JSON_OBJECT, &object);
                if (r == -ENOENT)
                        r = 0;
                else if (r >= 0 && json_array_append_new(objects, object) < 0)
                        r = -ENOMEM;
        }
        json_decref(found);
        *ret = objects;
        return r;
}

void device_read_docker(Device *d, DockerApi *api) {
        static const struct {
                DevicePart part;
                const char *list, *one;
        } lists[] = {
                {DEVICE_CONTAINERS, "/containers/json?all=1", "/containers/%s/json"},
                {DEVICE_NETWORKS, "/networks", "/networks/%s"},
        };
        static const struct {
                DevicePart part;
                const char *path;
        } objects[] = {{DEVICE_ENGINE_INFO, "/info"}, {DEVICE_ENGINE_VERSION, "/version"}};

        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                json_t *value = NULL;
                int r = read_objects(api, lists[i].list, lists[i].one, &value);

                set_part(d, lists[i].part, value, r);
        }
        for (size_t i = 0; i < ELEMENTSOF(objects); i++) {
                json_t *value = NULL;
                int r = docker_api_json(api, objects[i].path, JSON_OBJECT, &value);

                set_part(d, objects[i].part, value, r);
        }
}

static void begin_network(void *userdata) {
        for (DevicePart part = DEVICE_LINKS; part <= DEVICE_ADDRESSES; part++) {
                json_t *array = json_array();

                set_part(userdata, part, array, array ? 0 : -ENOMEM);
        }
}

static int add_network(void *userdata, const Event *event) {
        Device *d = userdata;
        DevicePart part;
        json_t *object;

        switch (event->kind) {
        case EVENT_LINK:
                part = DEVICE_LINKS;
                object = link_to_json(&event->link);
                break;
        case EVENT_ROUTE:
                part = DEVICE_ROUTES;
                object = route_to_json(&event->route);
                break;
        case EVENT_ADDRESS:
                part = DEVICE_ADDRESSES;
                object = address_to_json(&event->address);
                break;
        default:
                return 0; /* forwarding is told by files */
        }
        return object && d->parts[part] && json_array_append_new(d->parts[part], object) >= 0 ? 0 : -ENOMEM;
}

void device_read_network(Device *d, NetworkReader *reader) {
        int r = network_reader_dump(reader, begin_network, add_network, d);

        for (DevicePart part = DEVICE_LINKS; r < 0 && part <= DEVICE_ADDRESSES; part++)
                set_part(d, part, NULL, r);
}

void device_read_listeners(Device *d) {
        json_t *listeners = NULL;
        int r = listeners_read("/proc", &listeners);

        set_part(d, DEVICE_LISTENERS, listeners, r);
}
