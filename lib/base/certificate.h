#pragma once

/* When an X.509 certificate is valid, and whether a private key is its own. No signature is verified. */

#include "lib/base/time.h"

#define CERTIFICATE_BYTES_MAX ((size_t) 64 * 1024)

/* Reads the first certificate of a PEM text. -ENOENT when there is none, -EBADMSG when it is malformed, or
 * -ENOMEM. */
int certificate_validity(Text pem, usec_t *ret_from, usec_t *ret_until);

/* Whether a private key (PEM: PKCS #1, PKCS #8 or SEC 1) is the first certificate's. Returns 1, 0, -ENODATA
 * when that cannot be told (an encrypted key, one without its public part), or as above. */
int certificate_matches_key(Text certificate_pem, Text key_pem);
