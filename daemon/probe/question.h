#pragma once

/* One request to edgewatch-probe: one question, asked from the host or from inside a container's network
 * namespace.
 *
 * Request:  {"question": "connect", "from": "host" | 64 hex digits, "host": NAME, "port": N, "timeout_ms":
 * N} Answer:   {"value": …} as lib/world/world.h describes the fact, or {"error": WHY} when it cannot be
 * known.
 *
 * A new question is one file with one `const Question`, and one row in registry.c. */

#include <jansson.h>

#include "lib/base/text.h"

#define REQUEST_MAX_BYTES  ((size_t) 4096)
#define ANSWER_MAX_BYTES   ((size_t) 1024 * 1024)
#define CONTAINER_ID_BYTES 64
#define HOST_NAME_MAX_DNS  253
#define TIMEOUT_MAX_MS     15000

typedef struct Request {
        const struct Question *question;
        char container_id[CONTAINER_ID_BYTES + 1]; /* "" is the host */
        char host[HOST_NAME_MAX_DNS + 1];
        uint16_t port;
        int timeout_ms;
} Request;

typedef struct Question {
        const char *name;
        bool on_network; /* goes on the network: all rights are dropped before */
        bool needs_host, needs_port;
        /* Returns the value (owned), or NULL and *ret_why (a literal) when it cannot be known. */
        json_t *(*ask)(const Request *request, const char **ret_why);
} Question;

const Question *question_find(const char *name);
const Question *const *question_registry(size_t *ret_n); /* alphabetical */

/* Strict: unknown or duplicate keys, wrong types, names that are none are -EINVAL, and *ret_why says which.
 */
int request_parse(Text text, Request *ret, const char **ret_why);

/* {"result": …, "detail": …} */
json_t *network_result(const char *result, const char *detail);
/* The word for an errno of connect(2). */
const char *connect_result_word(int error);
