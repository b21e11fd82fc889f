/* What `iotedge check` does not look at: forwarding, translation, MTU, ports, restarts, memory, disk, queue.
 */

#include <string.h>

#include "daemon/ctl/check/check.h"
#include "lib/event/prometheus.h"
#include "lib/probes/way-out.h"

#define DEATHS_WARNING    2 /* in the last hour */
#define DEATHS_ERROR      5
#define DISK_WARNING_PCT  15 /* left */
#define DISK_ERROR_PCT    5
#define QUEUE_WARNING     1000 /* messages that wait for the hub */
#define DEFAULT_NETWORK   "azure-iot-edge"
#define MASQUERADE_OPTION "com.docker.network.bridge.enable_ip_masquerade"

static int check_forwarding(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        return check_by_probe(f, "forwarding-off", "host", a);
}

static const char *module_network(const CheckFacts *f) {
        const Container *agent = world_container(f->world, "edgeAgent");

        return agent && agent->n_networks > 0 ? agent->networks[0] : DEFAULT_NETWORK;
}

static int check_mtu(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        return check_by_probe(f, "network-mtu", module_network(f), a);
}

static int check_masquerade(const CheckFacts *f, CheckAnswer *a) {
        const char *name = module_network(f);
        json_t *network;
        size_t i;

        json_array_foreach (f->device->parts[DEVICE_NETWORKS], i, network) {
                const char *own = check_text(network, "Name");
                const char *masquerade = json_string_value(
                        json_object_get(json_object_get(network, "Options"), MASQUERADE_OPTION));

                if (own && strcmp(own, name) == 0 && masquerade && strcmp(masquerade, "false") == 0)
                        return check_error(a,
                                "the Docker network %s has %s=false: containers' addresses are not "
                                "translated",
                                name, MASQUERADE_OPTION);
        }
        return 0;
}

/* A connection to each port that the runtime may use. */
static int check_rules(const CheckFacts *f, CheckAnswer *a) {
        static const unsigned ports[] = {443, 5671, 8883};
        const Fact *rules = world_fact(f->world, f->now, 0, "firewall");
        int r = 0;

        if (!rules)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(ports); i++) {
                _cleanup_(freep) char *obstacle = NULL;

                r = way_out_obstacle(f->world, f->now, 0, ports[i], &obstacle);
                if (r > 0 && (!a->because || strcmp(a->because, obstacle) != 0))
                        r = check_error(a, "%s", obstacle);
        }
        if (r < 0 || a->because)
                return r;
        if (rules->state != FACT_KNOWN)
                return check_ok(a,
                        "nothing in Docker's configuration switches address translation off; the rules were "
                        "not read: %s",
                        rules->why ? rules->why : "nobody could ask");
        return check_ok(a,
                "the packet filter lets through and translates what the network %s sends, as far as its "
                "rules tell",
                module_network(f));
}

/* What switches the rules off, and the rules themselves. */
static int check_nat(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        static const struct {
                const char *key, *what;
        } switches[] = {
                {"iptables", "Docker writes no firewall and translation rules"},
                {"ip-masq", "containers' addresses are not translated"},
                {"ip-forward", "Docker does not switch forwarding on"},
        };
        const json_t *config = check_engine_config(f), *warnings;
        json_t *warning;
        size_t i;
        int r;

        FOREACH_ARRAY (s, switches, ELEMENTSOF(switches)) {
                if (!json_is_false(json_object_get(config, s->key)))
                        continue;
                r = check_warning(a, "daemon.json has \"%s\": false: %s", s->key, s->what);
                if (r < 0)
                        return r;
        }
        r = check_masquerade(f, a);
        warnings = json_object_get(f->device->parts[DEVICE_ENGINE_INFO], "Warnings");
        json_array_foreach (warnings, i, warning) {
                const char *text = json_string_value(warning);

                if (r >= 0 && text &&
                        (strstr(text, "IPv4 forwarding") || strstr(text, "bridge-nf-call-iptables")))
                        r = check_warning(a, "Docker says: %s", text);
        }
        if (r < 0 || a->because)
                return r;
        if (!f->device->parts[DEVICE_ENGINE_INFO])
                return check_skipped(a, "the engine cannot be asked");
        return check_rules(f, a);
}

typedef struct ContainerSearch {
        const CheckFacts *facts;
        CheckAnswer *answer;
        size_t n_seen;
        int error;
} ContainerSearch;

static int each_module(const CheckFacts *f, CheckAnswer *a, world_container_visit_t visit) {
        ContainerSearch search = {.facts = f, .answer = a};

        if (!world_knows(f->world, EVENT_CONTAINER))
                return check_skipped(a, "the containers are not known");
        world_each_container(f->world, visit, &search);
        if (search.error < 0)
                return search.error;
        return search.n_seen > 0 ? 0 : check_skipped(a, "there is no module");
}

/* Who else listens on the host's port. */
static const json_t *find_listener(const CheckFacts *f, uint16_t port) {
        json_t *listener;
        size_t i;

        json_array_foreach (f->device->parts[DEVICE_LISTENERS], i, listener)
                if (json_integer_value(json_object_get(listener, "port")) == port)
                        return listener;
        return NULL;
}

static int judge_port(ContainerSearch *s, const Container *c, uint16_t port) {
        const json_t *listener = find_listener(s->facts, port);
        const char *comm = check_text(listener, "comm"), *unit = check_text(listener, "unit");

        if (!listener)
                return 0;
        return check_error(s->answer, "port %u that %s wants is held by %s%s%s%s", (unsigned) port, c->name,
                comm ? comm : "a process that cannot be named", unit ? " (" : "", unit ? unit : "",
                unit ? ")" : "");
}

static bool visit_ports(void *userdata, const Container *c) {
        ContainerSearch *s = userdata;

        if (!container_is_owned(c))
                return true;
        s->n_seen++;
        if (container_is_running(c))
                return true;
        for (size_t i = 0; s->error >= 0 && i < c->n_ports; i++)
                if (c->ports[i].host_port > 0 && strcmp(c->ports[i].protocol, "tcp") == 0)
                        s->error = judge_port(s, c, c->ports[i].host_port);
        if (s->error >= 0 && c->error &&
                (strstr(c->error, "port is already allocated") ||
                        strstr(c->error, "address already in use")))
                s->error = check_error(s->answer, "%s did not start: %s", c->name, c->error);
        return s->error >= 0;
}

static int check_ports(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        return each_module(f, a, visit_ports);
}

static bool visit_restarts(void *userdata, const Container *c) {
        ContainerSearch *s = userdata;
        const json_t *activity = c->name ? json_object_get(s->facts->activity, c->name) : NULL;
        json_int_t deaths = json_integer_value(json_object_get(activity, "deaths"));
        json_int_t code = json_integer_value(json_object_get(activity, "exit_code"));

        if (!container_is_owned(c))
                return true;
        s->n_seen++;
        if (deaths >= DEATHS_ERROR)
                s->error =
                        check_error(s->answer, "%s ended %d times in the last hour, last with exit code %d",
                                c->name, (int) deaths, (int) code);
        else if (deaths >= DEATHS_WARNING)
                s->error = check_warning(s->answer,
                        "%s ended %d times in the last hour, last with exit code %d", c->name, (int) deaths,
                        (int) code);
        else if (!container_is_running(c) && c->exit_code > 0)
                s->error = check_warning(s->answer, "%s does not run: %s, exit code %d%s%s", c->name,
                        c->status ? c->status : "not known", c->exit_code,
                        c->error && c->error[0] ? ": " : "", c->error ? c->error : "");
        return s->error >= 0;
}

static int check_restarts(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        int r = each_module(f, a, visit_restarts);

        if (r < 0 || a->because)
                return r;
        return f->activity
                ? check_ok(a, "no module ended more than once in the last hour")
                : check_skipped(a, "every module runs; Docker's events of the last hour are not known");
}

static bool visit_oom(void *userdata, const Container *c) {
        ContainerSearch *s = userdata;
        const json_t *activity = c->name ? json_object_get(s->facts->activity, c->name) : NULL;
        json_int_t ooms = json_integer_value(json_object_get(activity, "ooms"));

        if (!container_is_owned(c))
                return true;
        s->n_seen++;
        if (c->oom_killed > 0 || ooms > 0)
                s->error = check_error(s->answer, "%s was out of memory%s", c->name,
                        c->memory_limit_bytes > 0 ? ": its create options limit it"
                                                  : "; it has no limit of its own");
        return s->error >= 0;
}

static int check_oom(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        return each_module(f, a, visit_oom);
}

static int judge_share(
        CheckAnswer *a, const char *path, const char *what, json_int_t free, json_int_t size) {
        json_int_t left;

        if (size <= 0)
                return 0;
        left = (json_int_t) ((double) free / (double) size * 100);
        if (left < DISK_ERROR_PCT)
                return check_error(a, "%s has %d %% of its %s left", path, (int) left, what);
        if (left < DISK_WARNING_PCT)
                return check_warning(a, "%s has %d %% of its %s left", path, (int) left, what);
        return 0;
}

static int check_disks(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        json_t *disk;
        size_t i;

        json_array_foreach (f->disks, i, disk) {
                const char *path = check_text(disk, "path");
                int r;

                if (!path)
                        continue;
                r = judge_share(a, path, "space", json_integer_value(json_object_get(disk, "free")),
                        json_integer_value(json_object_get(disk, "size")));
                if (r >= 0)
                        r = judge_share(a, path, "inodes",
                                json_integer_value(json_object_get(disk, "inodes_free")),
                                json_integer_value(json_object_get(disk, "inodes")));
                if (r < 0)
                        return r;
        }
        return json_array_size(f->disks) > 0 ? 0 : check_skipped(a, "no file system could be asked");
}

/* One scrape tells how long the queue is, not whether it grows. */
static int check_queue(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const Fact *fact = world_fact(f->world, f->now, 0, "metrics:edgeHub");
        double waiting = 0, dropped = 0;
        PrometheusSample sample;
        Text rest;

        if (!fact)
                return -ENOMEM;
        if (fact->state != FACT_KNOWN || !json_is_string(fact->value))
                return check_skipped(
                        a, "edgeHub's metrics are not known: %s", fact->why ? fact->why : "nobody answers");
        rest = (Text){json_string_value(fact->value), json_string_length(fact->value)};
        while (prometheus_next(&rest, &sample)) {
                if (text_is(sample.name, "edgehub_queue_length"))
                        waiting += sample.value;
                else if (text_is(sample.name, "edgehub_messages_dropped_total"))
                        dropped += sample.value;
        }
        if (dropped > 0) {
                int r = check_warning(a, "edgeHub has dropped %.0f messages since it started", dropped);
                if (r < 0)
                        return r;
        }
        if (waiting >= QUEUE_WARNING)
                return check_warning(a, "%.0f messages wait in edgeHub's queues", waiting);
        return a->because ? 0 : check_ok(a, "%.0f messages wait in edgeHub's queues", waiting);
}

/* Against what the kernel was told of a reference: no time server is asked. */
static int check_clock(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        char now[TIMESTAMP_MAX];

        if (!f->clock)
                return check_skipped(a, "the kernel does not tell whether its clock is synchronized");
        if (json_is_true(json_object_get(f->clock, "synchronized")))
                return check_ok(a, "the clock is synchronized with a reference, as the kernel knows");
        return check_warning(a,
                "nothing keeps the clock right, as far as the kernel knows; it says %s: tokens and "
                "certificates are refused when it is wrong",
                timestamp_format(f->now, now));
}

static int check_container_clock(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        return check_ok(a, "containers have no clock of their own: the kernel has one for all");
}

static const Check checks[] = {
        {"host-local-time", "host time is close to reference time", NULL, NULL, 0, check_clock},
        {"container-local-time", "container time is close to host time", NULL, NULL, 0,
                check_container_clock},
        {"ip-forward", "packets of containers are forwarded", NULL, NULL, 0, check_forwarding},
        {"nat-rules", "addresses of containers are translated", NULL, NULL, 0, check_nat},
        {"network-mtu", "the modules' network fits the uplink", "container-engine-uri", NULL, 0, check_mtu},
        {"port-owners", "the ports that modules publish are theirs", "container-engine-uri", NULL, 0,
                check_ports},
        {"restart-loops", "modules stay up", "container-engine-uri", NULL, 0, check_restarts},
        {"oom", "no module was out of memory", "container-engine-uri", NULL, 0, check_oom},
        {"disk-space", "file systems have room", NULL, NULL, 0, check_disks},
        {"queue", "edgeHub's queues are short", "container-engine-uri", NULL, 0, check_queue},
};

const CheckGroup check_group_device = {"Device", checks, ELEMENTSOF(checks)};
