#pragma once

/* What `fix` shares with its parts. */

#include "daemon/ctl/verb.h"

/* `fix plan WHAT --deployment FILE`: the change of a deployment manifest. EXIT_FINDINGS when there is
 * nothing to change. */
ExitCode fix_plan_deployment(const char *what, const Arguments *a);
