#pragma once

/* The Docker engine's HTTP API, asked and waited for. Only docker_api_send() changes anything. */

#include <jansson.h>

#include "lib/base/time.h"

#define DOCKER_OBJECT_MAX ((size_t) 16 * 1024 * 1024)
#define DOCKER_ASK_TIME   (20 * USEC_PER_SEC)
#define DOCKER_SEND_TIME  (30 * USEC_PER_SEC) /* of a slow device's firewall: each call changes its rules */

typedef struct DockerApi DockerApi;

/* The socket of the engine: DOCKER_HOST when it names a Unix socket, else /run/docker.sock. */
const char *docker_api_socket(void);

/* Asks for /_ping. -ENOENT, -EACCES, -ECONNREFUSED, -ETIMEDOUT: there is no engine that can be asked. */
int docker_api_new(DockerApi **ret, const char *socket);
DockerApi *docker_api_free(DockerApi *d);
DEFINE_CLEANUP(DockerApi, docker_api_free);

/* A document of this type. -ENOENT for what the engine does not know, -EBADMSG when it is no such document.
 */
int docker_api_json(DockerApi *d, const char *path, json_type type, json_t **ret);

/* What to serve besides while an answer comes in. */
typedef struct DockerCompanion {
        int fd;
        void (*readable)(void *userdata);
        void *userdata;
} DockerCompanion;

/* Calls `piece` with the bytes of a 200 as they come; what it returns below 0 ends the answer and is
 * returned. */
typedef int (*docker_piece_t)(void *userdata, Text piece);
int docker_api_stream(DockerApi *d, const char *path, usec_t timeout, docker_piece_t piece, void *userdata,
        const DockerCompanion *companion);

/* Has the engine change something: method POST or DELETE, body NULL when there is none. ret may be NULL, and
 * *ret is NULL when the answer has no body. On failure *ret_why, which belongs to the caller, has the
 * engine's own words. -ENOENT for what it does not know, -EACCES when it must not be (403: a network that is
 * in use). What is so already (304) is no failure. After -ETIMEDOUT it may still come to pass. */
int docker_api_send(DockerApi *d, const char *method, const char *path, const json_t *body, json_t **ret,
        char **ret_why);
