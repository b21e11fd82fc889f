#pragma once

#include "lib/base/time.h"

usec_t realtime_now(void);
usec_t monotonic_now(void);
