/* Builds the tree of one YAML document from libyaml's events.
 *
 * It promises bounds: depth, number of nodes and file size are capped, aliases are refused (a few of them
 * can name billions of nodes), and freeing recurses no deeper than YAML_DEPTH_MAX. The trap: libyaml counts
 * lines and columns from 0, people from 1. */

#include "lib/rules/yaml-reader.h"

#include <yaml.h>

typedef struct Reader {
        yaml_parser_t parser;
        const char *path;
        ProblemList *problems;
        size_t n_nodes;
} Reader;

YamlNode *yaml_node_free(YamlNode *n) {
        if (!n)
                return NULL;
        for (size_t i = 0; i < n->n_children; i++)
                (void) yaml_node_free(n->children[i]);
        free(n->children);
        free(n->text);
        free(n->key);
        free(n);
        return NULL;
}

const YamlNode *yaml_find(const YamlNode *map, const char *key) {
        for (size_t i = 0; i < map->n_children; i++)
                if (strcmp(map->children[i]->key, key) == 0)
                        return map->children[i];
        return NULL;
}

const char *yaml_kind_to_string(YamlKind kind) {
        static const char *const names[YAML_X_MAX] = {
                [YAML_SCALAR] = "a single value",
                [YAML_LIST] = "a list",
                [YAML_MAP] = "a mapping",
        };

        return kind >= 0 && kind < YAML_X_MAX ? names[kind] : NULL;
}

static int refuse(Reader *r, yaml_mark_t mark, const char *text) {
        int k = problem_list_add(
                r->problems, r->path, (unsigned) mark.line + 1, (unsigned) mark.column + 1, "%s", text);

        return k < 0 ? k : -EINVAL;
}

static int refuse_syntax(Reader *r) {
        yaml_mark_t mark = r->parser.problem_mark;
        const char *problem = r->parser.problem ? r->parser.problem : "malformed";
        int k;

        if (r->parser.error == YAML_MEMORY_ERROR)
                return -ENOMEM;
        /* An encoding error has no mark, only an offset. */
        if (r->parser.error == YAML_READER_ERROR)
                k = problem_list_add(r->problems, r->path, 0, 0,
                        "not YAML: %s at byte %zu, expected UTF-8 text", problem, r->parser.problem_offset);
        else
                k = problem_list_add(r->problems, r->path, (unsigned) mark.line + 1,
                        (unsigned) mark.column + 1, "not YAML: %s", problem);
        return k < 0 ? k : -EINVAL;
}

static void event_done(yaml_event_t *event) {
        yaml_event_delete(event);
}

static int next_event(Reader *r, yaml_event_t *ret) {
        yaml_event_t event;

        if (!yaml_parser_parse(&r->parser, &event))
                return refuse_syntax(r);
        *ret = event;
        return 0;
}

static int new_node(Reader *r, const yaml_event_t *event, YamlKind kind, YamlNode **ret) {
        YamlNode *node;

        if (++r->n_nodes > YAML_NODES_MAX)
                return refuse(r, event->start_mark, "more values than a rule may have");
        node = calloc(1, sizeof(*node));
        if (!node)
                return -ENOMEM;
        node->kind = kind;
        node->line = node->key_line = (unsigned) event->start_mark.line + 1;
        node->column = node->key_column = (unsigned) event->start_mark.column + 1;
        *ret = node;
        return 0;
}

static int add_child(YamlNode *parent, YamlNode **child) {
        if (!GROW_ARRAY(parent->children, parent->allocated, parent->n_children, YAML_NODES_MAX))
                return -ENOMEM;
        parent->children[parent->n_children++] = TAKE_PTR(*child);
        return 0;
}

static int read_scalar(Reader *r, const yaml_event_t *event, YamlNode **ret) {
        _cleanup_(yaml_node_freep) YamlNode *node = NULL;
        const char *text = (const char *) event->data.scalar.value;
        int k;

        if (event->data.scalar.anchor || event->data.scalar.tag)
                return refuse(r, event->start_mark, "anchors and tags are not allowed, expected plain YAML");
        if (memchr(text, '\0', event->data.scalar.length))
                return refuse(r, event->start_mark, "a NUL byte in a value, expected text");
        k = new_node(r, event, YAML_SCALAR, &node);
        if (k < 0)
                return k;
        node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        node->text = strdup(text);
        if (!node->text)
                return -ENOMEM;
        *ret = TAKE_PTR(node);
        return 0;
}

static int read_node(Reader *r, const yaml_event_t *event, unsigned depth, YamlNode **ret);

static int read_list(Reader *r, const yaml_event_t *start, unsigned depth, YamlNode **ret) {
        _cleanup_(yaml_node_freep) YamlNode *node = NULL;
        int k;

        k = new_node(r, start, YAML_LIST, &node);
        if (k < 0)
                return k;
        for (;;) {
                _cleanup_(event_done) yaml_event_t event = {};
                _cleanup_(yaml_node_freep) YamlNode *child = NULL;

                k = next_event(r, &event);
                if (k < 0)
                        return k;
                if (event.type == YAML_SEQUENCE_END_EVENT)
                        break;
                k = read_node(r, &event, depth + 1, &child);
                if (k < 0)
                        return k;
                k = add_child(node, &child);
                if (k < 0)
                        return k;
        }
        *ret = TAKE_PTR(node);
        return 0;
}

/* The value of `key`, added to the map unless the key stands there already. */
static int read_pair(Reader *r, YamlNode *map, const yaml_event_t *key, unsigned depth) {
        _cleanup_(yaml_node_freep) YamlNode *name = NULL, *child = NULL;
        _cleanup_(event_done) yaml_event_t event = {};
        const YamlNode *first;
        int k;

        if (key->type != YAML_SCALAR_EVENT)
                return refuse(r, key->start_mark, "a key that is no single word, expected `key: value`");
        k = read_scalar(r, key, &name);
        if (k < 0)
                return k;
        k = next_event(r, &event);
        if (k < 0)
                return k;
        k = read_node(r, &event, depth + 1, &child);
        if (k < 0)
                return k;
        child->key = TAKE_PTR(name->text);
        child->key_line = name->line;
        child->key_column = name->column;
        first = yaml_find(map, child->key);
        if (first) {
                k = problem_list_add(r->problems, r->path, child->key_line, child->key_column,
                        "`%s` stands twice, the first is in line %u", child->key, first->key_line);
                return k;
        }
        return add_child(map, &child);
}

static int read_map(Reader *r, const yaml_event_t *start, unsigned depth, YamlNode **ret) {
        _cleanup_(yaml_node_freep) YamlNode *node = NULL;
        int k;

        k = new_node(r, start, YAML_MAP, &node);
        if (k < 0)
                return k;
        for (;;) {
                _cleanup_(event_done) yaml_event_t key = {};

                k = next_event(r, &key);
                if (k < 0)
                        return k;
                if (key.type == YAML_MAPPING_END_EVENT)
                        break;
                k = read_pair(r, node, &key, depth);
                if (k < 0)
                        return k;
        }
        *ret = TAKE_PTR(node);
        return 0;
}

static int read_node(Reader *r, const yaml_event_t *event, unsigned depth, YamlNode **ret) {
        if (depth > YAML_DEPTH_MAX)
                return refuse(r, event->start_mark, "nested deeper than a rule may be");
        switch (event->type) {
        case YAML_SCALAR_EVENT:
                return read_scalar(r, event, ret);
        case YAML_SEQUENCE_START_EVENT:
                if (event->data.sequence_start.anchor || event->data.sequence_start.tag)
                        break;
                return read_list(r, event, depth, ret);
        case YAML_MAPPING_START_EVENT:
                if (event->data.mapping_start.anchor || event->data.mapping_start.tag)
                        break;
                return read_map(r, event, depth, ret);
        case YAML_ALIAS_EVENT:
                return refuse(r, event->start_mark, "aliases are not allowed, write the value out");
        default:
                return refuse(r, event->start_mark, "expected a value");
        }
        return refuse(r, event->start_mark, "anchors and tags are not allowed, expected plain YAML");
}

static int read_document(Reader *r, YamlNode **ret) {
        _cleanup_(yaml_node_freep) YamlNode *root = NULL;
        /* What may come around the one node of the one document. */
        static const yaml_event_type_t frame[] = {YAML_STREAM_START_EVENT, YAML_DOCUMENT_START_EVENT,
                YAML_NO_EVENT, YAML_DOCUMENT_END_EVENT, YAML_STREAM_END_EVENT};

        FOREACH_ARRAY (expected, frame, ELEMENTSOF(frame)) {
                _cleanup_(event_done) yaml_event_t event = {};
                int k = next_event(r, &event);

                if (k < 0)
                        return k;
                if (*expected == YAML_NO_EVENT)
                        k = read_node(r, &event, 1, &root);
                else if (event.type != *expected)
                        k = refuse(r, event.start_mark,
                                root ? "a second document, expected one rule in a file"
                                     : "an empty file, expected a rule");
                if (k < 0)
                        return k;
        }
        *ret = TAKE_PTR(root);
        return 0;
}

int yaml_read(const char *path, Text yaml, ProblemList *problems, YamlNode **ret) {
        Reader r = {.path = path, .problems = problems};
        int k;

        if (yaml.len > RULE_FILE_MAX_BYTES) {
                k = problem_list_add(problems, path, 0, 0, "larger than %zu bytes", RULE_FILE_MAX_BYTES);
                return k < 0 ? k : -EINVAL;
        }
        if (!yaml_parser_initialize(&r.parser))
                return -ENOMEM;
        yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(
                &r.parser, (const unsigned char *) (yaml.data ? yaml.data : ""), yaml.len);
        k = read_document(&r, ret);
        yaml_parser_delete(&r.parser);
        return k;
}

static json_t *scalar_to_json(const YamlNode *node) {
        uint64_t number;
        bool negative = node->text[0] == '-';

        if (node->plain && strcmp(node->text, "true") == 0)
                return json_true();
        if (node->plain && strcmp(node->text, "false") == 0)
                return json_false();
        if (node->plain && (strcmp(node->text, "null") == 0 || strcmp(node->text, "~") == 0))
                return json_null();
        if (node->plain && text_to_u64(text_of(node->text + negative), &number) == 0 && number <= INT64_MAX)
                return json_integer(negative ? -(json_int_t) number : (json_int_t) number);
        return json_string(node->text);
}

json_t *yaml_to_json(const YamlNode *node) {
        json_t *json;

        if (node->kind == YAML_SCALAR)
                return scalar_to_json(node);
        json = node->kind == YAML_LIST ? json_array() : json_object();
        for (size_t i = 0; json && i < node->n_children; i++) {
                const YamlNode *child = node->children[i];
                json_t *value = yaml_to_json(child);
                int r = node->kind == YAML_LIST ? json_array_append_new(json, value)
                                                : json_object_set_new(json, child->key, value);

                if (r < 0) {
                        json_decref(json);
                        return NULL;
                }
        }
        return json;
}
