#pragma once

/* systemd over the system bus: jobs are waited for until they are removed, and their result is what counts.
 */

#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>

#include "lib/base/text.h"
#include "lib/base/time.h"

typedef struct UnitFacts {
        char load[32], active[32],
                file[32]; /* LoadState, ActiveState, UnitFileState; "" when there is none */
        char invocation[SD_ID128_STRING_MAX]; /* another one after each start; "" when it never was */
        uint32_t main_pid;                    /* a service's; 0 when it has none */
} UnitFacts;

int systemd_look(sd_bus *bus, const char *unit, UnitFacts *ret);

/* verb: start, stop, restart, enable, disable, mask, unmask; queue-start does not wait for the job. One that
 * has not ended after `time` is -ETIMEDOUT; it may end yet. *ret_why belongs to the caller. */
int systemd_do(sd_bus *bus, const char *verb, const char *unit, usec_t time, char **ret_why);

/* Whether systemd_do() knows the verb. */
bool systemd_knows(const char *verb);
