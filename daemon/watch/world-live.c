/* Facts of the live device.
 *
 * Owns no facts: they are the World's. Promise: nothing here blocks, files apart, and those are small local
 * ones from a closed list.
 * Trap: answers of the prober may come after the World forgot the question; they are set all the same, a
 * fact nobody asks for does no harm. */

#include "daemon/watch/world-live.h"

#include <string.h>
#include <sys/stat.h>

#include <fcntl.h>

#include "daemon/probe/listeners.h"
#include "lib/world/fact-key.h"

struct WorldLive {
        const Config *config;
        Prober *prober;
        World *world; /* as the last question named it */
        WorldLiveHandler handler;
};

/* Ending in a slash: everything below. */
static const char *const readable[] = {
        "/etc/aziot/",
        "/etc/docker/daemon.json",
        "/etc/hostname",
        "/etc/hosts",
        "/etc/iotedge/",
        "/etc/os-release",
        "/etc/resolv.conf",
        "/etc/sysctl.conf",
        "/etc/sysctl.d/",
        "/etc/timezone",
        "/proc/loadavg",
        "/proc/meminfo",
        "/proc/pressure/",
        "/proc/sys/kernel/hostname",
        "/proc/sys/kernel/osrelease",
        "/proc/sys/net/",
        "/proc/uptime",
        "/run/sysctl.d/",
        "/run/systemd/resolve/resolv.conf",
        "/run/systemd/resolve/stub-resolv.conf",
        "/usr/lib/os-release",
        "/usr/lib/sysctl.d/",
        "/var/snap/azure-iot-edge/",
        "/var/snap/docker/current/config/daemon.json",
};

int world_live_new(WorldLive **ret, const Config *config, Prober *prober, WorldLiveHandler handler) {
        WorldLive *l = malloc(sizeof(*l));

        if (!l)
                return -ENOMEM;
        *l = (WorldLive){.config = config, .prober = prober, .handler = handler};
        *ret = l;
        return 0;
}

WorldLive *world_live_free(WorldLive *l) {
        free(l);
        return NULL;
}

void world_live_set_config(WorldLive *l, const Config *config) {
        l->config = config;
}

bool world_live_may_read(const char *path) {
        Text text = text_of(path);

        if (text_contains(text, "/../") || text_ends_with(text, "/..") || text_contains(text, "//"))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(readable); i++)
                if (text_ends_with(text_of(readable[i]), "/") ? text_starts_with(text, readable[i])
                                                              : strcmp(path, readable[i]) == 0)
                        return true;
        return false;
}

/* Files of /proc have no size; so read until the end or the cap. O_NONBLOCK: never wait for a FIFO. */
static int read_file(const char *path, char **ret, size_t *ret_len) {
        _cleanup_(freep) char *data = NULL;
        _cleanup_(closep) int fd = -EBADF;
        size_t len = 0;
        struct stat st;
        ssize_t n;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;

        data = malloc(WORLD_FILE_MAX_BYTES + 1);
        if (!data)
                return -ENOMEM;
        while (len <= WORLD_FILE_MAX_BYTES) {
                n = read(fd, data + len, WORLD_FILE_MAX_BYTES + 1 - len);
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                len += (size_t) n;
        }
        if (len > WORLD_FILE_MAX_BYTES)
                return -EFBIG;
        *ret = TAKE_PTR(data);
        *ret_len = len;
        return 0;
}

static int fetch_file(World *world, const char *key, const char *path, usec_t now) {
        _cleanup_(freep) char *data = NULL, *text = NULL;
        size_t len = 0;
        int r;

        if (!world_live_may_read(path))
                return world_set_unknown(world, key, "edgewatchd does not read this file", now);
        r = read_file(path, &data, &len);
        if (r == -ENOENT || r == -ENOTDIR)
                return world_set_fact(world, key, json_null(), now);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return world_set_unknown(world, key, strerror(-r), now);

        text = text_to_utf8((Text){data, len}, len);
        if (!text)
                return -ENOMEM;
        return world_set_fact(world, key, json_string(text), now);
}

static int fetch_listeners(World *world, usec_t now) {
        json_t *listeners = NULL;
        int r;

        r = listeners_read("/proc", &listeners);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return world_set_unknown(world, "listeners", strerror(-r), now);
        return world_set_fact(world, "listeners", listeners, now);
}

static void on_reply(void *userdata, const char *key, const json_t *value, const char *why) {
        WorldLive *l = userdata;
        usec_t now = l->handler.clock(l->handler.userdata);
        int r;

        if (value)
                r = world_set_fact(l->world, key, json_deep_copy(value), now);
        else
                r = world_set_unknown(l->world, key, why ? why : "the prober did not answer", now);
        if (r < 0)
                (void) world_set_unknown(l->world, key, strerror(-r), now);
        l->handler.facts_arrived(l->handler.userdata);
}

/* resolve:FROM:…, tcp-info:FROM: the prober is told the container's id; only it can turn that into a process
 * safely. */
static json_t *container_of_key(const World *world, const char *key) {
        FactKey k = fact_key_parse(key);
        _cleanup_(freep) char *name = text_dup(k.from);
        const Container *container = name ? world_container(world, name) : NULL;

        return container ? json_pack("{s:s}", "id", container->id) : NULL;
}

static int ask_prober(WorldLive *l, World *world, const char *key) {
        json_t *object;
        int r;

        l->world = world;
        object = strchr(key, ':') ? container_of_key(world, key) : NULL;
        r = l->prober->ask(l->prober, key, object, WORLD_PROBE_TIMEOUT, on_reply, l);
        json_decref(object);
        return r;
}

static int fetch(void *userdata, World *world, const char *key, usec_t now) {
        WorldLive *l = userdata;
        int r;

        if (text_starts_with(text_of(key), "file:"))
                return fetch_file(world, key, key + strlen("file:"), now);
        if (fact_key_is_active(key) && !l->config->active_probes)
                return world_set_unknown(world, key, "active probes are switched off (probes: active)", now);
        if (l->prober && l->prober->knows(l->prober, key))
                return ask_prober(l, world, key);
        if (strcmp(key, "listeners") == 0)
                return fetch_listeners(world, now);

        r = l->handler.fetch_from_source(l->handler.userdata, key, now);
        if (r != -ENOENT)
                return r;
        return world_set_unknown(world, key, l->prober ? "nobody answers this question" : "no prober", now);
}

WorldOps world_live_ops(WorldLive *l) {
        return (WorldOps){.fetch = fetch, .userdata = l};
}
