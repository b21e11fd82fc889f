/* Attaches a container to a network. argument: {"network", "container", "name", "endpoint"}; undo:
 * {"network"}. */

#include "daemon/fix/docker-network.h"
#include "daemon/fix/operation-list.h"

static const char *get(const json_t *object, const char *key) {
        return json_string_value(json_object_get(object, key));
}

static int apply(FixContext *c, const FixStep *step, char **ret_why) {
        return network_attach(c, get(step->argument, "network"), get(step->argument, "container"),
                json_object_get(step->argument, "endpoint"), ret_why);
}

static int undo(FixContext *c, const FixStep *step, char **ret_why) {
        return network_detach(
                c, get(step->undo, "network"), NULL, get(step->argument, "container"), ret_why);
}

const Operation operation_network_connect = {
        .name = "network-connect",
        .apply = apply,
        .undo = undo,
};
