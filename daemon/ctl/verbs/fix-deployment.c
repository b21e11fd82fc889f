/* fix plan --deployment: the remedy that lies in the deployment, as a patch of a manifest and as the
 * manifest after it. Nothing is sent anywhere: a person deploys it. */

#include <fcntl.h>
#include <string.h>

#include "daemon/base/atomic-file.h"
#include "daemon/ctl/client.h"
#include "daemon/ctl/incidents-text.h"
#include "daemon/ctl/replay-session.h"
#include "daemon/ctl/rule-directories.h"
#include "daemon/ctl/verbs/fix.h"
#include "lib/base/buffer.h"
#include "lib/base/printable.h"
#include "lib/fix/deployment.h"

#define VARIABLES_MAX 64

/* The values by which a template is filled in; the first of a name counts. Names are owned. */
typedef struct Values {
        Variable variables[VARIABLES_MAX];
        size_t n;
} Values;

static void values_done(Values *v) {
        FOREACH_ARRAY (one, v->variables, v->n) {
                free(one->name);
                free(one->value);
        }
}

static int values_add(Values *v, Text name, Text value) {
        Variable one;

        if (v->n == VARIABLES_MAX)
                return -E2BIG;
        one = (Variable){.name = text_dup(name), .value = text_dup(value)};
        if (!one.name || !one.value) {
                free(one.name);
                free(one.value);
                return -ENOMEM;
        }
        v->variables[v->n++] = one;
        return 0;
}

static int add_settings(Values *v, const Arguments *a) {
        for (size_t i = 0; i < a->n_settings; i++) {
                const char *equals = strchr(a->settings[i], '=');
                int r;

                if (!equals || equals == a->settings[i]) {
                        (void) fail(0, "--set %s: expected NAME=VALUE", a->settings[i]);
                        return -EINVAL;
                }
                r = values_add(
                        v, (Text){a->settings[i], (size_t) (equals - a->settings[i])}, text_of(equals + 1));
                if (r < 0) {
                        (void) fail(r, "Failed to take --set %s", a->settings[i]);
                        return r;
                }
        }
        return 0;
}

static bool is_default(const Rule *rule, const char *name, const char *value) {
        FOREACH_ARRAY (d, rule->defaults, rule->n_defaults)
                if (strcmp(d->name, name) == 0)
                        return strcmp(d->value, value) == 0;
        return false;
}

/* A default is a phrase for the message, "one of its ports": as a value it is not known. */
static int add_incident(Values *v, const Rule *rule, const json_t *incident) {
        json_t *variables = json_object_get(incident, "variables"), *value;
        const char *name, *subject = json_field_string(incident, "subject");
        int r = subject[0] ? values_add(v, TEXT_LITERAL("subject"), text_of(subject)) : 0;

        json_object_foreach (variables, name, value)
                if (r >= 0 && json_is_string(value) && !is_default(rule, name, json_string_value(value)))
                        r = values_add(v, text_of(name), text_of(json_string_value(value)));
        if (r < 0)
                (void) fail(r, "Failed to read the incident's values");
        return r;
}

static int ask_incident(const char *id, json_t **ret) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r = client_connect(&bus);

        return r < 0 ? r : client_call_json(bus, BUS_EVIDENCE_INTERFACE, "Describe", ret, NULL, "s", id);
}

static int read_manifest(const char *path, json_t **ret) {
        _cleanup_(freep) char *text = NULL;
        char error[DEPLOYMENT_ERROR_MAX];
        size_t len;
        int r = file_read_at(AT_FDCWD, path, DEPLOYMENT_MAX, &text, &len);

        if (r < 0) {
                (void) fail(r, "Failed to read the deployment \"%s\"", path);
                return r;
        }
        r = deployment_read((Text){text, len}, ret, error);
        if (r < 0)
                (void) fail(0, "%s:%s", path, error);
        return r;
}

static ExitCode write_manifest(const char *path, const DeploymentChange *change) {
        _cleanup_(freep) char *text = deployment_write(change->corrected, JSON_INDENT(2));
        _cleanup_(buffer_done) Buffer file = {};
        int r;

        (void) buffer_append_string(&file, text ? text : "");
        (void) buffer_append_string(&file, "\n");
        r = text ? file.error : -ENOMEM;
        if (r >= 0)
                r = atomic_file_write_path(path, buffer_text(&file), 0600); /* it may hold passwords */
        return r < 0 ? fail(r, "Failed to write \"%s\"", path) : EXIT_FINE;
}

static void print_value(const char *title, const json_t *value) {
        _cleanup_(freep) char *text = deployment_write(value, JSON_INDENT(2) | JSON_ENSURE_ASCII);

        printf("%s\n%s\n", title, text ? text : "(out of memory)");
}

static void print_printable(const char *before, const char *s, const char *after) {
        _cleanup_(freep) char *printable = printable_text(text_of(s), SIZE_MAX);

        printf("%s%s%s", before, printable ? printable : "(out of memory)", after);
}

static void print_remarks(const DeploymentChange *change) {
        json_t *item;
        size_t i;

        if (json_array_size(change->fill_in) > 0)
                printf("\nTo be filled in by you\n");
        json_array_foreach (change->fill_in, i, item) {
                print_printable("  ", json_field_string(item, "path"), ": ");
                print_printable("", json_field_string(item, "what"), "\n");
        }
        if (json_array_size(change->notes) > 0)
                printf("\nLeft as it is\n");
        json_array_foreach (change->notes, i, item)
                print_printable("  ", json_string_value(item), "\n");
}

static ExitCode print_text(const DeploymentChange *change, const Arguments *a) {
        if (json_array_size(change->patch) == 0)
                printf("Nothing to change: the deployment is as the remedy asks for.\n");
        else
                print_value("Patch (RFC 6902)", change->patch);
        print_remarks(change);
        if (json_array_size(change->patch) == 0)
                return EXIT_FINDINGS;
        if (change->is_layered)
                printf("\nThis is a layered deployment: only the patch is given.\n");
        else if (a->output)
                print_printable("\nThe corrected manifest is in ", a->output, "\n");
        else
                print_value("\nCorrected manifest", change->corrected);
        return EXIT_FINE;
}

static ExitCode print_change(const DeploymentChange *change, const Arguments *a) {
        bool changes = json_array_size(change->patch) > 0;
        json_t *object;
        _cleanup_(freep) char *text = NULL;

        if (!a->json)
                return print_text(change, a);
        object = json_pack("{s:b, s:O, s:O, s:O, s:O}", "layered", change->is_layered, "patch",
                change->patch, "fill_in", change->fill_in, "notes", change->notes, "manifest",
                changes && !change->is_layered ? change->corrected : json_null());
        text = object ? deployment_write(object, JSON_COMPACT) : NULL;
        json_decref(object);
        if (!text || puts(text) < 0)
                return fail(ENOMEM, "Failed to print the change");
        return changes ? EXIT_FINE : EXIT_FINDINGS;
}

static ExitCode change_manifest(
        const Rule *rule, const Values *values, const json_t *manifest, const Arguments *a) {
        _cleanup_(deployment_change_done) DeploymentChange change = {};
        char error[DEPLOYMENT_ERROR_MAX];
        json_t *template =
                rule_expand_json(rule, rule->remedy.deployment_patch, values->variables, values->n);
        int r = template ? deployment_change(manifest, template, &change, error) : -ENOMEM;

        json_decref(template);
        if (r == -ENODATA)
                return fail(0, "%s: %s; give it with --set NAME=VALUE", rule->id, error);
        if (r < 0)
                return template ? fail(0, "%s: %s", a->deployment, error)
                                : fail(r, "Failed to make the patch");
        if (a->output && change.is_layered)
                return fail(0, "%s: --output is of no use for a layered deployment, only the patch is given",
                        a->deployment);
        if (a->output && json_array_size(change.patch) > 0 &&
                write_manifest(a->output, &change) != EXIT_FINE)
                return EXIT_TROUBLE;
        return print_change(&change, a);
}

static ExitCode plan(const char *what, const json_t *incident, const Arguments *a) {
        _cleanup_(rule_set_freep) RuleSet *rules = NULL;
        _cleanup_(values_done) Values values = {};
        const Rule *rule;
        json_t *manifest;
        ExitCode code;

        if (rules_load(a, false, &rules, NULL) < 0)
                return EXIT_TROUBLE;
        rule = rule_set_find(rules, incident ? json_field_string(incident, "symptom") : what);
        if (!rule)
                return fail(0, "\"%s\" is neither an incident nor a symptom", what);
        if (!rule->remedy.deployment_patch)
                return fail(0, "The remedy of %s is not in the deployment; see `edgewatchctl explain %s`",
                        rule->id, what);
        if (add_settings(&values, a) < 0 || (incident && add_incident(&values, rule, incident) < 0) ||
                read_manifest(a->deployment, &manifest) < 0)
                return EXIT_TROUBLE;
        code = change_manifest(rule, &values, manifest, a);
        json_decref(manifest);
        return code;
}

static int replay_incident(const char *what, const Arguments *a, json_t **ret) {
        _cleanup_(replay_session_done) ReplaySession s = {};
        json_t *report;
        int r = replay_session_run(&s, a->recording, a);

        if (r < 0)
                return r;
        report = replay_session_report(&s);
        *ret = report ? incidents_find(report, what) : NULL;
        json_decref(report);
        if (*ret)
                return 0;
        (void) fail(report ? 0 : ENOMEM, "The recording \"%s\" has no incident \"%s\"", a->recording, what);
        return -ENOENT;
}

ExitCode fix_plan_deployment(const char *what, const Arguments *a) {
        json_t *incident = NULL;
        ExitCode code;

        if (a->recording ? replay_incident(what, a, &incident) < 0
                         : incident_is_id(what) && ask_incident(what, &incident) < 0)
                return EXIT_TROUBLE;
        code = plan(what, incident, a);
        json_decref(incident);
        return code;
}
