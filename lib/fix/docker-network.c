#include "lib/fix/docker-network.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

#include "lib/event/json-field.h"
#include "lib/event/object.h"

#define MTU_MIN_IPV4 576
#define MTU_MIN_IPV6 1280
#define MTU_MAX      65535

const json_t *docker_endpoint_of(const json_t *inspect, const char *network, const char *id) {
        json_t *endpoints = json_object_get(json_object_get(inspect, "NetworkSettings"), "Networks");
        const char *name;
        json_t *endpoint;

        json_object_foreach (endpoints, name, endpoint)
                if (strcmp(name, network) == 0 ||
                        (id &&
                                (strcmp(name, id) == 0 ||
                                        strcmp(json_field_string(endpoint, "NetworkID"), id) == 0)))
                        return endpoint;
        return NULL;
}

static int copy_members(json_t *to, const json_t *from, const char *const *keys, size_t n) {
        for (size_t i = 0; i < n; i++) {
                json_t *value = json_object_get(from, keys[i]);

                if (value && !json_is_null(value) &&
                        json_object_set_new(to, keys[i], json_deep_copy(value)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* Only what was asked for when it was attached: the address and MAC that the engine chose are its to choose
 * again. */
static json_t *endpoint_config(const json_t *inspect, const json_t *endpoint) {
        static const char *const keys[] = {"IPAMConfig", "Links", "Aliases", "DriverOpts", "GwPriority"};
        const char *mac = json_field_string(json_object_get(inspect, "Config"), "MacAddress");
        json_t *config = json_object();

        if (!config || copy_members(config, endpoint, keys, ELEMENTSOF(keys)) < 0 ||
                (mac[0] && json_object_set_new(config, "MacAddress", json_string(mac)) < 0)) {
                json_decref(config);
                return NULL;
        }
        return config;
}

static json_t *attachment(const json_t *inspect, const json_t *endpoint) {
        const json_t *config = json_object_get(inspect, "Config");
        const json_t *state = json_object_get(inspect, "State");
        const char *name = json_field_string(inspect, "Name"), *status = json_field_string(state, "Status");
        const char *owner = json_field_string(json_object_get(config, "Labels"), CONTAINER_OWNER_LABEL);

        return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:s, s:s, s:b, s:o}", "container",
                json_field_string(inspect, "Id"), "name", name[0] == '/' ? name + 1 : name, "image",
                json_field_string(config, "Image"), "status", status, "runs",
                strcmp(status, "running") == 0 || strcmp(status, "restarting") == 0, "owned",
                strcmp(owner, CONTAINER_OWNER) == 0, "started_at", json_field_string(state, "StartedAt"),
                "address", json_field_string(endpoint, "IPAddress"), "alone",
                docker_endpoint_of(inspect, DOCKER_DEFAULT_NETWORK, NULL) == NULL, "endpoint",
                endpoint_config(inspect, endpoint));
}

static int rank(const json_t *a) {
        const json_t *endpoint = json_object_get(a, "endpoint");
        const json_t *fixed = json_object_get(endpoint, "IPAMConfig");
        bool is_fixed =
                json_field_string(fixed, "IPv4Address")[0] || json_field_string(fixed, "IPv6Address")[0];

        return (is_fixed ? 0 : 2) + (json_array_size(json_object_get(endpoint, "Links")) > 0);
}

/* Those that have none now come last. */
static uint32_t address_of(const json_t *a) {
        struct in_addr address;

        return inet_pton(AF_INET, json_field_string(a, "address"), &address) == 1 ? ntohl(address.s_addr)
                                                                                  : UINT32_MAX;
}

static int compare(const void *a, const void *b) {
        const json_t *x = *(json_t *const *) a, *y = *(json_t *const *) b;
        uint32_t address_x = address_of(x), address_y = address_of(y);
        int by_rank = rank(x) - rank(y);

        if (by_rank != 0)
                return by_rank;
        if (address_x != address_y)
                return address_x < address_y ? -1 : 1;
        return strcmp(json_field_string(x, "name"), json_field_string(y, "name"));
}

static json_t *sorted(const json_t *list) {
        size_t n = json_array_size(list);
        json_t **items = calloc(n + 1, sizeof(*items)), *result = json_array();

        if (items && result) {
                for (size_t i = 0; i < n; i++)
                        items[i] = json_array_get(list, i);
                qsort(items, n, sizeof(*items), compare);
                for (size_t i = 0; i < n; i++)
                        if (json_array_append(result, items[i]) < 0)
                                break;
        }
        free(items);
        if (result && json_array_size(result) == n)
                return result;
        json_decref(result);
        return NULL;
}

json_t *docker_attachments(const json_t *containers, const char *network, const char *id) {
        json_t *list = json_array(), *inspect, *result;
        size_t i;

        json_array_foreach (containers, i, inspect) {
                const json_t *endpoint = docker_endpoint_of(inspect, network, id);

                if (endpoint && json_array_append_new(list, attachment(inspect, endpoint)) < 0) {
                        json_decref(list);
                        return NULL;
                }
        }
        result = list ? sorted(list) : NULL;
        json_decref(list);
        return result;
}

json_t *docker_network_body(const json_t *network, unsigned mtu) {
        static const char *const keys[] = {"Name", "Driver", "EnableIPv4", "EnableIPv6", "IPAM", "Internal",
                "Attachable", "Labels", "Options"};
        json_t *body = json_pack("{s:b, s:{}}", "CheckDuplicate", 1, "Options"), *options;
        char text[16];

        if (!body || copy_members(body, network, keys, ELEMENTSOF(keys)) < 0)
                goto fail;
        options = json_object_get(body, "Options");
        (void) snprintf(text, sizeof(text), "%u", mtu);
        if (mtu > 0 && json_object_set_new(options, DOCKER_MTU_OPTION, json_string(text)) < 0)
                goto fail;
        return body;

fail:
        json_decref(body);
        return NULL;
}

bool docker_network_has_mtu_of(const json_t *network, const json_t *body) {
        return strcmp(json_field_string(json_object_get(network, "Options"), DOCKER_MTU_OPTION),
                       json_field_string(json_object_get(body, "Options"), DOCKER_MTU_OPTION)) == 0;
}

static bool is_in_subnet(int family, const char *address, const char *subnet) {
        unsigned char a[16], net[16];
        const char *slash = strchr(subnet, '/');
        char base[INET6_ADDRSTRLEN];
        uint64_t bits;

        if (!slash || text_to_u64(text_of(slash + 1), &bits) < 0 || bits > (family == AF_INET ? 32 : 128) ||
                (size_t) (slash - subnet) >= sizeof(base))
                return false;
        (void) snprintf(base, sizeof(base), "%.*s", (int) (slash - subnet), subnet);
        if (inet_pton(family, address, a) != 1 || inet_pton(family, base, net) != 1)
                return false;
        for (uint64_t i = 0; i < bits; i++)
                if (((a[i / 8] ^ net[i / 8]) >> (7 - i % 8)) & 1)
                        return false;
        return true;
}

static bool is_in_pools(const json_t *network, int family, const char *address) {
        const json_t *pools = json_object_get(json_object_get(network, "IPAM"), "Config");
        json_t *pool;
        size_t i;

        if (!address[0])
                return true;
        json_array_foreach (pools, i, pool)
                if (is_in_subnet(family, address, json_field_string(pool, "Subnet")))
                        return true;
        return false;
}

static int refuse(char **ret_why, const char *format, ...) _printf_(2, 3);
static int refuse(char **ret_why, const char *format, ...) {
        va_list args;
        char *why;
        int n;

        va_start(args, format);
        n = vasprintf(&why, format, args);
        va_end(args);
        if (n < 0)
                return -ENOMEM;
        *ret_why = why;
        return 1;
}

/* What makes a network one that only the engine or a cluster can make. */
static int guard_kind(const json_t *network, char **ret_why) {
        const char *name = json_field_string(network, "Name"),
                   *driver = json_field_string(network, "Driver");

        if (strcmp(name, DOCKER_DEFAULT_NETWORK) == 0 || strcmp(name, "host") == 0 ||
                strcmp(name, "none") == 0)
                return refuse(ret_why, "the network %s is the engine's own and cannot be made anew", name);
        if (strcmp(driver, "bridge") != 0)
                return refuse(
                        ret_why, "the driver of network %s is %s, only bridge is understood", name, driver);
        if (strcmp(json_field_string(network, "Scope"), "local") != 0)
                return refuse(ret_why, "the network %s belongs to a swarm", name);
        if (json_is_true(json_object_get(network, "ConfigOnly")) ||
                json_is_true(json_object_get(network, "Ingress")) ||
                json_field_string(json_object_get(network, "ConfigFrom"), "Network")[0])
                return refuse(ret_why, "the network %s is made from another one's configuration", name);
        return 0;
}

/* The runtime looks for its network by a part of the name: with two it could take the other for it. */
static int guard_names(const json_t *network, const json_t *networks, char **ret_why) {
        const char *name = json_field_string(network, "Name");
        json_t *other;
        size_t i;

        json_array_foreach (networks, i, other)
                if (strcmp(json_field_string(other, "Id"), json_field_string(network, "Id")) != 0 &&
                        strstr(json_field_string(other, "Name"), name))
                        return refuse(ret_why,
                                "the name of network %s contains %s: the runtime could take it for its own",
                                json_field_string(other, "Name"), name);
        return 0;
}

static int guard_addresses(const json_t *network, const json_t *attachments, char **ret_why) {
        json_t *a;
        size_t i;

        json_array_foreach (attachments, i, a) {
                const json_t *fixed = json_object_get(json_object_get(a, "endpoint"), "IPAMConfig");
                const char *v4 = json_field_string(fixed, "IPv4Address"),
                           *v6 = json_field_string(fixed, "IPv6Address");

                if (!is_in_pools(network, AF_INET, v4) || !is_in_pools(network, AF_INET6, v6))
                        return refuse(ret_why,
                                "%s has a fixed address (%s) outside the subnets of network %s",
                                json_field_string(a, "name"),
                                v4[0] && !is_in_pools(network, AF_INET, v4) ? v4 : v6,
                                json_field_string(network, "Name"));
        }
        return 0;
}

/* Between two starts the engine forgets what such a container is attached to, and one that is half removed
 * it does not let be changed at all. */
static int guard_states(const json_t *attachments, char **ret_why) {
        static const char *const states[] = {"dead", "removing", "restarting"};
        json_t *a;
        size_t i;

        json_array_foreach (attachments, i, a)
                FOREACH_ARRAY (state, states, ELEMENTSOF(states))
                        if (strcmp(json_field_string(a, "status"), *state) == 0)
                                return refuse(ret_why,
                                        "the container %s is %s, so it cannot be attached anew: stop or "
                                        "remove it first",
                                        json_field_string(a, "name"), *state);
        return 0;
}

int docker_network_guard(
        const json_t *network, const json_t *networks, const json_t *attachments, char **ret_why) {
        int r = guard_kind(network, ret_why);

        if (r == 0)
                r = guard_names(network, networks, ret_why);
        if (r == 0)
                r = guard_addresses(network, attachments, ret_why);
        return r == 0 ? guard_states(attachments, ret_why) : r;
}

int docker_mtu_from(const char *fitting, bool ipv6, unsigned *ret) {
        const char *digits = fitting;
        uint64_t mtu;

        while (*digits && !isdigit((unsigned char) *digits))
                digits++;
        if (text_to_u64((Text){digits, strspn(digits, "0123456789")}, &mtu) < 0)
                return -ENODATA;
        if (mtu < (ipv6 ? MTU_MIN_IPV6 : MTU_MIN_IPV4) || mtu > MTU_MAX)
                return -ERANGE;
        *ret = (unsigned) mtu;
        return 0;
}
