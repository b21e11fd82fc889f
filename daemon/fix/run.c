/* One run: apply, verify, or take back in reverse.
 *
 * Promise: before a step begins, the disk says so; whoever starts after a crash takes back that step and all
 * before it. A disk that is full by then stops the run but not its undoing, which needs nothing to be
 * written: undoing twice does no harm. */

#include "daemon/fix/runner-internal.h"

#include <stdio.h>
#include <time.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/fix/voice.h"

#define UNDO_ATTEMPTS 3
#define VERIFY_PAUSE  USEC_PER_SEC

static void pause_for(usec_t duration) {
        struct timespec rest = {.tv_sec = (time_t) (duration / USEC_PER_SEC),
                .tv_nsec = (long) (duration % USEC_PER_SEC * NSEC_PER_USEC)};

        while (nanosleep(&rest, &rest) < 0 && errno == EINTR)
                ;
}

/* Returns 1 when it stays pending, else 0; so do all that end with it. */
static int end_run(Runner *r, Records *records, RunRecord *record, FixOutcome outcome, const char *because) {
        FixRun *run = fix_ledger_find(records_ledger(records), record->id);
        const char *word = fix_outcome_to_string(outcome);
        int k = 0;

        if (run)
                k = fix_run_end(run, outcome, because, realtime_now());
        if (k >= 0 && run)
                k = records_save_ledger(records);
        if (k < 0)
                (void) log_error_errno(
                        k, "The outcome of fix %s could not be noted, ignoring: %m", record->plan->fix);
        k = outcome == FIX_OUTCOME_FAILED ? 1
                                          : records_settle(records, record, outcome == FIX_OUTCOME_FIXED);
        if (k < 0)
                (void) log_error_errno(
                        k, "The record of fix %s could not be put away: %m", record->plan->fix);
        voice_outcome(r, record, word, because);
        return k != 0;
}

static int undo_step(Runner *r, const RunRecord *record, size_t number) {
        const FixStep *step = &record->plan->steps[number];
        const Operation *operation = operation_find(step->operation);
        int k = -EOPNOTSUPP;

        for (int attempt = 0; operation && attempt < UNDO_ATTEMPTS; attempt++) {
                _cleanup_(freep) char *why = NULL;

                if (attempt > 0)
                        pause_for(VERIFY_PAUSE);
                k = operation->undo(r->context, step, &why);
                if (k >= 0)
                        return 0;
                voice_trouble(record, "a step could not be taken back", why);
        }
        return k;
}

/* All backups are made before the first step, also those of steps that were not reached then. */
static void discard_from(const RunRecord *record, size_t first) {
        for (size_t i = first; i < record->plan->n_steps; i++) {
                const Operation *operation = operation_find(record->plan->steps[i].operation);
                int k = operation && operation->discard ? operation->discard(&record->plan->steps[i]) : 0;

                if (k < 0)
                        log_warning_errno(k, "What step %zu of fix %s would have needed is left behind: %m",
                                i + 1, record->plan->fix);
        }
}

/* From record->step on. Returns 1, or 0 when something could not be taken back. */
static int take_back(Runner *r, Records *records, RunRecord *record) {
        bool failed = false;
        int k;

        record->phase = RUN_PHASE_UNDOING;
        discard_from(record, record->step + 1);
        for (size_t i = record->step + 1; i-- > 0;) {
                record->step = i;
                if (!failed) { /* else the disk goes on saying where it began to fail */
                        k = records_save_pending(records, record);
                        if (k < 0)
                                (void) log_error_errno(k, "Undoing without a record of it: %m");
                }
                voice_step(r, record, true);
                r->context->is_undo_failing = failed;
                /* the others all the same: better the runtime runs on the wrong network than not at all */
                if (undo_step(r, record, i) < 0)
                        failed = true;
        }
        r->context->is_undo_failing = false;
        if (!failed)
                return 1;
        /* next time all of it once more: the runtime runs again by then, and does things of its own */
        record->step = record->plan->n_steps - 1;
        record->n_failures++;
        record->failed_at = realtime_now();
        k = records_save_pending(records, record);
        if (k < 0)
                (void) log_error_errno(
                        k, "The record of what is still to be taken back is an older one: %m");
        return 0;
}

static int take_back_and_end(Runner *r, Records *records, RunRecord *record) {
        const char *why = record->because ? record->because : "no reason is known";
        FixOutcome outcome = record->on_request ? FIX_OUTCOME_UNDONE : FIX_OUTCOME_ROLLED_BACK;

        if (!take_back(r, records, record))
                outcome = FIX_OUTCOME_FAILED;
        return end_run(r, records, record, outcome, why);
}

/* Nothing was changed yet. */
static int end_unbegun(Runner *r, Records *records, RunRecord *record) {
        discard_from(record, 0);
        return end_run(r, records, record, FIX_OUTCOME_ROLLED_BACK, record->because);
}

static int set_because(RunRecord *record, const char *text) {
        char *copy = strdup(text);

        if (!copy)
                return -ENOMEM;
        free(record->because);
        record->because = copy;
        return 0;
}

/* Returns 1 when the device is well, 0 when not; *ret_why says what was seen last. */
static int verify_once(FixContext *c, const Fix *fix, const FixPlan *plan, char **ret_why) {
        ProbeAnswer answer = {};
        int k;

        k = context_look(c);
        if (k < 0)
                return k;
        if (fix->verify)
                return fix->verify(c, plan, ret_why);
        k = fix_prove(c, fix, plan->subject, &answer);
        if (k >= 0) {
                k = answer.verdict == VERDICT_REFUTES;
                free(*ret_why);
                *ret_why = TAKE_PTR(answer.because);
        }
        probe_answer_done(&answer);
        return k;
}

static int verify(Runner *r, Records *records, const Fix *fix, RunRecord *record) {
        usec_t deadline = usec_add(monotonic_now(), fix->settle);
        _cleanup_(freep) char *why = NULL;
        int k;

        voice_verifying(r);
        for (;;) {
                k = verify_once(r->context, fix, record->plan, &why);
                if (k != 0 || monotonic_now() >= deadline)
                        break;
                pause_for(VERIFY_PAUSE);
        }
        if (k > 0)
                return end_run(r, records, record, FIX_OUTCOME_FIXED, why ? why : "verified");
        k = set_because(record, why ? why : k < 0 ? strerror(-k) : "it did not help");
        if (k < 0)
                return k;
        record->step = record->plan->n_steps - 1;
        return take_back_and_end(r, records, record);
}

static int apply_step(Runner *r, Records *records, RunRecord *record, char **ret_why) {
        const FixStep *step = &record->plan->steps[record->step];
        const Operation *operation = operation_find(step->operation);
        int k;

        k = records_save_pending(records, record);
        if (k < 0)
                return because(ret_why, k, "the record of the run could not be written: %s", strerror(-k));
        voice_step(r, record, false);
        k = operation ? operation->apply(r->context, step, ret_why) : -EOPNOTSUPP;
        if (k < 0 && !*ret_why)
                return because(ret_why, k, "%s: %s", step->text, strerror(-k));
        return k;
}

static int prepare(Runner *r, const FixPlan *plan, char **ret_why) {
        FOREACH_ARRAY (step, plan->steps, plan->n_steps) {
                const Operation *operation = operation_find(step->operation);
                int k;

                if (!operation)
                        return because(ret_why, -EOPNOTSUPP, "there is no operation %s", step->operation);
                k = operation->prepare ? operation->prepare(r->context, step, ret_why) : 0;
                if (k < 0)
                        return *ret_why ? k : because(ret_why, k, "%s: %s", step->text, strerror(-k));
        }
        return 0;
}

int run_begin(Runner *r, Records *records, const Fix *fix, RunRecord *record) {
        _cleanup_(freep) char *why = NULL;
        size_t n = record->plan->n_steps;
        int k;

        k = prepare(r, record->plan, &why);
        if (k >= 0)
                record->phase = RUN_PHASE_APPLYING;
        for (size_t i = 0; k >= 0 && i < n; i++) {
                record->step = i;
                k = apply_step(r, records, record, &why);
        }
        if (k >= 0) {
                record->phase = RUN_PHASE_VERIFYING;
                k = records_save_pending(records, record);
        }
        if (k >= 0)
                return verify(r, records, fix, record);
        k = set_because(record, why ? why : strerror(-k));
        if (k < 0)
                return k;
        return record->phase == RUN_PHASE_PREPARING ? end_unbegun(r, records, record)
                                                    : take_back_and_end(r, records, record);
}

int run_resume(Runner *r, Records *records, RunRecord *record) {
        const Fix *fix = fix_find(record->plan->fix);

        if (record->phase == RUN_PHASE_VERIFYING && fix)
                return verify(r, records, fix, record);
        if (!record->because && set_because(record, "the fixer was cut off in the middle") < 0)
                return -ENOMEM;
        if (record->phase == RUN_PHASE_PREPARING)
                return end_unbegun(r, records, record);
        if (record->phase == RUN_PHASE_VERIFYING)
                record->step = record->plan->n_steps - 1;
        return take_back_and_end(r, records, record);
}
