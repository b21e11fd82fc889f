#pragma once

/* Docker networks and who is attached to them. Each call looks first and does only what is missing, and
 * looks again when the engine refused or did not answer: what counts is how it is then. *ret_why belongs to
 * the caller. */

#include "daemon/fix/context.h"

/* By its exact name. Returns 1, 0 when there is none, -EEXIST when several have it. */
int network_find(FixContext *c, const char *name, json_t **ret, char **ret_why);
/* As /networks/create takes it, unless there is one of this name already. */
int network_make(FixContext *c, const json_t *body, char **ret_why);
int network_delete(FixContext *c, const char *id, char **ret_why);
/* The name of a container that is attached to it, running or not. Returns 1, 0 when there is none. */
int network_user(FixContext *c, const char *name, const char *id, char **ret, char **ret_why);

/* A container that has gone is neither attached nor detached, which is no failure. endpoint: as
 * /networks/ID/connect takes it. */
int network_attach(
        FixContext *c, const char *network, const char *container, const json_t *endpoint, char **ret_why);
/* id is the network's that is left: containers may know it by that only. */
int network_detach(
        FixContext *c, const char *network, const char *id, const char *container, char **ret_why);

/* Whether an image of this name is on the device. Returns 1, 0. */
int image_is_here(FixContext *c, const char *reference, char **ret_why);

/* Returns 1 when it runs, 0 when it has gone. */
int container_start(FixContext *c, const char *container, char **ret_why);
