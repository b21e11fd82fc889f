/* Reduces the runtime's configuration files to the few keys that diagnosis needs. Everything else in them
 * may be a secret (keys, connection strings, registry passwords) and never leaves this file: values are
 * copied by an allow-list, proxies without their user information.
 *
 * The trap: the same setting has three names. `hostname` of config.toml is `hostname` in identityd's and
 * edged's generated files, `parent_hostname` is `provisioning.local_gateway_hostname` in identityd's. */

#include "lib/world/runtime-config.h"

#include <stdio.h>
#include <yaml.h>

#include "lib/base/toml.h"
#include "lib/event/json-field.h"

#define VALUE_BYTES_MAX 512
#define YAML_NODES_MAX  4096

typedef struct AllowedKey {
        const char *from; /* path in the file, '/' between keys */
        const char *to;   /* path in the result */
} AllowedKey;

static const AllowedKey allowed_keys[] = {
        {"hostname", "hostname"},
        {"parent_hostname", "parent_hostname"},
        {"provisioning/local_gateway_hostname", "parent_hostname"},
        {"provisioning/iothub_hostname", "iothub_hostname"},
        {"provisioning/device_id", "device_id"},
        {"provisioning/source", "provisioning_source"},
        {"prefer_module_identity_cache", "prefer_module_identity_cache"},
        {"listen/management_uri", "listen/management_uri"},
        {"listen/workload_uri", "listen/workload_uri"},
        {"connect/management_uri", "connect/management_uri"},
        {"connect/workload_uri", "connect/workload_uri"},
        {"agent/config/image", "agent/image"},
        {"agent/env/UpstreamProtocol", "agent/UpstreamProtocol"},
        {"agent/env/https_proxy", "agent/https_proxy"},
        {"moby_runtime/uri", "moby_runtime/uri"},
        {"moby_runtime/network", "moby_runtime/network"},
        {"moby_runtime/network/name", "moby_runtime/network"},
};

/* Those that apply come first: the first to tell a key wins. */
static const char *const files_in_order[] = {
        "/etc/aziot/edged/config.d/00-super.toml",
        "/etc/aziot/identityd/config.d/00-super.toml",
        "/etc/aziot/config.toml",
        "/etc/iotedge/config.yaml",
};

static int set_path(json_t *result, const char *path, json_t *value) {
        const char *slash = strchr(path, '/');
        json_t *inner;

        if (!slash)
                return json_object_set_new(result, path, value) < 0 ? -ENOMEM : 0;
        inner = json_object_getn(result, path, (size_t) (slash - path));
        if (!inner) {
                inner = json_object();
                if (!inner || json_object_setn_new(result, path, (size_t) (slash - path), inner) < 0) {
                        json_decref(value);
                        return -ENOMEM;
                }
        }
        return json_object_set_new(inner, slash + 1, value) < 0 ? -ENOMEM : 0;
}

/* http://user:password@proxy:3128 without what is before the @ */
static int without_user_info(const char *url, char **ret) {
        const char *scheme = strstr(url, "://"), *at = strrchr(url, '@');
        size_t head = scheme ? (size_t) (scheme - url) + 3 : 0;

        if (!at)
                *ret = strdup(url);
        else if (asprintf(ret, "%.*s%s", (int) head, url, at + 1) < 0)
                *ret = NULL;
        return *ret ? 0 : -ENOMEM;
}

static int copy_value(const json_t *value, json_t **ret) {
        _cleanup_(freep) char *plain = NULL;
        int r;

        if (json_is_boolean(value) || json_is_integer(value)) {
                *ret = json_deep_copy(value);
                return *ret ? 1 : -ENOMEM;
        }
        if (!json_is_string(value) || json_string_length(value) > VALUE_BYTES_MAX)
                return 0;
        r = without_user_info(json_string_value(value), &plain);
        if (r < 0)
                return r;
        *ret = json_string(plain);
        return *ret ? 1 : -ENOMEM;
}

static int take_keys(const json_t *file, json_t *result) {
        FOREACH_ARRAY (key, allowed_keys, ELEMENTSOF(allowed_keys)) {
                json_t *value;
                int r;

                if (json_field_at(result, key->to))
                        continue;
                r = copy_value(json_field_at(file, key->from), &value);
                if (r > 0)
                        r = set_path(result, key->to, value);
                if (r < 0)
                        return r;
        }
        return 0;
}

static json_t *yaml_to_json(
        yaml_document_t *document, const yaml_node_t *node, unsigned depth, size_t *n_nodes) {
        json_t *object;

        if (!node || depth > TOML_DEPTH_MAX || ++*n_nodes > YAML_NODES_MAX)
                return NULL;
        if (node->type == YAML_SCALAR_NODE)
                return json_stringn((const char *) node->data.scalar.value, node->data.scalar.length);
        if (node->type != YAML_MAPPING_NODE)
                return NULL; /* no key that is wanted lies in a sequence */
        object = json_object();
        for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
                object && pair < node->data.mapping.pairs.top; pair++) {
                const yaml_node_t *key = yaml_document_get_node(document, pair->key);
                json_t *value;

                if (!key || key->type != YAML_SCALAR_NODE)
                        continue;
                value = yaml_to_json(
                        document, yaml_document_get_node(document, pair->value), depth + 1, n_nodes);
                if (value)
                        (void) json_object_setn_new(object, (const char *) key->data.scalar.value,
                                key->data.scalar.length, value);
        }
        return object;
}

static int parse_yaml(Text text, json_t **ret) {
        yaml_document_t document;
        yaml_parser_t parser;
        size_t n_nodes = 0;
        json_t *object = NULL;

        if (text.len > TOML_BYTES_MAX)
                return -EFBIG;
        if (!yaml_parser_initialize(&parser))
                return -ENOMEM;
        yaml_parser_set_input_string(&parser, (const unsigned char *) text.data, text.len);
        if (yaml_parser_load(&parser, &document)) {
                object = yaml_to_json(&document, yaml_document_get_root_node(&document), 0, &n_nodes);
                yaml_document_delete(&document);
        }
        yaml_parser_delete(&parser);
        if (!json_is_object(object)) {
                json_decref(object);
                return -EINVAL;
        }
        *ret = object;
        return 0;
}

/* Returns 1 when the file was there and told something. */
static int take_file(RuntimeConfigFiles files, const char *path, json_t *result) {
        _cleanup_(freep) char *content = NULL;
        json_t *file;
        size_t len;
        int r;

        r = files.read(files.userdata, path, &content, &len);
        if (r <= 0)
                return r;
        r = text_ends_with(text_of(path), ".yaml") ? parse_yaml((Text){content, len}, &file)
                                                   : toml_parse((Text){content, len}, &file, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        r = take_keys(file, result);
        json_decref(file);
        return r < 0 ? r : 1;
}

int runtime_config_read(RuntimeConfigFiles files, json_t **ret) {
        json_t *result = json_object(), *sources = json_array();
        int error = result && sources ? 0 : -ENOMEM;

        for (size_t i = 0; error == 0 && i < ELEMENTSOF(files_in_order); i++) {
                int r = take_file(files, files_in_order[i], result);

                if (r < 0)
                        error = r;
                else if (r > 0 && json_array_append_new(sources, json_string(files_in_order[i])) < 0)
                        error = -ENOMEM;
        }
        if (error == 0 && json_array_size(sources) > 0) {
                if (json_object_set_new(result, "sources", sources) < 0) {
                        json_decref(result);
                        return -ENOMEM;
                }
                *ret = result;
                return 1;
        }
        json_decref(result);
        json_decref(sources);
        return error;
}

static int read_fact(void *userdata, const char *path, char **ret, size_t *ret_len) {
        char key[128];
        const Fact *f;
        char *copy;

        (void) snprintf(key, sizeof(key), "file:%s", path);
        f = world_peek(userdata, key);
        if (!f || f->state != FACT_KNOWN || !json_is_string(f->value))
                return 0;
        copy = text_dup((Text){json_string_value(f->value), json_string_length(f->value)});
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        *ret_len = json_string_length(f->value);
        return 1;
}

int runtime_config_from_world(const World *w, json_t **ret) {
        return runtime_config_read((RuntimeConfigFiles){.read = read_fact, .userdata = (void *) w}, ret);
}
