#pragma once

/* The objects of a device that events speak about and the World keeps: containers, Docker networks, links,
 * routes, addresses, units. Decoders make them (from `inspect` JSON, netlink, `ip -j` JSON), they are
 * immutable from then on. Containers and networks are shared by reference count; the others are small
 * values.
 *
 * Every field that the source did not tell is left at its "unknown" (NULL, 0 where 0 is no value, -1). */

#include <net/if.h>

#include <jansson.h>

#include "lib/base/time.h"

#define CONTAINER_NETWORKS_MAX 16
#define CONTAINER_PORTS_MAX    64
#define CONTAINER_ENV_MAX      32

/* The label by which the runtime knows its own containers. */
#define CONTAINER_OWNER_LABEL "net.azure-devices.edge.owner"
#define CONTAINER_OWNER       "Microsoft.Azure.Devices.Edge.Agent"

typedef struct ContainerPort {
        uint16_t container_port;
        uint16_t host_port;
        char protocol[8]; /* tcp, udp, sctp */
} ContainerPort;

typedef struct ContainerEnv {
        char *name;
        char *value;
} ContainerEnv;

/* One container as `GET /containers/ID/json` tells it. Sources of the facts: State.*, Config.*,
 * HostConfig.*, NetworkSettings.Networks. Of the environment only an allow-list of names is kept (the rest
 * may be secret). */
typedef struct Container {
        unsigned n_ref;
        char *id;         /* 64 hex digits */
        char *name;       /* without the leading slash */
        char *image;      /* Config.Image, the reference it was created from */
        char *image_id;   /* Image, sha256:… */
        char *status;     /* created running paused restarting removing exited dead */
        char *error;      /* State.Error, "" when none: the only place that tells of a failed start */
        char *log_driver; /* HostConfig.LogConfig.Type */
        char *network_mode;
        char *restart_policy;
        char *runtime_owner; /* label net.azure-devices.edge.owner, NULL when it has none */
        int exit_code;       /* -1 when not told */
        int oom_killed;      /* State.OOMKilled: 0, 1, -1 when not told */
        int pid;             /* of its first process, 0 when it does not run */
        int tty;             /* Config.Tty: its log has no frame headers */
        int restart_count;   /* by the engine's own policy, which create options may set; -1 when not told */
        usec_t created_at, started_at, finished_at; /* 0 when never */
        uint64_t memory_limit_bytes;                /* HostConfig.Memory, 0 is none */
        char *networks[CONTAINER_NETWORKS_MAX];     /* names */
        char *addresses[CONTAINER_NETWORKS_MAX];    /* IPv4 address in networks[i], may be NULL */
        size_t n_networks;
        ContainerPort ports[CONTAINER_PORTS_MAX]; /* HostConfig.PortBindings */
        size_t n_ports;
        ContainerEnv env[CONTAINER_ENV_MAX];
        size_t n_env;
        char **mounts; /* Mounts[].Destination */
        size_t n_mounts;
} Container;

/* Reads an inspect object. -EINVAL when it is not one (no Id, wrong types), -ENOMEM. */
int container_from_json(const json_t *inspect, Container **ret);
Container *container_ref(Container *c);
Container *container_unref(Container *c);
DEFINE_CLEANUP(Container, container_unref);

bool container_is_owned(const Container *c); /* by the IoT Edge runtime, by its label */
bool container_is_running(const Container *c);
const char *container_getenv(const Container *c, const char *name); /* NULL when unset or not kept */
bool container_env_is_kept(Text name); /* whether the value of a variable of this name may be told */

/* One network as `GET /networks/ID` tells it. */
typedef struct Network {
        unsigned n_ref;
        char *id;
        char *name;
        char *driver;
        char *bridge; /* the bridge's link: its option, else br-<12 hex of the id>, docker0 for the default
                         one */
        int mtu;      /* option com.docker.network.driver.mtu, -1 when absent */
        int internal; /* 0, 1 */
        int ipv6;     /* EnableIPv6 */
        char *subnet; /* the first of IPAM.Config, may be NULL */
} Network;

int network_from_json(const json_t *inspect, Network **ret);
Network *network_ref(Network *n);
Network *network_unref(Network *n);
DEFINE_CLEANUP(Network, network_unref);

/* Address family as text in JSON and rules: "inet", "inet6". */
typedef enum Family {
        FAMILY_INET,
        FAMILY_INET6,
        FAMILY_X_MAX,
        FAMILY_X_INVALID = -EINVAL,
} Family;

const char *family_to_string(Family family);
Family family_from_string(Text name);

typedef struct Link {
        int ifindex; /* 0 when not told */
        char name[IFNAMSIZ];
        int mtu;            /* -1 when not told */
        char operstate[16]; /* UP DOWN UNKNOWN LOWERLAYERDOWN … as `ip` prints them; "" when not told */
        char kind[16];      /* bridge veth wwan …, "" when none or not told */
        char master[IFNAMSIZ];
} Link;

#define ADDRESS_TEXT_MAX 64

typedef struct Route {
        Family family;
        char destination[ADDRESS_TEXT_MAX]; /* "default" or a prefix */
        char dev[IFNAMSIZ];
        char gateway[ADDRESS_TEXT_MAX]; /* "" when none */
        uint32_t metric;
        uint32_t table; /* 254 is main */
} Route;

typedef struct Address {
        Family family;
        char ifname[IFNAMSIZ];
        char address[ADDRESS_TEXT_MAX]; /* without prefix length */
        int prefix_len;
} Address;

typedef struct Forwarding {
        Family family;
        char ifname[IFNAMSIZ]; /* "all", "default" or a link */
        bool enabled;
} Forwarding;

/* One line each of `ip -j -d link`, `ip -j route show table all`, `ip -j addr`, and of net/events.jsonl.
 * -EINVAL when it is not one. address_from_json reads element i of an object's addr_info. */
int link_from_json(const json_t *object, Link *ret);
int route_from_json(const json_t *object, Route *ret);
int address_from_json(const json_t *object, size_t i, Address *ret);
int forwarding_from_json(const json_t *object, Forwarding *ret);

/* A unit as systemd's properties tell it (org.freedesktop.systemd1.Unit and .Service, `systemctl show`). */
typedef struct UnitState {
        char name[256];
        char load_state[32];      /* loaded not-found masked … */
        char active_state[32];    /* active inactive failed activating … */
        char sub_state[32];       /* running dead auto-restart listening … */
        char unit_file_state[32]; /* enabled disabled masked static … */
        char result[32];          /* success exit-code signal oom-kill … */
        int n_restarts;           /* -1 when not told */
        int exit_status;          /* ExecMainStatus, -1 when not told */
} UnitState;

int unit_state_from_json(const char *name, const json_t *properties, UnitState *ret);
