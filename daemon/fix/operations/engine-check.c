/* Has the engine read its configuration without using it, where it can. argument: {"file"}; undo: {}. */

#include "daemon/fix/engine-file.h"
#include "daemon/fix/operation-list.h"

static int apply(FixContext *c, const FixStep *step, char **ret_why) {
        const char *file = json_string_value(json_object_get(step->argument, "file"));
        int r = file ? engine_file_check(file, ret_why) : -EINVAL;

        return r == 0 ? -EINVAL : r < 0 ? r : 0;
}

static int undo(FixContext *c, const FixStep *step, char **ret_why) {
        return 0;
}

const Operation operation_engine_check = {
        .name = "engine-check",
        .apply = apply,
        .undo = undo,
};
