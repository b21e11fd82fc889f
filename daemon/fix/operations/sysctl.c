/* Sets a setting of the kernel now. argument: {"path", "value"}; undo: {"values": [[path, value]…]}, in the
 * order in which they are to be written: some settings change others. */

#include <fcntl.h>
#include <string.h>

#include "daemon/fix/operation-list.h"

#define SYSCTL_ROOT "/proc/sys/net/ipv4/"

static int write_value(const char *path, const char *value, char **ret_why) {
        _cleanup_(closep) int fd = -EBADF;
        size_t len;

        if (!path || !value || !text_starts_with(text_of(path), SYSCTL_ROOT) || strstr(path, ".."))
                return because(ret_why, -EINVAL, "%s is no setting that may be changed", path ? path : "?");
        len = strlen(value);
        fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 && errno == ENOENT)
                return 0; /* of a link that has gone */
        if (fd < 0 || write(fd, value, len) != (ssize_t) len)
                return because(ret_why, errno > 0 ? -errno : -EIO, "%s: %s", path, strerror(errno));
        return 0;
}

static int apply(FixContext *c, const FixStep *step, char **ret_why) {
        return write_value(json_string_value(json_object_get(step->argument, "path")),
                json_string_value(json_object_get(step->argument, "value")), ret_why);
}

static int undo(FixContext *c, const FixStep *step, char **ret_why) {
        json_t *pair;
        size_t i;
        int r = 0;

        json_array_foreach (json_object_get(step->undo, "values"), i, pair) {
                int k = write_value(json_string_value(json_array_get(pair, 0)),
                        json_string_value(json_array_get(pair, 1)), ret_why);

                if (k < 0)
                        r = k;
        }
        return r;
}

const Operation operation_sysctl = {
        .name = "sysctl",
        .apply = apply,
        .undo = undo,
};
