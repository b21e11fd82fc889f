#pragma once

/* The only place where the programs read a clock. What is waited for is measured by the monotonic one, which
 * nobody sets; that of the boot goes on through a suspend, too. */

#include "lib/base/time.h"

usec_t realtime_now(void);
usec_t monotonic_now(void);
usec_t boottime_now(void);
