/* A template walked through a manifest: each place it names is found or made, and what has to change there
 * becomes operations, which are carried out on a copy as they are found.
 *
 * The traps: every operation changes what the next one sees, so children are named before they are walked;
 * a change inside createOptions is a change of its string; and what a person has yet to fill in never
 * overwrites what stands in the manifest. */

#include "lib/fix/template-walk.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/event/json-field.h"
#include "lib/fix/create-options.h"
#include "lib/fix/deployment.h"
#include "lib/fix/json-patch.h"

int template_wrong(const TemplateWalk *w, int r, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(w->error, DEPLOYMENT_ERROR_MAX, format, ap);
        va_end(ap);
        return r;
}

bool template_is_placeholder(const json_t *value) {
        Text t = json_text(value);
        return t.len > 2 && t.data[0] == '<' && t.data[t.len - 1] == '>';
}

static int note(const TemplateWalk *w, const char *format, ...) _printf_(2, 3);
static int note(const TemplateWalk *w, const char *format, ...) {
        char text[DEPLOYMENT_ERROR_MAX];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        return json_array_append_new(w->notes, json_string(text)) < 0 ? -ENOMEM : 0;
}

int template_emit(TemplateWalk *w, const char *op, const char *path, json_t *value) {
        json_t *operation = value ? json_pack("{s:s, s:s, s:o}", "op", op, "path", path, "value", value)
                                  : json_pack("{s:s, s:s}", "op", op, "path", path);

        if (!value && strcmp(op, "remove") != 0) {
                json_decref(operation);
                return -ENOMEM;
        }
        if (!operation || json_array_append_new(w->ops, operation) < 0)
                return -ENOMEM;
        return json_patch_step(&w->document, operation);
}

/* "test" before it, so that the patch fails on another manifest than this. */
static int emit_change(TemplateWalk *w, const char *op, const char *path, const json_t *old, json_t *value) {
        int r = template_emit(w, "test", path, json_deep_copy(old));

        if (r < 0) {
                json_decref(value);
                return r;
        }
        return template_emit(w, op, path, value);
}

char *template_join(const char *path, const char *token) {
        _cleanup_(buffer_done) Buffer b = {};

        (void) buffer_append_string(&b, path);
        pointer_append(&b, token);
        return buffer_take(&b);
}

/* Environment variables are text, though a manifest may have them as numbers or booleans. */
static bool scalar_text(const json_t *value, char buffer[static 64], Text *ret) {
        const json_t *inside = json_is_object(value) ? json_object_get(value, "value") : value;

        if (json_is_string(inside)) {
                *ret = json_text(inside);
                return true;
        }
        if (json_is_boolean(inside))
                (void) snprintf(buffer, 64, "%s", json_is_true(inside) ? "true" : "false");
        else if (json_is_integer(inside))
                (void) snprintf(buffer, 64, "%" JSON_INTEGER_FORMAT, json_integer_value(inside));
        else
                return false;
        *ret = text_of(buffer);
        return true;
}

static bool is_same(const json_t *have, const json_t *want) {
        char a[64], b[64];
        Text x, y;

        if (json_equal(have, want))
                return true;
        if (json_is_object(have) || json_is_object(want) || !scalar_text(have, a, &x) ||
                !scalar_text(want, b, &y))
                return false;
        if (x.len == y.len && (text_is(y, "true") || text_is(y, "false")))
                return strncasecmp(x.data, y.data, x.len) == 0;
        return text_equals(x, y);
}

/* Whether all that is wanted stands there; a placeholder fits anything. */
static bool fits(const json_t *have, const json_t *want) {
        const char *key;
        json_t *value;

        if (!have)
                return false;
        if (!json_is_object(want))
                return template_is_placeholder(want) || is_same(have, want);
        json_object_foreach ((json_t *) want, key, value)
                if (!fits(json_object_get(have, key), value))
                        return false;
        return true;
}

static bool number_of(const json_t *value, uint64_t *ret) {
        char buffer[64];
        Text t;

        return scalar_text(value, buffer, &t) && text_to_u64(text_strip(t), ret) >= 0;
}

/* Whether what stands there is what the template is about. A number that is none has to be changed. */
static bool is_asked(const TemplateWalk *w, const json_t *have) {
        const json_t *only = json_object_get(w->operation, "only-if"), *want;
        uint64_t a, b;

        want = json_object_get(only, "is");
        if (want && !fits(have, want))
                return false;
        want = json_object_get(only, "below");
        if (want && number_of(have, &a) && number_of(want, &b) && a >= b)
                return false;
        want = json_object_get(only, "above");
        return !(want && number_of(have, &a) && number_of(want, &b) && a <= b);
}

/* A name that a twin takes, after the value's first text: "cr.example" becomes "crexample". */
static char *new_name(const json_t *node, const json_t *value) {
        _cleanup_(buffer_done) Buffer b = {.max_bytes = 128};
        const char *key, *text = "entry";
        json_t *member;

        json_object_foreach ((json_t *) value, key, member)
                if (json_is_string(member)) {
                        text = json_string_value(member);
                        break;
                }
        for (const char *c = text; *c; c++)
                if ((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z'))
                        (void) buffer_append(&b, c, 1);
        while (b.error == 0 && (b.len == 0 || json_object_get(node, b.data)))
                (void) buffer_append_string(&b, "x");
        return buffer_take(&b);
}

json_t *template_build(char *const *tokens, size_t n, const json_t *value) {
        json_t *inner;
        char *text;

        if (n == 0)
                return json_deep_copy(value);
        inner = template_build(tokens + 1, n - 1, value);
        if (!inner)
                return NULL;
        if (strcmp(tokens[0], "createOptions") == 0 && n > 1) {
                text = deployment_write(inner, JSON_COMPACT);
                json_decref(inner);
                inner = text ? json_string(text) : NULL;
                free(text);
        }
        if (strcmp(tokens[0], "0") == 0)
                return json_pack("[o]", inner);
        if (n == 1 && strcmp(tokens[0], "*") == 0) {
                _cleanup_(freep) char *name = new_name(NULL, value);

                if (name)
                        return json_pack("{s:o}", name, inner);
                json_decref(inner);
                return NULL;
        }
        return json_pack("{s:o}", tokens[0], inner);
}

static int merge(TemplateWalk *w, const json_t *have, const json_t *want, const char *path) {
        const char *key;
        json_t *value;

        if (is_same(have, want))
                return 0;
        if (template_is_placeholder(want) && !w->replaces)
                return note(w, "%s stays as it is, see whether it is right", path);
        if (!json_is_object(have) || !json_is_object(want))
                return emit_change(w, "replace", path, have, json_deep_copy(want));
        json_object_foreach ((json_t *) want, key, value) {
                _cleanup_(freep) char *below = template_join(path, key);
                const json_t *member = json_object_get(have, key);
                int r;

                if (!below)
                        return -ENOMEM;
                r = member ? merge(w, member, value, below)
                           : template_emit(w, "add", below, json_deep_copy(value));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int at_place(TemplateWalk *w, const json_t *have, const char *path) {
        const json_t *value = json_object_get(w->operation, "value");

        if (!is_asked(w, have))
                return 0;
        *w->ret_found = true;
        if (w->removes)
                return emit_change(w, "remove", path, have, NULL);
        return merge(w, have, value, path);
}

json_t *template_children(const json_t *node) {
        size_t n_wanted = json_object_size(node) + json_array_size(node);
        json_t *names = json_array(), *value;
        char index[24];
        const char *key;

        json_object_foreach ((json_t *) node, key, value)
                (void) json_array_append_new(names, json_string(key));
        for (size_t i = json_array_size(node); i > 0; i--) {
                (void) snprintf(index, sizeof(index), "%zu", i - 1);
                (void) json_array_append_new(names, json_string(index));
        }
        if (names && json_array_size(names) == n_wanted)
                return names;
        json_decref(names);
        return NULL;
}

static json_t *child_of(json_t *node, const char *token) {
        uint64_t i;

        if (json_is_array(node))
                return text_to_u64(text_of(token), &i) < 0 ? NULL : json_array_get(node, (size_t) i);
        return json_object_get(node, token);
}

/* A list that lost its last item goes too: Docker takes an empty list of host ports for "any". */
static int prune(TemplateWalk *w, json_t *node, const char *path, const char *token) {
        const json_t *list = json_object_get(node, token);
        _cleanup_(freep) char *below = NULL;

        if (!w->removes || !json_is_array(list) || json_array_size(list) > 0)
                return 0;
        below = template_join(path, token);
        return below ? template_emit(w, "remove", below, NULL) : -ENOMEM;
}

/* Into the child of that very name: a module may be called "*". */
static int walk_into(
        TemplateWalk *w, json_t *node, const char *path, const char *name, char *const *tokens, size_t n) {
        _cleanup_(freep) char *below = template_join(path, name);
        json_t *child = child_of(node, name);
        bool has_items = json_array_size(child) > 0;
        int r;

        if (!below)
                return -ENOMEM;
        r = template_walk(w, child, below, tokens, n);
        return r < 0 || !has_items ? r : prune(w, node, path, name);
}

static int walk_children(TemplateWalk *w, json_t *node, const char *path, char *const *tokens, size_t n) {
        json_t *names = template_children(node), *name;
        size_t i;
        int r = names ? 0 : -ENOMEM;

        json_array_foreach (names, i, name) {
                r = walk_into(w, node, path, json_string_value(name), tokens, n);
                if (r < 0)
                        break;
        }
        json_decref(names);
        return r;
}

/* The last token is `*`: one member of whatever name that fits, or else a new one. */
static int add_one_that_fits(TemplateWalk *w, json_t *node, const char *path) {
        const json_t *value = json_object_get(w->operation, "value");
        _cleanup_(freep) char *name = NULL, *below = NULL;
        const char *key;
        json_t *member;

        json_object_foreach (node, key, member)
                if (fits(member, value)) {
                        below = template_join(path, key);
                        return below ? note(w, "%s is there already, see whether it is right", below)
                                     : -ENOMEM;
                }
        name = new_name(node, value);
        below = name ? template_join(path, name) : NULL;
        return below ? template_emit(w, "add", below, json_deep_copy(value)) : -ENOMEM;
}

/* What deploys this manifest takes a long string, so it is left one. */
static bool is_one_long_piece(const json_t *settings, int n_pieces) {
        return n_pieces == 1 &&
                json_text(json_object_get(settings, "createOptions")).len > CREATE_OPTIONS_PIECE_MAX;
}

static int write_pieces(
        TemplateWalk *w, const json_t *settings, const char *path, Text text, bool is_whole) {
        char name[CREATE_OPTIONS_NAME_MAX];
        int r = 0;

        if (text.len > CREATE_OPTIONS_MAX)
                is_whole = false;
        for (size_t i = 0; i < CREATE_OPTIONS_PIECES && r >= 0; i++) {
                const char *key = create_options_name(i, name);
                const json_t *old = json_object_get(settings, key);
                _cleanup_(freep) char *below = template_join(path, key);
                Text piece = is_whole ? text : create_options_piece(text);

                if (!below)
                        return -ENOMEM;
                text = text_skip(text, piece.len);
                if (old && piece.len == 0)
                        r = emit_change(w, "remove", below, old, NULL);
                else if (old && !text_equals(json_text(old), piece))
                        r = emit_change(w, "replace", below, old, json_stringn(piece.data, piece.len));
                else if (!old && piece.len > 0)
                        r = template_emit(w, "add", below, json_stringn(piece.data, piece.len));
        }
        if (r >= 0 && text.len > 0)
                return template_wrong(
                        w, -EFBIG, "createOptions of %s become longer than IoT Hub takes", w->module);
        return r;
}

static int walk_create_options(
        TemplateWalk *w, json_t *settings, const char *path, char *const *tokens, size_t n) {
        _cleanup_(freep) char *text = NULL;
        char mistake[256] = "";
        TemplateWalk inner = *w;
        int n_pieces, r;

        inner.document = NULL;
        n_pieces = create_options_read(settings, &inner.document, mistake, sizeof(mistake));
        if (n_pieces < 0)
                return template_wrong(w, n_pieces, "module %s: %s", w->module, mistake);
        inner.ops = json_array();
        r = inner.ops ? template_walk(&inner, inner.document, "", tokens, n) : -ENOMEM;
        if (r >= 0 && json_array_size(inner.ops) > 0) {
                text = deployment_write(inner.document, JSON_COMPACT);
                r = text ? write_pieces(
                                   w, settings, path, text_of(text), is_one_long_piece(settings, n_pieces))
                         : -ENOMEM;
        }
        json_decref(inner.ops);
        json_decref(inner.document);
        return r;
}

static int missing(TemplateWalk *w, const char *path, char *const *tokens, size_t n) {
        _cleanup_(freep) char *below = NULL;

        if (w->removes || w->replaces)
                return 0; /* what is not there need not go */
        below = template_join(path, tokens[0]);
        return below ? template_emit(w, "add", below,
                               template_build(tokens + 1, n - 1, json_object_get(w->operation, "value")))
                     : -ENOMEM;
}

/* Into a list: at its beginning, unless it has it. */
static int walk_list(TemplateWalk *w, const json_t *list, const char *path) {
        const json_t *value = json_object_get(w->operation, "value");
        _cleanup_(freep) char *below = NULL;
        json_t *item;
        size_t i;

        json_array_foreach (list, i, item)
                if (is_same(item, value))
                        return 0;
        if (template_is_placeholder(value) && json_array_size(list) > 0)
                return note(w, "%s has entries already, see whether they are right", path);
        below = template_join(path, "0");
        return below ? template_emit(w, "add", below, json_deep_copy(value)) : -ENOMEM;
}

int template_walk(TemplateWalk *w, json_t *node, const char *path, char *const *tokens, size_t n) {
        if (n == 0)
                return at_place(w, node, path);
        if (!json_is_object(node) && !json_is_array(node))
                return template_wrong(
                        w, -EINVAL, "%s is neither an object nor a list", path[0] ? path : "createOptions");
        if (strcmp(tokens[0], "*") == 0)
                return n == 1 && !w->removes && !w->replaces
                        ? add_one_that_fits(w, node, path)
                        : walk_children(w, node, path, tokens + 1, n - 1);
        if (json_is_array(node) && n == 1 && strcmp(tokens[0], "0") == 0 && !w->removes && !w->replaces)
                return walk_list(w, node, path);
        if (strcmp(tokens[0], "createOptions") == 0 && n > 1 &&
                !json_is_object(json_object_get(node, "createOptions")))
                return walk_create_options(w, node, path, tokens + 1, n - 1);
        if (!child_of(node, tokens[0]))
                return missing(w, path, tokens, n);
        return walk_into(w, node, path, tokens[0], tokens + 1, n - 1);
}
