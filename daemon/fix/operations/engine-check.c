/* Has the engine read its configuration without using it. argument: {"file"}; undo: {}.
 *
 * The trap: only from 23 on it can (`dockerd --validate`). What fails for another reason than the file says
 * nothing about the file: then the restart will tell, and is taken back when it fails. */

#include <unistd.h>

#include "daemon/base/child.h"
#include "daemon/fix/operation-list.h"

#define CHECK_TIME     (30 * USEC_PER_SEC)
#define SAID_MAX       ((size_t) 16 * 1024)
#define FILE_IS_FAULTY "unable to configure the Docker daemon with file"

static const char *const programs[] = {"/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd",
        "/snap/docker/current/bin/dockerd"};

static int check(const char *program, const char *file, char **ret_why) {
        const char *const argv[] = {program, "--validate", "--config-file", file, NULL};
        _cleanup_(buffer_done) Buffer said = {.max_bytes = SAID_MAX};
        int r = child_run(argv, STDERR_FILENO, CHECK_TIME, &said);
        const char *fault;

        if (r <= 0 || buffer_append(&said, "", 1) < 0)
                return r == -ENOMEM ? r : 0;
        fault = strstr(said.data, FILE_IS_FAULTY);
        if (!fault)
                return 0;
        return because(ret_why, -EINVAL, "the engine does not take the new %s: %.*s", file,
                (int) strcspn(fault, "\n"), fault);
}

static int apply(FixContext *c, const FixStep *step, char **ret_why) {
        const char *file = json_string_value(json_object_get(step->argument, "file"));

        if (!file)
                return -EINVAL;
        FOREACH_ARRAY (program, programs, ELEMENTSOF(programs))
                if (access(*program, X_OK) == 0)
                        return check(*program, file, ret_why);
        return 0;
}

static int undo(FixContext *c, const FixStep *step, char **ret_why) {
        return 0;
}

const Operation operation_engine_check = {
        .name = "engine-check",
        .apply = apply,
        .undo = undo,
};
