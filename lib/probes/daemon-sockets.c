/* Is there nobody to hand the daemon its sockets? It may not create them in /var/run/iotedge itself, so its
 * socket units have to be active, and enabled so that they also are at the next boot. That holds whether the
 * configuration names the paths, which it is then refused, or systemd's sockets, of which it then gets none.
 */

#include "lib/probes/probe-list.h"
#include "lib/probes/upstream.h"

typedef enum Sockets {
        SOCKETS_UNKNOWN,
        SOCKETS_FINE,
        SOCKETS_MISSING,
} Sockets;

static bool is_switched_off(const UnitState *u) {
        return strcmp(u->unit_file_state, "disabled") == 0 || strcmp(u->unit_file_state, "masked") == 0;
}

static int check_sockets(const ProbeQuestion *q, Sockets *ret, ProbeAnswer *a) {
        static const char *const units[][2] = {
                {"aziot-edged.mgmt.socket", "aziot-edged.workload.socket"},
                {"iotedge.mgmt.socket", "iotedge.socket"},
        };
        bool is_old = strcmp(q->subject, "iotedge.service") == 0;
        size_t n_fine = 0;
        int r;

        *ret = SOCKETS_UNKNOWN;
        FOREACH_ARRAY (name, units[is_old], ELEMENTSOF(units[is_old])) {
                const UnitState *u = world_unit(q->world, *name);

                if (!u || u->active_state[0] == '\0')
                        continue;
                if (strcmp(u->active_state, "active") == 0 && !is_switched_off(u)) {
                        n_fine++;
                        continue;
                }
                *ret = SOCKETS_MISSING;
                r = probe_set_variable(a, "socket_unit", "%s", *name);
                if (r >= 0)
                        r = probe_confirms(a, "%s is %s (%s), so nobody opens the daemon's socket", *name,
                                u->active_state, u->unit_file_state[0] ? u->unit_file_state : u->load_state);
                return r;
        }
        if (n_fine == ELEMENTSOF(units[is_old]))
                *ret = SOCKETS_FINE;
        return 0;
}

/* Whether a socket is configured as a path that only root may create. */
static const char *find_root_uri(const json_t *config) {
        static const char *const keys[] = {"listen/management_uri", "listen/workload_uri"};
        static const char *const prefixes[] = {"unix:///var/run/iotedge/", "unix:///run/iotedge/"};

        FOREACH_ARRAY (key, keys, ELEMENTSOF(keys)) {
                const char *uri = runtime_config_string(config, *key);

                FOREACH_ARRAY (prefix, prefixes, ELEMENTSOF(prefixes))
                        if (uri && text_starts_with(text_of(uri), *prefix))
                                return uri;
        }
        return NULL;
}

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        const json_t *config;
        const char *uri;
        Sockets sockets;
        bool pending;
        int r = 0;

        if (probe_variable(q, "scheme"))
                r = probe_set_variable(a, "trouble", "is not handed");
        if (r >= 0)
                r = check_sockets(q, &sockets, a);
        if (r < 0 || sockets == SOCKETS_MISSING)
                return r;
        config = runtime_config(q->world, q->now, q->since, &pending);
        if (pending)
                return probe_pending(a);
        uri = find_root_uri(config);
        if (uri && sockets == SOCKETS_UNKNOWN)
                return probe_confirms(
                        a, "the daemon is to create %s itself, in a folder where only root may", uri);
        if (sockets == SOCKETS_FINE)
                return probe_refutes(a, "both socket units of the daemon are active");
        return probe_unknown(a, "whether the daemon's socket units are active");
}

const Probe probe_daemon_sockets = {
        .name = "daemon-sockets",
        .question =
                "Are the daemon's socket units inactive, or its sockets where only root may create them?",
        .ask = ask,
};
