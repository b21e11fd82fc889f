#pragma once

/* The parts of the verb `rules` that have a file of their own. */

#include "daemon/ctl/verb.h"

ExitCode rules_lint(const Arguments *a);
ExitCode rules_test(const Arguments *a);
