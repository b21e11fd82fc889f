/* Starts containers. argument and undo: {"containers": [[id, name]…]}, each possibly empty: as a first step
 * it has nothing to apply, and starts again at the end of undoing what ran before. */

#include "daemon/fix/docker-network.h"
#include "daemon/fix/operation-list.h"

/* All of them, also after one that failed; what then is left is in the list. */
static int start_each(FixContext *c, json_t *containers, char **ret_why) {
        int r = 0;

        for (size_t i = 0; i < json_array_size(containers);) {
                const char *id = json_string_value(json_array_get(json_array_get(containers, i), 0));
                int k = id ? container_start(c, id, ret_why) : -EINVAL;

                if (k >= 0) {
                        (void) json_array_remove(containers, i);
                        continue;
                }
                r = k;
                i++;
        }
        return r;
}

/* Again, as long as it helps: one that shares another's network starts only after that. */
static int start(FixContext *c, const json_t *what, char **ret_why) {
        json_t *left = json_copy(json_object_get(what, "containers"));
        size_t n;
        int r;

        if (!left)
                return -ENOMEM;
        do {
                n = json_array_size(left);
                r = start_each(c, left, ret_why);
        } while (r < 0 && json_array_size(left) < n);
        json_decref(left);
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
