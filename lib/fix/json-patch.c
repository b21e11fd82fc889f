/* A small applier of JSON Patch, which jansson lacks.
 *
 * The traps: "add" to a member that is there replaces it, but to an index inserts; an index has no leading
 * zeros; a value may not be moved into itself; 1 and 1.0 are the same number to "test". */

#include "lib/fix/json-patch.h"

#include "lib/base/word.h"

void pointer_done(Pointer *p) {
        while (p->n > 0)
                free(p->tokens[--p->n]);
}

static char *unescape(Text escaped) {
        char *token = malloc(escaped.len + 1), *to = token;

        for (size_t i = 0; token && i < escaped.len; i++)
                if (escaped.data[i] == '~')
                        *to++ = escaped.data[++i] == '0' ? '~' : '/';
                else
                        *to++ = escaped.data[i];
        if (token)
                *to = '\0';
        return token;
}

static bool is_escaped_well(Text t) {
        for (size_t i = 0; i < t.len; i++)
                if (t.data[i] == '~' && (i + 1 == t.len || (t.data[i + 1] != '0' && t.data[i + 1] != '1')))
                        return false;
        return true;
}

int pointer_parse(const char *text, Pointer *ret) {
        _cleanup_(pointer_done) Pointer p = {};

        if (text[0] != '\0' && text[0] != '/')
                return -EINVAL;
        while (text[0] == '/') {
                Text token = {text + 1, strcspn(text + 1, "/")};

                if (!is_escaped_well(token))
                        return -EINVAL;
                if (p.n == POINTER_TOKENS_MAX)
                        return -E2BIG;
                p.tokens[p.n] = unescape(token);
                if (!p.tokens[p.n])
                        return -ENOMEM;
                p.n++;
                text = token.data + token.len;
        }
        *ret = p;
        p.n = 0;
        return 0;
}

void pointer_append(Buffer *b, const char *token) {
        (void) buffer_append_string(b, "/");
        for (const char *c = token; *c; c++)
                if (*c == '~')
                        (void) buffer_append_string(b, "~0");
                else if (*c == '/')
                        (void) buffer_append_string(b, "~1");
                else
                        (void) buffer_append(b, c, 1);
}

/* The index that a token names, at most `max`. */
static int array_index(const char *token, size_t max, size_t *ret) {
        uint64_t index;

        if (token[0] == '0' && token[1] != '\0')
                return -ENOENT;
        if (text_to_u64(text_of(token), &index) < 0 || index > max)
                return -ENOENT;
        *ret = (size_t) index;
        return 0;
}

static json_t *child(json_t *value, const char *token) {
        size_t i;

        if (!json_is_array(value))
                return json_object_get(value, token);
        return array_index(token, json_array_size(value), &i) < 0 ? NULL : json_array_get(value, i);
}

static json_t *find(json_t *document, const Pointer *p, size_t n_tokens) {
        for (size_t i = 0; document && i < n_tokens; i++)
                document = child(document, p->tokens[i]);
        return document;
}

static void set_root(json_t **document, json_t *value) {
        json_decref(*document);
        *document = value;
}

/* Takes over the value, also on failure. */
static int add(json_t **document, const Pointer *p, json_t *value) {
        json_t *parent;
        const char *last;
        size_t i;

        if (!value)
                return -ENOMEM;
        if (p->n == 0) {
                set_root(document, value);
                return 0;
        }
        parent = find(*document, p, p->n - 1);
        last = p->tokens[p->n - 1];
        if (json_is_object(parent))
                return json_object_set_new(parent, last, value) < 0 ? -ENOMEM : 0;
        if (json_is_array(parent) && strcmp(last, "-") == 0)
                return json_array_append_new(parent, value) < 0 ? -ENOMEM : 0;
        if (!json_is_array(parent) || array_index(last, json_array_size(parent), &i) < 0) {
                json_decref(value);
                return -ENOENT;
        }
        return json_array_insert_new(parent, i, value) < 0 ? -ENOMEM : 0;
}

static int take_away(json_t **document, const Pointer *p) {
        json_t *parent;
        size_t i;

        if (p->n == 0)
                return -EINVAL; /* no document would be left */
        if (!find(*document, p, p->n))
                return -ENOENT;
        parent = find(*document, p, p->n - 1);
        if (json_is_object(parent))
                return json_object_del(parent, p->tokens[p->n - 1]) < 0 ? -ENOENT : 0;
        if (array_index(p->tokens[p->n - 1], json_array_size(parent), &i) < 0)
                return -ENOENT;
        return json_array_remove(parent, i) < 0 ? -ENOENT : 0;
}

/* Takes over the value, also on failure. */
static int put_instead(json_t **document, const Pointer *p, json_t *value) {
        json_t *parent = p->n > 0 ? find(*document, p, p->n - 1) : NULL;
        size_t i;

        if (!value)
                return -ENOMEM;
        if (!find(*document, p, p->n)) {
                json_decref(value);
                return -ENOENT;
        }
        if (!json_is_array(parent))
                return add(document, p, value);
        if (array_index(p->tokens[p->n - 1], json_array_size(parent), &i) < 0) {
                json_decref(value);
                return -ENOENT;
        }
        return json_array_set_new(parent, i, value) < 0 ? -ENOMEM : 0;
}

static bool same_object(const json_t *a, const json_t *b);

/* Values that were parsed: their depth is bounded by the parser. */
static bool same_value(const json_t *a, const json_t *b) {
        size_t n = json_array_size(a);

        if (json_is_number(a) && json_is_number(b) && json_typeof(a) != json_typeof(b))
                return json_number_value(a) == json_number_value(b);
        if (!a || !b || json_typeof(a) != json_typeof(b))
                return false;
        if (json_is_object(a))
                return same_object(a, b);
        if (!json_is_array(a))
                return json_equal(a, b);
        for (size_t i = 0; i < n; i++)
                if (!same_value(json_array_get(a, i), json_array_get(b, i)))
                        return false;
        return json_array_size(b) == n;
}

static bool same_object(const json_t *a, const json_t *b) {
        const char *key;
        json_t *value;

        json_object_foreach ((json_t *) a, key, value)
                if (!same_value(value, json_object_get(b, key)))
                        return false;
        return json_object_size(a) == json_object_size(b);
}

typedef enum Op {
        OP_ADD,
        OP_COPY,
        OP_MOVE,
        OP_REMOVE,
        OP_REPLACE,
        OP_TEST,
        OP_X_MAX,
        OP_X_INVALID = -EINVAL,
} Op;

static const char *const op_words[OP_X_MAX] = {
        [OP_ADD] = "add",
        [OP_COPY] = "copy",
        [OP_MOVE] = "move",
        [OP_REMOVE] = "remove",
        [OP_REPLACE] = "replace",
        [OP_TEST] = "test",
};

static bool is_below(const Pointer *p, const Pointer *above) {
        for (size_t i = 0; i < above->n; i++)
                if (i >= p->n || strcmp(p->tokens[i], above->tokens[i]) != 0)
                        return false;
        return p->n > above->n;
}

static int from_elsewhere(json_t **document, const json_t *operation, Op op, const Pointer *p) {
        const char *text = json_string_value(json_object_get(operation, "from"));
        _cleanup_(pointer_done) Pointer from = {};
        json_t *value;
        int r;

        if (!text)
                return -EINVAL;
        r = pointer_parse(text, &from);
        if (r < 0)
                return r;
        value = find(*document, &from, from.n);
        if (!value)
                return -ENOENT;
        if (op == OP_COPY)
                return add(document, p, json_deep_copy(value));
        if (is_below(p, &from))
                return -EINVAL;
        if (from.n == 0)
                return 0; /* onto itself */
        (void) json_incref(value);
        r = take_away(document, &from);
        if (r < 0) {
                json_decref(value);
                return r;
        }
        return add(document, p, value);
}

int json_patch_step(json_t **document, const json_t *operation) {
        const char *name = json_string_value(json_object_get(operation, "op")),
                   *path = json_string_value(json_object_get(operation, "path"));
        int op = name ? word_find(op_words, OP_X_MAX, text_of(name)) : OP_X_INVALID;
        json_t *value = json_object_get(operation, "value"), *there;
        _cleanup_(pointer_done) Pointer p = {};
        int r;

        if (op < 0 || !path || (!value && (op == OP_ADD || op == OP_REPLACE || op == OP_TEST)))
                return -EINVAL;
        r = pointer_parse(path, &p);
        if (r < 0)
                return r;
        switch (op) {
        case OP_ADD:
                return add(document, &p, json_deep_copy(value));
        case OP_REMOVE:
                return take_away(document, &p);
        case OP_REPLACE:
                return put_instead(document, &p, json_deep_copy(value));
        case OP_TEST:
                there = find(*document, &p, p.n);
                if (!there)
                        return -ENOENT;
                return same_value(there, value) ? 0 : -EBADMSG;
        default:
                return from_elsewhere(document, operation, (Op) op, &p);
        }
}

int json_patch_apply(const json_t *document, const json_t *patch, json_t **ret, size_t *ret_failed) {
        json_t *copy = json_deep_copy(document), *operation;
        size_t i;

        *ret_failed = 0;
        if (!copy)
                return -ENOMEM;
        if (!json_is_array(patch)) {
                json_decref(copy);
                return -EINVAL;
        }
        json_array_foreach (patch, i, operation) {
                int r = json_patch_step(&copy, operation);

                if (r >= 0)
                        continue;
                *ret_failed = i;
                json_decref(copy);
                return r;
        }
        *ret = copy;
        return 0;
}
