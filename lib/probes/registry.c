/* The table of probes. */

#include "lib/probes/probe-list.h"

#define ROW(name) &probe_##name,
static const Probe *const registry[] = {PROBES(ROW)};
#undef ROW

const Probe *const *probe_registry(size_t *ret_n) {
        *ret_n = ELEMENTSOF(registry);
        return registry;
}

const Probe *probe_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(registry); i++)
                if (strcmp(registry[i]->name, name) == 0)
                        return registry[i];
        return NULL;
}
