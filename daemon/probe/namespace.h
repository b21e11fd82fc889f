#pragma once

/* Entering a container's network namespace, and giving up every right before a byte goes on the network. */

#include "daemon/probe/question.h"

/* Whether the first container id in a line of /proc/PID/cgroup is this one. The first: a container may
 * create cgroups of any name below its own. */
bool cgroup_names_container(Text cgroup, const char *id);

/* Finds a process of the container by its id, never by a number that a caller names, holds it by a pidfd,
 * checks that it still is in the container's cgroup, and enters its network namespace. -ENOENT when no
 * process of it runs, -EPERM without the rights. */
int enter_container_network(const char *id);

/* Becomes a user without any right; only what is reachable on the network is left. */
int drop_rights(void);
