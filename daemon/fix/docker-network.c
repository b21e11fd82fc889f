/* The trap: a call that got no answer may be carried out by the engine all the same, so no failure of a call
 * is believed before the state was looked at again. */

#include "daemon/fix/docker-network.h"

#include <stdio.h>
#include <string.h>

#include "lib/fix/docker-network.h"

#define PATH_BYTES 256

static int ask(FixContext *c, json_type type, json_t **ret, char **ret_why, const char *format, ...)
        _printf_(5, 6);
static int ask(FixContext *c, json_type type, json_t **ret, char **ret_why, const char *format, ...) {
        char path[PATH_BYTES];
        DockerApi *engine;
        va_list args;
        int n, r;

        va_start(args, format);
        n = vsnprintf(path, sizeof(path), format, args);
        va_end(args);
        if (n < 0 || (size_t) n >= sizeof(path))
                return -ENAMETOOLONG;
        r = context_engine(c, &engine);
        if (r >= 0)
                r = docker_api_json(engine, path, type, ret);
        if (r < 0 && r != -ENOENT)
                return because(ret_why, r, "the engine does not answer %s: %s", path, strerror(-r));
        return r;
}

static int change(FixContext *c, const char *method, const json_t *body, char **ret_why, const char *format,
        ...) _printf_(5, 6);
static int change(
        FixContext *c, const char *method, const json_t *body, char **ret_why, const char *format, ...) {
        _cleanup_(freep) char *said = NULL;
        char path[PATH_BYTES];
        DockerApi *engine;
        va_list args;
        int n, r;

        va_start(args, format);
        n = vsnprintf(path, sizeof(path), format, args);
        va_end(args);
        if (n < 0 || (size_t) n >= sizeof(path))
                return -ENAMETOOLONG;
        r = context_engine(c, &engine);
        if (r >= 0)
                r = docker_api_send(engine, method, path, body, NULL, &said);
        return r < 0 ? because(ret_why, r, "%s %s: %s", method, path, said ? said : strerror(-r)) : 0;
}

int network_find(FixContext *c, const char *name, json_t **ret, char **ret_why) {
        json_t *networks = NULL, *network, *found = NULL;
        size_t i;
        int r = ask(c, JSON_ARRAY, &networks, ret_why, "/networks");

        if (r < 0)
                return r;
        json_array_foreach (networks, i, network) {
                const char *its = json_string_value(json_object_get(network, "Name"));

                if (!its || strcmp(its, name) != 0)
                        continue;
                r = found ? because(ret_why, -EEXIST, "several networks are called %s", name) : 1;
                found = network;
        }
        if (r > 0)
                *ret = json_incref(found);
        json_decref(networks);
        return r;
}

static int is_there(FixContext *c, const char *name, char **ret_why) {
        json_t *network = NULL;
        int r = network_find(c, name, &network, ret_why);

        json_decref(network);
        return r;
}

int network_make(FixContext *c, const json_t *body, char **ret_why) {
        const char *name = json_string_value(json_object_get(body, "Name"));
        int r = name ? is_there(c, name, ret_why) : -EINVAL, k;

        if (r != 0)
                return r < 0 ? r : 0;
        r = change(c, "POST", body, ret_why, "/networks/create");
        if (r >= 0)
                return 0;
        k = is_there(c, name, ret_why);
        return k > 0 ? 0 : k < 0 ? k : r;
}

int network_delete(FixContext *c, const char *id, char **ret_why) {
        json_t *network = NULL;
        int r = change(c, "DELETE", NULL, ret_why, "/networks/%s", id), k;

        if (r >= 0 || r == -ENOENT)
                return 0;
        k = ask(c, JSON_OBJECT, &network, ret_why, "/networks/%s", id);
        json_decref(network);
        return k == -ENOENT ? 0 : r;
}

int network_user(FixContext *c, const char *name, const char *id, char **ret, char **ret_why) {
        json_t *containers = NULL, *container;
        size_t i;
        int r = ask(c, JSON_ARRAY, &containers, ret_why, "/containers/json?all=1");

        if (r < 0)
                return r;
        r = 0;
        json_array_foreach (containers, i, container) {
                const char *its = json_string_value(json_array_get(json_object_get(container, "Names"), 0));

                if (r != 0 || !docker_endpoint_of(container, name, id))
                        continue;
                *ret = strdup(its && its[0] == '/' ? its + 1 : "a container");
                r = *ret ? 1 : -ENOMEM;
        }
        json_decref(containers);
        return r;
}

/* Returns 1 when it is attached to the network, 0 when not, -ENOENT when it has gone. */
static int is_attached(
        FixContext *c, const char *network, const char *id, const char *container, char **ret_why) {
        json_t *inspect = NULL;
        int r = ask(c, JSON_OBJECT, &inspect, ret_why, "/containers/%s/json", container);

        if (r >= 0)
                r = docker_endpoint_of(inspect, network, id) != NULL;
        json_decref(inspect);
        return r;
}

int network_attach(
        FixContext *c, const char *network, const char *container, const json_t *endpoint, char **ret_why) {
        int r = is_attached(c, network, NULL, container, ret_why), k;
        json_t *body;

        if (r != 0)
                return r > 0 || r == -ENOENT ? 0 : r;
        body = json_pack("{s:s, s:O}", "Container", container, "EndpointConfig", endpoint);
        r = body ? change(c, "POST", body, ret_why, "/networks/%s/connect", network) : -ENOMEM;
        json_decref(body);
        if (r >= 0)
                return 0;
        k = is_attached(c, network, NULL, container, ret_why);
        return k > 0 || k == -ENOENT ? 0 : r;
}

int network_detach(
        FixContext *c, const char *network, const char *id, const char *container, char **ret_why) {
        int r = is_attached(c, network, id, container, ret_why), k;
        json_t *body;

        if (r <= 0)
                return r == -ENOENT ? 0 : r;
        body = json_pack("{s:s, s:b}", "Container", container, "Force", 0);
        r = body ? change(c, "POST", body, ret_why, "/networks/%s/disconnect", network) : -ENOMEM;
        json_decref(body);
        if (r >= 0)
                return 0;
        k = is_attached(c, network, id, container, ret_why);
        return k == 0 || k == -ENOENT ? 0 : r;
}

int image_is_here(FixContext *c, const char *reference, char **ret_why) {
        static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@";
        json_t *image = NULL;
        int r;

        if (reference[0] == '\0' || reference[strspn(reference, legal)] != '\0')
                return 0;
        r = ask(c, JSON_OBJECT, &image, ret_why, "/images/%s/json", reference);
        json_decref(image);
        return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

int container_start(FixContext *c, const char *container, char **ret_why) {
        int r = change(c, "POST", NULL, ret_why, "/containers/%s/start", container);

        if (r >= 0)
                return 1;
        return r == -ENOENT ? 0 : r; /* also: its network is not there, which is told in other steps */
}
