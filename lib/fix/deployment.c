/* Where in a manifest a template's places are: below which wrapper, and in a layered deployment below which
 * member, whose name is a path in itself. What changes there is lib/fix/template-walk. */

#include "lib/fix/deployment.h"

#include <stdio.h>

#include "lib/base/buffer.h"
#include "lib/fix/json-patch.h"
#include "lib/fix/template-walk.h"

/* How many tokens of a twin's path a member's name stands for: "properties.desired" for one, in a layered
 * deployment "properties.desired.modules.sensor" for three; 0 when it is about something else. */
static size_t tokens_of_key(const char *key, char *const *tokens, size_t n) {
        Text rest = text_of(key);
        size_t len;

        if (!text_starts_with(rest, tokens[0]))
                return 0;
        rest = text_skip(rest, strlen(tokens[0]));
        for (size_t i = 1;; i++) {
                if (rest.len == 0)
                        return i;
                if (rest.data[0] != '.' || i == n)
                        return 0;
                rest = text_skip(rest, 1);
                len = strcspn(rest.data, ".");
                if (strcmp(tokens[i], "*") != 0 && !text_is(text_clip(rest, len), tokens[i]))
                        return 0;
                rest = text_skip(rest, len);
        }
}

static char *dotted(char *const *tokens, size_t n) {
        _cleanup_(buffer_done) Buffer b = {};

        for (size_t i = 0; i < n; i++)
                (void) buffer_append_format(&b, "%s%s", i > 0 ? "." : "", tokens[i]);
        return buffer_take(&b);
}

static int add_layered_key(TemplateWalk *w, const char *path, char *const *tokens, size_t n) {
        _cleanup_(freep) char *key = dotted(tokens, n), *below = key ? template_join(path, key) : NULL;
        bool is_missing = w->removes || w->replaces;

        for (size_t i = 0; i < n; i++)
                is_missing =
                        is_missing || strcmp(tokens[i], "*") == 0 || strcmp(tokens[i], "createOptions") == 0;
        if (is_missing)
                return template_wrong(w, -ENOENT,
                        "this layered deployment has nothing of module %s, expected the deployment that "
                        "does",
                        w->module);
        return below ? template_emit(w, "add", below, json_deep_copy(json_object_get(w->operation, "value")))
                     : -ENOMEM;
}

static int walk_key(
        TemplateWalk *w, json_t *twin, const char *path, const char *key, char *const *tokens, size_t n) {
        _cleanup_(freep) char *below = template_join(path, key);

        return below ? template_walk(w, json_object_get(twin, key), below, tokens, n) : -ENOMEM;
}

/* From $edgeAgent on: the member with the longest name that leads to the place; with `*`, each. */
static int walk_twin(TemplateWalk *w, json_t *twin, const char *path, char *const *tokens, size_t n) {
        json_t *names = template_children(twin), *name;
        const char *longest = NULL;
        size_t i, n_longest = 0;
        int r = names ? 0 : -ENOMEM;

        json_array_foreach (names, i, name) {
                size_t k = tokens_of_key(json_string_value(name), tokens, n);

                if (k > 1 && w->is_layered && strcmp(tokens[k - 1], "*") == 0)
                        r = walk_key(w, twin, path, json_string_value(name), tokens + k, n - k);
                if (r < 0)
                        break;
                if (k > n_longest) {
                        longest = json_string_value(name);
                        n_longest = k;
                }
        }
        if (r >= 0 && !longest)
                r = w->is_layered ? add_layered_key(w, path, tokens, n)
                                  : template_wrong(w, -EINVAL, "%s has no \"%s\"", path, tokens[0]);
        else if (r >= 0 && !(w->is_layered && strcmp(tokens[n_longest - 1], "*") == 0))
                r = walk_key(w, twin, path, longest, tokens + n_longest, n - n_longest);
        json_decref(names);
        return r;
}

/* A template may say "modules" of edgeAgent and edgeHub, which stand apart. Returns 1 when the path leads to
 * a module, 0 when it does not. */
static int settle_module_group(Pointer *p) {
        bool is_system;
        char *group;

        if (p->n < 5 || (strcmp(p->tokens[3], "modules") != 0 && strcmp(p->tokens[3], "systemModules") != 0))
                return 0;
        is_system = strcmp(p->tokens[4], "edgeAgent") == 0 || strcmp(p->tokens[4], "edgeHub") == 0;
        group = strdup(is_system ? "systemModules" : p->tokens[3]);
        if (!group)
                return -ENOMEM;
        free(p->tokens[3]);
        p->tokens[3] = group;
        return 1;
}

static int check_module(const TemplateWalk *w, const json_t *twin, const Pointer *p) {
        const json_t *desired = json_object_get(twin, "properties.desired");

        if (w->is_layered || strcmp(p->tokens[4], "*") == 0 ||
                json_object_get(json_object_get(desired, p->tokens[3]), p->tokens[4]))
                return 0;
        return template_wrong(
                w, -ENOENT, "the deployment has no module %s among its %s", p->tokens[4], p->tokens[3]);
}

/* Template paths are /modulesContent/$edgeAgent/properties.desired/…, whatever wraps this manifest. */
static int walk_operation(TemplateWalk *w, json_t *root, const char *prefix, Pointer *p) {
        json_t *twin = json_object_get(root, p->tokens[1]);
        _cleanup_(freep) char *path = template_join(prefix, p->tokens[1]);
        int r;

        if (!path)
                return -ENOMEM;
        r = settle_module_group(p);
        if (r < 0)
                return r;
        if (r == 0)
                return walk_twin(w, twin, path, p->tokens + 2, p->n - 2);
        w->module = p->tokens[4];
        r = check_module(w, twin, p);
        return r < 0 ? r : walk_twin(w, twin, path, p->tokens + 2, p->n - 2);
}

/* A place can only be found with what is known. */
static int check_known(const TemplateWalk *w, const json_t *value, const Pointer *p) {
        const char *key, *unknown = NULL;
        json_t *member;

        for (size_t i = 0; !value && i < p->n; i++)
                if (p->tokens[i][0] == '<')
                        unknown = p->tokens[i];
        if (template_is_placeholder(value))
                unknown = json_string_value(value);
        json_object_foreach ((json_t *) value, key, member) {
                int r = check_known(w, member, p);

                if (r < 0)
                        return r;
        }
        if (!unknown)
                return 0;
        return template_wrong(w, -ENODATA, "%s is not known, it is needed to find what to change", unknown);
}

static int note_not_found(const TemplateWalk *w, const char *path, const json_t *only) {
        const json_t *is = json_object_get(only, "is");
        _cleanup_(freep) char *what = is ? deployment_write(is, JSON_COMPACT) : strdup("there"),
                              *text = NULL;

        if (!what || asprintf(&text, "nothing at %s is %s", path, what) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        return json_array_append_new(w->notes, json_string(text)) < 0 ? -ENOMEM : 0;
}

static int change_one(TemplateWalk *w, json_t *root, const char *prefix, const json_t *operation) {
        const char *path = json_string_value(json_object_get(operation, "path")),
                   *op = json_string_value(json_object_get(operation, "op"));
        const json_t *only = json_object_get(operation, "only-if");
        _cleanup_(pointer_done) Pointer p = {};
        bool found = false;
        int r;

        if (!path || !op || pointer_parse(path, &p) < 0 || p.n < 4 ||
                strcmp(p.tokens[0], "modulesContent") != 0)
                return template_wrong(
                        w, -EINVAL, "the rule's deployment-patch has no path into /modulesContent");
        w->operation = operation;
        w->ret_found = &found;
        w->removes = strcmp(op, "remove") == 0;
        w->replaces = strcmp(op, "replace") == 0;
        if (!w->removes && !json_object_get(operation, "value"))
                return template_wrong(
                        w, -EINVAL, "an operation of the rule's deployment-patch has no value");
        r = check_known(w, NULL, &p);
        if (r >= 0 && only)
                r = check_known(w, only, &p);
        if (r >= 0)
                r = walk_operation(w, root, prefix, &p);
        if (r < 0 || found || !(w->removes || w->replaces))
                return r;
        return note_not_found(w, path, only);
}

static const char *const wrappers[] = {"", "/modulesContent", "/content/modulesContent", "/content"};

static json_t *find_root(json_t *document, const char **ret_prefix) {
        json_t *content = json_object_get(document, "content");
        json_t *roots[ELEMENTSOF(wrappers)] = {document, json_object_get(document, "modulesContent"),
                json_object_get(content, "modulesContent"), content};

        for (size_t i = 0; i < ELEMENTSOF(wrappers); i++)
                if (json_is_object(json_object_get(roots[i], "$edgeAgent"))) {
                        *ret_prefix = wrappers[i];
                        return roots[i];
                }
        return NULL;
}

static bool is_layered(const json_t *root) {
        const json_t *twin = json_object_get(root, "$edgeAgent");
        const char *key;
        json_t *value;

        json_object_foreach ((json_t *) twin, key, value)
                if (strncmp(key, "properties.desired.", strlen("properties.desired.")) == 0)
                        return true;
        return json_object_size(twin) == 0;
}

/* Lists what the values of the patch leave to a person. */
static int list_fill_in(const json_t *value, const char *path, json_t *fill_in) {
        const char *key;
        json_t *member;

        if (template_is_placeholder(value) ||
                (json_is_string(value) && strstr(json_string_value(value), "\"<")))
                return json_array_append_new(fill_in, json_pack("{s:s, s:O}", "path", path, "what", value));
        json_object_foreach ((json_t *) value, key, member) {
                _cleanup_(freep) char *below = template_join(path, key);

                if (!below || list_fill_in(member, below, fill_in) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int list_all_fill_in(const DeploymentChange *c) {
        json_t *op;
        size_t i;

        json_array_foreach (c->patch, i, op)
                if (strcmp(json_string_value(json_object_get(op, "op")), "test") != 0 &&
                        list_fill_in(json_object_get(op, "value"),
                                json_string_value(json_object_get(op, "path")), c->fill_in) < 0)
                        return -ENOMEM;
        return 0;
}

void deployment_change_done(DeploymentChange *c) {
        json_decref(c->patch);
        json_decref(c->corrected);
        json_decref(c->fill_in);
        json_decref(c->notes);
        *c = (DeploymentChange){};
}

int deployment_change(const json_t *manifest, const json_t *template, DeploymentChange *ret,
        char error[static DEPLOYMENT_ERROR_MAX]) {
        _cleanup_(deployment_change_done) DeploymentChange c = {.patch = json_array(),
                .corrected = json_deep_copy(manifest),
                .fill_in = json_array(),
                .notes = json_array()};
        TemplateWalk w = {
                .document = c.corrected, .ops = c.patch, .notes = c.notes, .error = error, .module = ""};
        const char *prefix;
        json_t *root, *operation;
        size_t i;
        int r;

        (void) snprintf(error, DEPLOYMENT_ERROR_MAX, "out of memory");
        if (!c.patch || !c.corrected || !c.fill_in || !c.notes)
                return -ENOMEM;
        root = find_root(c.corrected, &prefix);
        if (!root)
                return template_wrong(&w, -EINVAL,
                        "no deployment manifest, expected an object with \"$edgeAgent\", by itself or in "
                        "\"modulesContent\"");
        c.is_layered = w.is_layered = is_layered(root);
        json_array_foreach (template, i, operation) {
                r = change_one(&w, root, prefix, operation);
                if (r < 0)
                        return r;
        }
        r = list_all_fill_in(&c);
        if (r < 0)
                return r;
        *ret = c;
        c = (DeploymentChange){};
        return 0;
}

/* What one operation adds; NULL when it adds nothing. */
static int snippet_of(const json_t *operation, json_t **ret) {
        const char *path = json_string_value(json_object_get(operation, "path")),
                   *op = json_string_value(json_object_get(operation, "op"));
        const json_t *value = json_object_get(operation, "value");
        _cleanup_(pointer_done) Pointer p = {};
        int r;

        *ret = NULL;
        if (!path || !op || !value || strcmp(op, "add") != 0 || pointer_parse(path, &p) < 0 || p.n < 2)
                return 0;
        r = settle_module_group(&p);
        if (r < 0)
                return r;
        *ret = template_build(p.tokens + 1, p.n - 1, value);
        return *ret ? 0 : -ENOMEM;
}

int deployment_snippet(const json_t *template, json_t **ret) {
        json_t *snippet = json_object(), *operation;
        size_t i;

        json_array_foreach (template, i, operation) {
                json_t *part = NULL;
                int r = snippet_of(operation, &part);

                if (r >= 0 && part && json_object_update_recursive(snippet, part) < 0)
                        r = -ENOMEM;
                json_decref(part);
                if (r < 0) {
                        json_decref(snippet);
                        return r;
                }
        }
        *ret = snippet;
        return snippet ? 0 : -ENOMEM;
}
