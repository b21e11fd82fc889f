/* Owns the list of followed properties and their D-Bus types: one of another type is passed over, as if PID
 * 1 had not sent it. */

#include "daemon/watch/sources/units-properties.h"

#include <string.h>

#include "lib/base/macro.h"

static const struct {
        const char *name;
        char type;
} wanted[] = {
        {"ActiveState", 's'},
        {"ExecMainStatus", 'i'},
        {"LoadState", 's'},
        {"NRestarts", 'u'},
        {"Result", 's'},
        {"SubState", 's'},
        {"UnitFileState", 's'},
};

static int read_value(sd_bus_message *m, char type, json_t **ret) {
        union {
                const char *s;
                int32_t i;
                uint32_t u;
        } value;
        int r;

        r = sd_bus_message_read_basic(m, type, &value);
        if (r < 0)
                return r;
        if (type == 's')
                *ret = json_string(value.s);
        else
                *ret = json_integer(type == 'i' ? (json_int_t) value.i : (json_int_t) value.u);
        return *ret ? 0 : -ENOMEM;
}

static int read_property(sd_bus_message *m, json_t *object) {
        const char *name, *contents;
        json_t *value;
        char type;
        int r;

        r = sd_bus_message_read_basic(m, 's', &name);
        if (r < 0)
                return r;
        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(wanted); i++) {
                if (strcmp(wanted[i].name, name) != 0 || contents[0] != wanted[i].type || contents[1])
                        continue;
                r = sd_bus_message_enter_container(m, 'v', contents);
                if (r < 0)
                        return r;
                r = read_value(m, wanted[i].type, &value);
                if (r < 0)
                        return r;
                if (json_object_set_new(object, name, value) < 0)
                        return -ENOMEM;
                return sd_bus_message_exit_container(m);
        }
        return sd_bus_message_skip(m, "v");
}

int units_properties_read(sd_bus_message *m, json_t *object) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_property(m, object);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}
