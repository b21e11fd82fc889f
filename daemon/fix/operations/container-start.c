/* Starts containers. argument and undo: {"containers": [[id, name]…]}, each possibly empty: as a first step
 * it has nothing to apply, and starts again at the end of undoing what ran before. */

#include "daemon/fix/docker-network.h"
#include "daemon/fix/operation-list.h"

/* All of them, also after one that failed. */
static int start(FixContext *c, const json_t *what, char **ret_why) {
        json_t *pair;
        size_t i;
        int r = 0;

        json_array_foreach (json_object_get(what, "containers"), i, pair) {
                const char *id = json_string_value(json_array_get(pair, 0));
                int k = id ? container_start(c, id, ret_why) : -EINVAL;

                if (k < 0)
                        r = k;
        }
        return r;
}

static int apply(FixContext *c, const FixStep *step, char **ret_why) {
        return start(c, step->argument, ret_why);
}

static int undo(FixContext *c, const FixStep *step, char **ret_why) {
        return start(c, step->undo, ret_why);
}

const Operation operation_container_start = {
        .name = "container-start",
        .apply = apply,
        .undo = undo,
};
