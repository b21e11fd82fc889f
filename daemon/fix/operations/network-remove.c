/* Removes a network that nobody is attached to any more. argument: {"name", "id"}; undo: {"body"}, what
 * makes one that is the same but for its id. */

#include "daemon/base/log.h"
#include "daemon/fix/docker-network.h"
#include "daemon/fix/operation-list.h"
#include "lib/fix/docker-network.h"

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

/* The runtime makes a network that it misses, by its own configuration: without the addresses of the old one
 * those who had some cannot be attached. */
static int remove_other(FixContext *c, const json_t *body, char **ret_why) {
        const char *name = json_string_value(json_object_get(body, "Name"));
        json_t *network = NULL, *its = NULL;
        _cleanup_(freep) char *user = NULL;
        const char *id;
        int r = name ? network_find(c, name, &network, ret_why) : -EINVAL;

        if (r <= 0)
                return r;
        id = json_string_value(json_object_get(network, "Id"));
        its = docker_network_body(network, 0);
        r = !id || !its ? -ENOMEM : json_equal(its, body) ? 1 : network_user(c, name, id, &user, ret_why);
        if (r == 0)
                r = network_delete(c, id, ret_why);
        else if (user)
                log_warning("Network %s stays as somebody else made it: %s is attached to it.", name, user);
        json_decref(its);
        json_decref(network);
        return r < 0 ? r : 0;
}

static int undo(FixContext *c, const FixStep *step, char **ret_why) {
        const json_t *body = json_object_get(step->undo, "body");
        int r = remove_other(c, body, ret_why);

        return r < 0 ? r : network_make(c, body, ret_why);
}

const Operation operation_network_remove = {
        .name = "network-remove",
        .apply = apply,
        .undo = undo,
};
