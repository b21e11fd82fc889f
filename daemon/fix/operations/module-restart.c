/* Has the runtime stop and start a module. argument: {"module", "socket"}. There is nothing to take back:
 * the module was down, and if it is down again it is as before. */

#include <string.h>

#include "daemon/fix/management-api.h"
#include "daemon/fix/operation-list.h"

/* The characters of a container's name: none of them means anything in a URL. */
static bool is_name(const char *s) {
        static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

        return s && s[0] != '\0' && s[0] != '.' && s[strspn(s, legal)] == '\0';
}

static int apply(FixContext *c, const FixStep *step, char **ret_why) {
        const char *module = json_string_value(json_object_get(step->argument, "module"));
        const char *socket = json_string_value(json_object_get(step->argument, "socket"));
        _cleanup_(freep) char *ignored = NULL;

        if (!is_name(module) || !socket)
                return because(ret_why, -EINVAL, "the step names no module");
        /* of one that is down already some versions do not know what to say; its start is what counts */
        (void) management_do(socket, "stop", module, &ignored);
        return management_do(socket, "start", module, ret_why);
}

static int undo(FixContext *c, const FixStep *step, char **ret_why) {
        return 0;
}

const Operation operation_module_restart = {
        .name = "module-restart",
        .apply = apply,
        .undo = undo,
};
