/* Removes a network that nobody is attached to any more. argument: {"name", "id"}; undo: {"body"}, what
 * makes one that is the same but for its id. */

#include "daemon/fix/docker-network.h"
#include "daemon/fix/operation-list.h"

static int apply(FixContext *c, const FixStep *step, char **ret_why) {
        const char *name = json_string_value(json_object_get(step->argument, "name"));
        const char *id = json_string_value(json_object_get(step->argument, "id"));
        _cleanup_(freep) char *user = NULL;
        int r = name && id ? network_user(c, name, id, &user, ret_why) : -EINVAL;

        if (r < 0)
                return r;
        if (r > 0) /* a stopped one would not keep the engine from removing it, but could never be started */
                return because(ret_why, -ESTALE, "%s was attached to %s meanwhile", user, name);
        return network_delete(c, id, ret_why);
}

static int undo(FixContext *c, const FixStep *step, char **ret_why) {
        return network_make(c, json_object_get(step->undo, "body"), ret_why);
}

const Operation operation_network_remove = {
        .name = "network-remove",
        .apply = apply,
        .undo = undo,
};
