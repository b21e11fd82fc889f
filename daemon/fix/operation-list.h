#pragma once

/* Every operation, each in the file operations/NAME.c. Alphabetical. */

#include "daemon/fix/fix.h"

#define OPERATIONS(O)                                                                                       \
        O(container_start)                                                                                  \
        O(engine_check)                                                                                     \
        O(module_restart)                                                                                   \
        O(network_connect)                                                                                  \
        O(network_create)                                                                                   \
        O(network_disconnect)                                                                               \
        O(network_remove)                                                                                   \
        O(sysctl)                                                                                           \
        O(unit)                                                                                             \
        O(write_file)

#define DECLARE_OPERATION(name) extern const Operation operation_##name;
OPERATIONS(DECLARE_OPERATION)
#undef DECLARE_OPERATION
