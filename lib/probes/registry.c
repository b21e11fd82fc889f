/* The table of probes. A row that is missing here is a probe that does not exist: tests/layers.py compares
 * it with the files. */

#include "lib/probes/probe-list.h"

static const Probe *const registry[] = {
        &probe_agent_port,
        &probe_container_dns,
        &probe_container_oom,
        &probe_daemon_sockets,
        &probe_forwarding_off,
        &probe_hostname_length,
        &probe_hub_migration,
        &probe_identity_driver,
        &probe_module_absent,
        &probe_module_down,
        &probe_module_forgotten,
        &probe_module_given_up,
        &probe_network_mtu,
        &probe_parent_reachable,
        &probe_port_holder,
        &probe_queue_growth,
        &probe_upstream_latency,
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
