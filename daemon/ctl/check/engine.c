/* The container engine and how it is configured. */

#include <string.h>

#include "daemon/ctl/check/check.h"
#include "lib/event/json-field.h"

static int check_engine(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const json_t *version = f->device->parts[DEVICE_ENGINE_VERSION];
        const char *text = check_text(version, "Version");

        if (f->engine_error == -EACCES || f->engine_error == -EPERM)
                return check_skipped(a,
                        "the engine at %s may not be asked: not root and not in the group docker",
                        docker_api_socket());
        if (f->engine_error < 0)
                return check_error(a, "the container engine does not answer at %s: %s", docker_api_socket(),
                        strerror(-f->engine_error));
        return check_ok(a, "Docker %s answers at %s", text ? text : "engine", docker_api_socket());
}

/* A list in daemon.json is one way to have DNS, not the only one: what counts is that names resolve. */
static int check_dns(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const json_t *dns = json_object_get(check_engine_config(f), "dns");
        char host[UPSTREAM_HOST_MAX];
        const Fact *resolved;

        if (json_array_size(dns) > 0)
                return check_ok(a, "daemon.json names %zu DNS servers", json_array_size(dns));
        if (upstream_host(f->world, f->now, host) > 0) {
                resolved = world_fact(f->world, f->now, 0, "resolve:edgeAgent:%s", host);
                if (!resolved)
                        return -ENOMEM;
                if (fact_result_is(resolved, "ok"))
                        return check_ok(a,
                                "daemon.json names no DNS server, but %s resolves inside the modules' "
                                "network",
                                host);
        }
        return check_warning(a,
                "daemon.json names no DNS server (\"dns\"), so containers use the host's, and that it works "
                "is not known");
}

static int check_ipv6(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const json_t *wanted =
                json_field_at(check_document(f, CHECK_SUPER_CONFIG), "moby_runtime/network/ipv6");
        bool has = json_is_true(json_object_get(check_engine_config(f), "ipv6"));

        if (json_is_true(wanted) && !has)
                return check_error(
                        a, "config.toml wants an IPv6 network, daemon.json does not switch IPv6 on");
        if (!json_is_true(wanted) && has)
                return check_warning(
                        a, "daemon.json switches IPv6 on, config.toml (moby_runtime.network.ipv6) does not");
        return 0;
}

static int check_logrotate(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const json_t *config = check_engine_config(f);
        const char *driver = check_text(config, "log-driver");

        if (driver && (strcmp(driver, "journald") == 0 || strcmp(driver, "local") == 0))
                return check_ok(a, "the log driver %s limits what logs take", driver);
        if (check_text(config, "log-opts/max-size") && check_text(config, "log-opts/max-file"))
                return check_ok(a, "daemon.json limits what logs take");
        return check_warning(a,
                "nothing limits what containers' logs take: set \"log-driver\": \"local\", or \"log-opts\" "
                "with max-size and max-file, in daemon.json");
}

/* Whether a path is a mount's destination or below one. */
static bool is_mounted(const Container *c, const char *path) {
        for (size_t i = 0; i < c->n_mounts; i++) {
                size_t n = strlen(c->mounts[i]);

                if (strncmp(path, c->mounts[i], n) == 0 && (path[n] == '\0' || path[n] == '/'))
                        return true;
        }
        return false;
}

static int check_storage(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const Container *c = world_container(f->world, check->argument);
        const char *folder;

        if (!world_knows(f->world, EVENT_CONTAINER))
                return check_skipped(a, "the containers are not known");
        if (!c)
                return check_error(a, "there is no container %s", check->argument);
        folder = container_getenv(c, "StorageFolder");
        /* Without it the program stores below its temporary folder. */
        if (!folder || !folder[0])
                folder = "/tmp";
        if (is_mounted(c, folder))
                return check_ok(a, "%s of %s is kept outside the container", folder, check->argument);
        return check_warning(a,
                "%s of %s is inside the container: what it stores is lost when it is recreated", folder,
                check->argument);
}

static const Check checks[] = {
        {"container-engine-uri", "container engine is installed and functional", NULL, NULL, 0,
                check_engine},
        {"container-engine-dns", "DNS server", NULL, NULL, 0, check_dns},
        {"container-engine-ipv6", "IPv6 network configuration", NULL, NULL, 0, check_ipv6},
        {"container-engine-logrotate", "production readiness: logs policy", NULL, NULL, 0, check_logrotate},
        {"edge-agent-storage-mounted-from-host",
                "production readiness: Edge Agent's storage directory is persisted on the host filesystem",
                "container-engine-uri", "edgeAgent", 0, check_storage},
        {"edge-hub-storage-mounted-from-host",
                "production readiness: Edge Hub's storage directory is persisted on the host filesystem",
                "container-engine-uri", "edgeHub", 0, check_storage},
};

const CheckGroup check_group_engine = {"Container engine", checks, ELEMENTSOF(checks)};
