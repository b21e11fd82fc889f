#pragma once

/* What the fixer keeps on disk, in a folder that only root reads: `pending/RUN.json` while a run goes on,
 * `done/RUN.json` for those that can still be undone, `ledger.json`. Everything is synced when a call
 * returns. */

#include "lib/fix/ledger.h"
#include "lib/fix/plan.h"

#define RECORDS_DONE_MAX 16 /* runs that can be undone; the oldest goes */

typedef enum RunPhase {
        RUN_PHASE_PREPARING, /* nothing is changed yet */
        RUN_PHASE_APPLYING,  /* step `step` may be done, half done or not begun; those before it are done */
        RUN_PHASE_VERIFYING, /* all steps are done */
        RUN_PHASE_UNDOING,   /* step `step` and those before it are still to be taken back */
        RUN_PHASE_X_MAX,
        RUN_PHASE_X_INVALID = -EINVAL,
} RunPhase;

typedef struct RunRecord {
        char id[FIX_RUN_ID_BYTES + 1];
        RunPhase phase;
        size_t step;     /* counted from 0 */
        bool on_request; /* undone because a person wanted it, not because it failed */
        char *because;   /* why it is undone */
        FixPlan *plan;

        unsigned n_failures; /* how often not all could be taken back, */
        usec_t failed_at;    /* last */
} RunRecord;

void run_record_done(RunRecord *r);

typedef struct Records Records;

/* Makes the folders. -EBUSY when another fixer is at work: one at a time. */
int records_open(const char *directory, Records **ret);
Records *records_close(Records *r);
DEFINE_CLEANUP(Records, records_close);

/* Without the lock, for those who only look; no other call than records_ledger() may follow. */
int records_open_to_read(const char *directory, Records **ret);

int records_save_pending(Records *r, const RunRecord *record);
/* The first that is pending. Returns 1, 0 when there is none. One that cannot be read is set aside under a
 * name that says so, logged, and -EBADMSG is returned. */
int records_next_pending(Records *r, RunRecord *ret);
/* It is over: kept in done/ when it can still be undone, else removed. */
int records_settle(Records *r, const RunRecord *record, bool can_undo);
/* -ENOENT when it cannot be undone (any more). */
int records_load_done(Records *r, const char *id, RunRecord *ret);
bool records_can_undo(Records *r, const char *id);

FixLedger *records_ledger(Records *r); /* as last read or changed; borrowed */
int records_save_ledger(Records *r);
