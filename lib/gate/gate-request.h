#pragma once

/* One request to edgewatch-gate: an HTTP GET of something on a closed list of what the Docker engine may be
 * asked, and nothing that could be read as more than that.
 *
 * Paths, each with or without `/v1.NN` before it: /_ping, /version, /info, /events (since, until, filters),
 * /containers/json (all, filters), /containers/ID/json, /containers/ID/logs (follow, stdout, stderr,
 * timestamps, since, until, tail), /containers/ID/changes, /networks, /networks/ID, /images/REF/json. */

#include "lib/base/text.h"

#define GATE_REQUEST_MAX ((size_t) 4096)

typedef struct GateRequest {
        char target[GATE_REQUEST_MAX]; /* path and query as the engine is asked, written anew */
        bool is_stream;                /* its answer may be silent for as long as nothing happens */
} GateRequest;

/* Strict: what is not exactly a request of the list is refused, and *ret_why (a literal) says why. -EAGAIN
 * when it has not come to its end yet, -EBADMSG when it is no request, -EFBIG when it is too long,
 * -EOPNOTSUPP when it is no GET, -EACCES when it asks for something else. */
int gate_request_parse(Text received, GateRequest *ret, const char **ret_why);
