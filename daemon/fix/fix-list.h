#pragma once

/* Every fix, each in the file fixes/NAME.c. Alphabetical. */

#include "daemon/fix/fix.h"

#define FIXES(F)                                                                                            \
        F(daemon_sockets)                                                                                   \
        F(docker_dns)                                                                                       \
        F(docker_network_mtu)                                                                               \
        F(hostname)                                                                                         \
        F(ip_forward)                                                                                       \
        F(restart_module)

#define DECLARE_FIX(name) extern const Fix fix_##name;
FIXES(DECLARE_FIX)
#undef DECLARE_FIX
