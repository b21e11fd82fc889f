/* Tells the engine which name servers its containers are to ask: those that the host itself uses. The engine
 * reads that at its start only, so it is restarted, and with it all containers, unless it was told to let
 * them live.
 *
 * The traps: a resolver on the host's loopback (systemd-resolved's stub) is none that a container could ask,
 * so what stands behind it is looked up; a module that lives on (live-restore) asks the old servers until it
 * is started anew; and taking it back means another restart, after the old file is back. */

#include <stdio.h>
#include <string.h>

#include "daemon/fix/docker-network.h"
#include "daemon/fix/engine-file.h"
#include "daemon/fix/fix-list.h"
#include "daemon/fix/plan-file.h"
#include "daemon/fix/systemd.h"
#include "lib/event/json-field.h"
#include "lib/fix/runtime-units.h"
#include "lib/probes/upstream.h"
#include "lib/world/name-servers.h"

#define RESTART_TIME (2 * USEC_PER_MIN) /* the runtime looks after edgeAgent once a minute */

typedef struct Engine {
        const char *unit, *file;
} Engine;

static const Engine engines[] = {
        {"docker.service", "/etc/docker/daemon.json"},
        {"snap.docker.dockerd.service", "/var/snap/docker/current/config/daemon.json"},
};

/* The host's own servers, the real ones first where a stub stands in front of them. */
static const char *const resolv_confs[] = {"/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"};

static const char *name_of(const json_t *container) {
        const char *name = json_field_string(container, "Name");

        return name[0] == '/' ? name + 1 : name;
}

static bool runs(const json_t *container) {
        return json_is_true(json_object_get(json_object_get(container, "State"), "Running"));
}

static bool is_owned(const json_t *container) {
        const json_t *config = json_object_get(container, "Config");

        return strcmp(json_field_string(json_object_get(config, "Labels"), CONTAINER_OWNER_LABEL),
                       CONTAINER_OWNER) == 0;
}

static bool removes_itself(const json_t *container) {
        return json_is_true(json_object_get(json_object_get(container, "HostConfig"), "AutoRemove"));
}

static bool is_in_state(const UnitState *u, const char *load, const char *active) {
        return u && strcmp(u->load_state, load) == 0 && (!active || strcmp(u->active_state, active) == 0);
}

/* The one that runs; both can be installed. NULL when there is none. */
static const Engine *find_engine(const World *w) {
        const Engine *found = NULL;

        FOREACH_ARRAY (engine, engines, ELEMENTSOF(engines)) {
                const UnitState *u = world_unit(w, engine->unit);

                if (is_in_state(u, "loaded", "active"))
                        return engine;
                if (!found && is_in_state(u, "loaded", NULL))
                        found = engine;
        }
        return found;
}

static bool network_has_ipv6(const World *w) {
        const Network *n = modules_network(w);

        return n && n->ipv6 > 0;
}

/* Returns 0 and the servers, 1 and *ret_why when the host has none that containers can use. */
static int find_servers(const FixContext *c, NameServers *ret, char **ret_why) {
        NameServers last = {};

        FOREACH_ARRAY (path, resolv_confs, ELEMENTSOF(resolv_confs)) {
                _cleanup_(freep) char *text = NULL;
                size_t len;
                int r = plan_read_file(*path, &text, &len);

                if (r < 0)
                        return because(ret_why, 1, "%s cannot be read: %s", *path, strerror(-r));
                if (!text)
                        continue;
                name_servers_read((Text){text, len}, network_has_ipv6(c->world), ret);
                if (ret->n_usable > 0)
                        return 0;
                last = *ret;
        }
        return because(ret_why, 1, "the host names no server that a container could ask (%s)",
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

/* A module's own servers go before the engine's, and one that did not start again could only be made anew
 * from its image. Returns 1 and *ret_why when the engine must not be restarted, 0 when it may. */
static int guard_module(FixContext *c, const json_t *container, char **ret_why) {
        const char *image = json_field_string(json_object_get(container, "Config"), "Image"),
                   *name = name_of(container);
        const json_t *dns = json_object_get(json_object_get(container, "HostConfig"), "Dns");
        int r;

        if (strcmp(name, "edgeAgent") == 0 && json_array_size(dns) > 0)
                return because(ret_why, 1,
                        "%s has name servers of its own (HostConfig.Dns in its createOptions), which go "
                        "before those of the engine",
                        name);
        if (!runs(container))
                return 0;
        r = image_is_here(c, image, ret_why);
        return r != 0 ? (r < 0 ? r : 0)
                      : because(ret_why, 1,
                                "the image %s of %s is not on this device, so it could not be made anew",
                                image, name);
}

static int guard_modules(FixContext *c, char **ret_why) {
        json_t *container;
        size_t i;

        if (!c->device.parts[DEVICE_CONTAINERS])
                return because(ret_why, 1, "the engine does not tell of its containers");
        json_array_foreach (c->device.parts[DEVICE_CONTAINERS], i, container) {
                int r = is_owned(container) ? guard_module(c, container, ret_why) : 0;

                if (r != 0)
                        return r;
        }
        return 0;
}

/* Nothing else starts the modules again. */
static int guard_runtime(const World *w, RuntimeUnits *runtime, char **ret_why) {
        if (runtime_units_find(w, runtime) == 0)
                return because(ret_why, 1,
                        "no unit of the runtime is known to systemd here: nothing would start the modules "
                        "again");
        if (!runtime_units_is_up(runtime))
                return because(ret_why, 1, "%s does not run, so nothing would start the modules again",
                        runtime_units_service(runtime));
        return 0;
}

/* Those that the engine removes when they end, with all that is inside of them. */
static int note_losses(const FixContext *c, FixPlan *p) {
        json_t *container;
        size_t i;
        int r = 0;

        json_array_foreach (c->device.parts[DEVICE_CONTAINERS], i, container)
                if (r >= 0 && runs(container) && removes_itself(container))
                        r = fix_plan_note(&p->losses,
                                "the container %s, which removes itself when it is stopped",
                                name_of(container));
        return r;
}

/* What neither the runtime nor the engine starts again, as container-start takes it. */
static json_t *others_that_run(const FixContext *c) {
        json_t *list = json_array(), *container;
        size_t i;

        json_array_foreach (c->device.parts[DEVICE_CONTAINERS], i, container) {
                const json_t *host = json_object_get(container, "HostConfig");
                const char *policy = json_field_string(json_object_get(host, "RestartPolicy"), "Name");

                if (runs(container) && !is_owned(container) && !removes_itself(container) &&
                        strcmp(policy, "always") != 0 && strcmp(policy, "unless-stopped") != 0 &&
                        json_array_append_new(list,
                                json_pack("[s, s]", json_field_string(container, "Id"),
                                        name_of(container))) < 0) {
                        json_decref(list);
                        return NULL;
                }
        }
        return list;
}

/* For the verification: {name: when it was started} of each that the runtime has to start again. */
static json_t *modules_that_run(const FixContext *c) {
        json_t *modules = json_object(), *container;
        size_t i;

        json_array_foreach (c->device.parts[DEVICE_CONTAINERS], i, container)
                if (runs(container) && is_owned(container) &&
                        json_object_set_new(modules, name_of(container),
                                json_string(json_field_string(
                                        json_object_get(container, "State"), "StartedAt"))) < 0) {
                        json_decref(modules);
                        return NULL;
                }
        return modules;
}

static int add_commands(FixPlan *p, const Engine *engine, const json_t *servers) {
        char *text = json_dumps(servers, JSON_COMPACT);
        int r = text ? fix_plan_note(&p->by_person, "set \"dns\": %s in %s", text, engine->file) : -ENOMEM;

        free(text);
        return r < 0 ? r : fix_plan_note(&p->by_person, "systemctl restart %s", engine->unit);
}

/* Taken back last but for the others, when the old file is there again; not at all while the engine still
 * runs as it does now, which spares the containers where the file could not even be written. */
static int add_way_back(FixContext *c, FixPlan *p, const char *unit) {
        UnitFacts facts = {};
        sd_bus *bus;
        int r = context_bus(c, &bus);

        if (r >= 0)
                r = systemd_look(bus, unit, &facts);
        if (r < 0)
                return r;
        return fix_plan_add(p, "unit", json_pack("{s:s, s:s}", "unit", unit, "do", "none"),
                json_pack("{s:s, s:s, s:s}", "unit", unit, "do", "restart", "invocation", facts.invocation),
                "Restart %s with its old configuration, should this be taken back", unit);
}

static int add_file(FixPlan *p, const char *file, json_t *servers) {
        _cleanup_(freep) char *why = NULL;
        int r = plan_write_file(p, file,
                json_pack("{s:s, s:{s:O}}", "kind", "merge-json", "members", "dns", servers), &why,
                "Name the host's own servers under \"dns\" in %s, beside what else is there", file);

        if (r == -EINVAL && why)
                return fix_plan_refuse(p, "%s: %s", file, why);
        if (r == 0)
                return fix_plan_refuse(p, "%s names the host's own servers already", file);
        return r < 0 ? r
                     : fix_plan_add(p, "engine-check", json_pack("{s:s}", "file", file), json_object(),
                               "Have the engine check %s, where it can", file);
}

static int add_restart(const FixContext *c, FixPlan *p, const char *unit, const RuntimeUnits *runtime) {
        const char *service = runtime_units_service(runtime);
        int r = fix_plan_add(p, "unit",
                json_pack("{s:s, s:s, s:o}", "unit", unit, "do", "restart", "modules", modules_that_run(c)),
                json_pack("{s:s, s:s}", "unit", unit, "do", "none"),
                "Restart %s: containers stop, and the runtime starts its modules again", unit);

        if (r < 0 ||
                !json_is_true(json_object_get(c->device.parts[DEVICE_ENGINE_INFO], "LiveRestoreEnabled")))
                return r;
        return fix_plan_add(p, "unit", json_pack("{s:s, s:s}", "unit", service, "do", "restart"),
                json_pack("{s:s, s:s}", "unit", service, "do", "none"),
                "Restart %s: modules live on without the engine, and ask its servers only once they are "
                "started anew",
                service);
}

static int add_others(FixPlan *p, const json_t *now, const json_t *back, const char *text) {
        return fix_plan_add(p, "container-start", json_pack("{s:O}", "containers", now),
                json_pack("{s:O}", "containers", back), "%s", text);
}

static int add_steps(
        FixContext *c, FixPlan *p, const Engine *engine, const RuntimeUnits *runtime, json_t *servers) {
        json_t *others = others_that_run(c), *nobody = json_array();
        bool has_others = json_array_size(others) > 0;
        int r = others && nobody ? 0 : -ENOMEM;

        if (r >= 0 && has_others)
                r = add_others(p, nobody, others,
                        "Note the other containers that run, to start them again should this be taken back");
        if (r >= 0)
                r = add_way_back(c, p, engine->unit);
        if (r >= 0)
                r = add_file(p, engine->file, servers);
        if (r >= 0)
                r = add_restart(c, p, engine->unit, runtime);
        if (r >= 0 && has_others)
                r = add_others(p, others, nobody,
                        "Start the other containers again that run now and that nobody else starts");
        json_decref(others);
        json_decref(nobody);
        p->downtime = RESTART_TIME;
        return r < 0 ? r : note_losses(c, p);
}

/* With an old file that it does not take, the engine could not be brought back either. Returns as
 * guard_module(). */
static int guard_file(const char *file, char **ret_why) {
        _cleanup_(freep) char *text = NULL;
        size_t len;
        int r = plan_read_file(file, &text, &len);

        if (r < 0)
                return because(ret_why, 1, "%s cannot be read: %s", file, strerror(-r));
        if (text_is_empty(text_strip((Text){text, len})))
                return 0;
        r = engine_file_check(file, ret_why);
        return r < 0 ? r : !r;
}

/* Such an engine would not start again. Returns as guard_module(). */
static int guard_flags(FixContext *c, const Engine *engine, char **ret_why) {
        UnitFacts facts = {};
        sd_bus *bus;
        int r = context_bus(c, &bus);

        if (r >= 0)
                r = systemd_look(bus, engine->unit, &facts);
        if (r < 0 || !engine_has_flag(facts.main_pid, "--dns"))
                return r;
        return because(ret_why, 1,
                "%s has --dns on its command line, and does not start with \"dns\" in %s beside it: name "
                "the servers there",
                engine->unit, engine->file);
}

static int plan(FixContext *c, FixPlan *p) {
        const Engine *engine = find_engine(c->world);
        _cleanup_(freep) char *why = NULL;
        RuntimeUnits runtime = {};
        NameServers servers;
        json_t *list;
        int r;

        if (!engine)
                return fix_plan_refuse(p, "no unit of the engine is known to systemd here");
        r = guard_runtime(c->world, &runtime, &why);
        if (r == 0)
                r = guard_modules(c, &why);
        if (r == 0)
                r = guard_file(engine->file, &why);
        if (r == 0)
                r = guard_flags(c, engine, &why);
        if (r == 0)
                r = find_servers(c, &servers, &why);
        if (r != 0)
                return r == -ENOMEM ? r : fix_plan_refuse(p, "%s", why ? why : strerror(-r));
        list = servers_to_json(&servers);
        if (!list)
                return -ENOMEM;
        r = runtime.is_legacy ? add_commands(p, engine, list) : add_steps(c, p, engine, &runtime, list);
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
        const char *name = json_field_string(argument, "unit");
        const UnitState *unit = world_unit(c->world, name);

        if (unit && strcmp(unit->active_state, "active") == 0)
                return 1;
        return because(ret_why, 0, "%s is %s", name, unit ? unit->active_state : "unknown to systemd");
}

static const json_t *find_container(const FixContext *c, const char *name) {
        json_t *container;
        size_t i;

        json_array_foreach (c->device.parts[DEVICE_CONTAINERS], i, container)
                if (strcmp(name_of(container), name) == 0)
                        return container;
        return NULL;
}

/* One that has gone is whose it was to remove it: edgeAgent gets its configuration only now. One that fails
 * by itself has been started again too. */
static int verify_modules(const FixContext *c, json_t *modules, char **ret_why) {
        const char *name;
        json_t *started_at;

        json_object_foreach (modules, name, started_at) {
                const json_t *container = find_container(c, name);
                const char *now = json_field_string(json_object_get(container, "State"), "StartedAt");

                if (container && !runs(container) && strcmp(now, json_string_value(started_at)) == 0)
                        return because(ret_why, 0, "%s ran before and does not yet", name);
        }
        return 1;
}

static int verify_step(const FixContext *c, const FixStep *step, char **ret_why) {
        int r;

        if (strcmp(step->operation, "write-file") == 0)
                return verify_file(step->argument, ret_why);
        if (strcmp(step->operation, "unit") != 0)
                return 1;
        r = verify_unit(c, step->argument, ret_why);
        /* At boot the runtime waits for the recovery before it starts anybody. */
        return r <= 0 || c->is_recovery
                ? r
                : verify_modules(c, json_object_get(step->argument, "modules"), ret_why);
}

static int verify(FixContext *c, const FixPlan *p, char **ret_why) {
        _cleanup_(probe_answer_done) ProbeAnswer answer = {};
        int r;

        if (!c->device.parts[DEVICE_CONTAINERS])
                return because(ret_why, 0, "the engine does not answer");
        FOREACH_ARRAY (step, p->steps, p->n_steps) {
                r = verify_step(c, step, ret_why);
                if (r <= 0)
                        return r;
        }
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
        .settle = 5 * USEC_PER_MIN,
        .plan = plan,
        .verify = verify,
};
