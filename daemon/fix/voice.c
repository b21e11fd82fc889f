#include "daemon/fix/voice.h"

#include <stdio.h>
#include <syslog.h>

#include <systemd/sd-journal.h>

#include "daemon/base/log.h"
#include "lib/report/report.h"

#define IDENTIFIER "edgewatch-fix"

static void say(Runner *r, json_t *line) {
        if (line)
                r->say(r->userdata, line);
        else
                (void) log_oom();
}

_printf_(5, 6) static void write_journal(int priority, const char *message_id, const char *state,
        const FixPlan *plan, const char *format, ...) {
        char message[2048];
        va_list args;
        int r;

        va_start(args, format);
        (void) vsnprintf(message, sizeof(message), format, args);
        va_end(args);
        r = sd_journal_send("MESSAGE=%s", message, "PRIORITY=%i", priority, "MESSAGE_ID=%s", message_id,
                "SYSLOG_IDENTIFIER=" IDENTIFIER, "EDGEWATCH_FIX=%s", plan->fix, "EDGEWATCH_FIX_STATE=%s",
                state, "EDGEWATCH_INCIDENT=%s", plan->incident, "EDGEWATCH_SUBJECT=%s", plan->subject, NULL);
        if (r < 0)
                (void) fprintf(
                        stderr, "%s\n", message); /* without a journal, wherever the unit's output goes */
}

void voice_result(Runner *r, const char *outcome, const char *because, const char *run, usec_t retry_at) {
        char time[TIMESTAMP_MAX];

        say(r,
                json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "event", "result", "outcome", outcome, "because",
                        because ? because : "", "run", run, "retry_at",
                        retry_at > 0 ? timestamp_format(retry_at, time) : NULL));
}

void voice_outcome(Runner *r, const RunRecord *record, const char *outcome, const char *because) {
        static const struct {
                const char *outcome, *message_id, *format;
                int priority;
        } words[] = {
                {"failed", MESSAGE_ID_FIX_FAILED,
                        "Fix %s of %s failed and could not be taken back yet, which is tried again: %s",
                        LOG_ERR},
                {"fixed", MESSAGE_ID_FIX_APPLIED, "Fix %s of %s helped: %s", LOG_NOTICE},
                {"rolled-back", MESSAGE_ID_FIX_ROLLED_BACK,
                        "Fix %s of %s was taken back, everything is as before: %s", LOG_WARNING},
                {"undone", MESSAGE_ID_FIX_ROLLED_BACK, "Fix %s of %s was undone on request: %s", LOG_NOTICE},
        };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcmp(words[i].outcome, outcome) == 0)
                        write_journal(words[i].priority, words[i].message_id, outcome, record->plan,
                                words[i].format, record->plan->fix, record->plan->subject, because);
        voice_result(r, outcome, because, record->id, 0);
}

void voice_refused(Runner *r, const FixPlan *plan, const char *because, usec_t retry_at) {
        write_journal(LOG_NOTICE, MESSAGE_ID_FIX_REFUSED, "refused", plan, "Fix %s of %s was refused: %s",
                plan->fix, plan->subject, because);
        voice_result(r, "refused", because, NULL, retry_at);
}

void voice_plan(Runner *r, const FixPlan *plan) {
        say(r, json_pack("{s:s, s:o}", "event", "plan", "plan", fix_plan_to_json(plan, true)));
}

void voice_begun(const FixPlan *plan) {
        write_journal(LOG_NOTICE, MESSAGE_ID_FIX_PLANNED, "planned", plan,
                "Fix %s of %s begins, in %zu step%s: %s", plan->fix, plan->subject, plan->n_steps,
                plan->n_steps == 1 ? "" : "s", plan->because);
}

void voice_step(Runner *r, const RunRecord *record, bool undoing) {
        const FixPlan *plan = record->plan;
        const FixStep *step = &plan->steps[record->step];

        write_journal(LOG_INFO, MESSAGE_ID_FIX_STEP, undoing ? "undoing" : "fixing", plan,
                "Fix %s of %s, %s %zu of %zu: %s", plan->fix, plan->subject,
                undoing ? "taking back step" : "step", record->step + 1, plan->n_steps, step->text);
        say(r,
                json_pack("{s:s, s:I, s:I, s:s, s:b}", "event", "step", "step",
                        (json_int_t) record->step + 1, "steps", (json_int_t) plan->n_steps, "text",
                        step->text, "undoing", undoing));
}

void voice_verifying(Runner *r) {
        say(r,
                json_pack("{s:s, s:s}", "event", "verifying", "text",
                        "Waiting for the device to be well again"));
}

void voice_trouble(const RunRecord *record, const char *what, const char *because) {
        write_journal(LOG_WARNING, MESSAGE_ID_FIX_STEP, "undoing", record->plan, "Fix %s of %s: %s: %s",
                record->plan->fix, record->plan->subject, what, because ? because : "no reason is known");
}
