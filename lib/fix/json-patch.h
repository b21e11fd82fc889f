#pragma once

/* JSON Pointer (RFC 6901) and JSON Patch (RFC 6902), strict: what the documents forbid is refused, what they
 * tell to ignore is ignored. */

#include <jansson.h>

#include "lib/base/buffer.h"

#define POINTER_TOKENS_MAX 64

typedef struct Pointer {
        char *tokens[POINTER_TOKENS_MAX]; /* unescaped */
        size_t n;
} Pointer;

/* "" is the whole document. -EINVAL when it is no pointer, -E2BIG when it has too many tokens. */
int pointer_parse(const char *text, Pointer *ret);
void pointer_done(Pointer *p);
/* Appends "/token", escaped; a failure stays in the buffer. */
void pointer_append(Buffer *b, const char *token);

/* Applies one operation to *document in place. -EINVAL when it is no operation, -ENOENT when a place it
 * names is not there, -EBADMSG when a test fails, -ENOMEM; the document may then only be thrown away. */
int json_patch_step(json_t **document, const json_t *operation);

/* Applies all to a copy. On failure, errors as above, *ret_failed is the index of the operation. */
int json_patch_apply(const json_t *document, const json_t *patch, json_t **ret, size_t *ret_failed);
