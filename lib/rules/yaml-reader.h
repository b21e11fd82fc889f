#pragma once

/* One YAML document as a tree whose every node knows its line and column.
 *
 * Only what a rule needs: one document of mappings, sequences and scalars. Aliases, anchors, tags and
 * mapping keys that are no scalars are refused, so a small file stays small in memory. */

#include <jansson.h>

#include "lib/rules/rule-set.h"

#define YAML_DEPTH_MAX 16
#define YAML_NODES_MAX 20000

typedef enum YamlKind {
        YAML_SCALAR,
        YAML_LIST,
        YAML_MAP,
        YAML_X_MAX,
        YAML_X_INVALID = -EINVAL,
} YamlKind;

/* A scalar has `text`. A list has its items in `children`; of a map each child also has its `key`. */
typedef struct YamlNode {
        YamlKind kind;
        bool plain; /* a scalar without quotes: may be read as a number or a boolean */
        char *text;
        char *key;
        unsigned line, column;         /* of the value */
        unsigned key_line, key_column; /* of the key; in a list those of the item */
        struct YamlNode **children;
        size_t n_children, allocated;
} YamlNode;

/* Returns 0 and the root, -EINVAL with a problem listed, or -ENOMEM. A key that stands twice in one mapping
 * is a problem too, but reading goes on with the first. *ret is NULL only on failure. */
int yaml_read(const char *path, Text yaml, ProblemList *problems, YamlNode **ret);
YamlNode *yaml_node_free(YamlNode *n);
DEFINE_CLEANUP(YamlNode, yaml_node_free);

const YamlNode *yaml_find(const YamlNode *map, const char *key);

/* "a mapping", "a list", "\"text\"": for messages. */
const char *yaml_kind_to_string(YamlKind kind);

/* The node as JSON: plain true, false, null and whole numbers keep their type, all else is a string. NULL
 * when memory is out. */
json_t *yaml_to_json(const YamlNode *node);
