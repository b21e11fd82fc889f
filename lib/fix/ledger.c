#include "lib/fix/ledger.h"

#include <stdio.h>

#include "lib/base/word.h"

#define LEDGER_VERSION     1
#define FAILURE_COUNTS_FOR (7 * 24 * USEC_PER_HOUR)
#define SUCCESS_COUNTS_FOR (24 * USEC_PER_HOUR)

static const char *const outcome_names[FIX_OUTCOME_X_MAX] = {
        [FIX_OUTCOME_NONE] = "none",
        [FIX_OUTCOME_FAILED] = "failed",
        [FIX_OUTCOME_FIXED] = "fixed",
        [FIX_OUTCOME_ROLLED_BACK] = "rolled-back",
        [FIX_OUTCOME_UNDONE] = "undone",
};

const char *fix_outcome_to_string(FixOutcome o) {
        return o >= 0 && o < FIX_OUTCOME_X_MAX ? outcome_names[o] : NULL;
}

FixOutcome fix_outcome_from_string(Text name) {
        return (FixOutcome) word_find(outcome_names, FIX_OUTCOME_X_MAX, name);
}

static void run_done(FixRun *r) {
        free(r->fix);
        free(r->subject);
        free(r->incident);
        free(r->by);
        free(r->because);
}

void fix_ledger_done(FixLedger *l) {
        for (size_t i = 0; i < l->n_runs; i++)
                run_done(&l->runs[i]);
        *l = (FixLedger){};
}

static FixRun *add(FixLedger *l, const FixRun *run) {
        if (!run->fix || !run->subject || !run->incident || !run->by || !run->because) {
                FixRun incomplete = *run;

                run_done(&incomplete);
                return NULL;
        }
        if (l->n_runs == FIX_RUNS_MAX) {
                run_done(&l->runs[0]);
                memmove(&l->runs[0], &l->runs[1], (FIX_RUNS_MAX - 1) * sizeof(l->runs[0]));
                l->n_runs--;
        }
        l->runs[l->n_runs] = *run;
        return &l->runs[l->n_runs++];
}

FixRun *fix_ledger_begin(FixLedger *l, const char *id, const char *fix, const char *subject,
        const char *incident, const char *by, bool by_person, usec_t now) {
        FixRun run = {
                .fix = strdup(fix),
                .subject = strdup(subject),
                .incident = strdup(incident),
                .by = strdup(by),
                .because = strdup(""), /* until it ends */
                .by_person = by_person,
                .begun = now,
        };

        (void) snprintf(run.id, sizeof(run.id), "%s", id);
        return add(l, &run);
}

FixRun *fix_ledger_find(FixLedger *l, const char *id) {
        FOREACH_ARRAY (run, l->runs, l->n_runs)
                if (strcmp(run->id, id) == 0)
                        return run;
        return NULL;
}

int fix_run_end(FixRun *run, FixOutcome outcome, const char *because, usec_t now) {
        char *copy = strdup(because);

        if (!copy)
                return -ENOMEM;
        free(run->because);
        run->because = copy;
        run->outcome = outcome;
        run->ended = now;
        return 0;
}

static bool counts(const FixRun *run, usec_t now) {
        usec_t age = usec_sub(now, run->begun); /* of the future, after the clock was set back: as of now */

        return age < (run->outcome == FIX_OUTCOME_FIXED ? SUCCESS_COUNTS_FOR : FAILURE_COUNTS_FOR);
}

unsigned fix_ledger_attempts(
        const FixLedger *l, const char *fix, const char *subject, usec_t now, usec_t *ret_last_end) {
        usec_t last = 0;
        unsigned n = 0;

        FOREACH_ARRAY (run, l->runs, l->n_runs) {
                if (strcmp(run->fix, fix) != 0 || strcmp(run->subject, subject) != 0)
                        continue;
                if (run->by_person) {
                        if (run->outcome == FIX_OUTCOME_FIXED)
                                n = 0;
                        continue;
                }
                if (!counts(run, now))
                        continue;
                n++;
                last = run->ended > 0 ? run->ended : run->begun;
        }
        *ret_last_end = last;
        return n;
}

json_t *fix_ledger_to_json(const FixLedger *l) {
        json_t *runs = json_array(), *object;

        FOREACH_ARRAY (run, l->runs, l->n_runs) {
                object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I}", "run", run->id,
                        "fix", run->fix, "subject", run->subject, "incident", run->incident, "by", run->by,
                        "outcome", fix_outcome_to_string(run->outcome), "because", run->because, "by_person",
                        run->by_person, "begun_usec", (json_int_t) run->begun, "ended_usec",
                        (json_int_t) run->ended);
                if (json_array_append_new(runs, object) < 0) {
                        json_decref(runs);
                        return NULL;
                }
        }
        return json_pack("{s:i, s:o}", "version", LEDGER_VERSION, "runs", runs);
}

static int run_from_json(json_t *object, FixLedger *l) {
        const char *id, *fix, *subject, *incident, *by, *outcome, *why;
        json_int_t begun, ended;
        FixRun run = {};
        int by_person;

        if (json_unpack(object, "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I !}", "run", &id, "fix",
                    &fix, "subject", &subject, "incident", &incident, "by", &by, "outcome", &outcome,
                    "because", &why, "by_person", &by_person, "begun_usec", &begun, "ended_usec",
                    &ended) < 0)
                return -EINVAL;
        run.outcome = fix_outcome_from_string(text_of(outcome));
        if (run.outcome < 0 || begun < 0 || ended < 0 || strlen(id) != FIX_RUN_ID_BYTES)
                return -EINVAL;
        memcpy(run.id, id, sizeof(run.id));
        run.fix = strdup(fix);
        run.subject = strdup(subject);
        run.incident = strdup(incident);
        run.by = strdup(by);
        run.because = strdup(why);
        run.by_person = by_person;
        run.begun = (usec_t) begun;
        run.ended = (usec_t) ended;
        return add(l, &run) ? 0 : -ENOMEM;
}

int fix_ledger_from_json(const json_t *object, FixLedger *ret) {
        FixLedger l = {};
        json_t *runs, *run;
        int version, r = 0;
        size_t i;

        if (json_unpack((json_t *) object, "{s:i, s:o !}", "version", &version, "runs", &runs) < 0 ||
                version != LEDGER_VERSION || !json_is_array(runs))
                return -EINVAL;
        json_array_foreach (runs, i, run)
                if (r >= 0)
                        r = run_from_json(run, &l);
        if (r < 0) {
                fix_ledger_done(&l);
                return r;
        }
        *ret = l;
        return 0;
}
