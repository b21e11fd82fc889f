#pragma once

/* A Docker network and those attached to it, as the engine's inspect tells them, turned into what makes the
 * same again. */

#include <jansson.h>

#include "lib/base/text.h"

#define DOCKER_MTU_OPTION      "com.docker.network.driver.mtu"
#define DOCKER_DEFAULT_NETWORK "bridge"

/* The container's entry for the network, by the network's name or, where id is not NULL, by that; NULL when
 * it is not attached. Borrowed. inspect may be an item of /containers/json too. */
const json_t *docker_endpoint_of(const json_t *inspect, const char *network, const char *id);

/* Everybody who is attached, in the order in which they are to be attached again: fixed addresses before
 * those that get any, which could take them, then by address, so that they are given the same; those with
 * links behind those that they could be linked to. An array of {"container": id, "name", "image", "status",
 * "runs": bool, "owned": bool, "started_at", "address", "alone": bool (not on the default network too),
 * "endpoint": for /networks/ID/connect}; a new reference, NULL when memory is out. containers: array of
 * inspects. */
json_t *docker_attachments(const json_t *containers, const char *network, const char *id);

/* For /networks/create: the same network, with this MTU unless it is 0. NULL when memory is out. */
json_t *docker_network_body(const json_t *network, unsigned mtu);
/* Whether the MTU option of a network is that of a body. */
bool docker_network_has_mtu_of(const json_t *network, const json_t *body);

/* Why this network must not be made anew, NULL when it may be. networks: all there are. Returns 1 and
 * *ret_why (owned by the caller), 0, or -ENOMEM. */
int docker_network_guard(
        const json_t *network, const json_t *networks, const json_t *attachments, char **ret_why);

/* The MTU in a probe's words ("1430", "what the whole way carries, 1400 for a start"). -ENODATA when there
 * is none, -ERANGE when the network's protocols cannot work with it. */
int docker_mtu_from(const char *fitting, bool ipv6, unsigned *ret);
