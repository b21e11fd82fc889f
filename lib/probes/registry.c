/* The table of probes. A row that is missing here is a probe that does not exist: tests/layers.py compares
 * it with the files. */

#include "lib/probes/probe-list.h"

static const Probe *const registry[] = {
        &probe_container_oom,
        &probe_forwarding_off,
        &probe_network_mtu,
        &probe_port_holder,
};

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
