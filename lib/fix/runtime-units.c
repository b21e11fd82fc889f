#include "lib/fix/runtime-units.h"

static const struct {
        const char *units[RUNTIME_UNITS_MAX]; /* the service comes last */
        size_t n;
        bool is_legacy;
} eras[] = {
        {{"aziot-edged.mgmt.socket", "aziot-edged.workload.socket", "aziot-edged.service"}, 3, false},
        {{"snap.azure-iot-edge.aziot-edged.service"}, 1, false},
        {{"iotedge.mgmt.socket", "iotedge.socket", "iotedge.service"}, 3, true},
};

static bool is_installed(const World *w, const char *name) {
        const UnitState *unit = world_unit(w, name);

        return unit && strcmp(unit->load_state, "loaded") == 0;
}

/* "activating" is a service too that systemd starts again and again. */
static bool is_up(const World *w, const char *name) {
        static const char *const down[] = {"inactive", "failed"};
        const UnitState *unit = world_unit(w, name);

        if (!unit || strcmp(unit->load_state, "loaded") != 0)
                return false;
        FOREACH_ARRAY (state, down, ELEMENTSOF(down))
                if (strcmp(unit->active_state, *state) == 0)
                        return false;
        return true;
}

int runtime_units_find(const World *w, RuntimeUnits *ret) {
        FOREACH_ARRAY (era, eras, ELEMENTSOF(eras)) {
                RuntimeUnits found = {.n = era->n, .is_legacy = era->is_legacy};

                if (!is_installed(w, era->units[era->n - 1]))
                        continue;
                for (size_t i = 0; i < era->n; i++) {
                        found.names[i] = era->units[i];
                        found.runs[i] = is_up(w, era->units[i]);
                }
                *ret = found;
                return 1;
        }
        return 0;
}
