#pragma once

/* The change of a deployment manifest that a rule's `deployment-patch` asks for, computed against a real
 * manifest: full or layered, with or without its wrappers, createOptions addressed inside although it is
 * JSON in a string, perhaps in pieces. How templates are written is in docs/rules.md. */

#include <jansson.h>

#include "lib/base/text.h"

#define DEPLOYMENT_MAX       ((size_t) 1024 * 1024)
#define DEPLOYMENT_DEPTH_MAX 64
#define DEPLOYMENT_ERROR_MAX 512

typedef struct DeploymentChange {
        json_t *patch;     /* RFC 6902 for this very manifest; empty when it is right already */
        json_t *corrected; /* the manifest after it */
        json_t *fill_in;   /* array of {"path", "what"}: what a person has to put there */
        json_t *notes;     /* array of strings: what was left as it is, and why */
        bool is_layered;
} DeploymentChange;

void deployment_change_done(DeploymentChange *c);

/* Reads a manifest. -EINVAL with the error "line:column: …", also for keys that stand twice; -EFBIG. */
int deployment_read(Text text, json_t **ret, char error[static DEPLOYMENT_ERROR_MAX]);

/* The template's variables are filled in already; "<name>" stands for one that is not known. Returns 0,
 * -EINVAL (no manifest, or no template), -ENOENT (a module or place is missing), -ENODATA (a value is needed
 * to find the place), -EFBIG, -ENOMEM, each with the error. */
int deployment_change(const json_t *manifest, const json_t *template, DeploymentChange *ret,
        char error[static DEPLOYMENT_ERROR_MAX]);

/* What to put into a deployment, as the part of a manifest that it would be: of all that the template adds.
 * *ret is an empty object when it adds nothing. */
int deployment_snippet(const json_t *template, json_t **ret);

/* As text: order of keys kept, numbers with no more digits than they need. NULL when memory is out. */
char *deployment_write(const json_t *value, size_t flags);
