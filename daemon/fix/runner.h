#pragma once

/* Takes a fix from its plan to its outcome, whatever happens in between. */

#include "daemon/fix/context.h"
#include "daemon/fix/request.h"

/* Who asks, as the kernel vouches for it. */
typedef struct FixPeer {
        uid_t uid;
        pid_t pid;
        bool is_person; /* root, or somebody whom polkit let: consent does not have to come from the
                           configuration */
} FixPeer;

typedef struct Runner {
        FixContext *context;
        const char *state_directory;
        FixPeer peer;
        usec_t recovery_pause; /* after the second failure to take something back; doubled with each further
                                */
        /* Takes over the line. What the other side no longer reads is dropped. */
        void (*say)(void *userdata, json_t *line);
        void *userdata;
} Runner;

/* Each says its result; a negative errno only when that was impossible. Returns 1 when something remains
 * that could not be taken back: the process fails then, by which systemd starts the recovery. */
int runner_plan(Runner *r, const FixRequest *request);
int runner_apply(Runner *r, const FixRequest *request);
int runner_undo(Runner *r, const FixRequest *request);
int runner_list(Runner *r);
int runner_history(Runner *r);
/* Finishes or takes back what a crash left. Returns as above, also when another fixer is at work. */
int runner_recover(Runner *r);
