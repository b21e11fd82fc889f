/* Takes a container off a network, whether it runs or not. argument: {"network", "id", "container", "name"};
 * undo: {"network", "endpoint", "alone": bool}. Alone is one that was not on the default network: the engine
 * puts it there when it is started while it has none. */

#include "daemon/fix/docker-network.h"
#include "daemon/fix/operation-list.h"
#include "lib/fix/docker-network.h"

static const char *get(const json_t *object, const char *key) {
        return json_string_value(json_object_get(object, key));
}

static int apply(FixContext *c, const FixStep *step, char **ret_why) {
        return network_detach(c, get(step->argument, "network"), get(step->argument, "id"),
                get(step->argument, "container"), ret_why);
}

static int undo(FixContext *c, const FixStep *step, char **ret_why) {
        const char *container = get(step->argument, "container");
        int r = network_attach(
                c, get(step->undo, "network"), container, json_object_get(step->undo, "endpoint"), ret_why);

        if (r < 0 || !json_is_true(json_object_get(step->undo, "alone")))
                return r;
        return network_detach(c, DOCKER_DEFAULT_NETWORK, NULL, container, ret_why);
}

const Operation operation_network_disconnect = {
        .name = "network-disconnect",
        .apply = apply,
        .undo = undo,
};
