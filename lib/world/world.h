#pragma once

/* What is known of the device: the objects that events told of, and facts that were fetched because a probe
 * asked.
 *
 * Filled by the live daemon or from a recording; probes cannot tell which. What is not known is *unknown*,
 * never "fine". */

#include "lib/event/event.h"
#include "lib/world/metrics-series.h"

typedef struct World World;

/* Facts are named by keys, their values are JSON. FROM is "host" or a container:
 *
 *   file:PATH               string; null when the file does not exist
 *   engine-info             object of GET /info
 *   firewall                string, the rules of the host's packet filter: lib/world/firewall.h
 *   listeners               array as a recording's net/listeners.json
 *   metrics:MODULE          string, Prometheus text
 *   runtime-config          object: lib/world/runtime-config.h
 *   resolve:FROM:NAME       {"result": "ok"|"no-such-host"|"timeout"|…, "detail": …}
 *   connect:FROM:HOST:PORT  likewise
 *   tls:FROM:HOST:PORT      likewise; when the certificate is refused also its "not_before", "not_after",
 *                           and "clock": what this device took for now
 *
 *   path-mtu:FROM:HOST:PORT likewise, and "mtu": bytes of the largest packet that came through, "lost": of
 *                           the smallest larger one that did not (0: none), "answered": did anything return
 *
 *   tcp-info:FROM           {"result": "ok", "connections": [{"peer", "port", "rtt_us", "retransmitted",
 *                           "sent"}]}: what is open to ports 443, 5671, 8883; segments as the kernel counts
 */
typedef enum FactState {
        FACT_MISSING, /* never asked */
        FACT_PENDING, /* asked, no answer yet */
        FACT_KNOWN,
        FACT_UNKNOWN, /* cannot be known; `why` says so */
} FactState;

typedef struct Fact {
        char *key;
        FactState state;
        json_t *value;
        char *why;
        usec_t time;  /* when it was answered */
        usec_t asked; /* when it was asked last */
} Fact;

typedef struct WorldOps {
        /* Answers, at once or later, with world_set_fact() or world_set_unknown(). A negative errno makes
         * the fact unknown. */
        int (*fetch)(void *userdata, World *world, const char *key, usec_t now);
        void *userdata;
} WorldOps;

int world_new(World **ret, WorldOps ops);
World *world_free(World *w);
DEFINE_CLEANUP(World, world_free);

/* Takes over what a state event says about its object. Events of kind log only teach it names of containers.
 */
int world_apply(World *w, const Event *event);

/* An enumeration is complete: what it did not name is gone. For containers and networks the World then
 * answers "does not exist" instead of "unknown". */
void world_begin_enumeration(World *w, EventKind kind);
void world_end_enumeration(World *w, EventKind kind);
bool world_knows(const World *w, EventKind kind);

/* Lookups. Borrowed until the next world_apply(). NULL when there is none that is known. */
const Container *world_container(
        const World *w, const char *name_or_id); /* an id may be given by its first 12 digits */
/* The container's status by the last event or inspection, whichever is later: running exited dead created …;
 * NULL when unknown. */
const char *world_container_status(const World *w, const char *name);
usec_t world_container_since(const World *w, const char *name); /* when that status began, 0 when unknown */
/* The name that belongs to a container id (full or its first 12 digits), by anything that told it; NULL when
 * unknown. */
const char *world_container_name(const World *w, Text id);
/* Last exit: code of the last `die`, -1 when unknown; whether Docker or the kernel named memory as the
 * reason (0, 1, -1). */
int world_container_exit_code(const World *w, const char *name);
int world_container_oom(const World *w, const char *name, usec_t since);
usec_t world_container_died_at(const World *w, const char *name); /* of the last exit, 0 when unknown */
/* How often it was seen to end since it last ran for ten minutes, as edgeAgent counts. */
unsigned world_container_deaths(const World *w, const char *name);
/* Whether somebody had the engine stop it just before it ended last: not every signal is meant so. */
bool world_container_was_stopped(const World *w, const char *name);
/* Signal of a `kill` event since then, -1 when there was none. */
int world_container_kill_signal(const World *w, const char *name, usec_t since);
typedef bool (*world_container_visit_t)(void *userdata, const Container *c); /* false ends the walk */
void world_each_container(const World *w, world_container_visit_t visit, void *userdata);

/* ORIGIN_AGENT, _HUB or _MODULE when the runtime owns this container; ORIGIN_OTHER when it does not. Without
 * any knowledge of containers only edgeAgent and edgeHub are taken for owned. */
Origin world_vouch_for_container(const World *w, Text name, Text id);

/* Whether anything told of a module of IoT Edge: an owned container, or the log of one. */
bool world_has_modules(const World *w);

const Network *world_network(const World *w, const char *name_or_id);
const Link *world_link(const World *w, const char *name);
const Route *world_default_route(
        const World *w, Family family); /* main table, lowest metric, link not down */
/* 0, 1, or -1 when unknown. ifname: "all", "default" or a link. Falls back to file:/proc/sys/net/… */
int world_forwarding(World *w, Family family, const char *ifname, usec_t now);
const UnitState *world_unit(const World *w, const char *name);
/* edgeHub's metrics over time; empty when they were never seen. */
const MetricsSeries *world_hub_metrics(const World *w);
typedef bool (*world_unit_visit_t)(void *userdata, const UnitState *unit);
void world_each_unit(const World *w, world_unit_visit_t visit, void *userdata);

/* A fact no older than `since`, fetched if needed. NULL when memory is out or there are too many facts.
 * PENDING means: return and be called again. */
const Fact *world_fact(World *w, usec_t now, usec_t since, const char *format, ...) _printf_(4, 5);
/* Without asking. NULL when it was never set. */
const Fact *world_peek(const World *w, const char *key);
int world_set_fact(World *w, const char *key, json_t *value, usec_t now); /* takes over value */
/* The clock was set back: facts that were fetched at a later time than `now` count as old. */
void world_set_back(World *w, usec_t now);
int world_set_unknown(World *w, const char *key, const char *why, usec_t now);
