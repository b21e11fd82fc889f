#pragma once

/* The prober as it is: a connection to edgewatch-probe's socket when that is installed, else the program
 * itself as a child over a socketpair. The request and answer are the same (daemon/probe/question.h). */

#include <systemd/sd-event.h>

#include "daemon/watch/prober.h"

/* program: path of edgewatch-probe, may be NULL; socket_path: tried first, may be NULL. */
int prober_process_new(Prober **ret, sd_event *event, const char *socket_path, const char *program);
