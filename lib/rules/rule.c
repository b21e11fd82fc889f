/* The words of a rule's enumerations, and its end. */

#include "lib/rules/rule.h"

#include "lib/base/word.h"

#define DEFINE_STRING_TABLE(prefix, type, max)                                                              \
        const char *prefix##_to_string(type value) {                                                        \
                return value >= 0 && value < (max) ? prefix##_names[value] : NULL;                          \
        }                                                                                                   \
        type prefix##_from_string(Text name) {                                                              \
                return (type) word_find(prefix##_names, (max), name);                                       \
        }

static const char *const severity_names[SEVERITY_X_MAX] = {
        [SEVERITY_WARNING] = "warning",
        [SEVERITY_ERROR] = "error",
};
DEFINE_STRING_TABLE(severity, Severity, SEVERITY_X_MAX)

static const char *const layer_names[LAYER_X_MAX] = {
        [LAYER_UPLINK] = "uplink",
        [LAYER_FORWARDING] = "forwarding",
        [LAYER_DNS] = "dns",
        [LAYER_MTU] = "mtu",
        [LAYER_PORT] = "port",
        [LAYER_CREDENTIALS] = "credentials",
        [LAYER_RUNTIME] = "runtime",
        [LAYER_APPLICATION] = "application",
};
DEFINE_STRING_TABLE(layer, Layer, LAYER_X_MAX)

static const char *const remedy_where_names[REMEDY_X_MAX] = {
        [REMEDY_DEVICE] = "device",
        [REMEDY_CLOUD] = "cloud",
        [REMEDY_DEVELOPER] = "developer",
};
DEFINE_STRING_TABLE(remedy_where, RemedyWhere, REMEDY_X_MAX)

static void free_strings(char **strings, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(strings[i]);
        free(strings);
}

static void free_tests(VariableTest *tests, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(tests[i].variable);
                free_strings(tests[i].values, tests[i].n_values);
        }
        free(tests);
}

static void signal_done(Signal *s) {
        free(s->name);
        free(s->head.text);
        for (size_t i = 0; i < s->n_patterns; i++)
                free(s->patterns[i].text);
        free(s->patterns);
        for (size_t i = 0; i < s->n_tests; i++) {
                free(s->tests[i].field);
                free(s->tests[i].pattern.text);
                free_strings(s->tests[i].values, s->tests[i].n_values);
        }
        free(s->tests);
        free_tests(s->where, s->n_where);
}

static void free_conditions(Condition *conditions, size_t n) {
        for (size_t i = 0; i < n; i++)
                free_tests(conditions[i].where, conditions[i].n_where);
        free(conditions);
}

static void example_done(Example *e) {
        free(e->name);
        free(e->subject);
        for (size_t i = 0; i < e->n_events; i++)
                json_decref(e->events[i].fields);
        free(e->events);
}

void rule_forget_examples(Rule *r) {
        FOREACH_ARRAY (example, r->examples, r->n_examples)
                example_done(example);
        free(r->examples);
        r->examples = NULL;
        r->n_examples = 0;
}

Rule *rule_free(Rule *r) {
        if (!r)
                return NULL;
        for (size_t i = 0; i < r->n_signals; i++)
                signal_done(&r->signals[i]);
        free(r->signals);
        rule_forget_examples(r);
        for (size_t i = 0; i < r->n_defaults; i++) {
                free(r->defaults[i].name);
                free(r->defaults[i].value);
        }
        free(r->defaults);
        free_conditions(r->when, r->n_when);
        free_conditions(r->clear, r->n_clear);
        free_strings(r->keys, r->n_keys);
        free_strings(r->require, r->n_require);
        free_strings(r->ask, r->n_ask);
        free_strings(r->explained_by, r->n_explained_by);
        json_decref(r->remedy.deployment_patch);
        free(r->remedy.text);
        free(r->remedy.fix);
        free(r->id);
        free(r->path);
        free(r->title);
        free(r->documentation);
        free(r->subject);
        free(r->message);
        free(r->explanation);
        free(r);
        return NULL;
}

int rule_find_signal(const Rule *r, const char *name) {
        for (size_t i = 0; i < r->n_signals; i++)
                if (strcmp(r->signals[i].name, name) == 0)
                        return (int) i;
        return -ENOENT;
}
