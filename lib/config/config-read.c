/* Reads the text of edgewatch.yaml into Config.
 *
 * Owns the list of keys: one row each, its reader next to it. Promise: nothing unknown is passed over, and a
 * problem names the place. Trap: libyaml resolves an alias to the node it names, which may be the node's own
 * parent; the readers descend by the fixed shape of the configuration and never by recursion over the text.
 */

#include "lib/config/config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

#include "lib/base/buffer.h"
#include "lib/base/word.h"

typedef struct Reader {
        Config *config;
        const char *path;
        ProblemList *problems;
        yaml_document_t *document;
        bool failed;
} Reader;

typedef struct ConfigKey {
        const char *name;
        void (*read)(Reader *r, const yaml_node_t *value, void *target);
        size_t offset; /* of the target in Config */
} ConfigKey;

static void problem(Reader *r, const yaml_node_t *node, const char *format, const char *what) {
        unsigned line = node ? (unsigned) node->start_mark.line + 1 : 0;
        unsigned column = node ? (unsigned) node->start_mark.column + 1 : 0;

        r->failed = true;
        (void) problem_list_add(r->problems, r->path, line, column, format, what);
}

/* "" after a problem was listed. */
static const char *scalar(Reader *r, const yaml_node_t *node, const char *expected) {
        const char *text;

        if (node->type == YAML_SCALAR_NODE) {
                text = (const char *) node->data.scalar.value;
                if (strlen(text) == node->data.scalar.length && text[0] != '\0')
                        return text;
        }
        problem(r, node, "expected %s", expected);
        return "";
}

static void set_string(Reader *r, const yaml_node_t *node, char **target, const char *text) {
        char *copy = strdup(text);

        if (!copy) {
                problem(r, node, "%s", "out of memory");
                return;
        }
        free(*target);
        *target = copy;
}

static void read_string(Reader *r, const yaml_node_t *value, void *target) {
        const char *text = scalar(r, value, "a text");

        if (text[0])
                set_string(r, value, target, text);
}

static void read_path(Reader *r, const yaml_node_t *value, void *target) {
        const char *text = scalar(r, value, "an absolute path");

        if (text[0] == '/')
                set_string(r, value, target, text);
        else if (text[0])
                problem(r, value, "\"%s\" is not an absolute path", text);
}

static void read_bool(Reader *r, const yaml_node_t *value, void *target) {
        const char *text = scalar(r, value, "yes or no");
        bool *flag = target;

        if (strcmp(text, "yes") == 0 || strcmp(text, "true") == 0 || strcmp(text, "on") == 0)
                *flag = true;
        else if (strcmp(text, "no") == 0 || strcmp(text, "false") == 0 || strcmp(text, "off") == 0)
                *flag = false;
        else if (text[0])
                problem(r, value, "\"%s\" is neither yes nor no", text);
}

static void read_duration(Reader *r, const yaml_node_t *value, void *target) {
        const char *text = scalar(r, value, "a duration such as 60s");
        usec_t duration;

        if (!text[0])
                return;
        if (duration_parse(text_of(text), &duration) < 0 || duration < USEC_PER_SEC)
                problem(r, value, "\"%s\" is not a duration of a second or more, such as 60s or 5min", text);
        else
                *(usec_t *) target = duration;
}

static void read_attempts(Reader *r, const yaml_node_t *value, void *target) {
        const char *text = scalar(r, value, "a number");
        uint64_t n;

        if (!text[0])
                return;
        if (text_to_u64(text_of(text), &n) < 0 || n < 1 || n > 100)
                problem(r, value, "\"%s\" is not a number from 1 to 100", text);
        else
                *(unsigned *) target = (unsigned) n;
}

static bool parse_mode(Reader *r, const yaml_node_t *value, FixMode *ret) {
        const char *text = scalar(r, value, "off, plan or apply");
        FixMode mode = fix_mode_from_string(text_of(text));

        if (mode >= 0)
                *ret = mode;
        else if (text[0])
                problem(r, value, "\"%s\" is none of off, plan, apply", text);
        return mode >= 0;
}

static void read_mode(Reader *r, const yaml_node_t *value, void *target) {
        (void) parse_mode(r, value, target);
}

static void unknown_key(Reader *r, const yaml_node_t *name, const ConfigKey *keys, size_t n_keys) {
        _cleanup_(buffer_done) Buffer known = {};

        for (size_t i = 0; i < n_keys; i++)
                (void) buffer_append_format(&known, "%s%s", i == 0 ? "" : ", ", keys[i].name);
        r->failed = true;
        (void) problem_list_add(r->problems, r->path, (unsigned) name->start_mark.line + 1,
                (unsigned) name->start_mark.column + 1, "unknown key \"%s\"; known here: %s",
                name->type == YAML_SCALAR_NODE ? (const char *) name->data.scalar.value : "",
                known.error == 0 && known.data ? known.data : "(out of memory)");
}

/* Calls read for each pair whose key is in the table. */
static void read_mapping(
        Reader *r, const yaml_node_t *node, const ConfigKey *keys, size_t n_keys, void *base) {
        const yaml_node_t *name, *value;
        const ConfigKey *key;

        if (node->type != YAML_MAPPING_NODE) {
                problem(r, node, "expected %s", "keys and values");
                return;
        }

        for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
                name = yaml_document_get_node(r->document, p->key);
                value = yaml_document_get_node(r->document, p->value);
                key = NULL;
                for (size_t i = 0; i < n_keys && name->type == YAML_SCALAR_NODE; i++)
                        if (strcmp(keys[i].name, (const char *) name->data.scalar.value) == 0)
                                key = &keys[i];
                if (key)
                        key->read(r, value, (char *) base + key->offset);
                else
                        unknown_key(r, name, keys, n_keys);
        }
}

/* For mappings whose keys are names. */
typedef void (*read_named_t)(Reader *r, const yaml_node_t *name, const char *text, const yaml_node_t *value);

static void read_named(Reader *r, const yaml_node_t *node, read_named_t read) {
        const yaml_node_t *name;
        const char *text;

        if (node->type != YAML_MAPPING_NODE) {
                problem(r, node, "expected %s", "names and values");
                return;
        }
        for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
                name = yaml_document_get_node(r->document, p->key);
                text = scalar(r, name, "a name");
                if (text[0])
                        read(r, name, text, yaml_document_get_node(r->document, p->value));
        }
}

static const char *const source_names[] = {"docker", "files", "journal", "metrics", "rtnetlink", "units"};

static void read_source_switch(
        Reader *r, const yaml_node_t *name, const char *text, const yaml_node_t *value) {
        Config *c = r->config;
        SourceSwitch *item = NULL;

        if (word_find(source_names, ELEMENTSOF(source_names), text_of(text)) < 0) {
                problem(r, name,
                        "no source is called \"%s\": there are docker, files, journal, metrics, rtnetlink, "
                        "units",
                        text);
                return;
        }

        for (size_t i = 0; i < c->n_sources; i++)
                if (strcmp(c->sources[i].name, text) == 0)
                        item = &c->sources[i];
        if (!item) {
                item = &c->sources[c->n_sources]; /* fewer names than places */
                *item = (SourceSwitch){.enabled = true};
                set_string(r, name, &item->name, text);
                if (!item->name)
                        return;
                c->n_sources++;
        }
        read_bool(r, value, &item->enabled);
}

static void read_sources(Reader *r, const yaml_node_t *value, void *target) {
        read_named(r, value, read_source_switch);
}

static void read_fix_override(
        Reader *r, const yaml_node_t *name, const char *text, const yaml_node_t *value) {
        Config *c = r->config;
        FixOverride *item = NULL;
        FixMode mode;

        if (!parse_mode(r, value, &mode))
                return;
        for (size_t i = 0; i < c->n_fixes; i++)
                if (strcmp(c->fixes[i].fix, text) == 0)
                        item = &c->fixes[i];
        if (!item) {
                if (c->n_fixes >= CONFIG_FIXES_MAX) {
                        problem(r, name, "too many fixes: no room for \"%s\"", text);
                        return;
                }
                item = &c->fixes[c->n_fixes];
                *item = (FixOverride){};
                set_string(r, name, &item->fix, text);
                if (!item->fix)
                        return;
                c->n_fixes++;
        }
        item->mode = mode;
}

static void read_fix_overrides(Reader *r, const yaml_node_t *value, void *target) {
        read_named(r, value, read_fix_override);
}

static const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static void read_days(Reader *r, const yaml_node_t *value, void *target) {
        uint8_t days = 0, day;
        const char *text;

        if (value->type != YAML_SEQUENCE_NODE) {
                problem(r, value, "expected %s", "a list of days such as [mon, tue]");
                return;
        }
        for (yaml_node_item_t *i = value->data.sequence.items.start; i < value->data.sequence.items.top;
                i++) {
                text = scalar(r, yaml_document_get_node(r->document, *i), "a day");
                day = 0;
                for (size_t d = 0; d < ELEMENTSOF(day_names); d++)
                        if (strcasecmp(day_names[d], text) == 0)
                                day = (uint8_t) (1U << d);
                if (!day)
                        problem(r, yaml_document_get_node(r->document, *i),
                                "\"%s\" is none of mon, tue, wed, thu, fri, sat, sun", text);
                days |= day;
        }
        *(uint8_t *) target = days;
}

static void read_time_of_day(Reader *r, const yaml_node_t *value, void *target) {
        const char *text = scalar(r, value, "a time of day such as \"02:30\"");
        unsigned hours, minutes;
        int end = 0;

        if (!text[0])
                return;
        if (sscanf(text, "%2u:%2u%n", &hours, &minutes, &end) != 2 || text[end] != '\0' || hours > 24 ||
                minutes > 59 || (hours == 24 && minutes > 0))
                problem(r, value, "\"%s\" is not a time of day such as \"02:30\"", text);
        else
                *(unsigned *) target = hours * 60 + minutes;
}

static void read_window(Reader *r, const yaml_node_t *node) {
        static const ConfigKey keys[] = {
                {"days", read_days, offsetof(FixWindow, days)},
                {"from", read_time_of_day, offsetof(FixWindow, begin_min)},
                {"to", read_time_of_day, offsetof(FixWindow, end_min)},
        };
        FixWindow window = {.days = 0x7f, .begin_min = UINT32_MAX, .end_min = UINT32_MAX};

        if (r->config->n_windows >= CONFIG_WINDOWS_MAX) {
                problem(r, node, "%s", "too many windows");
                return;
        }
        read_mapping(r, node, keys, ELEMENTSOF(keys), &window);
        if (window.begin_min == UINT32_MAX || window.end_min == UINT32_MAX) {
                problem(r, node, "%s", "a window needs `from` and `to`");
                return;
        }
        r->config->windows[r->config->n_windows++] = window;
}

static void read_windows(Reader *r, const yaml_node_t *value, void *target) {
        if (value->type != YAML_SEQUENCE_NODE) {
                problem(r, value, "expected %s", "a list of windows");
                return;
        }
        r->config->n_windows = 0;
        for (yaml_node_item_t *i = value->data.sequence.items.start; i < value->data.sequence.items.top; i++)
                read_window(r, yaml_document_get_node(r->document, *i));
}

static void clear_rules(Config *c) {
        for (size_t i = 0; c->rules[i]; i++) {
                free(c->rules[i]);
                c->rules[i] = NULL;
        }
}

static void read_rules(Reader *r, const yaml_node_t *value, void *target) {
        size_t n = 0;

        if (value->type != YAML_SEQUENCE_NODE) {
                problem(r, value, "expected %s", "a list of directories");
                return;
        }
        clear_rules(r->config);
        for (yaml_node_item_t *i = value->data.sequence.items.start; i < value->data.sequence.items.top;
                i++) {
                if (n >= CONFIG_RULES_DIRS_MAX) {
                        problem(r, value, "%s", "too many directories");
                        return;
                }
                read_path(r, yaml_document_get_node(r->document, *i), &r->config->rules[n]);
                if (r->config->rules[n])
                        n++;
        }
}

static void read_journal(Reader *r, const yaml_node_t *value, void *target) {
        static const ConfigKey keys[] = {
                {"directory", read_path, offsetof(Config, journal_directory)},
                {"namespace", read_string, offsetof(Config, journal_namespace)},
        };

        read_mapping(r, value, keys, ELEMENTSOF(keys), r->config);
}

static void read_docker(Reader *r, const yaml_node_t *value, void *target) {
        static const ConfigKey keys[] = {
                {"socket", read_path, offsetof(Config, docker_socket)},
                {"sweep_interval", read_duration, offsetof(Config, sweep_interval)},
        };

        read_mapping(r, value, keys, ELEMENTSOF(keys), r->config);
}

static void read_probes(Reader *r, const yaml_node_t *value, void *target) {
        static const ConfigKey keys[] = {
                {"active", read_bool, offsetof(Config, active_probes)},
                {"socket", read_path, offsetof(Config, probe_socket)},
        };

        read_mapping(r, value, keys, ELEMENTSOF(keys), r->config);
}

static void read_fixes(Reader *r, const yaml_node_t *value, void *target) {
        static const ConfigKey keys[] = {
                {"allow_container_data_loss", read_bool, offsetof(Config, allow_container_data_loss)},
                {"attempts", read_attempts, offsetof(Config, fix_attempts)},
                {"cooldown", read_duration, offsetof(Config, fix_cooldown)},
                {"mode", read_mode, offsetof(Config, fix_mode)},
                {"override", read_fix_overrides, 0},
                {"socket", read_path, offsetof(Config, fix_socket)},
                {"windows", read_windows, 0},
        };

        read_mapping(r, value, keys, ELEMENTSOF(keys), r->config);
}

static const ConfigKey top_keys[] = {
        {"docker", read_docker, 0},
        {"fixes", read_fixes, 0},
        {"journal", read_journal, 0},
        {"probes", read_probes, 0},
        {"rules", read_rules, 0},
        {"runtime_directory", read_path, offsetof(Config, runtime_directory)},
        {"sources", read_sources, 0},
        {"state_directory", read_path, offsetof(Config, state_directory)},
};

static void read_document(Reader *r, yaml_document_t *document) {
        yaml_node_t *root = yaml_document_get_root_node(document);
        bool is_empty = !root || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0);

        r->document = document;
        if (!is_empty)
                read_mapping(r, root, top_keys, ELEMENTSOF(top_keys), r->config);
}

int config_parse(Config *c, const char *path, Text yaml, ProblemList *problems) {
        Reader r = {.config = c, .path = path, .problems = problems};
        yaml_document_t document;
        yaml_parser_t parser;

        if (!yaml_parser_initialize(&parser))
                return -ENOMEM;
        yaml_parser_set_input_string(&parser, (const unsigned char *) yaml.data, yaml.len);
        if (yaml_parser_load(&parser, &document)) {
                read_document(&r, &document);
                yaml_document_delete(&document);
        } else {
                r.failed = true;
                (void) problem_list_add(problems, path, (unsigned) parser.problem_mark.line + 1,
                        (unsigned) parser.problem_mark.column + 1, "not YAML: %s",
                        parser.problem ? parser.problem : "out of memory");
        }
        yaml_parser_delete(&parser);
        return r.failed ? -EINVAL : 0;
}
