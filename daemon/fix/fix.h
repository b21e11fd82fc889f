#pragma once

/* A fix: how one symptom is repaired on the device. A new fix is one file in fixes/ with one `const Fix`,
 * and one row in fix-list.h.
 *
 * The runner (runner.h) does the rest: it proves the symptom by the fix's probe, has it planned, keeps the
 * plan on disk, applies step by step, has it verified, and takes it back in reverse. */

#include "daemon/fix/context.h"
#include "lib/fix/plan.h"
#include "lib/probes/probe.h"

typedef struct Fix {
        const char *name;
        const char *title;   /* for people: "Recreate a Docker network with an MTU that fits the uplink" */
        const char *probe;   /* of lib/probes: has to confirm before, and to refute after */
        const char *symptom; /* the rule whose remedy it is, as the probe is told */
        const char *subject; /* the default one; NULL when it has to be named */
        bool has_subjects;   /* takes others, and its plan refuses what is none of them */
        bool for_people;     /* planned only, never applied by the fixer */
        usec_t settle;       /* how long after the last step the verification may take */

        /* Fills a plan from c->world and what it reads itself. Sets a refusal for whatever would make things
         * worse. Changes nothing. */
        int (*plan)(FixContext *c, FixPlan *plan);
        /* Asked again and again until `settle` is over, after the state was read anew. Returns 1 when the
         * device is repaired, 0 when not (yet), a negative errno when that cannot be; *ret_why (owned by the
         * caller) says what was seen. NULL: the probe's word is enough. */
        int (*verify)(FixContext *c, const FixPlan *plan, char **ret_why);
} Fix;

/* Asks the fix's probe about the device as it was read last. */
int fix_prove(FixContext *c, const Fix *fix, const char *subject, ProbeAnswer *ret);

const Fix *fix_find(const char *name);
const Fix *const *fix_registry(size_t *ret_n); /* alphabetical */

/* One kind of change to the device. A new one is one file in operations/ with one `const Operation`, and one
 * row in operation-list.h.
 *
 * Both may be called although it was done already, or half done: the process can have been killed anywhere.
 * They look at the state and do what is missing. *ret_why (owned by the caller) says what failed. */
typedef struct Operation {
        const char *name;
        /* Before the first step of all: keeps what undoing will need (backups). NULL when there is nothing.
         */
        int (*prepare)(FixContext *c, const FixStep *step, char **ret_why);
        /* Puts away what `prepare` kept, or began to keep, for a step that was never applied. */
        int (*discard)(const FixStep *step);
        /* Whether what undoing needs is still there; asked before a person's undo begins. NULL: nothing is
         * needed. */
        bool (*is_kept)(const FixStep *step, char **ret_why);
        int (*apply)(FixContext *c, const FixStep *step, char **ret_why);
        int (*undo)(FixContext *c, const FixStep *step, char **ret_why);
} Operation;

const Operation *operation_find(const char *name);
