#pragma once

/* FNV-1a with 64 bits: tells changes apart and names things. It withstands no attack. */

#include "lib/base/macro.h"

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static inline uint64_t fnv_add(uint64_t hash, const void *data, size_t len) {
        FOREACH_ARRAY (byte, (const uint8_t *) data, len)
                hash = (hash ^ *byte) * FNV_PRIME;
        return hash;
}
