#pragma once

/* The way to the Docker engine's own socket. */

#include "lib/base/text.h"

#define ENGINE_REASON_MAX 512

/* A connection, not blocking, on which `target` was asked for. -ENOENT, -EACCES, -ECONNREFUSED, -EAGAIN (its
 * queue is full): there is none. */
int engine_ask(const char *socket_path, const char *target, int *ret_fd);

/* What is wrong, and what would help, in words for people. */
void engine_explain(const char *socket_path, int error, char ret[static ENGINE_REASON_MAX]);
