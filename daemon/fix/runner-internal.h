#pragma once

/* The runner's inside, shared by its files only: runner.c (who asks for what), run.c (one run from its first
 * step to its outcome, also after a crash). */

#include "daemon/fix/fix.h"
#include "daemon/fix/records.h"
#include "daemon/fix/runner.h"

/* Carries out record->plan, which is saved as pending already, and says the outcome. Returns 1 when it stays
 * pending because not all could be taken back, else 0. */
int run_begin(Runner *r, Records *records, const Fix *fix, RunRecord *record);
/* Goes on where the record stands: verifies, or takes back. Returns as above. */
int run_resume(Runner *r, Records *records, RunRecord *record);
