#pragma once

/* The first message of a TLS handshake, as long as the asker wants it: RFC 7685 lets a client pad it. */

#include "lib/base/text.h"

#define CLIENT_HELLO_MAX_BYTES ((size_t) 16 * 1024)

/* Writes a ClientHello of TLS 1.2 for this server of exactly `size` bytes, its record's header included.
 * -EINVAL when that is too large, or too small for the name, or a negative errno. */
int client_hello_write(Text server_name, size_t size, uint8_t *ret);
