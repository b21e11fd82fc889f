#pragma once

/* What the fixer has tried: the newest runs, oldest first. It is what attempts and pauses are counted by, so
 * it lies where only root writes. */

#include <jansson.h>

#include "lib/base/text.h"
#include "lib/base/time.h"

#define FIX_RUNS_MAX     128 /* the oldest makes room */
#define FIX_LEDGER_MAX   ((size_t) 1024 * 1024)
#define FIX_RUN_ID_BYTES 16

typedef enum FixOutcome {
        FIX_OUTCOME_NONE, /* it goes on, or was cut off */
        FIX_OUTCOME_FAILED,
        FIX_OUTCOME_FIXED,
        FIX_OUTCOME_ROLLED_BACK,
        FIX_OUTCOME_UNDONE,
        FIX_OUTCOME_X_MAX,
        FIX_OUTCOME_X_INVALID = -EINVAL,
} FixOutcome;

const char *fix_outcome_to_string(FixOutcome o);
FixOutcome fix_outcome_from_string(Text name);

typedef struct FixRun {
        char id[FIX_RUN_ID_BYTES + 1]; /* hex digits */
        char *fix, *subject, *incident, *by, *because;
        FixOutcome outcome;
        usec_t begun, ended; /* ended: 0 while it goes on */
        bool by_person;
} FixRun;

typedef struct FixLedger {
        FixRun runs[FIX_RUNS_MAX];
        size_t n_runs;
} FixLedger;

void fix_ledger_done(FixLedger *l);
/* Borrowed until the next one begins. NULL when memory is out. */
FixRun *fix_ledger_begin(FixLedger *l, const char *id, const char *fix, const char *subject,
        const char *incident, const char *by, bool by_person, usec_t now);
FixRun *fix_ledger_find(FixLedger *l, const char *id); /* NULL when it is not known any more */
int fix_run_end(FixRun *run, FixOutcome outcome, const char *because, usec_t now);

/* The attempts by edgewatchd that count against the budget: for a week those that did not help, for a day
 * those that did, as a repair that has to be made again and again is none. A person's success wipes the
 * slate. */
unsigned fix_ledger_attempts(
        const FixLedger *l, const char *fix, const char *subject, usec_t now, usec_t *ret_last_end);

json_t *fix_ledger_to_json(const FixLedger *l); /* {"version": 1, "runs": […]} */
/* -EINVAL for anything else. */
int fix_ledger_from_json(const json_t *object, FixLedger *ret);
