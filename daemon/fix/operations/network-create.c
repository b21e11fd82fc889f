/* Makes a network. argument: {"body"}; undo: {"name", "id"}, the id being that of the network that had the
 * name before: what has this id, or other options, is not ours to remove. */

#include "daemon/base/log.h"
#include "daemon/fix/docker-network.h"
#include "daemon/fix/operation-list.h"
#include "lib/fix/docker-network.h"

static int apply(FixContext *c, const FixStep *step, char **ret_why) {
        const json_t *body = json_object_get(step->argument, "body");
        json_t *network = NULL;
        int r = network_make(c, body, ret_why);

        if (r >= 0)
                r = network_find(c, json_string_value(json_object_get(body, "Name")), &network, ret_why);
        if (r > 0 && !docker_network_has_mtu_of(network, body))
                r = because(ret_why, -ESTALE, "somebody else made the network meanwhile");
        json_decref(network);
        return r > 0 ? 0 : r < 0 ? r : -ESTALE;
}

static int remove_ours(FixContext *c, const json_t *network, const char *name, char **ret_why) {
        const char *id = json_string_value(json_object_get(network, "Id"));
        _cleanup_(freep) char *user = NULL;
        int r = id ? network_user(c, name, id, &user, ret_why) : -EPROTO;

        if (r <= 0)
                return r < 0 ? r : network_delete(c, id, ret_why);
        log_warning("Network %s stays as it is now: %s was attached to it meanwhile.", name, user);
        return 0;
}

static int undo(FixContext *c, const FixStep *step, char **ret_why) {
        const char *name = json_string_value(json_object_get(step->undo, "name"));
        const char *old = json_string_value(json_object_get(step->undo, "id"));
        const char *id;
        json_t *network = NULL;
        int r = name && old ? network_find(c, name, &network, ret_why) : -EINVAL;

        if (r <= 0)
                return r;
        id = json_string_value(json_object_get(network, "Id"));
        if (id && strcmp(id, old) != 0 &&
                docker_network_has_mtu_of(network, json_object_get(step->argument, "body")))
                r = remove_ours(c, network, name, ret_why);
        json_decref(network);
        return r < 0 ? r : 0;
}

const Operation operation_network_create = {
        .name = "network-create",
        .apply = apply,
        .undo = undo,
};
