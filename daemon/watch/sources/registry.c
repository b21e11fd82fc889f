/* The table of sources. Alphabetical; tests/unit/test-source.c checks that. */

#include "daemon/watch/sources/registry.h"

static const SourceOps *const registry[] = {
        &docker_source_ops,
        &files_source_ops,
        &journal_source_ops,
        &metrics_source_ops,
        &rtnetlink_source_ops,
        &units_source_ops,
};

const SourceOps *const *source_registry(size_t *ret_n) {
        *ret_n = ELEMENTSOF(registry);
        return registry;
}
