#pragma once

/* Runs a recording through a diagnosis, in the recording's own time. */

#include "lib/diagnosis/diagnosis.h"
#include "lib/world/recording.h"

/* How long time runs on after the last event of a recording that does not say when it ended. */
#define REPLAY_RUN_ON (30 * USEC_PER_MIN)

typedef struct ReplayResult {
        uint64_t n_events;
        usec_t end; /* the diagnosis' time when all was over */
} ReplayResult;

/* `world` is the one that the diagnosis reads, made with recording_world_ops(). ret may be NULL. */
int replay_run(Diagnosis *d, World *world, Recording *recording, ReplayResult *ret);
