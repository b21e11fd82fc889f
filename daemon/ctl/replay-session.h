#pragma once

/* A recording or support bundle run through the daemon's engine, for verbs that want its incidents. */

#include "daemon/ctl/arguments.h"
#include "lib/diagnosis/replay.h"

typedef struct ReplaySession {
        RuleSet *rules;
        Matcher *matcher;
        Recording *recording;
        World *world;
        Diagnosis *diagnosis;
        char *unpacked; /* directory of an unpacked support bundle */
} ReplaySession;

/* Opens and replays it with the rules that the arguments name. Returns 0 or a negative errno; says itself
 * what failed. */
int replay_session_run(ReplaySession *s, const char *path, const Arguments *a);
void replay_session_done(ReplaySession *s);

/* {"format":1, "incidents":[…]}; NULL when memory is out. */
json_t *replay_session_report(const ReplaySession *s);
