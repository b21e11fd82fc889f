/* Templates: "port ${port} is taken by ${holder:-another process}".
 *
 * A `$` that does not start ${name} or ${name:-default} stands for itself. Values are not expanded again:
 * what a log line said cannot name variables. */

#include "lib/rules/rule-reader.h"
#include "lib/base/buffer.h"

#define EXPANDED_MAX ((size_t) 64 * 1024)

typedef struct Reference {
        Text name;
        Text fallback; /* of ${name:-fallback} */
        bool has_fallback;
} Reference;

/* Takes the text up to the next reference off *rest. Returns whether there was one. */
static bool next_reference(Text *rest, Text *ret_before, Reference *ret) {
        for (size_t i = 0; i + 1 < rest->len; i++) {
                const char *end;
                Text inside;
                char *dash;

                if (rest->data[i] != '$' || rest->data[i + 1] != '{')
                        continue;
                end = memchr(rest->data + i + 2, '}', rest->len - i - 2);
                if (!end)
                        break;
                inside = (Text){rest->data + i + 2, (size_t) (end - rest->data) - i - 2};
                dash = inside.len > 0 ? memmem(inside.data, inside.len, ":-", 2) : NULL;
                *ret = (Reference){.name = inside};
                if (dash) {
                        ret->name.len = (size_t) (dash - inside.data);
                        ret->fallback = text_skip(inside, ret->name.len + 2);
                        ret->has_fallback = true;
                }
                *ret_before = text_clip(*rest, i);
                *rest = text_skip(*rest, (size_t) (end - rest->data) + 1);
                return true;
        }
        *ret_before = *rest;
        *rest = TEXT_NONE;
        return false;
}

static const char *find_value(const Variable *variables, size_t n, Text name) {
        FOREACH_ARRAY (v, variables, n)
                if (text_is(name, v->name) && v->value)
                        return v->value;
        return NULL;
}

char *rule_expand(const Rule *r, const char *template, const Variable *variables, size_t n_variables) {
        _cleanup_(buffer_done) Buffer b = {.max_bytes = EXPANDED_MAX};
        Text rest = text_of(template), before;
        Reference reference;

        while (next_reference(&rest, &before, &reference)) {
                const char *value = find_value(variables, n_variables, reference.name);

                if (!value && !reference.has_fallback)
                        value = find_value(r->defaults, r->n_defaults, reference.name);
                (void) buffer_append_text(&b, before);
                if (value)
                        (void) buffer_append_string(&b, value);
                else if (reference.has_fallback)
                        (void) buffer_append_text(&b, reference.fallback);
                else
                        (void) buffer_append_string(&b, "unknown");
        }
        (void) buffer_append_text(&b, before);
        return buffer_take(&b);
}

json_t *rule_expand_json(
        const Rule *r, const json_t *template, const Variable *variables, size_t n_variables) {
        _cleanup_(freep) char *text = NULL;
        json_t *copy, *value;
        const char *key;
        size_t n;

        if (json_is_string(template)) {
                text = rule_expand(r, json_string_value(template), variables, n_variables);
                return text ? json_string(text) : NULL;
        }
        if (json_is_array(template)) {
                copy = json_array();
                json_array_foreach (template, n, value)
                        (void) json_array_append_new(
                                copy, rule_expand_json(r, value, variables, n_variables));
                return copy;
        }
        if (json_is_object(template)) {
                copy = json_object();
                json_object_foreach ((json_t *) template, key, value)
                        (void) json_object_set_new(
                                copy, key, rule_expand_json(r, value, variables, n_variables));
                return copy;
        }
        return json_deep_copy(template);
}

static void append_upper(Buffer *b, Text name) {
        for (size_t i = 0; i < name.len; i++) {
                char c = name.data[i] >= 'a' && name.data[i] <= 'z' ? (char) (name.data[i] - 'a' + 'A')
                                                                    : name.data[i];
                (void) buffer_append(b, &c, 1);
        }
}

char *rule_expand_to_names(const char *template) {
        _cleanup_(buffer_done) Buffer b = {.max_bytes = EXPANDED_MAX};
        Text rest = text_of(template), before;
        Reference reference;

        while (next_reference(&rest, &before, &reference)) {
                (void) buffer_append_text(&b, before);
                append_upper(&b, reference.name);
        }
        (void) buffer_append_text(&b, before);
        return buffer_take(&b);
}

/* Whether the pattern has a group of that name: (?<name>, (?P<name>, (?'name'. */
static bool pattern_captures(const Pattern *pattern, Text name) {
        Text rest = text_of(pattern->text);

        for (const char *at; rest.len > name.len + 3 && (at = memmem(rest.data, rest.len, "(?", 2));) {
                Text group = text_skip(rest, (size_t) (at - rest.data) + 2);

                rest = group;
                if (group.len > 0 && group.data[0] == 'P')
                        group = text_skip(group, 1);
                if (group.len < name.len + 2 || (group.data[0] != '<' && group.data[0] != '\''))
                        continue;
                if (text_equals((Text){group.data + 1, name.len}, name) &&
                        (group.data[name.len + 1] == '>' || group.data[name.len + 1] == '\''))
                        return true;
        }
        return false;
}

static bool signal_captures(const Signal *s, Text name) {
        if (pattern_captures(&s->head, name))
                return true;
        FOREACH_ARRAY (p, s->patterns, s->n_patterns)
                if (pattern_captures(p, name))
                        return true;
        FOREACH_ARRAY (t, s->tests, s->n_tests)
                if (pattern_captures(&t->pattern, name))
                        return true;
        return false;
}

bool rule_has_variable(const Rule *rule, Text name) {
        if (find_value(rule->defaults, rule->n_defaults, name))
                return true;
        FOREACH_ARRAY (s, rule->signals, rule->n_signals)
                if (signal_captures(s, name))
                        return true;
        /* the diagnosis names the container whose id was captured */
        return text_is(name, "container") && rule_has_variable(rule, TEXT_LITERAL("container_id"));
}

int check_template(RuleReader *reader, const YamlNode *at, const char *template) {
        Text rest = text_of(template), before;
        Reference reference;

        while (next_reference(&rest, &before, &reference)) {
                int r;

                if (reference.has_fallback || text_is(reference.name, "subject") ||
                        rule_has_variable(reader->rule, reference.name))
                        continue;
                r = mistake(reader, at,
                        "no signal captures ${%.*s}, expected a group (?<%.*s>…) or a default in "
                        "`variables`",
                        (int) reference.name.len, reference.name.data, (int) reference.name.len,
                        reference.name.data);
                if (r < 0)
                        return r;
        }
        return 0;
}
