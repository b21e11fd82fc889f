/* The connections: the system bus, and peers on the private socket.
 *
 * Promise: the daemon works without a bus. While there is none, the connection waits for the bus' socket to
 * appear; when a bus goes away it is tried again, later and later. Trap: a peer is freed from its own
 * "Disconnected" signal; only the table's reference goes there, sd-bus holds its own while it dispatches. */

#include "daemon/watch/bus-internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <systemd/sd-id128.h>

#include "daemon/base/log.h"

#define SYSTEM_BUS_ADDRESS "unix:path=/run/dbus/system_bus_socket"
#define RETRY_MAX          (60 * USEC_PER_SEC)
#define SOCKET_BACKLOG     16

int bus_new(Bus **ret, Manager *manager) {
        Bus *b = calloc(1, sizeof(*b));

        if (!b)
                return -ENOMEM;
        *b = (Bus){.manager = manager, .listen_fd = -EBADF};
        bus_access_init(b);
        *ret = b;
        return 0;
}

static void connection_done(Connection *c) {
        bus_access_forget(c);
        c->name_slot = sd_bus_slot_unref(c->name_slot);
        if (!c->bus)
                return;
        (void) sd_bus_detach_event(c->bus);
        /* not flushed: that would wait for a peer that does not read */
        c->bus = sd_bus_close_unref(c->bus);
}

static Connection *connection_free(Connection *c) {
        if (!c)
                return NULL;
        connection_done(c);
        free(c);
        return NULL;
}
DEFINE_CLEANUP(Connection, connection_free);

Bus *bus_free(Bus *b) {
        if (!b)
                return NULL;
        for (size_t i = 0; i < BUS_PEERS_MAX; i++)
                connection_free(b->peers[i]);
        connection_done(&b->system);
        sd_event_source_disable_unref(b->retry);
        sd_event_source_disable_unref(b->listen);
        closep(&b->listen_fd);
        if (b->socket_path)
                (void) unlink(b->socket_path);
        free(b->socket_path);
        free(b->system_error);
        free(b);
        return NULL;
}

json_t *bus_to_json(const Bus *b) {
        size_t n_peers = 0;

        for (size_t i = 0; i < BUS_PEERS_MAX; i++)
                n_peers += b->peers[i] != NULL;
        return json_pack("{s:s, s:s?, s:s?, s:i}", "state", b->has_name ? "connected" : "not connected",
                "reason", b->system_error, "private_socket", b->socket_path, "peers", (int) n_peers);
}

/* ---- the system bus ---- */

static int connect_system(Bus *b);

static void set_error(Bus *b, const char *why) {
        free(b->system_error);
        b->system_error = why ? strdup(why) : NULL;
}

static int on_retry(sd_event_source *timer, uint64_t usec, void *userdata) {
        Bus *b = userdata;

        connection_done(&b->system);
        return connect_system(b);
}

static int retry_later(Bus *b, const char *why) {
        usec_t pause = USEC_PER_SEC << (b->n_failures < 6 ? b->n_failures : 6);
        int r;

        if (!b->system_error || strcmp(b->system_error, why) != 0)
                log_info("Not on the system bus, trying again: %s", why);
        b->n_failures++;
        b->has_name = false;
        set_error(b, why);
        b->retry = sd_event_source_disable_unref(b->retry);
        r = sd_event_add_time_relative(manager_event(b->manager), &b->retry, CLOCK_MONOTONIC,
                pause < RETRY_MAX ? pause : RETRY_MAX, USEC_PER_SEC, on_retry, b);
        if (r < 0)
                return log_error_errno(r, "Failed to set the timer of the bus: %m");
        (void) sd_event_source_set_description(b->retry, "bus-retry");
        return 0;
}

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Bus *b = userdata;

        if (sd_bus_message_is_method_error(reply, NULL)) {
                const sd_bus_error *e = sd_bus_message_get_error(reply);
                return retry_later(b, e->message ? e->message : e->name);
        }
        b->has_name = true;
        b->n_failures = 0;
        set_error(b, NULL);
        return 0;
}

static int on_connected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Bus *b = userdata;
        int r;

        r = sd_bus_request_name_async(b->system.bus, &b->system.name_slot, BUS_NAME, 0, on_name, b);
        return r < 0 ? retry_later(b, strerror(-r)) : 0;
}

static int on_system_gone(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return retry_later(userdata, "the bus is gone");
}

static int match_local(sd_bus *bus, const char *member, sd_bus_message_handler_t handler, void *userdata) {
        return sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                "org.freedesktop.DBus.Local", member, handler, userdata);
}

static int prepare_system(Bus *b) {
        const char *address = getenv("DBUS_SYSTEM_BUS_ADDRESS");
        sd_bus *bus;
        int r;

        r = sd_bus_new(&b->system.bus);
        if (r < 0)
                return r;
        bus = b->system.bus;
        (void) sd_bus_set_description(bus, "system");
        r = sd_bus_set_address(bus, address ? address : SYSTEM_BUS_ADDRESS);
        if (r < 0)
                return r;
        r = sd_bus_set_bus_client(bus, true);
        if (r < 0)
                return r;
        r = sd_bus_set_watch_bind(bus, true);
        if (r < 0)
                return r;
        r = sd_bus_set_connected_signal(bus, true);
        if (r < 0)
                return r;
        r = match_local(bus, "Connected", on_connected, b);
        if (r < 0)
                return r;
        r = match_local(bus, "Disconnected", on_system_gone, b);
        if (r < 0)
                return r;
        return bus_objects_add(&b->system);
}

static int connect_system(Bus *b) {
        int r;

        b->system.owner = b;
        r = prepare_system(b);
        if (r >= 0)
                r = sd_bus_start(b->system.bus);
        if (r >= 0)
                r = sd_bus_attach_event(b->system.bus, manager_event(b->manager), SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return retry_later(b, strerror(-r));
        if (!b->system_error)
                set_error(b, "waiting for the system bus");
        return 0;
}

/* ---- the private socket ---- */

static int on_peer_gone(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Connection *c = userdata;

        for (size_t i = 0; i < BUS_PEERS_MAX; i++)
                if (c->owner->peers[i] == c)
                        c->owner->peers[i] = NULL;
        connection_free(c);
        return 0;
}

static int check_peer(int fd) {
        struct ucred peer;
        socklen_t len = sizeof(peer);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
                return -errno;
        return peer.uid == 0 || peer.uid == geteuid() ? 0 : -EPERM;
}

/* Takes over fd. */
static int serve_peer(Bus *b, int fd, Connection **ret) {
        _cleanup_(closep) int owned = fd;
        _cleanup_(connection_freep) Connection *c = calloc(1, sizeof(*c));
        sd_id128_t id;
        int r;

        if (!c)
                return -ENOMEM;
        c->owner = b;
        c->is_private = true;
        r = sd_id128_randomize(&id);
        if (r < 0)
                return r;
        r = sd_bus_new(&c->bus);
        if (r < 0)
                return r;
        (void) sd_bus_set_description(c->bus, "private");
        r = sd_bus_set_fd(c->bus, owned, owned);
        if (r < 0)
                return r;
        (void) TAKE_FD(owned);
        r = sd_bus_set_server(c->bus, true, id);
        if (r < 0)
                return r;
        r = sd_bus_set_sender(c->bus, BUS_NAME);
        if (r < 0)
                return r;
        r = match_local(c->bus, "Disconnected", on_peer_gone, c);
        if (r < 0)
                return r;
        r = bus_objects_add(c);
        if (r < 0)
                return r;
        r = sd_bus_start(c->bus);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(c->bus, manager_event(b->manager), SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

static int on_peer(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Bus *b = userdata;
        _cleanup_(closep) int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        size_t i = 0;
        int r;

        if (peer < 0)
                return 0; /* it went away, or we have no descriptor left; the next one may be luckier */
        r = check_peer(peer);
        if (r < 0) {
                log_notice("Refused a connection on the private socket: it is for root only.");
                return 0;
        }
        while (i < BUS_PEERS_MAX && b->peers[i])
                i++;
        if (i == BUS_PEERS_MAX) {
                log_notice("Refused a connection on the private socket: there are %d.", BUS_PEERS_MAX);
                return 0;
        }
        r = serve_peer(b, TAKE_FD(peer), &b->peers[i]);
        if (r < 0)
                log_warning_errno(r, "Failed to serve a connection on the private socket, ignoring: %m");
        return 0;
}

static int make_socket(Bus *b) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int n, r;

        if (fd < 0)
                return -errno;
        n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/" BUS_PRIVATE_SOCKET,
                manager_config(b->manager)->runtime_directory);
        if (n < 0 || (size_t) n >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        if (unlink(address.sun_path) < 0 && errno != ENOENT)
                return -errno;
        /* Nobody can connect before listen(), so the mode is right in time. */
        if (bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 ||
                chmod(address.sun_path, 0600) < 0 || listen(fd, SOCKET_BACKLOG) < 0)
                return -errno;
        b->socket_path = strdup(address.sun_path);
        if (!b->socket_path)
                return -ENOMEM;
        r = sd_event_add_io(manager_event(b->manager), &b->listen, fd, EPOLLIN, on_peer, b);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(b->listen, "bus-private");
        b->listen_fd = TAKE_FD(fd);
        return 0;
}

/* ---- both ---- */

static void on_changed(void *userdata, const Incident *incident, IncidentChange change) {
        Bus *b = userdata;

        if (b->has_name)
                bus_objects_changed(&b->system, incident, change);
        for (size_t i = 0; i < BUS_PEERS_MAX; i++)
                if (b->peers[i])
                        bus_objects_changed(b->peers[i], incident, change);
}

int bus_start(Bus *b) {
        int r;

        r = make_socket(b);
        if (r < 0)
                log_warning_errno(r, "Failed to make the private socket in %s, ignoring: %m",
                        manager_config(b->manager)->runtime_directory);
        r = connect_system(b);
        if (r < 0)
                return r;
        return manager_listen(b->manager, (ManagerListener){.changed = on_changed, .userdata = b});
}
