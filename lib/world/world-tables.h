#pragma once

/* The World's tables, for the files of lib/world only. */

#include <uthash.h>

#include "lib/world/metrics-series.h"
#include "lib/world/world.h"

#define WORLD_CONTAINERS_MAX 1024
#define WORLD_NETWORKS_MAX   512
#define WORLD_LINKS_MAX      1024
#define WORLD_ROUTES_MAX     4096
#define WORLD_ADDRESSES_MAX  2048
#define WORLD_FORWARDING_MAX (2 * WORLD_LINKS_MAX + 4) /* of both families, and `all` and `default` */
#define WORLD_UNITS_MAX      256
#define WORLD_FACTS_MAX      1024

#define WORLD_HEALTHY_AFTER                                                                                 \
        (10 * USEC_PER_MIN) /* as edgeAgent counts restarts (IntensiveCareTimeInMinutes) */

typedef struct ContainerRecord {
        char *id; /* as long as it was told */
        char *name;
        Container *object;  /* the last inspection, NULL when only events are known */
        const char *status; /* one of a fixed set of words; NULL when unknown */
        usec_t since;       /* of status */
        usec_t seen;        /* last told of: the oldest gone one makes room */
        int exit_code;
        usec_t died_at, oom_at, kill_at, inspected_at;
        int kill_signal;
        unsigned n_deaths; /* seen since it last ran for WORLD_HEALTHY_AFTER */
        int owned;         /* by label, -1 when not told */
        bool gone;
        bool enumerated;
        UT_hash_handle hh;
} ContainerRecord;

typedef struct NetworkRecord {
        Network *object;
        bool enumerated;
        UT_hash_handle hh; /* by id */
} NetworkRecord;

typedef struct LinkRecord {
        Link link;
        bool enumerated;
} LinkRecord;

typedef struct RouteRecord {
        Route route;
        bool enumerated;
} RouteRecord;

typedef struct AddressRecord {
        Address address;
        bool enumerated;
} AddressRecord;

typedef struct ForwardingRecord {
        Forwarding forwarding;
        bool enumerated;
} ForwardingRecord;

typedef struct UnitRecord {
        UnitState unit;
        UT_hash_handle hh; /* by name */
} UnitRecord;

typedef struct FactRecord {
        Fact fact;
        UT_hash_handle hh; /* by key */
} FactRecord;

struct World {
        WorldOps ops;
        ContainerRecord *containers;
        NetworkRecord *networks;
        LinkRecord *links;
        size_t n_links, n_links_allocated;
        RouteRecord *routes;
        size_t n_routes, n_routes_allocated;
        AddressRecord *addresses;
        size_t n_addresses, n_addresses_allocated;
        ForwardingRecord *forwarding;
        size_t n_forwarding, n_forwarding_allocated;
        UnitRecord *units;
        FactRecord *facts;
        MetricsSeries hub_metrics; /* of edgeHub, the only module whose metrics are compared over time */
        bool has_module_logs;
        bool known[EVENT_X_MAX]; /* a full enumeration was seen */
};

int world_apply_container(World *w, const Event *event);
int world_learn_container_name(World *w, Text id, Text name, usec_t now);
void world_containers_begin(World *w);
void world_containers_end(World *w);
void world_containers_done(World *w);

int world_apply_network(World *w, const Event *event);
int world_apply_link(World *w, const Event *event);
int world_apply_route(World *w, const Event *event);
int world_apply_address(World *w, const Event *event);
int world_apply_forwarding(World *w, const Event *event);
void world_net_begin(World *w, EventKind kind);
void world_net_end(World *w, EventKind kind);
void world_net_done(World *w);
