/* What may be asked of the fixer. Who may have something applied is decided in here, by the fixer's own
 * configuration and ledger: an edgewatchd that was taken over can ask for what the administrator allowed,
 * where the device itself proves the symptom, as often as the budget lets it, and for nothing else. */

#include "daemon/fix/runner.h"

#include <stdio.h>
#include <time.h>

#include <systemd/sd-id128.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/fix/runner-internal.h"
#include "daemon/fix/voice.h"
#include "lib/fix/policy.h"

#define RECOVERY_PAUSE_MAX USEC_PER_HOUR

int fix_prove(FixContext *c, const Fix *fix, const char *subject, ProbeAnswer *ret) {
        const Probe *probe = probe_find(fix->probe);
        ProbeQuestion question = {
                .world = c->world,
                .symptom = fix->symptom,
                .subject = subject,
                .now = c->now,
                .since = c->now,
                .first_seen = c->now,
                .last_seen = c->now,
        };

        return probe ? probe->ask(&question, ret) : -ENOENT;
}

static int new_id(char ret[static FIX_RUN_ID_BYTES + 1]) {
        char text[SD_ID128_STRING_MAX];
        sd_id128_t id;
        int r;

        r = sd_id128_randomize(&id);
        if (r >= 0)
                (void) snprintf(
                        ret, FIX_RUN_ID_BYTES + 1, "%.*s", FIX_RUN_ID_BYTES, sd_id128_to_string(id, text));
        return r;
}

/* Attempts are counted by subject: were every name good, a caller would have a budget for each. What is only
 * planned is not counted. */
static int plan_subject(FixContext *c, const Fix *fix, FixPlan *plan) {
        if (!fix->subject || fix->has_subjects || fix->for_people ||
                strcmp(plan->subject, fix->subject) == 0)
                return fix->plan(c, plan);
        return fix_plan_refuse(
                plan, "%s is for %s only, not for %s", fix->name, fix->subject, plan->subject);
}

/* One verdict and what follows from it. *ret_verdict is only told when a plan was made. */
static int make_plan(Runner *r, const Fix *fix, const FixRequest *q, const char *run, FixPlan **ret,
        Verdict *ret_verdict) {
        _cleanup_(probe_answer_done) ProbeAnswer answer = {};
        _cleanup_(fix_plan_freep) FixPlan *plan = NULL;
        const char *subject = q->subject[0] ? q->subject : fix->subject;
        FixContext *c = r->context;
        int k;

        k = context_look(c);
        if (k >= 0)
                k = fix_prove(c, fix, subject, &answer);
        if (k >= 0)
                k = fix_plan_new(&plan, fix->name, q->incident[0] ? q->incident : run, subject);
        if (k < 0)
                return k;
        plan->because = strdup(answer.because ? answer.because : "nothing that could be seen");
        if (!plan->because)
                return -ENOMEM;
        if (answer.verdict == VERDICT_CONFIRMS) {
                c->proof = &answer;
                k = plan_subject(c, fix, plan);
                c->proof = NULL;
                if (k >= 0 && plan->losses.n > 0 && !c->config->allow_container_data_loss)
                        k = fix_plan_refuse(plan,
                                "data inside of containers would be lost (fixes: allow_container_data_loss: "
                                "no): %s",
                                plan->losses.texts[0]);
                if (k < 0)
                        return k;
        }
        *ret_verdict = answer.verdict;
        *ret = TAKE_PTR(plan);
        return 0;
}

static const Fix *find_fix(Runner *r, const FixRequest *q) {
        const Fix *fix = fix_find(q->fix);

        if (!fix)
                voice_result(r, "error", "there is no fix of this name", NULL, 0);
        else if (!fix->subject && q->subject[0] == '\0') {
                voice_result(r, "error", "this fix needs a subject", NULL, 0);
                fix = NULL;
        }
        return fix;
}

/* Says why there is nothing to apply; returns whether there is. */
static bool is_applicable(Runner *r, const Fix *fix, const FixPlan *plan, Verdict verdict) {
        _cleanup_(freep) char *why = NULL;

        if (verdict == VERDICT_REFUTES) {
                voice_result(r, "not-needed", plan->because, NULL, 0);
                return false;
        }
        if (verdict != VERDICT_CONFIRMS)
                (void) because(&why, 0, "the symptom could not be proven: %s", plan->because);
        else if (plan->refusal)
                (void) because(&why, 0, "%s", plan->refusal);
        else if (fix->for_people || plan->n_steps == 0)
                (void) because(&why, 0, "this fix is only planned; a person has to carry it out");
        else
                return true;
        voice_refused(r, plan, why ? why : "memory is out", 0);
        return false;
}

int runner_plan(Runner *r, const FixRequest *q) {
        _cleanup_(fix_plan_freep) FixPlan *plan = NULL;
        const Fix *fix = find_fix(r, q);
        char run[FIX_RUN_ID_BYTES + 1];
        Verdict verdict;
        int k;

        if (!fix)
                return 0;
        k = new_id(run);
        if (k >= 0)
                k = make_plan(r, fix, q, run, &plan, &verdict);
        if (k < 0)
                return k;
        if (verdict == VERDICT_CONFIRMS)
                voice_plan(r, plan);
        voice_result(r,
                verdict == VERDICT_CONFIRMS          ? "planned"
                        : verdict == VERDICT_REFUTES ? "not-needed"
                                                     : "refused",
                plan->because, NULL, 0);
        return 0;
}

static FixTime time_of_device(void) {
        usec_t now = realtime_now();
        time_t seconds = (time_t) (now / USEC_PER_SEC);
        struct tm local;

        if (!localtime_r(&seconds, &local))
                local = (struct tm){};
        return (FixTime){
                .now = now,
                .minute_of_week = (unsigned) ((local.tm_wday + 6) % 7) * MINUTES_PER_DAY +
                        (unsigned) local.tm_hour * 60 + (unsigned) local.tm_min,
        };
}

/* Returns 1 when it may be applied, 0 after it was refused. */
static int check_policy(Runner *r, Records *records, const FixPlan *plan) {
        _cleanup_(freep) char *why = NULL;
        usec_t retry_at = 0;
        int k;

        if (r->peer.is_person)
                return 1;
        k = fix_policy(r->context->config, records_ledger(records), plan->fix, plan->subject,
                time_of_device(), &why, &retry_at);
        if (k == 0)
                voice_refused(r, plan, why, retry_at);
        return k;
}

static int start_run(Runner *r, Records *records, const Fix *fix, FixPlan *plan, const char *id) {
        _cleanup_(run_record_done) RunRecord record = {.phase = RUN_PHASE_PREPARING, .plan = plan};
        char by[32] = "edgewatchd";
        int k;

        (void) snprintf(record.id, sizeof(record.id), "%s", id);
        if (r->peer.is_person)
                (void) snprintf(by, sizeof(by), "uid %lu", (unsigned long) r->peer.uid);
        if (!fix_ledger_begin(records_ledger(records), id, plan->fix, plan->subject, plan->incident, by,
                    r->peer.is_person, realtime_now()))
                return -ENOMEM;
        k = records_save_ledger(records);
        if (k >= 0)
                k = records_save_pending(records, &record);
        if (k < 0) {
                voice_refused(
                        r, plan, "what would be needed to take it back could not be written to disk", 0);
                return 0;
        }
        return run_begin(r, records, fix, &record);
}

/* Each attempt stops and starts the runtime. The first comes at once and one at each boot; a person's
 * request does not wait either. */
static bool is_due(const Runner *r, const RunRecord *record) {
        usec_t now = realtime_now(), pause = r->recovery_pause;

        if (r->peer.is_person || record->n_failures < 2 || record->failed_at > now ||
                usec_sub(now, record->failed_at) > boottime_now())
                return true;
        for (unsigned i = 2; i < record->n_failures && pause < RECOVERY_PAUSE_MAX; i++)
                pause = usec_add(pause, pause);
        return usec_sub(now, record->failed_at) >= (pause < RECOVERY_PAUSE_MAX ? pause : RECOVERY_PAUSE_MAX);
}

/* Returns 0 when nothing is left, 1 when something is. */
static int recover(Runner *r, Records *records) {
        for (;;) {
                _cleanup_(run_record_done) RunRecord record = {};
                int k;

                k = records_next_pending(records, &record);
                if (k == -EBADMSG)
                        continue; /* was set aside and logged */
                if (k <= 0)
                        return k;
                k = is_due(r, &record) ? run_resume(r, records, &record) : 1;
                if (k != 0)
                        return k;
        }
}

static void say_nothing(void *userdata, json_t *line) {
        json_decref(line);
}

/* Returns 0 with *ret when nothing is left from before. After saying so: 0 without it when another fixer is
 * at work, 1 when something is left. */
static int open_records(Runner *r, Records **ret) {
        _cleanup_(records_closep) Records *records = NULL;
        Runner quiet = *r; /* how an earlier run ends is no answer to this request */
        int k;

        quiet.say = say_nothing;
        k = records_open(r->state_directory, &records);
        if (k == -EBUSY) {
                voice_result(r, "refused", "another fix is at work; one at a time", NULL, 0);
                return 0;
        }
        if (k >= 0)
                k = recover(&quiet, records);
        if (k > 0)
                voice_result(r, "refused", "an earlier fix is not wholly taken back yet", NULL, 0);
        if (k == 0)
                *ret = TAKE_PTR(records);
        return k;
}

int runner_apply(Runner *r, const FixRequest *q) {
        _cleanup_(records_closep) Records *records = NULL;
        _cleanup_(fix_plan_freep) FixPlan *plan = NULL;
        const Fix *fix = find_fix(r, q);
        char run[FIX_RUN_ID_BYTES + 1];
        Verdict verdict;
        int k;

        if (!fix)
                return 0;
        k = open_records(r, &records);
        if (!records)
                return k;
        k = new_id(run);
        if (k >= 0)
                k = make_plan(r, fix, q, run, &plan, &verdict);
        if (k < 0)
                return k;
        if (!is_applicable(r, fix, plan, verdict))
                return 0;
        k = check_policy(r, records, plan);
        if (k <= 0)
                return k;
        voice_plan(r, plan);
        voice_begun(plan);
        return start_run(r, records, fix, TAKE_PTR(plan), run);
}

static bool is_kept(const RunRecord *record, char **ret_why) {
        FOREACH_ARRAY (step, record->plan->steps, record->plan->n_steps) {
                const Operation *operation = operation_find(step->operation);

                if (operation && operation->is_kept && !operation->is_kept(step, ret_why))
                        return false;
        }
        return true;
}

int runner_undo(Runner *r, const FixRequest *q) {
        _cleanup_(freep) char *why = NULL;
        _cleanup_(run_record_done) RunRecord record = {};
        _cleanup_(records_closep) Records *records = NULL;
        int k;

        if (!r->peer.is_person) {
                voice_result(r, "error", "undoing is for a person: root, or one whom polkit lets", NULL, 0);
                return 0;
        }
        k = open_records(r, &records);
        if (!records)
                return k;
        k = records_load_done(records, q->run, &record);
        if (k == -ENOENT || k == -EBADMSG) {
                voice_result(r, "error", "there is no such run that can be undone", NULL, 0);
                return 0;
        }
        if (k < 0)
                return k;
        if (!is_kept(&record, &why)) {
                voice_result(r, "error", why ? why : "what undoing needs has gone", NULL, 0);
                return 0;
        }
        record.on_request = true;
        record.phase = RUN_PHASE_UNDOING;
        record.step = record.plan->n_steps - 1;
        free(record.because);
        record.because = strdup("a person asked for it");
        k = record.because ? records_save_pending(records, &record) : -ENOMEM;
        return k < 0 ? k : run_resume(r, records, &record);
}

int runner_recover(Runner *r) {
        _cleanup_(records_closep) Records *records = NULL;
        int k;

        k = records_open(r->state_directory, &records);
        return k == -EBUSY ? 1 : k < 0 ? k : recover(r, records);
}

int runner_list(Runner *r) {
        json_t *array = json_array();
        size_t n;
        const Fix *const *fixes = fix_registry(&n);

        for (size_t i = 0; i < n; i++)
                (void) json_array_append_new(array,
                        json_pack("{s:s, s:s, s:s, s:s, s:s?, s:b}", "name", fixes[i]->name, "title",
                                fixes[i]->title, "mode",
                                fix_mode_to_string(config_fix_mode(r->context->config, fixes[i]->name)),
                                "symptom", fixes[i]->symptom, "subject", fixes[i]->subject, "applies",
                                !fixes[i]->for_people));
        r->say(r->userdata, json_pack("{s:s, s:o}", "event", "fixes", "fixes", array));
        return 0;
}

static json_t *run_to_json(Records *records, const FixRun *run) {
        char begun[TIMESTAMP_MAX], ended[TIMESTAMP_MAX];

        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s, s:s?, s:b}", "run", run->id, "fix",
                run->fix, "subject", run->subject, "incident", run->incident, "by", run->by, "outcome",
                fix_outcome_to_string(run->outcome), "because", run->because, "begun",
                timestamp_format(run->begun, begun), "ended",
                run->ended > 0 ? timestamp_format(run->ended, ended) : NULL, "can_undo",
                records_can_undo(records, run->id));
}

int runner_history(Runner *r) {
        _cleanup_(records_closep) Records *records = NULL;
        const FixLedger none = {}, *ledger = &none;
        json_t *array;
        int k;

        k = records_open_to_read(r->state_directory, &records);
        if (k < 0 && k != -ENOENT)
                return k;
        if (records)
                ledger = records_ledger(records);
        array = json_array();
        FOREACH_ARRAY (run, ledger->runs, ledger->n_runs)
                (void) json_array_append_new(array, run_to_json(records, run));
        r->say(r->userdata, json_pack("{s:s, s:o}", "event", "history", "runs", array));
        return 0;
}
