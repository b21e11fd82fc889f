#pragma once

/* What a fix would do to the device, step by step, and how each step is taken back. Made by the fixer from
 * the device's own state, shown to people, and kept on disk before the first step, so that whoever starts
 * after a crash can undo it without looking anything up. */

#include <jansson.h>

#include "lib/base/text.h"
#include "lib/base/time.h"

#define FIX_STEPS_MAX 1024
#define FIX_NOTES_MAX 64
#define FIX_PLAN_MAX  ((size_t) 8 * 1024 * 1024)

typedef struct FixStep {
        char *operation;  /* daemon/fix/operations: "write-file", "sysctl", … */
        char *text;       /* for people: "Set net.ipv4.ip_forward to 1" */
        json_t *argument; /* object: what applying needs */
        json_t *undo;     /* object: what taking it back needs, as seen before the first step */
} FixStep;

/* A list of sentences. */
typedef struct FixNotes {
        char *texts[FIX_NOTES_MAX];
        size_t n;
} FixNotes;

typedef struct FixPlan {
        char *fix;
        char *incident; /* 16 hex digits, or one of the fixer's own when a person began it */
        char *subject;  /* a network, a module, `host`: as in the incident */
        char *because;  /* what the fixer itself saw */
        FixStep *steps;
        size_t n_steps, allocated;
        usec_t downtime;    /* how long modules will be without connection or not run; 0 is not at all */
        FixNotes losses;    /* what could be lost */
        FixNotes by_person; /* commands for a person, where the fixer does not act itself */
        char *refusal; /* the guard that keeps it from being applied, and why; NULL when there is none */
} FixPlan;

int fix_plan_new(FixPlan **ret, const char *fix, const char *incident, const char *subject);
FixPlan *fix_plan_free(FixPlan *p);
DEFINE_CLEANUP(FixPlan, fix_plan_free);

/* Takes over argument and undo, also on failure; NULL for either is -ENOMEM, so that json_pack() may stand
 * in the call. */
int fix_plan_add(FixPlan *p, const char *operation, json_t *argument, json_t *undo, const char *format, ...)
        _printf_(5, 6);
int fix_plan_note(FixNotes *notes, const char *format, ...) _printf_(2, 3);
/* The first refusal stays. */
int fix_plan_refuse(FixPlan *p, const char *format, ...) _printf_(2, 3);

/* With for_people without argument and undo, which may hold contents of files. */
json_t *fix_plan_to_json(const FixPlan *p, bool for_people);
/* Strict: -EINVAL for anything that fix_plan_to_json() does not write. */
int fix_plan_from_json(const json_t *object, FixPlan **ret);
