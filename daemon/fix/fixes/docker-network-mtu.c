/* Makes a Docker network anew with an MTU that fits the uplink; an MTU cannot be changed afterwards.
 *
 * Nobody's container is removed: each is taken off the network and attached to the new one, running or not,
 * so nothing that is inside of it can be lost. The traps: a network in use cannot be removed; a container
 * that keeps the old one's id cannot be started any more; and the runtime, at the sight of a network that is
 * missing, makes one without the MTU. So it is stopped first, its sockets too, which would start it. */

#include <stdio.h>
#include <string.h>

#include "daemon/fix/docker-network.h"
#include "daemon/fix/fix-list.h"
#include "lib/event/json-field.h"
#include "lib/fix/docker-commands.h"
#include "lib/fix/docker-network.h"
#include "lib/fix/runtime-units.h"

#define RESTART_TIME (2 * USEC_PER_MIN) /* the runtime stops and starts each module */
#define ATTACH_TIME  (3 * USEC_PER_SEC)

static const char *variable(const FixContext *c, const char *name) {
        FOREACH_ARRAY (v, c->proof->variables, c->proof->n_variables)
                if (strcmp(v->name, name) == 0)
                        return v->value;
        return "";
}

static json_t *find_network(const FixContext *c, const char *name) {
        json_t *network;
        size_t i;

        json_array_foreach (c->device.parts[DEVICE_NETWORKS], i, network)
                if (strcmp(json_field_string(network, "Name"), name) == 0)
                        return network;
        return NULL;
}

/* What the plan is made of; borrowed from the context but for the attachments and the body. */
typedef struct Sketch {
        const json_t *network;
        json_t *attachments, *body;
        const char *name, *id;
        unsigned mtu;
        RuntimeUnits runtime;
} Sketch;

static void sketch_done(Sketch *s) {
        json_decref(s->attachments);
        json_decref(s->body);
}

/* Without its image the runtime could not make a module again, should it have to, until the device has a
 * connection, which it is about to lose. */
static int guard_images(FixContext *c, const Sketch *s, char **ret_why) {
        json_t *a;
        size_t i;

        json_array_foreach (s->attachments, i, a) {
                int r = json_is_true(json_object_get(a, "owned"))
                        ? image_is_here(c, json_field_string(a, "image"), ret_why)
                        : 1;

                if (r < 0)
                        return r;
                if (r == 0)
                        return because(ret_why, 1,
                                "the image %s of %s is not on this device, so it could not be made anew",
                                json_field_string(a, "image"), json_field_string(a, "name"));
        }
        return 0;
}

/* Returns 1 and *ret_why when the network must not be made anew, 0 when it may. */
static int guard(FixContext *c, Sketch *s, char **ret_why) {
        const char *fitting = variable(c, "fitting");
        int r = docker_mtu_from(fitting, json_is_true(json_object_get(s->network, "EnableIPv6")), &s->mtu);

        if (r < 0)
                return because(ret_why, 1, "no network of these protocols works with an MTU of %s", fitting);
        if (runtime_units_find(c->world, &s->runtime) == 0)
                return because(ret_why, 1,
                        "no unit of the runtime is known to systemd here: it cannot be kept from making the "
                        "network anew by itself");
        r = docker_network_guard(s->network, c->device.parts[DEVICE_NETWORKS], s->attachments, ret_why);
        return r == 0 ? guard_images(c, s, ret_why) : r;
}

/* Those who would not be started by the runtime. They go on running meanwhile, but for a power loss: then
 * the engine would try them while their network is not there. */
static json_t *others_that_run(const Sketch *s) {
        json_t *list = json_array(), *a;
        size_t i;

        json_array_foreach (s->attachments, i, a) {
                bool by_runtime =
                        json_is_true(json_object_get(a, "owned")) && runtime_units_is_up(&s->runtime);

                if (json_is_true(json_object_get(a, "runs")) && !by_runtime &&
                        json_array_append_new(list,
                                json_pack("[s, s]", json_field_string(a, "container"),
                                        json_field_string(a, "name"))) < 0) {
                        json_decref(list);
                        return NULL;
                }
        }
        return list;
}

static int add_units(
        FixPlan *plan, const RuntimeUnits *runtime, const char *what, const char *back, const char *format) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < runtime->n; i++)
                if (runtime->runs[i])
                        r = fix_plan_add(plan, "unit",
                                json_pack("{s:s, s:s}", "unit", runtime->names[i], "do", what),
                                json_pack("{s:s, s:s}", "unit", runtime->names[i], "do", back), format,
                                runtime->names[i]);
        return r;
}

/* The end of a socket is its service's, too, which requires it: taken back last, whatever was stopped of
 * them.
 */
static int add_way_back(FixPlan *plan, const RuntimeUnits *runtime) {
        const char *service = runtime_units_service(runtime);

        if (!runtime_units_is_up(runtime))
                return 0;
        return fix_plan_add(plan, "unit", json_pack("{s:s, s:s}", "unit", service, "do", "none"),
                json_pack("{s:s, s:s}", "unit", service, "do", "start"),
                "Have %s run again, should this be taken back", service);
}

static int add_detaching(FixPlan *plan, const Sketch *s) {
        json_t *a;
        size_t i;
        int r = 0;

        json_array_foreach (s->attachments, i, a)
                if (r >= 0)
                        r = fix_plan_add(plan, "network-disconnect",
                                json_pack("{s:s, s:s, s:s, s:s}", "network", s->name, "id", s->id,
                                        "container", json_field_string(a, "container"), "name",
                                        json_field_string(a, "name")),
                                json_pack("{s:s, s:O, s:O}", "network", s->name, "endpoint",
                                        json_object_get(a, "endpoint"), "alone",
                                        json_object_get(a, "alone")),
                                "Take %s off the network %s; its content stays",
                                json_field_string(a, "name"), s->name);
        return r;
}

static int add_replacement(FixPlan *plan, const Sketch *s) {
        int r = fix_plan_add(plan, "network-remove", json_pack("{s:s, s:s}", "name", s->name, "id", s->id),
                json_pack("{s:o}", "body", docker_network_body(s->network, 0)), "Remove the network %s",
                s->name);

        return r < 0 ? r
                     : fix_plan_add(plan, "network-create", json_pack("{s:O}", "body", s->body),
                               json_pack("{s:s, s:s}", "name", s->name, "id", s->id),
                               "Create the network %s with an MTU of %u, its addresses, options and labels "
                               "as they are",
                               s->name, s->mtu);
}

static int add_attaching(FixPlan *plan, const Sketch *s) {
        json_t *a;
        size_t i;
        int r = 0;

        json_array_foreach (s->attachments, i, a)
                if (r >= 0)
                        r = fix_plan_add(plan, "network-connect",
                                json_pack("{s:s, s:s, s:s, s:O, s:O, s:s}", "network", s->name, "container",
                                        json_field_string(a, "container"), "name",
                                        json_field_string(a, "name"), "endpoint",
                                        json_object_get(a, "endpoint"), "ran", json_object_get(a, "runs"),
                                        "started_at", json_field_string(a, "started_at")),
                                json_pack("{s:s}", "network", s->name), "Attach %s to the network %s again",
                                json_field_string(a, "name"), s->name);
        return r;
}

static int add_steps(FixPlan *plan, const Sketch *s) {
        json_t *others = others_that_run(s);
        int r = 0;

        if (json_array_size(others) > 0)
                r = fix_plan_add(plan, "container-start", json_pack("{s:[]}", "containers"),
                        json_pack("{s:O}", "containers", others),
                        "Note the other containers that run, to start them again should this be taken back");
        json_decref(others);
        if (r >= 0)
                r = add_way_back(plan, &s->runtime);
        if (r >= 0)
                r = add_units(plan, &s->runtime, "stop", "start", "Stop %s");
        if (r >= 0)
                r = add_detaching(plan, s);
        if (r >= 0)
                r = add_replacement(plan, s);
        if (r >= 0)
                r = add_attaching(plan, s);
        if (r >= 0)
                r = add_units(plan, &s->runtime, "start", "stop", "Start %s");
        plan->downtime = RESTART_TIME + json_array_size(s->attachments) * ATTACH_TIME;
        return r;
}

static int add_commands(FixPlan *plan, const Sketch *s) {
        json_t *commands = docker_network_commands(s->body, s->attachments), *command;
        const char *service = runtime_units_service(&s->runtime);
        size_t i;
        int r = commands ? fix_plan_note(&plan->by_person, "systemctl stop %s", service) : -ENOMEM;

        json_array_foreach (commands, i, command)
                if (r >= 0)
                        r = fix_plan_note(&plan->by_person, "%s", json_string_value(command));
        json_decref(commands);
        return r < 0 ? r : fix_plan_note(&plan->by_person, "systemctl start %s", service);
}

/* An incident names the default network, as no line of a log tells another: what is repaired, and counted,
 * is the one that edgeAgent is on. */
static int name_network(FixPlan *p, const char *network) {
        char *name;

        if (strcmp(p->subject, network) != 0 && strcmp(p->subject, fix_docker_network_mtu.subject) != 0)
                return fix_plan_refuse(p, "%s is not the modules' network, but %s is", p->subject, network);
        name = strdup(network);
        if (!name)
                return -ENOMEM;
        free(p->subject);
        p->subject = name;
        return 0;
}

static int plan(FixContext *c, FixPlan *p) {
        _cleanup_(sketch_done) Sketch s = {.name = variable(c, "network")};
        _cleanup_(freep) char *why = NULL;
        int r;

        s.network = find_network(c, s.name);
        if (!s.network || !c->device.parts[DEVICE_CONTAINERS])
                return fix_plan_refuse(p, "the engine does not tell of the network %s and its containers",
                        s.name[0] ? s.name : p->subject);
        r = name_network(p, s.name);
        if (r < 0 || p->refusal)
                return r;
        s.id = json_field_string(s.network, "Id");
        s.attachments = docker_attachments(c->device.parts[DEVICE_CONTAINERS], s.name, s.id);
        r = s.attachments ? guard(c, &s, &why) : -ENOMEM;
        if (r != 0)
                return r < 0 ? r : fix_plan_refuse(p, "%s", why);
        s.body = docker_network_body(s.network, s.mtu);
        if (!s.body)
                return -ENOMEM;
        return s.runtime.is_legacy ? add_commands(p, &s) : add_steps(p, &s);
}

static bool has_network(FixContext *c, const json_t *body) {
        const json_t *network = find_network(c, json_field_string(body, "Name"));

        return network && docker_network_has_mtu_of(network, body);
}

static const json_t *find_container(FixContext *c, const char *id) {
        json_t *container;
        size_t i;

        json_array_foreach (c->device.parts[DEVICE_CONTAINERS], i, container)
                if (strcmp(json_field_string(container, "Id"), id) == 0)
                        return container;
        return NULL;
}

/* A module that fails by itself and is started again and again has done so on the new network too. */
static bool ran_since(const json_t *container, const char *started_at) {
        const json_t *state = json_object_get(container, "State");

        return strcmp(json_field_string(state, "Status"), "running") == 0 ||
                strcmp(json_field_string(state, "StartedAt"), started_at) != 0;
}

/* One that has gone meanwhile is whose it was to remove it. */
static int verify_container(FixContext *c, const json_t *argument, char **ret_why) {
        const json_t *container = find_container(c, json_field_string(argument, "container"));
        const char *name = json_field_string(argument, "name"),
                   *network = json_field_string(argument, "network");

        if (container && !docker_endpoint_of(container, network, NULL))
                return because(ret_why, 0, "%s is not attached to the network %s", name, network);
        /* in a recovery the runtime waits for us before it starts anybody */
        if (!container || c->is_recovery || !json_is_true(json_object_get(argument, "ran")) ||
                ran_since(container, json_field_string(argument, "started_at")))
                return 1;
        return because(ret_why, 0, "%s ran before and does not yet", name);
}

static int verify_unit(FixContext *c, const json_t *argument, char **ret_why) {
        const char *name = json_field_string(argument, "unit");
        const UnitState *unit = world_unit(c->world, name);

        if (c->is_recovery || strcmp(json_field_string(argument, "do"), "start") != 0 ||
                (unit && strcmp(unit->active_state, "active") == 0))
                return 1;
        return because(ret_why, 0, "%s is %s", name, unit ? unit->active_state : "unknown to systemd");
}

static int verify_step(FixContext *c, const FixStep *step, char **ret_why) {
        if (strcmp(step->operation, "unit") == 0)
                return verify_unit(c, step->argument, ret_why);
        if (strcmp(step->operation, "network-connect") == 0)
                return verify_container(c, step->argument, ret_why);
        if (strcmp(step->operation, "network-create") == 0 &&
                !has_network(c, json_object_get(step->argument, "body")))
                return because(ret_why, 0, "the network is not there with its new MTU");
        return 1;
}

static int verify(FixContext *c, const FixPlan *p, char **ret_why) {
        _cleanup_(probe_answer_done) ProbeAnswer answer = {};
        int r;

        if (!c->device.parts[DEVICE_CONTAINERS] || !c->device.parts[DEVICE_NETWORKS])
                return because(ret_why, 0, "the engine does not answer");
        FOREACH_ARRAY (step, p->steps, p->n_steps) {
                r = verify_step(c, step, ret_why);
                if (r <= 0)
                        return r;
        }
        r = fix_prove(c, &fix_docker_network_mtu, p->subject, &answer);
        if (r < 0)
                return r;
        return because(ret_why, answer.verdict != VERDICT_CONFIRMS, "%s",
                answer.because ? answer.because : "memory is out");
}

const Fix fix_docker_network_mtu = {
        .name = "docker-network-mtu",
        .title = "Make the modules' network anew with an MTU that fits the uplink",
        .probe = "network-mtu",
        .symptom = "agent-lte-mtu",
        .subject = "azure-iot-edge",
        .has_subjects = true,
        .settle = 5 * USEC_PER_MIN,
        .plan = plan,
        .verify = verify,
};
