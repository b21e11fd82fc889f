/* The table of questions. */

#include "daemon/probe/questions.h"

#include <string.h>

static const Question *const registry[] = {
        &question_connect,
        &question_firewall,
        &question_listeners,
        &question_path_mtu,
        &question_resolve,
        &question_runtime_config,
        &question_tcp_info,
        &question_tls,
};

const Question *const *question_registry(size_t *ret_n) {
        *ret_n = ELEMENTSOF(registry);
        return registry;
}

const Question *question_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(registry); i++)
                if (strcmp(registry[i]->name, name) == 0)
                        return registry[i];
        return NULL;
}
