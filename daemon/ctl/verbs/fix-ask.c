/* fix plan, apply, undo: what a person asks of the fixer. A plan changes nothing and needs no right; before
 * anything is changed the person has seen the plan, or has said --yes. */

#include <stdio.h>
#include <string.h>

#include "daemon/ctl/fixer.h"
#include "daemon/ctl/incidents-text.h"
#include "daemon/ctl/verbs/fix.h"

/* What follows from an outcome (daemon/fix/request.h). Any other is trouble: "error", or one that this
 * program does not know. */
static const struct {
        const char *outcome;
        ExitCode planned, applied;
} outcomes[] = {
        {"failed", EXIT_TROUBLE, EXIT_FINDINGS},
        {"fixed", EXIT_TROUBLE, EXIT_FINE},
        {"not-needed", EXIT_FINDINGS, EXIT_FINE},
        {"planned", EXIT_FINE, EXIT_TROUBLE},
        {"refused", EXIT_FINDINGS, EXIT_FINDINGS},
        {"rolled-back", EXIT_TROUBLE, EXIT_FINDINGS},
        {"undone", EXIT_TROUBLE, EXIT_FINE},
};

static ExitCode code_of(const FixAnswer *answer, bool is_plan) {
        const char *outcome = json_field_string(answer->result, "outcome");

        for (size_t i = 0; i < ELEMENTSOF(outcomes); i++)
                if (strcmp(outcomes[i].outcome, outcome) == 0)
                        return is_plan ? outcomes[i].planned : outcomes[i].applied;
        return EXIT_TROUBLE;
}

static json_t *request_for(const char *verb, const FixTarget *t) {
        json_t *request = json_pack("{s:s, s:s, s:s}", "do", verb, "fix", t->fix, "subject", t->subject);

        if (t->incident[0] && json_object_set_new(request, "incident", json_string(t->incident)) < 0) {
                json_decref(request);
                return NULL;
        }
        return request;
}

static ExitCode finish(const FixAnswer *answer, bool is_plan) {
        ExitCode code = code_of(answer, is_plan);
        json_t *object;

        if (!answer->json)
                return code;
        object = json_pack("{s:i, s:O?, s:O?, s:O}", "format", 1, "plan", answer->plan, "steps",
                answer->steps, "result", answer->result);
        if (!object || !print_json(object))
                code = fail(ENOMEM, "Failed to print the answer");
        json_decref(object);
        return code;
}

static ExitCode ask(json_t *request, FixAnswer *answer, bool is_plan) {
        return fixer_ask(request, fix_answer_take, answer) < 0 ? EXIT_TROUBLE : finish(answer, is_plan);
}

ExitCode fix_plan(const Arguments *a) {
        _cleanup_(fix_answer_done) FixAnswer answer = {.json = a->json};
        FixTarget target;

        if (fix_target_find(a->words[1], a, &target) < 0)
                return EXIT_TROUBLE;
        return ask(request_for("plan", &target), &answer, true);
}

static bool says_yes(void) {
        char line[16];

        printf("\nApply this plan? [y/N] ");
        (void) fflush(stdout);
        return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

/* Shows the plan and asks. Returns 1 to go on, 0 after *ret_code is settled. */
static int consent(const FixTarget *target, FixAnswer *answer, ExitCode *ret_code) {
        if (!isatty(STDIN_FILENO) || answer->json) {
                *ret_code = fail(0, "nobody can be asked here; with --yes it is applied without asking");
                return 0;
        }
        *ret_code = ask(request_for("plan", target), answer, true);
        if (strcmp(json_field_string(answer->result, "outcome"), "not-needed") == 0)
                *ret_code = EXIT_FINE;
        if (*ret_code != EXIT_FINE || json_array_size(json_object_get(answer->plan, "steps")) == 0)
                return 0;
        if (json_field_string(answer->plan, "refusal")[0] || !says_yes()) {
                *ret_code = EXIT_FINDINGS;
                return 0;
        }
        json_decref(answer->result);
        answer->result = NULL;
        answer->shown = true;
        return 1;
}

ExitCode fix_apply(const Arguments *a) {
        _cleanup_(fix_answer_done) FixAnswer answer = {.json = a->json};
        ExitCode code = EXIT_FINE;
        FixTarget target;

        if (fix_target_find(a->words[1], a, &target) < 0)
                return EXIT_TROUBLE;
        if (!a->yes && consent(&target, &answer, &code) == 0)
                return code;
        return ask(request_for("apply", &target), &answer, false);
}

ExitCode fix_undo(const Arguments *a) {
        _cleanup_(fix_answer_done) FixAnswer answer = {.json = a->json};

        return ask(json_pack("{s:s, s:s}", "do", "undo", "run", a->words[1]), &answer, false);
}
