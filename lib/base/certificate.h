#pragma once

/* When an X.509 certificate is valid. Nothing else of it is looked at, no signature is verified. */

#include "lib/base/time.h"

#define CERTIFICATE_BYTES_MAX ((size_t) 64 * 1024)

/* Reads the first certificate of a PEM text. -ENOENT when there is none, -EBADMSG when it is malformed, or
 * -ENOMEM. */
int certificate_validity(Text pem, usec_t *ret_from, usec_t *ret_until);
