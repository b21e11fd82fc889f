/* A container, from the object that `docker inspect` and GET /containers/ID/json print.
 *
 * Promise: no secret gets in. Of the environment only the names below are kept, of proxies only where they
 * are; labels are looked at and left. The trap: for the engine "never" is the year 1, which is no time here
 * but 0. */

#include "lib/event/json-field.h"
#include "lib/event/object.h"

#include <strings.h>

#define CONTAINER_MOUNTS_MAX 64

/* .NET reads settings from the environment without regard to case, so it is not regarded here. */
static const char *const kept_env[] = {
        "CheckEntireQueueOnCleanup",
        "ClientSideKeepAliveSecs",
        "CloudOperationTimeoutSecs",
        "ConnectionIdleTimeoutSecs",
        "EdgeDeviceHostName",
        "ExperimentalFeatures__Enabled",
        "IOTEDGE_APIVERSION",
        "IOTEDGE_DEVICEID",
        "IOTEDGE_GATEWAYHOSTNAME",
        "IOTEDGE_IOTHUBHOSTNAME",
        "IOTEDGE_MANAGEMENTURI",
        "IOTEDGE_MODULEID",
        "IOTEDGE_PARENTHOSTNAME",
        "IOTEDGE_WORKLOADURI",
        "MaxUpstreamBatchSize",
        "MessageCleanupIntervalSecs",
        "Mode",
        "ModuleUpdateMode",
        "NetworkId",
        "OptimizeForPerformance",
        "RocksDB_MaxOpenFiles",
        "RocksDB_MaxTotalWalSize",
        "RuntimeLogLevel",
        "SslProtocols",
        "StorageFolder",
        "UpstreamProtocol",
        "UsePersistentStorage",
        "http_proxy",
        "https_proxy",
        "no_proxy",
};

bool container_env_is_kept(Text name) {
        FOREACH_ARRAY (kept, kept_env, ELEMENTSOF(kept_env))
                if (name.len == strlen(*kept) && strncasecmp(name.data, *kept, name.len) == 0)
                        return true;
        return false;
}

static bool is_proxy(Text name) {
        return name.len > 6 && strncasecmp(name.data + name.len - 6, "_proxy", 6) == 0;
}

/* "http://user:password@proxy:3128" without what stands before the '@'. */
static char *dup_without_user_info(Text url) {
        const char *scheme = memmem(url.data, url.len, "://", 3), *at;
        size_t host = scheme ? (size_t) (scheme - url.data) + 3 : 0;
        char *copy;

        at = memrchr(url.data + host, '@', url.len - host);
        copy = text_dup(url);
        if (copy && at) {
                size_t skipped = (size_t) (at - url.data) + 1;
                memmove(copy + host, copy + skipped, url.len - skipped + 1);
        }
        return copy;
}

static int read_variable(Container *c, Text assignment) {
        const char *equals = memchr(assignment.data, '=', assignment.len);
        ContainerEnv *e = &c->env[c->n_env];
        Text name, value;

        if (!equals || c->n_env >= CONTAINER_ENV_MAX)
                return 0;
        name = text_clip(assignment, (size_t) (equals - assignment.data));
        value = text_skip(assignment, name.len + 1);
        if (!container_env_is_kept(name))
                return 0;
        c->n_env++;
        e->name = text_dup(name);
        e->value = is_proxy(name) ? dup_without_user_info(value) : text_dup(value);
        return e->name && e->value ? 0 : -ENOMEM;
}

static int read_env(Container *c, const json_t *config) {
        const json_t *env, *assignment;
        size_t i;
        int r;

        r = json_field_array(config, "Env", &env);
        if (r < 0)
                return r;
        json_array_foreach (env, i, assignment) {
                if (!json_is_string(assignment))
                        return -EINVAL;
                r = read_variable(c, json_text(assignment));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_config(Container *c, const json_t *inspect) {
        const json_t *config, *labels;
        int r;

        r = json_field_object(inspect, "Config", &config);
        if (r < 0 || !config)
                return r;
        if (json_field_object(config, "Labels", &labels) < 0)
                return -EINVAL;
        if ((r = json_field_dup(config, "Image", &c->image)) < 0 ||
                (r = json_field_bool(config, "Tty", &c->tty)) < 0 ||
                (r = json_field_dup(labels, CONTAINER_OWNER_LABEL, &c->runtime_owner)) < 0)
                return r;
        return read_env(c, config);
}

static int read_time(const json_t *object, const char *key, usec_t *target) {
        const json_t *value = json_object_get(object, key);
        uint64_t nsec;

        if (!value || json_is_null(value))
                return 0;
        if (!json_is_string(value))
                return -EINVAL;
        if (timestamp_parse(json_text(value), &nsec, NULL) == 0)
                *target = nsec / NSEC_PER_USEC;
        return 0;
}

static int read_state(Container *c, const json_t *inspect) {
        const json_t *state;
        int r;

        r = json_field_object(inspect, "State", &state);
        if (r < 0 || !state)
                return r;
        if ((r = json_field_dup(state, "Status", &c->status)) < 0 ||
                (r = json_field_dup(state, "Error", &c->error)) < 0 ||
                (r = json_field_int(state, "ExitCode", &c->exit_code)) < 0 ||
                (r = json_field_bool(state, "OOMKilled", &c->oom_killed)) < 0 ||
                (r = json_field_int(state, "Pid", &c->pid)) < 0 ||
                (r = read_time(state, "StartedAt", &c->started_at)) < 0)
                return r;
        return read_time(state, "FinishedAt", &c->finished_at);
}

/* "443/tcp" */
static int read_container_port(const char *key, ContainerPort *ret) {
        const char *slash = strchr(key, '/');
        Text number = slash ? (Text){key, (size_t) (slash - key)} : text_of(key);
        const char *protocol = slash ? slash + 1 : "tcp";
        uint64_t port;

        if (text_to_u64(number, &port) < 0 || port > UINT16_MAX || strlen(protocol) >= sizeof(ret->protocol))
                return -EINVAL;
        *ret = (ContainerPort){.container_port = (uint16_t) port};
        memcpy(ret->protocol, protocol, strlen(protocol) + 1);
        return 0;
}

/* An empty HostPort lets the engine choose one: 0. A range is its first port. */
static uint16_t read_host_port(const json_t *binding) {
        Text text = json_text(json_object_get(binding, "HostPort"));
        size_t digits = 0;
        uint64_t port;

        while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
                digits++;
        return text_to_u64(text_clip(text, digits), &port) == 0 && port <= UINT16_MAX ? (uint16_t) port : 0;
}

static int read_ports(Container *c, const json_t *host_config) {
        const json_t *bindings;
        void *i;
        int r;

        r = json_field_object(host_config, "PortBindings", &bindings);
        if (r < 0 || !bindings)
                return r;
        for (i = json_object_iter((json_t *) bindings); i;
                i = json_object_iter_next((json_t *) bindings, i)) {
                const json_t *list = json_object_iter_value(i), *binding;
                ContainerPort port;
                size_t n;

                r = read_container_port(json_object_iter_key(i), &port);
                if (r < 0)
                        return r;
                json_array_foreach (list, n, binding) {
                        if (c->n_ports >= CONTAINER_PORTS_MAX)
                                return 0;
                        port.host_port = read_host_port(binding);
                        c->ports[c->n_ports++] = port;
                }
        }
        return 0;
}

static int read_host_config(Container *c, const json_t *inspect) {
        const json_t *host_config, *log_config, *restart_policy;
        int r;

        r = json_field_object(inspect, "HostConfig", &host_config);
        if (r < 0 || !host_config)
                return r;
        if (json_field_object(host_config, "LogConfig", &log_config) < 0 ||
                json_field_object(host_config, "RestartPolicy", &restart_policy) < 0)
                return -EINVAL;
        if ((r = json_field_dup(log_config, "Type", &c->log_driver)) < 0 ||
                (r = json_field_dup(restart_policy, "Name", &c->restart_policy)) < 0 ||
                (r = json_field_dup(host_config, "NetworkMode", &c->network_mode)) < 0 ||
                (r = json_field_u64(host_config, "Memory", &c->memory_limit_bytes)) < 0)
                return r;
        return read_ports(c, host_config);
}

static int read_networks(Container *c, const json_t *inspect) {
        const json_t *settings, *networks;
        void *i;

        if (json_field_object(inspect, "NetworkSettings", &settings) < 0 ||
                json_field_object(settings, "Networks", &networks) < 0)
                return -EINVAL;
        if (!networks)
                return 0;
        for (i = json_object_iter((json_t *) networks); i && c->n_networks < CONTAINER_NETWORKS_MAX;
                i = json_object_iter_next((json_t *) networks, i)) {
                Text address = json_text(json_object_get(json_object_iter_value(i), "IPAddress"));
                size_t n = c->n_networks++;

                c->networks[n] = strdup(json_object_iter_key(i));
                if (!c->networks[n])
                        return -ENOMEM;
                if (text_is_empty(address))
                        continue;
                c->addresses[n] = text_dup(address);
                if (!c->addresses[n])
                        return -ENOMEM;
        }
        return 0;
}

static int read_mounts(Container *c, const json_t *inspect) {
        const json_t *mounts, *mount;
        size_t i, n;

        if (json_field_array(inspect, "Mounts", &mounts) < 0)
                return -EINVAL;
        n = json_array_size(mounts);
        if (n == 0)
                return 0;
        if (n > CONTAINER_MOUNTS_MAX)
                n = CONTAINER_MOUNTS_MAX;
        c->mounts = calloc(n, sizeof(c->mounts[0]));
        if (!c->mounts)
                return -ENOMEM;
        json_array_foreach (mounts, i, mount) {
                int r;

                if (c->n_mounts >= n)
                        break;
                r = json_field_dup(mount, "Destination", &c->mounts[c->n_mounts]);
                if (r < 0)
                        return r;
                if (c->mounts[c->n_mounts])
                        c->n_mounts++;
        }
        return 0;
}

static int read_names(Container *c, const json_t *inspect) {
        int r;

        if ((r = json_field_dup(inspect, "Id", &c->id)) < 0 ||
                (r = json_field_dup(inspect, "Name", &c->name)) < 0 ||
                (r = json_field_dup(inspect, "Image", &c->image_id)) < 0 ||
                (r = json_field_int(inspect, "RestartCount", &c->restart_count)) < 0)
                return r;
        if (!c->id || c->id[0] == '\0')
                return -EINVAL;
        if (c->name && c->name[0] == '/')
                memmove(c->name, c->name + 1, strlen(c->name));
        return read_time(inspect, "Created", &c->created_at);
}

int container_from_json(const json_t *inspect, Container **ret) {
        static int (*const readers[])(Container *, const json_t *) = {
                read_names, read_state, read_config, read_host_config, read_networks, read_mounts};
        _cleanup_(container_unrefp) Container *c = NULL;

        if (!json_is_object(inspect))
                return -EINVAL;
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->n_ref = 1;
        c->exit_code = c->oom_killed = c->restart_count = -1;
        FOREACH_ARRAY (reader, readers, ELEMENTSOF(readers)) {
                int r = (*reader)(c, inspect);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(c);
        return 0;
}

Container *container_ref(Container *c) {
        if (c)
                c->n_ref++;
        return c;
}

Container *container_unref(Container *c) {
        if (!c || --c->n_ref > 0)
                return NULL;

        char *const strings[] = {c->id, c->name, c->image, c->image_id, c->status, c->error, c->log_driver,
                c->network_mode, c->restart_policy, c->runtime_owner};

        FOREACH_ARRAY (s, strings, ELEMENTSOF(strings))
                free(*s);
        for (size_t i = 0; i < c->n_networks; i++) {
                free(c->networks[i]);
                free(c->addresses[i]);
        }
        for (size_t i = 0; i < c->n_env; i++) {
                free(c->env[i].name);
                free(c->env[i].value);
        }
        for (size_t i = 0; i < c->n_mounts; i++)
                free(c->mounts[i]);
        free(c->mounts);
        free(c);
        return NULL;
}

bool container_is_owned(const Container *c) {
        return c->runtime_owner && strcmp(c->runtime_owner, CONTAINER_OWNER) == 0;
}

bool container_is_running(const Container *c) {
        return c->status && strcmp(c->status, "running") == 0;
}

const char *container_getenv(const Container *c, const char *name) {
        for (size_t i = 0; i < c->n_env; i++)
                if (strcasecmp(c->env[i].name, name) == 0)
                        return c->env[i].value;
        return NULL;
}
