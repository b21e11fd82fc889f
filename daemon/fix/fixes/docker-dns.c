/* Tells the engine which name servers its containers are to ask: those that the host itself uses. The engine
 * reads that at its start only, so it is restarted, and with it all containers, unless it was told to let
 * them live.
 *
 * The traps: a resolver on the host's loopback (systemd-resolved's stub) is none that a container could ask,
 * so what stands behind it is looked up; and taking it back means another restart, after the old file is
 * back. */

#include <stdio.h>
#include <string.h>

#include "daemon/fix/fix-list.h"
#include "daemon/fix/plan-file.h"
#include "lib/fix/runtime-units.h"
#include "lib/world/name-servers.h"

#define RESTART_TIME (2 * USEC_PER_MIN) /* the runtime looks after edgeAgent once a minute */

static const struct {
        const char *unit, *file;
} engines[] = {
        {"docker.service", "/etc/docker/daemon.json"},
        {"snap.docker.dockerd.service", "/var/snap/docker/current/config/daemon.json"},
};

/* The host's own servers, the real ones first where a stub stands in front of them. */
static const char *const resolv_confs[] = {"/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"};

static bool is_loaded(const World *w, const char *unit) {
        const UnitState *u = world_unit(w, unit);

        return u && strcmp(u->load_state, "loaded") == 0;
}

static bool network_has_ipv6(const World *w) {
        const Container *agent = world_container(w, "edgeAgent");
        const Network *n =
                world_network(w, agent && agent->n_networks > 0 ? agent->networks[0] : "azure-iot-edge");

        return n && n->ipv6 > 0;
}

/* Returns 1 and the servers, 0 and *ret_why when the host has none that containers can use. */
static int find_servers(const FixContext *c, NameServers *ret, char **ret_why) {
        NameServers last = {};

        FOREACH_ARRAY (path, resolv_confs, ELEMENTSOF(resolv_confs)) {
                _cleanup_(freep) char *text = NULL;
                size_t len;
                int r = plan_read_file(*path, &text, &len);

                if (r < 0)
                        return because(ret_why, r, "%s cannot be read: %s", *path, strerror(-r));
                if (!text)
                        continue;
                name_servers_read((Text){text, len}, network_has_ipv6(c->world), ret);
                if (ret->n_usable > 0)
                        return 1;
                last = *ret;
        }
        return because(ret_why, 0, "the host names no server that a container could ask (%s)",
                last.n > 0 ? last.text : "it names none at all");
}

static json_t *servers_to_json(const NameServers *servers) {
        json_t *array = json_array();

        for (size_t i = 0; array && i < servers->n_usable && i < NAME_SERVERS_USABLE_MAX; i++)
                if (json_array_append_new(array, json_string(servers->usable[i])) < 0) {
                        json_decref(array);
                        return NULL;
                }
        return array;
}

/* Those that the engine removes when they end, with all that is inside of them. */
static int note_losses(const FixContext *c, FixPlan *p) {
        json_t *container;
        size_t i;
        int r = 0;

        json_array_foreach (c->device.parts[DEVICE_CONTAINERS], i, container) {
                const json_t *state = json_object_get(container, "State");
                const char *name = json_string_value(json_object_get(container, "Name"));

                if (r >= 0 && name && json_is_true(json_object_get(state, "Running")) &&
                        json_is_true(
                                json_object_get(json_object_get(container, "HostConfig"), "AutoRemove")))
                        r = fix_plan_note(&p->losses,
                                "the container %s, which removes itself when it is stopped",
                                name[0] == '/' ? name + 1 : name);
        }
        return r;
}

static int add_commands(FixPlan *p, const char *unit, const char *file, const json_t *servers) {
        char *text = json_dumps(servers, JSON_COMPACT);
        int r = text ? fix_plan_note(&p->by_person, "set \"dns\": %s in %s", text, file) : -ENOMEM;

        free(text);
        return r < 0 ? r : fix_plan_note(&p->by_person, "systemctl restart %s", unit);
}

static int add_restart(FixPlan *p, const char *unit, const char *now, const char *back, const char *text) {
        return fix_plan_add(p, "unit", json_pack("{s:s, s:s}", "unit", unit, "do", now),
                json_pack("{s:s, s:s}", "unit", unit, "do", back), text, unit);
}

static int add_steps(FixContext *c, FixPlan *p, const char *unit, const char *file, json_t *servers) {
        _cleanup_(freep) char *why = NULL;
        /* Taken back last, when the old file is there again. */
        int r = add_restart(p, unit, "none", "restart",
                "Restart %s with its old configuration, should this be taken back");

        if (r >= 0)
                r = plan_write_file(p, file,
                        json_pack("{s:s, s:{s:O}}", "kind", "merge-json", "members", "dns", servers), &why,
                        "Name the host's own servers under \"dns\" in %s, beside what else is there", file);
        if (r == -EINVAL && why)
                return fix_plan_refuse(p, "%s: %s", file, why);
        if (r == 0)
                return fix_plan_refuse(p, "%s names the host's own servers already", file);
        if (r >= 0)
                r = fix_plan_add(p, "engine-check", json_pack("{s:s}", "file", file), json_object(),
                        "Have the engine check %s, where it can", file);
        if (r >= 0)
                r = add_restart(p, unit, "restart", "none",
                        "Restart %s: containers stop, and the runtime starts its modules again");
        p->downtime = RESTART_TIME;
        return r < 0 ? r : note_losses(c, p);
}

static int plan(FixContext *c, FixPlan *p) {
        _cleanup_(freep) char *why = NULL;
        RuntimeUnits runtime = {};
        NameServers servers;
        json_t *list;
        size_t i = 0;
        int r;

        while (i < ELEMENTSOF(engines) && !is_loaded(c->world, engines[i].unit))
                i++;
        if (i == ELEMENTSOF(engines))
                return fix_plan_refuse(p, "no unit of the engine is known to systemd here");
        if (runtime_units_find(c->world, &runtime) == 0)
                return fix_plan_refuse(p,
                        "no unit of the runtime is known to systemd here: nothing would start the modules "
                        "again");
        r = find_servers(c, &servers, &why);
        if (r <= 0)
                return r == -ENOMEM ? r : fix_plan_refuse(p, "%s", why);
        list = servers_to_json(&servers);
        if (!list)
                return -ENOMEM;
        r = runtime.is_legacy ? add_commands(p, engines[i].unit, engines[i].file, list)
                              : add_steps(c, p, engines[i].unit, engines[i].file, list);
        json_decref(list);
        return r;
}

/* Whether the file still says what was written into it. */
static int verify_file(const json_t *argument, char **ret_why) {
        const char *path = json_string_value(json_object_get(argument, "path"));
        const json_t *wanted =
                json_object_get(json_object_get(json_object_get(argument, "edit"), "members"), "dns");
        _cleanup_(freep) char *text = NULL;
        json_t *config;
        size_t len = 0;
        bool has;
        int r = path ? plan_read_file(path, &text, &len) : -EINVAL;

        if (r < 0)
                return r;
        config = text ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
        has = wanted && json_equal(json_object_get(config, "dns"), wanted);
        json_decref(config);
        return has ? 1 : because(ret_why, 0, "%s was changed by somebody else meanwhile", path);
}

static int verify_unit(const FixContext *c, const json_t *argument, char **ret_why) {
        const char *name = json_string_value(json_object_get(argument, "unit"));
        const UnitState *unit = name ? world_unit(c->world, name) : NULL;

        if (unit && strcmp(unit->active_state, "active") == 0)
                return 1;
        return because(ret_why, 0, "%s is %s", name ? name : "the engine",
                unit ? unit->active_state : "unknown to systemd");
}

static int verify(FixContext *c, const FixPlan *p, char **ret_why) {
        _cleanup_(probe_answer_done) ProbeAnswer answer = {};
        int r = 1;

        FOREACH_ARRAY (step, p->steps, p->n_steps) {
                if (strcmp(step->operation, "write-file") == 0)
                        r = verify_file(step->argument, ret_why);
                else if (strcmp(step->operation, "unit") == 0)
                        r = verify_unit(c, step->argument, ret_why);
                if (r <= 0)
                        return r;
        }
        if (!c->device.parts[DEVICE_CONTAINERS])
                return because(ret_why, 0, "the engine does not answer");
        /* At boot the runtime waits for the recovery, and edgeAgent, whose names it is about, for the
         * runtime. */
        if (c->is_recovery)
                return because(ret_why, 1, "the engine runs with the new servers");
        r = fix_prove(c, &fix_docker_dns, p->subject, &answer);
        if (r < 0)
                return r;
        return because(ret_why, answer.verdict == VERDICT_REFUTES, "%s",
                answer.because ? answer.because : "whether names resolve for edgeAgent is not known yet");
}

const Fix fix_docker_dns = {
        .name = "docker-dns",
        .title = "Have containers ask the name servers that the host itself uses",
        .probe = "container-dns",
        .symptom = "agent-empty-config-dns",
        .subject = "edgeAgent",
        .settle = 4 * USEC_PER_MIN,
        .plan = plan,
        .verify = verify,
};
