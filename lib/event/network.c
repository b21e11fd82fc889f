/* A Docker network, from the object that `docker network inspect` and GET /networks/ID print.
 *
 * The trap: only the default network names its bridge; for all others the engine derives the link's name
 * from the id. */

#include "lib/event/json-field.h"
#include "lib/event/object.h"

#include <limits.h>
#include <stdio.h>

#define BRIDGE_OPTION   "com.docker.network.bridge.name"
#define MTU_OPTION      "com.docker.network.driver.mtu"
#define BRIDGE_ID_BYTES 12

static int read_bridge(Network *n, const json_t *options) {
        int r;

        if (!n->driver || strcmp(n->driver, "bridge") != 0)
                return 0;
        r = json_field_dup(options, BRIDGE_OPTION, &n->bridge);
        if (r < 0 || n->bridge)
                return r;
        if (n->name && strcmp(n->name, "bridge") == 0)
                n->bridge = strdup("docker0");
        else if (asprintf(&n->bridge, "br-%.*s", BRIDGE_ID_BYTES, n->id) < 0)
                n->bridge = NULL;
        return n->bridge ? 0 : -ENOMEM;
}

static int read_options(Network *n, const json_t *inspect) {
        const json_t *options;
        uint64_t mtu;
        int r;

        r = json_field_object(inspect, "Options", &options);
        if (r < 0)
                return r;
        if (text_to_u64(json_text(json_object_get(options, MTU_OPTION)), &mtu) == 0 && mtu <= INT_MAX)
                n->mtu = (int) mtu;
        return read_bridge(n, options);
}

static int read_ipam(Network *n, const json_t *inspect) {
        const json_t *ipam, *config, *first;

        if (json_field_object(inspect, "IPAM", &ipam) < 0 || json_field_array(ipam, "Config", &config) < 0)
                return -EINVAL;
        first = json_array_get(config, 0);
        return json_field_dup(first, "Subnet", &n->subnet);
}

static int read_network(Network *n, const json_t *inspect) {
        int r;

        if ((r = json_field_dup(inspect, "Id", &n->id)) < 0 ||
                (r = json_field_dup(inspect, "Name", &n->name)) < 0 ||
                (r = json_field_dup(inspect, "Driver", &n->driver)) < 0 ||
                (r = json_field_bool(inspect, "Internal", &n->internal)) < 0 ||
                (r = json_field_bool(inspect, "EnableIPv6", &n->ipv6)) < 0)
                return r;
        if (!n->id || n->id[0] == '\0')
                return -EINVAL;
        r = read_options(n, inspect);
        return r < 0 ? r : read_ipam(n, inspect);
}

int network_from_json(const json_t *inspect, Network **ret) {
        _cleanup_(network_unrefp) Network *n = NULL;
        int r;

        if (!json_is_object(inspect))
                return -EINVAL;
        n = calloc(1, sizeof(*n));
        if (!n)
                return -ENOMEM;
        n->n_ref = 1;
        n->mtu = -1;
        r = read_network(n, inspect);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(n);
        return 0;
}

Network *network_ref(Network *n) {
        if (n)
                n->n_ref++;
        return n;
}

Network *network_unref(Network *n) {
        if (!n || --n->n_ref > 0)
                return NULL;
        free(n->id);
        free(n->name);
        free(n->driver);
        free(n->bridge);
        free(n->subnet);
        free(n);
        return NULL;
}
