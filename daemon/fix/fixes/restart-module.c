/* Restarts a module that edgeAgent gave up on, by the runtime's own API. It is not created anew.
 *
 * The trap: a module that is down may be meant to be. What the deployment wants is known to edgeAgent only,
 * so a module that ended by itself with success, or because it was told to, is left alone. */

#include <string.h>

#include "daemon/fix/fix-list.h"
#include "daemon/fix/management-api.h"
#include "lib/fix/runtime-units.h"

#define STEADY (10 * USEC_PER_SEC) /* one that fails at once has failed by then */

static const struct {
        int code;
        const char *means;
} deliberate[] = {
        {0, "it ended by itself with success (exit code 0)"},
        {143, "it was told to end (exit code 143)"},
};

/* Why it must be left alone, NULL when there is no reason. */
static const char *guard_container(const FixContext *c, const char *module) {
        const Container *container = world_container(c->world, module);

        /* the World finds it by its id, too, or a part of it: attempts are counted by name */
        if (!container || !container_is_owned(container) || !text_is(text_of(container->name), module))
                return "it is no module: the runtime does not own a container of this name";
        if (container->status && strcmp(container->status, "dead") == 0)
                return "its container is dead and cannot be started; remove it with docker rm -f, and "
                       "edgeAgent creates it anew as soon as it has the image";
        FOREACH_ARRAY (end, deliberate, ELEMENTSOF(deliberate))
                if (container->exit_code == end->code)
                        return end->means;
        return NULL;
}

static int plan(FixContext *c, FixPlan *p) {
        _cleanup_(freep) char *socket = NULL;
        RuntimeUnits runtime = {};
        const char *why = guard_container(c, p->subject);
        int r;

        if (why)
                return fix_plan_refuse(p, "%s: %s", p->subject, why);
        if (runtime_units_find(c->world, &runtime) > 0 && runtime.is_legacy)
                return fix_plan_note(&p->by_person, "iotedge restart %s", p->subject);
        r = management_socket(c->world, c->now, &socket);
        if (r < 0)
                return r;
        if (access(socket, F_OK) < 0)
                return fix_plan_refuse(
                        p, "the runtime's management socket %s is not there: does the runtime run?", socket);
        return fix_plan_add(p, "module-restart",
                json_pack("{s:s, s:s}", "module", p->subject, "socket", socket), json_object(),
                "Have the runtime restart %s, as `iotedge restart %s` would", p->subject, p->subject);
}

static int verify(FixContext *c, const FixPlan *p, char **ret_why) {
        const Container *container = world_container(c->world, p->subject);
        char duration[DURATION_MAX];

        if (!container)
                return because(ret_why, 0, "the engine does not tell of %s", p->subject);
        if (!container_is_running(container))
                return because(ret_why, 0, "%s is %s, exit code %d", p->subject, container->status,
                        container->exit_code);
        return because(ret_why, usec_sub(c->now, container->started_at) >= STEADY, "%s runs for %s",
                p->subject, duration_format(usec_sub(c->now, container->started_at), duration));
}

const Fix fix_restart_module = {
        .name = "restart-module",
        .title = "Restart a module that edgeAgent gave up on",
        .probe = "module-down",
        .symptom = "module-restart-exhausted",
        .settle = 30 * USEC_PER_SEC,
        .plan = plan,
        .verify = verify,
};
