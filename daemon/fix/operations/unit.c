/* Starts, stops, restarts, enables or unmasks a unit of systemd. argument: {"unit", "do"}; undo: {"unit",
 * "do"}. With "invocation" it is only done to a unit that is not active, or was started since it had that id
 * (InvocationID) and has its old configuration again: one that still runs as it did has read nothing of what
 * was changed, and one whose file could not be put back would only read the new one again. "none" does
 * nothing: a step that is only there for what taking it back does, after all those behind it have been taken
 * back ("restart with the old configuration"). */

#include <string.h>

#include "daemon/fix/operation-list.h"
#include "daemon/fix/systemd.h"

static bool is_there_already(sd_bus *bus, const char *verb, const char *unit) {
        UnitFacts facts;

        if (systemd_look(bus, unit, &facts) < 0)
                return false;
        if (strcmp(verb, "start") == 0)
                return strcmp(facts.active, "active") == 0;
        if (strcmp(verb, "stop") == 0)
                return strcmp(facts.active, "inactive") == 0 || strcmp(facts.active, "failed") == 0;
        if (strcmp(verb, "enable") == 0)
                return strcmp(facts.file, "enabled") == 0;
        return false;
}

static bool is_in_vain(const FixContext *c, sd_bus *bus, const char *unit, const char *invocation) {
        UnitFacts facts;

        return invocation && invocation[0] && systemd_look(bus, unit, &facts) >= 0 &&
                strcmp(facts.active, "active") == 0 &&
                (c->is_undo_failing || strcmp(facts.invocation, invocation) == 0);
}

/* A job that is "done" is not enough: the unit has to be what it should be. */
static int verify(sd_bus *bus, const char *verb, const char *unit, char **ret_why) {
        bool up = strcmp(verb, "start") == 0 || strcmp(verb, "restart") == 0;
        UnitFacts facts;
        int r;

        if (!up && strcmp(verb, "stop") != 0)
                return 0;
        r = systemd_look(bus, unit, &facts);
        if (r < 0)
                return r;
        if (up == (strcmp(facts.active, "active") == 0 || strcmp(facts.active, "activating") == 0))
                return 0;
        return because(ret_why, -EIO, "%s is %s after %s", unit, facts.active, verb);
}

static int run(FixContext *c, const json_t *what, char **ret_why) {
        const char *unit = json_string_value(json_object_get(what, "unit"));
        const char *verb = json_string_value(json_object_get(what, "do"));
        sd_bus *bus;
        int r;

        if (verb && strcmp(verb, "none") == 0)
                return 0;
        if (!unit || !verb || !systemd_knows(verb))
                return because(ret_why, -EINVAL, "the step names no unit or nothing to do with it");
        r = context_bus(c, &bus);
        if (r < 0)
                return because(ret_why, r, "systemd cannot be asked: %s", strerror(-r));
        if (is_there_already(bus, verb, unit) ||
                is_in_vain(c, bus, unit, json_string_value(json_object_get(what, "invocation"))))
                return 0;
        /* The runtime's units are ordered behind the recovery: that would wait for its own end. */
        if (c->is_recovery && strcmp(verb, "start") == 0)
                verb = "queue-start";
        r = systemd_do(bus, verb, unit, c->job_time, ret_why);
        return r < 0 ? r : verify(bus, verb, unit, ret_why);
}

static int apply(FixContext *c, const FixStep *step, char **ret_why) {
        return run(c, step->argument, ret_why);
}

static int undo(FixContext *c, const FixStep *step, char **ret_why) {
        return run(c, step->undo, ret_why);
}

const Operation operation_unit = {
        .name = "unit",
        .apply = apply,
        .undo = undo,
};
