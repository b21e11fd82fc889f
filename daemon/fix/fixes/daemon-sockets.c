/* Has systemd open the daemon's two sockets again and hand them over: as URIs in the runtime's configuration
 * where it names paths that only root may create, and by its socket units, both of them always.
 *
 * The traps: `iotedge config apply` claims success whatever happens, so what it would write is written here;
 * and a socket cannot be started while its service runs without it, so the service is stopped first. */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/fix/fix-list.h"
#include "daemon/fix/management-api.h"
#include "daemon/fix/plan-file.h"
#include "lib/base/toml.h"
#include "lib/fix/runtime-units.h"

#define RESTART_TIME (2 * USEC_PER_MIN) /* the runtime stops and starts each module */
#define SUPER_CONFIG "/etc/aziot/config.toml"
#define CONFIG       "/etc/aziot/edged/config.toml"
#define CONFIG_PARTS "/etc/aziot/edged/config.d"

static const struct {
        const char *key, *unit, *uri;
} sockets[] = {
        {"management_uri", "aziot-edged.mgmt.socket", "fd://aziot-edged.mgmt.socket"},
        {"workload_uri", "aziot-edged.workload.socket", "fd://aziot-edged.workload.socket"},
};

static const char *const old_commands[] = {
        "set listen.management_uri in /etc/iotedge/config.yaml to fd://iotedge.mgmt.socket",
        "set listen.workload_uri in /etc/iotedge/config.yaml to fd://iotedge.socket",
        "systemctl stop iotedge.service",
        "systemctl unmask iotedge.mgmt.socket iotedge.socket",
        "systemctl enable --now iotedge.mgmt.socket iotedge.socket",
        "systemctl start iotedge.service",
        "systemctl is-active iotedge.mgmt.socket iotedge.socket iotedge.service",
};

/* Whether the daemon cannot make the socket itself there, or is told of another one of systemd's. */
static bool is_in_vain(const char *uri) {
        static const char *const prefixes[] = {"unix:///var/run/iotedge/", "unix:///run/iotedge/", "fd:"};

        FOREACH_ARRAY (prefix, prefixes, ELEMENTSOF(prefixes))
                if (text_starts_with(text_of(uri), *prefix))
                        return true;
        return false;
}

/* The URIs of one file that are to be others. What is not set there stays so. */
static int find_deviations(FixPlan *p, const char *path, const json_t *config, json_t *strings) {
        const json_t *listen = json_object_get(config, "listen");

        FOREACH_ARRAY (s, sockets, ELEMENTSOF(sockets)) {
                const json_t *value = json_object_get(listen, s->key);
                const char *uri = json_string_value(value);

                if (!value || (uri && strcmp(uri, s->uri) == 0))
                        continue;
                if (!uri || !is_in_vain(uri))
                        return fix_plan_refuse(p,
                                "listen.%s in %s is %s: somebody chose another place for the daemon's "
                                "socket",
                                s->key, path, uri ? uri : "no string");
                if (json_object_set_new(strings, s->key, json_string(s->uri)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int plan_strings(FixPlan *p, const char *path, json_t *strings) {
        _cleanup_(freep) char *why = NULL;
        int r = plan_write_file(p, path,
                json_pack("{s:s, s:s, s:O}", "kind", "toml-strings", "table", "listen", "strings", strings),
                &why, "Have the daemon take its sockets from systemd in %s", path);

        return r == -EINVAL && why ? fix_plan_refuse(p, "%s: %s", path, why) : r < 0 ? r : 0;
}

static int plan_file(FixPlan *p, const char *path) {
        _cleanup_(freep) char *text = NULL;
        json_t *config = NULL, *strings;
        TomlError error = {};
        size_t len;
        int r;

        r = plan_read_file(path, &text, &len);
        if (r < 0 || !text)
                return r;
        r = toml_parse((Text){text, len}, &config, &error);
        if (r == -EINVAL)
                return fix_plan_refuse(
                        p, "%s:%u:%u is no valid TOML: %s", path, error.line, error.column, error.text);
        if (r < 0)
                return r;
        strings = json_object();
        r = strings ? find_deviations(p, path, config, strings) : -ENOMEM;
        if (r >= 0 && json_object_size(strings) > 0)
                r = plan_strings(p, path, strings);
        json_decref(strings);
        json_decref(config);
        return r;
}

static int is_part(const struct dirent *entry) {
        return text_ends_with(text_of(entry->d_name), ".toml");
}

/* What the daemon reads, each file over the one before, and what `iotedge config apply` makes it of. */
static int plan_files(FixPlan *p) {
        struct dirent **parts = NULL;
        int n, r;

        r = plan_file(p, SUPER_CONFIG);
        if (r >= 0)
                r = plan_file(p, CONFIG);
        if (r < 0)
                return r;
        n = scandir(CONFIG_PARTS, &parts, is_part, alphasort);
        if (n < 0)
                return errno == ENOENT ? 0 : -errno;
        for (int i = 0; i < n; i++) {
                char path[sizeof(CONFIG_PARTS) + sizeof(parts[i]->d_name)];

                (void) snprintf(path, sizeof(path), CONFIG_PARTS "/%s", parts[i]->d_name);
                free(parts[i]);
                if (r >= 0)
                        r = plan_file(p, path);
        }
        free(parts);
        return r;
}

static int add_unit(FixPlan *p, const char *unit, const char *what, const char *back, const char *text) {
        return fix_plan_add(p, "unit", json_pack("{s:s, s:s}", "unit", unit, "do", what),
                json_pack("{s:s, s:s}", "unit", unit, "do", back), "%s %s", text, unit);
}

/* Its link stays while a unit is masked. */
static bool was_enabled(const char *unit) {
        char path[256];
        int n = snprintf(path, sizeof(path), "/etc/systemd/system/sockets.target.wants/%s", unit);

        return n > 0 && (size_t) n < sizeof(path) &&
                faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int plan_enabling(const FixContext *c, FixPlan *p, const char *unit) {
        const UnitState *u = world_unit(c->world, unit);
        bool is_masked = strcmp(u->unit_file_state, "masked") == 0;
        int r = 0;

        if (is_masked)
                r = add_unit(p, unit, "unmask", "mask", "Unmask");
        if (r >= 0 && (is_masked || strcmp(u->unit_file_state, "disabled") == 0))
                r = add_unit(p, unit, "enable", was_enabled(unit) ? "none" : "disable", "Enable");
        return r;
}

static int plan_stopping(const RuntimeUnits *runtime, FixPlan *p) {
        const char *service = runtime_units_service(runtime);
        int r;

        /* Taken back last, when the sockets are as they were. It fails then, as it did: nobody waits. */
        r = add_unit(p, service, "none", runtime_units_is_up(runtime) ? "queue-start" : "none",
                "Start with the old sockets, should this be taken back:");
        for (size_t i = 0; r >= 0 && i + 1 < runtime->n; i++)
                if (runtime->runs[i])
                        r = add_unit(p, runtime->names[i], "stop", "start", "Stop");
        return r < 0 ? r : add_unit(p, service, "stop", "none", "Stop");
}

static int plan_units(const FixContext *c, const RuntimeUnits *runtime, FixPlan *p) {
        int r = 0;

        FOREACH_ARRAY (s, sockets, ELEMENTSOF(sockets)) {
                r = plan_enabling(c, p, s->unit);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; r >= 0 && i < runtime->n; i++)
                r = add_unit(p, runtime->names[i], "start", "stop", "Start");
        return r;
}

/* Why systemd cannot be made to hand over the sockets; NULL when it can. */
static const char *guard_units(const FixContext *c) {
        FOREACH_ARRAY (s, sockets, ELEMENTSOF(sockets)) {
                const UnitState *u = world_unit(c->world, s->unit);

                if (!u || strcmp(u->load_state, "not-found") == 0)
                        return "its socket units are not installed: the packages' own files are missing";
                if (strcmp(u->unit_file_state, "masked-runtime") == 0)
                        return "its socket units are masked until the next boot, by somebody who is at work";
                if (strcmp(u->load_state, "loaded") != 0 && strcmp(u->unit_file_state, "masked") != 0)
                        return "systemd could not load its socket units";
        }
        return NULL;
}

static int plan(FixContext *c, FixPlan *p) {
        RuntimeUnits runtime = {};
        const char *why;
        int r = 0;

        if (runtime_units_find(c->world, &runtime) == 0 ||
                strcmp(p->subject, runtime_units_service(&runtime)) != 0)
                return fix_plan_refuse(p, "%s is not the runtime of this device", p->subject);
        for (size_t i = 0; runtime.is_legacy && r >= 0 && i < ELEMENTSOF(old_commands); i++)
                r = fix_plan_note(&p->by_person, "%s", old_commands[i]);
        if (r < 0 || runtime.is_legacy)
                return r;
        if (runtime.n == 1)
                return fix_plan_refuse(
                        p, "the snap has no socket units: its daemon opens its sockets itself");
        why = guard_units(c);
        if (why)
                return fix_plan_refuse(p, "%s: %s", p->subject, why);
        p->downtime = RESTART_TIME;
        r = plan_stopping(&runtime, p);
        if (r >= 0)
                r = plan_files(p);
        return r < 0 ? r : plan_units(c, &runtime, p);
}

static int verify(FixContext *c, const FixPlan *p, char **ret_why) {
        _cleanup_(probe_answer_done) ProbeAnswer answer = {};
        const UnitState *service = world_unit(c->world, p->subject);
        _cleanup_(freep) char *socket = NULL;
        int r;

        r = fix_prove(c, &fix_daemon_sockets, p->subject, &answer);
        if (r < 0)
                return r;
        if (answer.verdict != VERDICT_REFUTES)
                return because(ret_why, 0, "%s", answer.because ? answer.because : "nothing can be seen");
        if (!service || strcmp(service->active_state, "active") != 0)
                return because(ret_why, service && strcmp(service->active_state, "failed") == 0 ? -EIO : 0,
                        "%s is %s", p->subject, service ? service->active_state : "unknown to systemd");
        r = management_socket(c->world, c->now, &socket);
        if (r < 0)
                return r;
        if (management_ping(socket, ret_why) < 0)
                return 0;
        return because(ret_why, 1, "both sockets are active and the daemon answers on %s", socket);
}

const Fix fix_daemon_sockets = {
        .name = "daemon-sockets",
        .title = "Have systemd open the daemon's sockets again and hand them over",
        .probe = "daemon-sockets",
        .symptom = "daemon-socket-permission",
        .subject = "aziot-edged.service",
        .has_subjects = true,
        .settle = 3 * USEC_PER_MIN,
        .plan = plan,
        .verify = verify,
};
