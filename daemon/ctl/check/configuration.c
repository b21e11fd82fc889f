/* Is the configuration well-formed, applied, and does it fit the device? */

#include <ctype.h>
#include <string.h>

#include "daemon/ctl/check/check.h"
#include "lib/event/json-field.h"

#define HOSTNAME_MAX 64 /* what a certificate's common name holds */
#define LABEL_MAX    63

/* The file that `iotedge config apply` makes for a daemon. */
#define GENERATED(daemon) "/etc/aziot/" daemon "/config.d/00-super.toml"

/* Answers by the file at this path; without one a->because stays NULL. */
static int judge_file(const CheckFacts *f, Text path, CheckAnswer *a) {
        const json_t *file = json_object_getn(f->files, path.data, path.len);
        const char *error = check_text(file, "error"), *problem = check_text(file, "problem");

        if (error)
                return check_skipped(a, "%.*s cannot be read: %s", (int) path.len, path.data, error);
        if (problem)
                return check_error(a, "%.*s:%s", (int) path.len, path.data, problem);
        return file ? check_ok(a, "%.*s is well-formed", (int) path.len, path.data) : 0;
}

static int check_well_formed(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        int r = judge_file(f, text_of(check->argument), a);

        if (r < 0 || a->because)
                return r;
        if (check_is_old_runtime(f))
                return check_skipped(a, "IoT Edge 1.0 and 1.1 have no %s", check->argument);
        /* tpmd has one only where a TPM is used; the others are made by the same command */
        if (strstr(check->argument, "tpmd"))
                return check_skipped(a, "%s is not there: no TPM is used", check->argument);
        return check_error(a, "%s is not there; `iotedge config apply` makes it of %s", check->argument,
                CHECK_SUPER_CONFIG);
}

/* What people write themselves, at one of the paths separated by blanks in check->argument. */
static int check_written_well(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        Text rest = text_of(check->argument);
        int r = 0;

        while (r >= 0 && !a->because && !text_is_empty(rest))
                r = judge_file(f, text_cut(&rest, ' '), a);
        if (r < 0 || a->because)
                return r;
        return check_skipped(a, "there is none of %s", check->argument);
}

/* Of the names separated by blanks in check->argument. */
static int check_up_to_date(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const json_t *super = json_object_get(f->files, CHECK_SUPER_CONFIG);
        const json_t *changed = json_object_get(super, "mtime");
        const char *path;
        json_t *file;

        if (!changed)
                return check_skipped(a, "%s is not there or cannot be read", CHECK_SUPER_CONFIG);
        json_object_foreach (f->files, path, file) {
                const json_t *made = json_object_get(file, "mtime");
                bool is_of_edged = strstr(path, "/edged/") != NULL;
                int r;

                if (!text_ends_with(text_of(path), "/00-super.toml") || !made ||
                        is_of_edged != (strcmp(check->argument, "edged") == 0))
                        continue;
                if (json_integer_value(made) >= json_integer_value(changed))
                        continue;
                r = check_warning(a,
                        "%s was changed after %s was made of it; apply it with `iotedge config apply`",
                        CHECK_SUPER_CONFIG, path);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const char *configured_hostname(const CheckFacts *f) {
        const char *name = check_text(check_document(f, GENERATED("identityd")), "hostname");

        if (!name)
                name = check_text(check_document(f, CHECK_SUPER_CONFIG), "hostname");
        return name ? name : check_text(check_document(f, CHECK_YAML_CONFIG), "hostname");
}

/* RFC 1035 as the runtime checks it: labels of letters, digits and inner hyphens. */
static bool is_host_name(const char *name) {
        Text rest = text_of(name);

        while (!text_is_empty(rest)) {
                Text label = text_cut(&rest, '.');

                if (label.len == 0 || label.len > LABEL_MAX || !isalpha((unsigned char) label.data[0]) ||
                        label.data[label.len - 1] == '-')
                        return false;
                for (size_t i = 0; i < label.len; i++)
                        if (!isalnum((unsigned char) label.data[i]) && label.data[i] != '-')
                                return false;
        }
        return name[0] != '\0';
}

static bool is_address(const char *name) {
        return strchr(name, ':') || name[strspn(name, "0123456789.")] == '\0';
}

static int judge_name(const char *key, const char *name, CheckAnswer *a) {
        if (strlen(name) > HOSTNAME_MAX)
                return check_warning(a, "%s \"%s\" has %zu characters; certificates hold at most %d", key,
                        name, strlen(name), HOSTNAME_MAX);
        if (!is_address(name) && !is_host_name(name))
                return check_warning(a,
                        "%s \"%s\" is no valid host name (letters, digits, hyphens; a label begins with a "
                        "letter)",
                        key, name);
        return 0;
}

static bool is_machine(const char *configured, const char *machine) {
        size_t n = strlen(machine);

        return strcasecmp(configured, machine) == 0 || is_address(configured) ||
                (strncasecmp(configured, machine, n) == 0 && configured[n] == '.');
}

static int check_hostname(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const char *configured = configured_hostname(f);
        const Fact *fact = world_fact(f->world, f->now, 0, "file:/proc/sys/kernel/hostname");
        char machine[256] = "";

        if (!fact)
                return -ENOMEM;
        if (!configured)
                return check_skipped(a, "the configured hostname is not known");
        if (fact->state == FACT_KNOWN && json_is_string(fact->value))
                (void) snprintf(machine, sizeof(machine), "%.*s",
                        (int) strcspn(json_string_value(fact->value), "\n"), json_string_value(fact->value));
        if (machine[0] && !is_machine(configured, machine))
                return check_error(
                        a, "the configured hostname is \"%s\", the device's is \"%s\"", configured, machine);
        return judge_name("hostname", configured, a);
}

static const char *parent_of(const CheckFacts *f) {
        const char *name = check_text(check_document(f, CHECK_SUPER_CONFIG), "parent_hostname");

        if (!name)
                name = check_text(
                        check_document(f, GENERATED("identityd")), "provisioning/local_gateway_hostname");
        return name ? name : check_text(check_document(f, CHECK_YAML_CONFIG), "parent_hostname");
}

static int check_parent_hostname(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const char *parent = parent_of(f);

        return parent ? judge_name("parent_hostname", parent, a) : check_ok(a, "there is no parent");
}

static int check_management_uri(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        static const char *const keys[] = {"management_uri", "workload_uri"};
        const json_t *config =
                check_document(f, check_is_old_runtime(f) ? CHECK_YAML_CONFIG : GENERATED("edged"));

        if (!config)
                config = check_document(f, CHECK_SUPER_CONFIG);
        if (!config)
                return check_skipped(a, "the configuration cannot be read");
        FOREACH_ARRAY (key, keys, ELEMENTSOF(keys)) {
                const char *listen = check_text(json_object_get(config, "listen"), *key);
                const char *connect = check_text(json_object_get(config, "connect"), *key);
                bool is_unix = listen &&
                        (text_starts_with(text_of(listen), "unix:") ||
                                text_starts_with(text_of(listen), "fd:"));
                int r;

                if (!listen || !connect || is_unix == text_starts_with(text_of(connect), "unix:"))
                        continue;
                r = check_error(a, "connect.%s is %s, but listen.%s is %s", *key, connect, *key, listen);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const char *proxy_of_unit(const CheckFacts *f, const char *unit, char *buffer, size_t size) {
        const char *environment = json_string_value(json_object_get(f->unit_environment, unit)), *found;

        found = environment ? strcasestr(environment, "https_proxy=") : NULL;
        if (!found)
                return NULL;
        found += strlen("https_proxy=");
        (void) snprintf(buffer, size, "%.*s", (int) strcspn(found, " \n"), found);
        return buffer;
}

/* The text without what stands before '@'. */
static const char *without_user(const char *url) {
        const char *at = url ? strrchr(url, '@') : NULL;

        return at ? at + 1 : url ? url : "none";
}

static int check_proxies(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        static const char *const units[] = {
                "aziot-edged.service", "aziot-identityd.service", "docker.service"};
        const json_t *env = json_field_at(check_document(f, CHECK_SUPER_CONFIG), "agent/env");
        const char *wanted = check_text(env, "https_proxy");

        if (!f->unit_environment)
                return check_skipped(a, "the units' environment is not known: systemd cannot be asked");
        if (!wanted)
                wanted = check_text(env, "HTTPS_PROXY");
        FOREACH_ARRAY (unit, units, ELEMENTSOF(units)) {
                char buffer[512];
                const char *has = proxy_of_unit(f, *unit, buffer, sizeof(buffer));
                int r;

                if (!has && !wanted)
                        continue;
                if (has && wanted && strcmp(has, wanted) == 0)
                        continue;
                r = check_warning(a, "https_proxy of %s is %s, that of edgeAgent ([agent.env]) is %s", *unit,
                        without_user(has), without_user(wanted));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_est(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const json_t *urls = json_field_at(check_document(f, GENERATED("certd")), "cert_issuance/est/urls");
        const char *name;
        json_t *url;

        if (!urls)
                urls = json_field_at(check_document(f, CHECK_SUPER_CONFIG), "cert_issuance/est/urls");
        if (!urls)
                return check_ok(a, "no EST server is configured");
        json_object_foreach ((json_t *) urls, name, url) {
                int r;

                if (text_starts_with(json_text(url), "https://"))
                        continue;
                r = check_error(a, "the EST server \"%s\" is not asked by https", name);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Of what `iotedge check` asks the internet; told rather than left out. */
static int check_in_internet(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        return check_skipped(a, "%s only the internet can tell, which is not asked; `iotedge check` does",
                check->argument);
}

static const Check checks[] = {
        {"aziot-version", "aziot-identity-service package is up-to-date", NULL,
                "which version is the latest", 0, check_in_internet},
        {"aziot-edge-version", "aziot-edge package is up-to-date", NULL, "which version is the latest", 0,
                check_in_internet},
        {"check-agent-image", "Agent image is valid and can be pulled from upstream", NULL,
                "whether its registry has the image", 0, check_in_internet},
        {"config-well-formed", "the runtime's configuration is well-formed", NULL,
                CHECK_SUPER_CONFIG " " CHECK_YAML_CONFIG, 0, check_written_well},
        {"engine-config-well-formed", "the engine's daemon.json is well-formed", NULL, CHECK_ENGINE_CONFIGS,
                0, check_written_well},
        {"keyd-config-well-formed", "keyd configuration is well-formed", NULL, GENERATED("keyd"), 0,
                check_well_formed},
        {"certd-config-well-formed", "certd configuration is well-formed", NULL, GENERATED("certd"), 0,
                check_well_formed},
        {"tpmd-config-well-formed", "tpmd configuration is well-formed", NULL, GENERATED("tpmd"), 0,
                check_well_formed},
        {"identityd-config-well-formed", "identityd configuration is well-formed", NULL,
                GENERATED("identityd"), 0, check_well_formed},
        {"aziot-edged-config-well-formed", "aziot-edged configuration is well-formed", NULL,
                GENERATED("edged"), 0, check_well_formed},
        {"configs-up-to-date", "daemon configurations up-to-date with config.toml", NULL, "identity", 0,
                check_up_to_date},
        {"config-up-to-date", "configuration up-to-date with config.toml", NULL, "edged", 0,
                check_up_to_date},
        {"hostname", "the configured hostname is valid and the device's", NULL, NULL, 0, check_hostname},
        {"parent_hostname", "configuration has correct parent_hostname", NULL, NULL, 0,
                check_parent_hostname},
        {"connect-management-uri", "configuration has correct URIs for daemon mgmt endpoint",
                "aziot-edged-config-well-formed", NULL, 0, check_management_uri},
        {"est-server-https", "all EST server URLs utilize HTTPS", NULL, NULL, 0, check_est},
        {"proxy-settings",
                "proxy settings are consistent in aziot-edged, aziot-identityd, moby daemon and config.toml",
                NULL, NULL, 0, check_proxies},
};

const CheckGroup check_group_configuration = {"Configuration", checks, ELEMENTSOF(checks)};
