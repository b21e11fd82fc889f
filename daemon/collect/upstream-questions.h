#pragma once

/* What the prober is asked about the way to the hub or parent, from the host and from the modules' network:
 * all at once, so that a dead network costs one time-out. */

#include "daemon/collect/device-world.h"
#include "daemon/collect/prober.h"

typedef struct UpstreamQuestions {
        char *keys[PROBER_QUESTIONS_MAX]; /* of facts of the World (lib/world/world.h) */
        size_t n_keys;
} UpstreamQuestions;

/* Asks and waits; the answers are facts of w->world. Not `active`: only what sends nothing. Returns 0 or
 * -ENOMEM. */
int upstream_questions_ask(UpstreamQuestions *q, DeviceWorld *w, bool active, usec_t now);
void upstream_questions_done(UpstreamQuestions *q);
