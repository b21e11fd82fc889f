#pragma once

/* Who listens on which TCP port, from /proc. Used by edgewatch-probe, which may look into every process, and
 * by edgewatchd without it, which sees owners only as far as its rights go. */

#include <jansson.h>

#include "lib/base/text.h"

#define LISTENERS_MAX 4096

/* An array of objects as in a recording's net/listeners.json; pid, comm, unit and container are null where
 * they could not be found out. proc: "/proc", or a copy of one for tests. */
int listeners_read(const char *proc, json_t **ret);

/* The innermost unit, and the container's 64 hex digits, that a line set of /proc/PID/cgroup names. Empty
 * when there is none. */
Text listeners_unit_of_cgroup(Text cgroup);
Text listeners_container_of_cgroup(Text cgroup);
