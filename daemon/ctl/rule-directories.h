#pragma once

/* Where edgewatchctl reads rules from: --rules, else EDGEWATCH_RULES_PATH (directories separated by colons,
 * the strongest first; for a build tree), else the administrator's over the installed ones. */

#include "daemon/ctl/arguments.h"
#include "lib/rules/rule-set.h"

/* Loads them; what is wrong with files goes to problems (may be NULL: then it is printed). Says itself what
 * failed; a directory that was named and is not there is a failure, and so is no rule at all where there has
 * to be one. */
int rules_load(const Arguments *a, bool may_be_none, RuleSet **ret, ProblemList *problems);

/* Each as "path:line:column: text" on standard error. */
void problems_print(const ProblemList *problems);
