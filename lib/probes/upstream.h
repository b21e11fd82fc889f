#pragma once

/* Where this device's runtime connects to, found on the device itself (also under DPS): the environment of
 * edgeAgent's container first, then the runtime's configuration. */

#include "lib/probes/probe.h"

#define UPSTREAM_HOST_MAX 256

/* The parent's hostname if there is one, else the hub's. Returns 1, 0 when it is not known, -EAGAIN while it
 * is being asked. */
int upstream_host(World *w, usec_t now, char ret[static UPSTREAM_HOST_MAX]);

/* The Docker network that edgeAgent is on, by its own name or the usual one; NULL when it is not known. */
const Network *modules_network(const World *w);

/* The runtime's configuration: the fact, or what can be read of its files; NULL when it is not known. With
 * *ret_pending it is being asked. */
const json_t *runtime_config(World *w, usec_t now, usec_t since, bool *ret_pending);
/* One of its strings; `path` has up to two keys ("listen/management_uri"). NULL when it is not set. */
const char *runtime_config_string(const json_t *config, const char *path);

/* The same, else what the signals captured as `host`. */
int question_host(const ProbeQuestion *q, char ret[static UPSTREAM_HOST_MAX]);

/* What a rule may call the device's own names by, in its subject: `parent` (hostname of the gateway above),
 * `hub` (hostname of the IoT hub), `hostname`, `network` (the modules' Docker network). Returns 1, or 0 when
 * it is not known. */
int device_name(World *w, usec_t now, const char *name, char ret[static UPSTREAM_HOST_MAX]);

/* What an active question (resolve, connect, tls) was answered. */
typedef enum Answer {
        ANSWER_UNKNOWN, /* nobody could ask, or it could not be told */
        ANSWER_PENDING,
        ANSWER_OK,
        ANSWER_FAILED,
} Answer;

/* The fact "QUESTION:FROM:HOST[:PORT]"; port 0 for none. FROM is "host" or a container: what is asked in its
 * network while it ends or starts fails for that, so an answer counts only when it was asked afterwards. */
const Fact *network_fact(
        const ProbeQuestion *q, const char *question, const char *from, const char *host, unsigned port);
/* "edgeAgent" is the modules' network: edgeHub stands in where nobody could ask from there. */
Answer ask_resolve(const ProbeQuestion *q, const char *from, const char *name);
Answer ask_connect(const ProbeQuestion *q, const char *from, const char *host, unsigned port);

/* Whether there is a way out at all; true when nothing is known of routes. */
bool has_default_route(const World *w);

/* Whether an answer of an active question (resolve, connect, tls) is this word. */
bool fact_result_is(const Fact *f, const char *result);
const char *fact_detail(const Fact *f); /* "" when there is none */
/* Whether TLS failed because the clock of this device is outside of the certificate's validity. Returns 1
 * and a sentence (freed by the caller) with both, 0 when it did not or that is not known, or -ENOMEM. */
int tls_clock(const Fact *tls, usec_t now, char **ret);
