#pragma once

/* What `fix` shares with its parts. */

#include "daemon/ctl/output.h"
#include "lib/diagnosis/incident.h"

/* `fix plan WHAT --deployment FILE`: the change of a deployment manifest. EXIT_FINDINGS when there is
 * nothing to change. */
ExitCode fix_plan_deployment(const char *what, const Arguments *a);

/* Each goes straight to the fixer. */
ExitCode fix_list(const Arguments *a);
ExitCode fix_plan(const Arguments *a);
ExitCode fix_apply(const Arguments *a);
ExitCode fix_undo(const Arguments *a);
ExitCode fix_history(const Arguments *a);

/* What a word on the command line asks to be repaired. */
typedef struct FixTarget {
        char fix[64];
        char subject[256];              /* "" is the fix's default */
        char incident[INCIDENT_ID_MAX]; /* "" when none was named */
} FixTarget;

/* An incident (asked of the daemon), a symptom (its rule names the fix), or a fix by its name. Says itself
 * what failed. */
int fix_target_find(const char *word, const Arguments *a, FixTarget *ret);

/* The answer to a request as it comes: printed, or kept for one JSON object. */
typedef struct FixAnswer {
        bool json;     /* print nothing */
        bool shown;    /* the plan was shown already: only one of other steps is shown again */
        json_t *plan;  /* the last one, or NULL */
        json_t *steps; /* those done and taken back; NULL until there is one */
        json_t *result;
} FixAnswer;

void fix_answer_done(FixAnswer *answer);
/* A fixer_line_t. */
int fix_answer_take(void *userdata, const json_t *line);
/* Prints what a plan would do. */
void fix_plan_print(const json_t *plan);
