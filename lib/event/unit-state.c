/* A unit's state, from an object of the properties that `systemctl show` prints. The trap: there every value
 * is a string, on the bus numbers are numbers; both are read. */

#include "lib/event/json-field.h"
#include "lib/event/object.h"

#include <limits.h>

static int read_number(const json_t *properties, const char *key, int *target) {
        const json_t *value = json_object_get(properties, key);
        uint64_t number;

        if (!json_is_string(value))
                return json_field_int(properties, key, target);
        if (json_string_length(value) == 0)
                return 0;
        if (text_to_u64(json_text(value), &number) < 0 || number > INT_MAX)
                return -EINVAL;
        *target = (int) number;
        return 0;
}

int unit_state_from_json(const char *name, const json_t *properties, UnitState *ret) {
        UnitState u = {.n_restarts = -1, .exit_status = -1};
        size_t name_len = strlen(name);
        int r;

        if (!json_is_object(properties) || name_len == 0 || name_len >= sizeof(u.name))
                return -EINVAL;
        memcpy(u.name, name, name_len + 1);
        if ((r = json_field_copy(properties, "LoadState", u.load_state, sizeof(u.load_state))) < 0 ||
                (r = json_field_copy(properties, "ActiveState", u.active_state, sizeof(u.active_state))) <
                        0 ||
                (r = json_field_copy(properties, "SubState", u.sub_state, sizeof(u.sub_state))) < 0 ||
                (r = json_field_copy(
                         properties, "UnitFileState", u.unit_file_state, sizeof(u.unit_file_state))) < 0 ||
                (r = json_field_copy(properties, "Result", u.result, sizeof(u.result))) < 0 ||
                (r = read_number(properties, "NRestarts", &u.n_restarts)) < 0)
                return r;
        r = read_number(properties, "ExecMainStatus", &u.exit_status);
        if (r < 0)
                return r;
        *ret = u;
        return 0;
}
