#pragma once

/* What the runner tells: to who asked, as JSON lines, and to the journal, with the incident's id. */

#include "daemon/fix/records.h"
#include "daemon/fix/runner.h"

/* An outcome word of request.h. run and retry_at may be NULL and 0. */
void voice_result(Runner *r, const char *outcome, const char *because, const char *run, usec_t retry_at);
/* The same, and in the journal. plan may not be NULL. */
void voice_outcome(Runner *r, const RunRecord *record, const char *outcome, const char *because);
void voice_refused(Runner *r, const FixPlan *plan, const char *because, usec_t retry_at);
void voice_plan(Runner *r, const FixPlan *plan);
void voice_step(Runner *r, const RunRecord *record, bool undoing);
void voice_verifying(Runner *r);
/* In the journal only. A plan that is only read is not: everybody may read one, as often as he likes. */
void voice_begun(const FixPlan *plan);
void voice_trouble(const RunRecord *record, const char *what, const char *because);
