#pragma once

/* Names to addresses, as the asking side would do it: the host through its own resolver, a container through
 * the servers that its resolv.conf names. */

#include <netinet/in.h>
#include <sys/socket.h>

#include "daemon/probe/question.h"

#define ADDRESSES_MAX   8
#define NAMESERVERS_MAX 3

typedef struct Lookup {
        struct sockaddr_storage addresses[ADDRESSES_MAX]; /* port filled in */
        socklen_t lengths[ADDRESSES_MAX];
        size_t n_addresses;
        const char *result; /* "ok", or why there is none; NULL when that cannot be known */
        char detail[256];
} Lookup;

/* Read the container's resolver before entering its namespace and before dropping rights: the file is the
 * engine's own. */
int lookup_prepare(const Request *request);
void lookup_run(const Request *request, Lookup *ret);

/* The answer to a question that needs no more, or has no address to go on with. As Question.ask(). */
json_t *lookup_answer(const Lookup *l, const char **ret_why);
