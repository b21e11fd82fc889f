#pragma once

/* What gate.c (who comes in, what is said) and connection.c (one of them) share. */

#include <sys/socket.h>

#include "daemon/gate/gate.h"
#include "lib/base/buffer.h"

/* edgewatchd follows up to 128 logs and the events, and asks a few questions besides. */
#define GATE_CONNECTIONS_MAX 192U
#define GATE_PIECE_MAX       ((size_t) 16 * 1024)
#define GATE_REQUEST_TIME    (5 * USEC_PER_SEC)
/* edgewatchd itself waits 10 s: the gate is to be the one that knows whose silence it is. */
#define GATE_ANSWER_TIME  (9 * USEC_PER_SEC)
#define GATE_SILENCE_MAX  (60 * USEC_PER_SEC) /* a big log is searched in silence */
#define GATE_REFUSALS_MAX 10U                 /* told in a minute; the others are counted */

typedef struct Connection Connection;

struct Gate {
        sd_event *event;
        sd_event_source *listener, *pause;
        uid_t uid;
        char *engine;
        int accept_error; /* why no connection could be accepted last, 0 when one was */
        int engine_error; /* of the last connection to it, 0 when there is none */
        Connection *connections;
        unsigned n_connections, max_connections;
        usec_t minute; /* monotonic: when the refusals being counted began */
        unsigned n_refusals;
        char piece[GATE_PIECE_MAX]; /* on its way through */
};

/* What was refused, by whom, and as much of it as a line may have. */
void gate_log_refusal(Gate *g, const struct ucred *peer, const char *why, Text what);
/* The engine could be connected to (0), or not; told when it changes. */
void gate_engine_is(Gate *g, int error, const char *reason);

/* Takes over fd. */
int connection_new(Gate *g, int fd, const struct ucred *peer);
Connection *connection_free(Connection *c);
/* An answer of the gate's own, as the engine words its own. */
void answer_with(int fd, int status, const char *why);
