#pragma once

/* One operation of a deployment-patch carried out below a place of a manifest (docs/rules.md tells what its
 * tokens and `only-if` mean). Private to lib/fix. */

#include <jansson.h>

#include "lib/base/macro.h"

typedef struct TemplateWalk {
        json_t *document; /* as it is after the operations so far */
        json_t *ops, *notes;
        const json_t *operation; /* of the template */
        bool removes, replaces, is_layered;
        bool *ret_found;    /* set when a place was what the operation is about */
        const char *module; /* the one walked through, for messages */
        char *error;
} TemplateWalk;

/* From node, which stands at path in the document, along the tokens. */
int template_walk(TemplateWalk *w, json_t *node, const char *path, char *const *tokens, size_t n);

/* Adds an operation and carries it out. Takes over the value: NULL for a removal, of anything else memory is
 * out. */
int template_emit(TemplateWalk *w, const char *op, const char *path, json_t *value);

/* Says what is wrong; returns r. */
int template_wrong(const TemplateWalk *w, int r, const char *format, ...) _printf_(3, 4);

/* "<what>": to be put there by a person. */
bool template_is_placeholder(const json_t *value);

/* What the tokens and the value make where nothing stands: {"env": {"X": {"value": "20"}}}. */
json_t *template_build(char *const *tokens, size_t n, const json_t *value);

/* The tokens of all children, an array's from its end, where removing moves nothing. A new reference, NULL
 * when memory is out. */
json_t *template_children(const json_t *node);

char *template_join(const char *path, const char *token);
