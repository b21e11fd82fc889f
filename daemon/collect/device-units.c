/* The states of the units that matter, from systemd over the system bus. */

#include <systemd/sd-bus.h>

#include "daemon/collect/device.h"

#define MANAGER           "org.freedesktop.systemd1"
#define UNIT_PREFIX       "/org/freedesktop/systemd1/unit"
#define BUS_ANSWER_TIME   (10 * USEC_PER_SEC)
#define UNIT_INTERFACE    MANAGER ".Unit"
#define SERVICE_INTERFACE MANAGER ".Service"
#define SOCKET_INTERFACE  MANAGER ".Socket"

/* Those that a unit of its kind does not have are left out. */
static const struct {
        const char *interface, *name;
        char type;
} properties[] = {
        {UNIT_INTERFACE, "LoadState", 's'},
        {UNIT_INTERFACE, "ActiveState", 's'},
        {UNIT_INTERFACE, "SubState", 's'},
        {UNIT_INTERFACE, "UnitFileState", 's'},
        {SERVICE_INTERFACE, "Result", 's'},
        {SERVICE_INTERFACE, "NRestarts", 'u'},
        {SERVICE_INTERFACE, "ExecMainStatus", 'i'},
        {SOCKET_INTERFACE, "Result", 's'},
};

static json_t *read_property(sd_bus *bus, const char *path, size_t i) {
        _cleanup_(freep) char *text = NULL;
        uint32_t number = 0;

        if (properties[i].type == 's') {
                if (sd_bus_get_property_string(bus, MANAGER, path, properties[i].interface,
                            properties[i].name, NULL, &text) < 0)
                        return NULL;
                return json_string(text);
        }
        if (sd_bus_get_property_trivial(bus, MANAGER, path, properties[i].interface, properties[i].name,
                    NULL, properties[i].type, &number) < 0)
                return NULL;
        return json_integer(properties[i].type == 'i' ? (int32_t) number : (json_int_t) number);
}

/* systemd loads a unit that is asked for, so even one that is not installed has an object: not-found. */
static int read_unit(sd_bus *bus, const char *name, json_t *units) {
        _cleanup_(freep) char *path = NULL;
        json_t *unit;
        int r;

        r = sd_bus_path_encode(UNIT_PREFIX, name, &path);
        if (r < 0)
                return r;
        unit = json_object();
        if (!unit)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(properties); i++) {
                json_t *value = read_property(bus, path, i);

                if (value && json_object_set_new(unit, properties[i].name, value) < 0) {
                        json_decref(unit);
                        return -ENOMEM;
                }
        }
        /* every unit has a LoadState */
        if (json_object_size(unit) == 0) {
                json_decref(unit);
                return -EIO;
        }
        return json_object_set_new(units, name, unit) < 0 ? -ENOMEM : 0;
}

static int read_units(json_t *units) {
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_system(&bus);
        if (r < 0)
                return r;
        (void) sd_bus_set_method_call_timeout(bus, BUS_ANSWER_TIME);
        for (const char *const *unit = origin_units(); r >= 0 && *unit; unit++)
                r = read_unit(bus, *unit, units);
        sd_bus_flush_close_unref(bus);
        return r < 0 ? r : 0;
}

void device_read_units(Device *d) {
        json_t *units = json_object();
        int r = units ? read_units(units) : -ENOMEM;

        json_decref(d->parts[DEVICE_UNITS]);
        d->errors[DEVICE_UNITS] = r;
        d->parts[DEVICE_UNITS] = r < 0 ? NULL : units;
        if (r < 0)
                json_decref(units);
}
