/* See the header. IOTEDGE_IOTHUBHOSTNAME is on edgeAgent's container even when the hub was assigned by DPS;
 * IOTEDGE_GATEWAYHOSTNAME only when there is a parent. */

#include "lib/probes/upstream.h"

#include <stdio.h>

#include "lib/event/json-field.h"

#define DEFAULT_NETWORK "azure-iot-edge"

static bool is_hostname(const char *s) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

        return n > 0 && n < UPSTREAM_HOST_MAX && s[n] == '\0';
}

const Network *modules_network(const World *w) {
        const Container *agent = world_container(w, "edgeAgent");

        return world_network(w, agent && agent->n_networks > 0 ? agent->networks[0] : DEFAULT_NETWORK);
}

const json_t *runtime_config(World *w, usec_t now, usec_t since, bool *ret_pending) {
        const Fact *f = world_fact(w, now, since, "runtime-config");

        *ret_pending = f && f->state == FACT_PENDING;
        return f && f->state == FACT_KNOWN && json_is_object(f->value) ? f->value : NULL;
}

const char *runtime_config_string(const json_t *config, const char *path) {
        const char *slash = strchr(path, '/');
        const json_t *value;

        if (!slash)
                value = json_object_get(config, path);
        else
                value = json_object_get(json_object_getn(config, path, (size_t) (slash - path)), slash + 1);
        return json_string_value(value);
}

static const struct {
        const char *name;
        const char *environment; /* of edgeAgent */
        const char *key;         /* of the configuration */
        bool configured_first;   /* as hostname-length judges it: the environment is of the last apply */
} device_names[] = {
        {"hostname", "EdgeDeviceHostName", "hostname", .configured_first = true},
        {"hub", "IOTEDGE_IOTHUBHOSTNAME", "iothub_hostname"},
        {"parent", "IOTEDGE_GATEWAYHOSTNAME", "parent_hostname"},
        {"network", "NetworkId", "moby_runtime/network"},
};

/* Takes over a name if it is one. */
static int take_name(Text name, char ret[static UPSTREAM_HOST_MAX]) {
        char copy[UPSTREAM_HOST_MAX];

        if (name.len >= sizeof(copy))
                return 0;
        memcpy(copy, name.len > 0 ? name.data : "", name.len);
        copy[name.len] = '\0';
        if (strlen(copy) != name.len || !is_hostname(copy))
                return 0;
        memcpy(ret, copy, name.len + 1);
        return 1;
}

static int take_system_hostname(World *w, usec_t now, char ret[static UPSTREAM_HOST_MAX]) {
        const Fact *f = world_fact(w, now, 0, "file:/etc/hostname");

        if (!f || f->state != FACT_KNOWN)
                return 0;
        return take_name(text_strip(text_of(json_string_value(f->value))), ret);
}

/* Returns 1, 0, or -EAGAIN while the configuration is being asked. */
static int find_device_name(World *w, usec_t now, const char *name, char ret[static UPSTREAM_HOST_MAX]) {
        const Container *agent = world_container(w, "edgeAgent");

        FOREACH_ARRAY (n, device_names, ELEMENTSOF(device_names)) {
                const char *created_with = agent ? container_getenv(agent, n->environment) : NULL;
                const json_t *config;
                bool pending;

                if (strcmp(n->name, name) != 0)
                        continue;
                if (!n->configured_first && take_name(text_of(created_with), ret))
                        return 1;
                if (strcmp(name, "network") == 0 && agent && agent->n_networks > 0)
                        return take_name(text_of(agent->networks[0]), ret);
                config = runtime_config(w, now, 0, &pending);
                if (pending)
                        return -EAGAIN;
                if (take_name(text_of(runtime_config_string(config, n->key)), ret) ||
                        take_name(text_of(created_with), ret))
                        return 1;
                return strcmp(name, "hostname") == 0 ? take_system_hostname(w, now, ret) : 0;
        }
        return 0;
}

int device_name(World *w, usec_t now, const char *name, char ret[static UPSTREAM_HOST_MAX]) {
        return find_device_name(w, now, name, ret) > 0;
}

int upstream_host(World *w, usec_t now, char ret[static UPSTREAM_HOST_MAX]) {
        int r = find_device_name(w, now, "parent", ret);

        return r != 0 ? r : find_device_name(w, now, "hub", ret);
}

bool fact_result_is(const Fact *f, const char *result) {
        const char *value =
                f->state == FACT_KNOWN ? json_string_value(json_object_get(f->value, "result")) : NULL;

        return value && strcmp(value, result) == 0;
}

const char *fact_detail(const Fact *f) {
        const char *detail =
                f->state == FACT_KNOWN ? json_string_value(json_object_get(f->value, "detail")) : NULL;

        return detail ? detail : "";
}

int tls_clock(const Fact *tls, usec_t now, char **ret) {
        usec_t from, until, clock;
        char said[TIMESTAMP_MAX], limit[TIMESTAMP_MAX];
        int r = 0;

        if (tls->state != FACT_KNOWN || !fact_result_is(tls, "error"))
                return 0;
        from = json_field_time(tls->value, "not_before");
        until = json_field_time(tls->value, "not_after");
        clock = json_field_time(tls->value, "clock");
        clock = clock > 0 ? clock : now;
        (void) timestamp_format(clock, said);
        if (from > 0 && clock < from)
                r = asprintf(ret,
                        "this device's clock says %s, the certificate is valid only from %s on: the clock "
                        "is behind",
                        said, timestamp_format(from, limit));
        else if (until > 0 && clock > until)
                r = asprintf(ret,
                        "this device's clock says %s, the certificate was valid until %s: the clock is "
                        "ahead, or the certificate has expired",
                        said, timestamp_format(until, limit));
        return r < 0 ? -ENOMEM : r > 0;
}

static Answer answer_of(const Fact *f, bool error_is_failure) {
        if (!f || f->state == FACT_UNKNOWN || f->state == FACT_MISSING)
                return ANSWER_UNKNOWN;
        if (f->state == FACT_PENDING)
                return ANSWER_PENDING;
        if (fact_result_is(f, "ok"))
                return ANSWER_OK;
        return fact_result_is(f, "error") && !error_is_failure ? ANSWER_UNKNOWN : ANSWER_FAILED;
}

#define INSIDE   "edgeAgent"
#define STAND_IN "edgeHub"

const Fact *network_fact(
        const ProbeQuestion *q, const char *question, const char *from, const char *host, unsigned port) {
        usec_t changed = world_container_since(q->world, from), since = q->since;

        if (changed >= since && changed <= q->now)
                since = changed + 1;
        return port > 0 ? world_fact(q->world, q->now, since, "%s:%s:%s:%u", question, from, host, port)
                        : world_fact(q->world, q->now, since, "%s:%s:%s", question, from, host);
}

Answer ask_resolve(const ProbeQuestion *q, const char *from, const char *name) {
        Answer answer = answer_of(network_fact(q, "resolve", from, name, 0), true);

        return answer == ANSWER_UNKNOWN && strcmp(from, INSIDE) == 0 ? ask_resolve(q, STAND_IN, name)
                                                                     : answer;
}

Answer ask_connect(const ProbeQuestion *q, const char *from, const char *host, unsigned port) {
        Answer answer = answer_of(network_fact(q, "connect", from, host, port), false);

        return answer == ANSWER_UNKNOWN && strcmp(from, INSIDE) == 0 ? ask_connect(q, STAND_IN, host, port)
                                                                     : answer;
}

int question_host(const ProbeQuestion *q, char ret[static UPSTREAM_HOST_MAX]) {
        const char *told = probe_variable(q, "host");
        int r = upstream_host(q->world, q->now, ret);

        return r != 0 || !told ? r : take_name(text_of(told), ret);
}

bool has_default_route(const World *w) {
        return !world_knows(w, EVENT_ROUTE) || world_default_route(w, FAMILY_INET) ||
                world_default_route(w, FAMILY_INET6);
}
