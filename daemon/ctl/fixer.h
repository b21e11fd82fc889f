#pragma once

/* The way to edgewatch-fix: its socket, one request, JSON lines back (daemon/fix/request.h). Not by way of
 * edgewatchd: who asks has to be who the kernel says it is.
 * EDGEWATCH_FIX_SOCKET names another socket than the installed one. */

#include "daemon/ctl/output.h"

/* One line of the answer, checked as far as its "event" is one that there is. Returns 1 after the last one,
 * 0 to go on, a negative errno when it is not as it should be. */
typedef int (*fixer_line_t)(void *userdata, const json_t *line);

/* Takes over request. Says itself what failed. */
int fixer_ask(json_t *request, fixer_line_t take, void *userdata);
