/* The probes that ask the runtime, its upstream and its modules, as truth tables: what is known, and the
 * verdict. All is JSON with ' for ". */

#include <stdio.h>

#include "lib/probes/probe.h"

#include "tests/unit/unit.h"

#define NOW (2000 * USEC_PER_HOUR)

typedef struct Pair {
        const char *name, *value;
} Pair;

typedef struct Case {
        const char *probe, *subject;
        Pair variables[2];
        Pair facts[6];                 /* key, JSON */
        Pair units[2];                 /* name, properties */
        Pair modules[2];               /* name, last action */
        double queue[4], send_seconds; /* scrapes of edgeHub, 20 minutes apart */
        Verdict verdict;
        const char *because; /* a part of it */
} Case;

#define HUB_CONFIG                                                                                          \
        { "runtime-config", "{'iothub_hostname':'hub.example'}" }
#define FORWARDS                                                                                            \
        { "file:/proc/sys/net/ipv4/ip_forward", "'1'" }
#define CHILD_CONFIG                                                                                        \
        { "runtime-config", "{'parent_hostname':'gw.example'}" }
#define ANSWER(question, result)                                                                            \
        { question, "{'result':'" result "'}" }
#define RESOLVES(from, host, result) ANSWER("resolve:" from ":" host, result)
#define CONNECTS(from, port, result) ANSWER("connect:" from ":hub.example:" port, result)
#define TCP_INFO(connections)                                                                               \
        { "tcp-info:edgeHub", "{'result':'ok','connections':[" connections "]}" }
#define MGMT       "aziot-edged.mgmt.socket"
#define WORKLOAD   "aziot-edged.workload.socket"
#define LETTERS_64 "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"

static const Case cases[] = {
        {"agent-port", "edgeAgent", .verdict = VERDICT_UNKNOWN, .because = "which host"},
        {"agent-port", "edgeAgent",
                .facts = {HUB_CONFIG, CONNECTS("edgeAgent", "5671", "timeout"),
                        CONNECTS("edgeAgent", "443", "ok")},
                .verdict = VERDICT_CONFIRMS, .because = "443 is open"},
        {"agent-port", "edgeAgent",
                .facts = {HUB_CONFIG, CONNECTS("edgeAgent", "5671", "refused"),
                        CONNECTS("edgeAgent", "443", "refused")},
                .verdict = VERDICT_CONFIRMS, .because = "closed too"},
        {"agent-port", "edgeAgent",
                .facts = {{"runtime-config", "{'parent_hostname':'hub.example'}"},
                        CONNECTS("edgeAgent", "5671", "timeout"), CONNECTS("edgeAgent", "443", "timeout")},
                .verdict = VERDICT_REFUTES, .because = "the parent hub.example"},
        {"agent-port", "edgeAgent",
                .facts = {{"runtime-config", "{'parent_hostname':'hub.example'}"},
                        CONNECTS("edgeAgent", "5671", "timeout"), CONNECTS("edgeAgent", "443", "ok")},
                .verdict = VERDICT_CONFIRMS, .because = "443 is open"},
        {"agent-port", "edgeAgent", .facts = {HUB_CONFIG, FORWARDS, CONNECTS("edgeHub", "5671", "timeout")},
                .verdict = VERDICT_CONFIRMS, .because = "not known"},
        {"agent-port", "edgeAgent", .facts = {HUB_CONFIG, CONNECTS("edgeAgent", "5671", "timeout")},
                .verdict = VERDICT_UNKNOWN, .because = "forwarded"},
        {"agent-port", "edgeAgent", .facts = {HUB_CONFIG, CONNECTS("host", "5671", "timeout")},
                .verdict = VERDICT_CONFIRMS, .because = "from host"},
        {"agent-port", "edgeAgent", .facts = {HUB_CONFIG, CONNECTS("host", "5671", "ok")},
                .verdict = VERDICT_UNKNOWN},
        {"agent-port", "edgeAgent",
                .facts = {HUB_CONFIG, CONNECTS("edgeAgent", "5671", "ok"),
                        CONNECTS("host", "5671", "timeout")},
                .verdict = VERDICT_REFUTES},
        /* the ladder's last step */
        {"agent-port", "edgeAgent",
                .facts = {HUB_CONFIG, CONNECTS("edgeAgent", "5671", "ok"),
                        {"tls:edgeAgent:hub.example:5671",
                                "{'result':'error','not_before':'2024-01-01T00:00:00Z','not_after':"
                                "'2025-01-01T00:00:00Z'}"}},
                .verdict = VERDICT_REFUTES, .because = "the clock is behind"},
        {"agent-port", "edgeAgent",
                .facts = {HUB_CONFIG, CONNECTS("edgeAgent", "5671", "ok"),
                        {"tls:edgeAgent:hub.example:5671",
                                "{'result':'error','not_before':'2024-01-01T00:00:00Z','not_after':"
                                "'2025-01-01T00:00:00Z','clock':'2026-01-01T00:00:00Z'}"}},
                .verdict = VERDICT_REFUTES, .because = "was valid until 2025-01-01T00:00:00"},
        {"agent-port", "edgeAgent",
                .facts = {HUB_CONFIG, CONNECTS("edgeAgent", "5671", "ok"),
                        {"tls:edgeAgent:hub.example:5671",
                                "{'result':'error','not_before':'2024-01-01T00:00:00Z','not_after':"
                                "'2025-01-01T00:00:00Z','clock':'2024-06-01T00:00:00Z'}"}},
                .verdict = VERDICT_REFUTES, .because = "edgeAgent's network"},
        {"agent-port", "edgeAgent",
                .facts = {{"runtime-config",
                                  "{'iothub_hostname':'hub.example','agent':{'UpstreamProtocol':'Mqtt'}}"},
                        FORWARDS, CONNECTS("edgeAgent", "8883", "timeout")},
                .verdict = VERDICT_CONFIRMS, .because = "8883"},
        {"agent-port", "edgeAgent",
                .facts = {HUB_CONFIG, RESOLVES("edgeAgent", "hub.example", "timeout"),
                        RESOLVES("host", "hub.example", "ok"), CONNECTS("edgeAgent", "5671", "timeout")},
                .verdict = VERDICT_UNKNOWN, .because = "does not resolve"},
        {"agent-port", "edgeAgent",
                .facts = {HUB_CONFIG, RESOLVES("edgeAgent", "hub.example", "timeout"),
                        RESOLVES("host", "hub.example", "timeout")},
                .verdict = VERDICT_REFUTES},
        {"agent-port", "edgeAgent",
                .facts = {HUB_CONFIG, {"file:/proc/sys/net/ipv4/ip_forward", "'0'"},
                        CONNECTS("edgeAgent", "5671", "timeout")},
                .verdict = VERDICT_UNKNOWN, .because = "forwarding is off"},

        {"container-dns", "edgeAgent",
                .facts = {HUB_CONFIG, RESOLVES("edgeAgent", "hub.example", "timeout"),
                        RESOLVES("host", "hub.example", "ok")},
                .verdict = VERDICT_CONFIRMS, .because = "hub.example"},
        {"container-dns", "edgeAgent", .facts = {HUB_CONFIG, RESOLVES("edgeAgent", "hub.example", "ok")},
                .verdict = VERDICT_REFUTES},
        {"container-dns", "edgeAgent",
                .facts = {HUB_CONFIG, RESOLVES("host", "hub.example", "no-such-host")},
                .verdict = VERDICT_REFUTES, .because = "itself"},
        /* both fail: it is the host's fault, and the containers' only by it */
        {"container-dns", "edgeAgent",
                .facts = {HUB_CONFIG, RESOLVES("edgeAgent", "hub.example", "timeout"),
                        RESOLVES("host", "hub.example", "timeout")},
                .verdict = VERDICT_REFUTES, .because = "the host's own DNS fails: hub.example"},
        {"container-dns", "edgeAgent",
                .facts = {HUB_CONFIG, RESOLVES("edgeAgent", "hub.example", "timeout")},
                .verdict = VERDICT_UNKNOWN},
        {"container-dns", "edgeAgent", {{"host", "told.example"}},
                .facts = {RESOLVES("edgeAgent", "told.example", "timeout"),
                        RESOLVES("host", "told.example", "ok")},
                .verdict = VERDICT_CONFIRMS, .because = "told.example"},
        {"container-dns", "edgeAgent",
                .facts = {{"file:/etc/docker/daemon.json", "'{}'"},
                        {"file:/etc/resolv.conf", "'nameserver fe80::1%eth0\\n'"}},
                .verdict = VERDICT_CONFIRMS, .because = "fe80::1"},
        /* the engine asks a loopback resolver from the host's namespace */
        {"container-dns", "edgeAgent",
                .facts = {{"file:/etc/docker/daemon.json", "'{}'"},
                        {"file:/etc/resolv.conf", "'nameserver 127.0.0.53\\n'"}},
                .verdict = VERDICT_UNKNOWN},
        {"container-dns", "edgeAgent",
                .facts = {{"file:/etc/docker/daemon.json", "'{\\\"dns\\\":[\\\"10.0.0.1\\\"]}'"},
                        {"file:/etc/resolv.conf", "'nameserver fe80::1%eth0\\n'"}},
                .verdict = VERDICT_UNKNOWN},

        {"parent-reachable", "gw.example", .facts = {HUB_CONFIG}, .verdict = VERDICT_REFUTES,
                .because = "no parent"},
        {"parent-reachable", "gw.example", .verdict = VERDICT_UNKNOWN},
        {"parent-reachable", "gw.example",
                .facts = {CHILD_CONFIG, RESOLVES("host", "gw.example", "no-such-host")},
                .verdict = VERDICT_CONFIRMS, .because = "does not resolve"},
        {"parent-reachable", "gw.example",
                .facts = {CHILD_CONFIG, RESOLVES("host", "gw.example", "ok"),
                        ANSWER("connect:host:gw.example:443", "refused")},
                .verdict = VERDICT_CONFIRMS, .because = "443"},
        {"parent-reachable", "gw.example",
                .facts = {CHILD_CONFIG, ANSWER("connect:host:gw.example:443", "ok")},
                .verdict = VERDICT_REFUTES},
        {"parent-reachable", "gw.example",
                .facts = {CHILD_CONFIG, ANSWER("connect:host:gw.example:443", "ok"),
                        ANSWER("tls:host:gw.example:443", "error")},
                .verdict = VERDICT_REFUTES, .because = "trust"},
        {"parent-reachable", "gw.example",
                .facts = {CHILD_CONFIG, {"file:/proc/sys/net/ipv4/ip_forward", "'0'"},
                        ANSWER("connect:host:gw.example:443", "ok"),
                        ANSWER("connect:edgeAgent:gw.example:443", "timeout")},
                .verdict = VERDICT_REFUTES},

        {"parent-reachable", "gw.example",
                .facts = {CHILD_CONFIG, ANSWER("connect:host:gw.example:443", "ok"),
                        {"tls:host:gw.example:443",
                                "{'result':'error','not_before':'2024-01-01T00:00:00Z'}"}},
                .verdict = VERDICT_REFUTES, .because = "the clock is behind"},
        {"hub-migration", "child1",
                .facts = {HUB_CONFIG,
                        {"tls:host:hub.example:443",
                                "{'result':'error','not_before':'2024-01-01T00:00:00Z'}"}},
                .verdict = VERDICT_REFUTES, .because = "judged by a wrong clock"},

        {"daemon-sockets", "aziot-edged.service", .verdict = VERDICT_UNKNOWN},
        {"daemon-sockets", "aziot-edged.service",
                .units = {{MGMT, "{'ActiveState':'active','UnitFileState':'enabled'}"},
                        {WORKLOAD, "{'ActiveState':'inactive','UnitFileState':'disabled'}"}},
                .verdict = VERDICT_CONFIRMS, .because = WORKLOAD},
        {"daemon-sockets", "aziot-edged.service",
                .units = {{MGMT, "{'ActiveState':'active','UnitFileState':'enabled'}"},
                        {WORKLOAD, "{'ActiveState':'active','UnitFileState':'enabled'}"}},
                .verdict = VERDICT_REFUTES},
        {"daemon-sockets", "iotedge.service",
                .facts = {{"runtime-config",
                        "{'listen':{'management_uri':'unix:///var/run/iotedge/mgmt.sock'}}"}},
                .verdict = VERDICT_CONFIRMS, .because = "mgmt.sock"},
        {"daemon-sockets", "aziot-edged.service",
                .facts = {{"runtime-config",
                        "{'listen':{'management_uri':'fd://aziot-edged.mgmt.socket'}}"}},
                .verdict = VERDICT_UNKNOWN},

        {"hostname-length", "h", .verdict = VERDICT_UNKNOWN},
        {"hostname-length", "h", .facts = {{"runtime-config", "{'hostname':'" LETTERS_64 "'}"}},
                .verdict = VERDICT_REFUTES, .because = "64"},
        {"hostname-length", "h", .facts = {{"runtime-config", "{'hostname':'" LETTERS_64 "e'}"}},
                .verdict = VERDICT_CONFIRMS, .because = "65"},
        {"hostname-length", "h", .facts = {{"runtime-config", "{'hostname':''}"}},
                .verdict = VERDICT_CONFIRMS, .because = "empty"},
        {"hostname-length", "h", .facts = {{"file:/etc/hostname", "'dev1\\n'"}}, .verdict = VERDICT_REFUTES,
                .because = "4 characters"},

        {"hub-migration", "child1", {{"child_hub", "old.example"}, {"own_hub", "new.example"}},
                .verdict = VERDICT_CONFIRMS, .because = "old.example"},
        {"hub-migration", "child1", {{"child_hub", "Same.example"}, {"own_hub", "same.example"}},
                .verdict = VERDICT_UNKNOWN},
        {"hub-migration", "child1", {{"changed", "yes"}}, .verdict = VERDICT_CONFIRMS},
        {"hub-migration", "child1",
                .facts = {HUB_CONFIG,
                        {"file:/var/lib/aziot/identityd/device_info", "'x.azure-devices.net'"}},
                .verdict = VERDICT_CONFIRMS, .because = "another hub"},

        {"identity-driver", "aziot-identityd", .verdict = VERDICT_UNKNOWN},
        {"identity-driver", "aziot-identityd", {{"failing_image", "reg/x:1"}}, .verdict = VERDICT_CONFIRMS,
                .because = "reg/x:1"},
        {"identity-driver", "aziot-identityd", {{"hub_error", "timed out"}}, .verdict = VERDICT_CONFIRMS,
                .because = "timed out"},

        {"module-absent", "filter", {{"to", "8"}}, .verdict = VERDICT_CONFIRMS, .because = "deployment 8"},
        {"module-absent", "filter", .modules = {{"filter", "start"}}, .verdict = VERDICT_REFUTES},
        {"module-absent", "filter", .modules = {{"filter", "destroy"}, {"edgeAgent", "die"}},
                .verdict = VERDICT_UNKNOWN, .because = "edgeAgent itself"},

        {"module-down", "filter", .verdict = VERDICT_UNKNOWN},
        {"module-down", "filter", .modules = {{"filter", "die"}, {"edgeAgent", "start"}},
                .verdict = VERDICT_CONFIRMS},
        {"module-down", "filter", .modules = {{"filter", "die"}}, .verdict = VERDICT_UNKNOWN,
                .because = "nothing is known of edgeAgent"},
        {"module-down", "filter", .modules = {{"filter", "start"}}, .verdict = VERDICT_REFUTES},
        {"module-down", "filter", .modules = {{"filter", "die"}, {"edgeAgent", "die"}},
                .verdict = VERDICT_UNKNOWN},
        {"module-given-up", "filter", .modules = {{"filter", "die"}}, .verdict = VERDICT_UNKNOWN},
        {"module-forgotten", "filter", .modules = {{"filter", "die"}}, .verdict = VERDICT_CONFIRMS},
        {"module-forgotten", "filter", {{"command", "Start"}}, .verdict = VERDICT_CONFIRMS},
        {"module-forgotten", "filter", {{"command", "Stop"}}, .verdict = VERDICT_REFUTES,
                .because = "on purpose"},
        {"module-forgotten", "filter", {{"gave_up", "Giving up"}}, .verdict = VERDICT_REFUTES},
        {"module-given-up", "filter", {{"exit_code", "1"}},
                .modules = {{"filter", "die"}, {"edgeAgent", "start"}}, .verdict = VERDICT_CONFIRMS},
        {"module-given-up", "filter", {{"gave_up", "Giving up"}}, .verdict = VERDICT_CONFIRMS},

        {"queue-growth", "edgeHub", {{"ttl", "7200"}}, .verdict = VERDICT_REFUTES, .because = "longer than"},
        {"queue-growth", "edgeHub", {{"ttl", "300"}}, .verdict = VERDICT_UNKNOWN},
        {"queue-growth", "edgeHub", {{"ttl", "300"}}, .modules = {{"edgeHub", "running"}},
                .queue = {10, 20, 30, 40}, .verdict = VERDICT_CONFIRMS, .because = "from 20 to 40"},
        /* the interval is of the container's environment */
        {"queue-growth", "edgeHub", {{"ttl", "300"}}, .modules = {{"edgeHub", "start"}},
                .queue = {10, 20, 30, 40}, .verdict = VERDICT_UNKNOWN, .because = "how often"},
        {"queue-growth", "edgeHub", {{"ttl", "300"}}, .queue = {10, 20, 40, 15}, .verdict = VERDICT_REFUTES,
                .because = "falling"},
        {"queue-growth", "edgeHub", {{"ttl", "300"}}, .queue = {10, 10, 10, 10}, .verdict = VERDICT_REFUTES},

        {"upstream-latency", "edgeHub", .verdict = VERDICT_UNKNOWN},
        {"upstream-latency", "edgeHub", {{"batch", "50"}}, .queue = {1, 2, 3, 4}, .send_seconds = 0.3,
                .verdict = VERDICT_REFUTES, .because = "already 50"},
        {"upstream-latency", "edgeHub", {{"throttled", "429"}}, .queue = {1, 2, 3, 4}, .send_seconds = 0.3,
                .verdict = VERDICT_REFUTES, .because = "throttles"},
        {"upstream-latency", "edgeHub", .queue = {100, 200, 300, 400}, .send_seconds = 0.05,
                .facts = {TCP_INFO(
                        "{'peer':'192.0.2.9','port':5671,'rtt_us':182000,'retransmitted':3,'sent':9000}")},
                .verdict = VERDICT_CONFIRMS, .because = "takes 182 ms"},
        {"upstream-latency", "edgeHub", .queue = {100, 200, 300, 400}, .send_seconds = 0.05,
                .facts = {TCP_INFO(
                        "{'peer':'192.0.2.9','port':5671,'rtt_us':22000,'retransmitted':3,'sent':9000},"
                        "{'peer':'192.0.2.8','port':443,'rtt_us':300000,'retransmitted':0,'sent':9}")},
                .verdict = VERDICT_REFUTES, .because = "only 50 ms"},
        {"upstream-latency", "edgeHub", .queue = {100, 200, 300, 400}, .send_seconds = 0.4,
                .facts = {TCP_INFO(
                        "{'peer':'192.0.2.9','port':8883,'rtt_us':182000,'retransmitted':900,'sent':9000}")},
                .verdict = VERDICT_REFUTES, .because = "900 of 9000 segments"},
        {"upstream-latency", "edgeHub", .queue = {100, 200, 300, 400}, .send_seconds = 0.4,
                .facts = {TCP_INFO(
                        "{'peer':'192.0.2.9','port':8883,'rtt_us':182000,'retransmitted':9,'sent':90}")},
                .verdict = VERDICT_CONFIRMS, .because = "takes 400 ms"},
        {"upstream-latency", "edgeHub",
                .facts = {{"metrics:edgeAgent",
                        "'edgeAgent_used_cpu_percent{module_name=\\\"host\\\"} 97\\n'"}},
                .queue = {1, 2, 3, 4}, .send_seconds = 0.3, .verdict = VERDICT_REFUTES, .because = "busy"},
};

/* JSON with ' for ". */
static json_t *loads(const char *text) {
        char copy[1024];
        json_t *value;

        ck_assert_uint_lt(strlen(text), sizeof(copy));
        for (size_t i = 0; i <= strlen(text); i++)
                copy[i] = text[i];
        for (char *c = copy; *c; c++)
                if (*c == '\'')
                        *c = '"';
        value = json_loads(copy, JSON_DECODE_ANY, NULL);
        ck_assert_msg(value, "%s", copy);
        return value;
}

static int fetch(void *userdata, World *w, const char *key, usec_t now) {
        const Case *c = userdata;

        FOREACH_ARRAY (f, c->facts, ELEMENTSOF(c->facts))
                if (f->name && strcmp(f->name, key) == 0)
                        return world_set_fact(w, key, loads(f->value), now);
        return world_set_unknown(w, key, "this is a test", now);
}

static void tell_state(World *w, const Case *c) {
        FOREACH_ARRAY (u, c->units, ELEMENTSOF(c->units)) {
                Event event = {.kind = EVENT_UNIT, .time = NOW};
                json_t *properties = u->name ? loads(u->value) : NULL;

                if (!u->name)
                        continue;
                ck_assert_int_eq(unit_state_from_json(u->name, properties, &event.unit), 0);
                json_decref(properties);
                ck_assert_int_eq(world_apply(w, &event), 0);
        }
        FOREACH_ARRAY (m, c->modules, ELEMENTSOF(c->modules)) {
                char id[65] = "";
                Event event = {.kind = EVENT_CONTAINER, .time = NOW - USEC_PER_HOUR};

                _cleanup_(container_unrefp) Container *object = NULL;

                if (!m->name)
                        continue;
                memset(id, m->name[0], 64);
                event.container = (ContainerChange){text_of(m->value), text_of(id), text_of(m->name),
                        .owned = true, .exit_code = 1, .signal = -1};
                if (strcmp(m->value, "running") == 0) {
                        json_t *inspected = json_pack("{s:s, s:s, s:{s:s}}", "Id", id, "Name", m->name,
                                "State", "Status", m->value);

                        ck_assert_int_eq(container_from_json(inspected, &object), 0);
                        json_decref(inspected);
                        event.container.object = object;
                }
                ck_assert_int_eq(world_apply(w, &event), 0);
        }
}

static void tell_metrics(World *w, const Case *c) {
        for (size_t i = 0; i < ELEMENTSOF(c->queue) && c->queue[0] > 0; i++) {
                char text[256];
                Event event = {.kind = EVENT_METRICS,
                        .time = NOW - (4 - i) * 9 * USEC_PER_MIN * (c->send_seconds > 0 ? 1 : 3)};

                (void) snprintf(text, sizeof(text),
                        "edgehub_queue_length{endpoint=\"iothub\"} %g\n"
                        "edgehub_message_send_duration_seconds{to=\"upstream\",quantile=\"0.5\"} %g\n",
                        c->queue[i], c->send_seconds);
                event.metrics = (MetricsSample){TEXT_LITERAL("edgeHub"), text_of(text)};
                ck_assert_int_eq(world_apply(w, &event), 0);
        }
        FOREACH_ARRAY (f, c->facts, ELEMENTSOF(c->facts)) /* what probes only peek at */
                if (f->name && strncmp(f->name, "metrics:", 8) == 0)
                        ck_assert_int_eq(world_set_fact(w, f->name, loads(f->value), NOW), 0);
}

START_TEST(probe_judges) {
        const Case *c = cases + _i;
        _cleanup_(world_freep) World *w = NULL;
        const Probe *probe = probe_find(c->probe);
        Variable variables[ELEMENTSOF(c->variables)];
        ProbeQuestion q = {.symptom = "t",
                .subject = c->subject,
                .variables = variables,
                .now = NOW,
                .first_seen = NOW,
                .last_seen = NOW};
        ProbeAnswer a = {};

        ck_assert_msg(probe, "%s", c->probe);
        FOREACH_ARRAY (v, c->variables, ELEMENTSOF(c->variables))
                if (v->name)
                        variables[q.n_variables++] = (Variable){(char *) v->name, (char *) v->value};
        ck_assert_int_eq(world_new(&w, (WorldOps){.fetch = fetch, .userdata = (void *) c}), 0);
        tell_state(w, c);
        tell_metrics(w, c);
        q.world = w;
        ck_assert_int_eq(probe->ask(&q, &a), 0);
        ck_assert_msg(a.verdict == c->verdict, "%s, case %d: %s, because %s", c->probe, _i,
                verdict_to_string(a.verdict), a.because);
        if (c->because)
                ck_assert_msg(strstr(a.because, c->because), "%s, case %d: %s", c->probe, _i, a.because);
        probe_answer_done(&a);
}
END_TEST

/* After a boot the agent has had no time yet, however long the module is down. */
START_TEST(an_agent_that_just_started_forgets_nothing) {
        static const Case down = {.modules = {{"filter", "die"}}};
        _cleanup_(world_freep) World *w = NULL;
        Event start = {.kind = EVENT_CONTAINER, .time = NOW - USEC_PER_MIN};
        ProbeQuestion q = {.subject = "filter", .now = NOW};
        ProbeAnswer a = {};

        ck_assert_int_eq(world_new(&w, (WorldOps){.fetch = fetch, .userdata = (void *) &down}), 0);
        tell_state(w, &down);
        start.container = (ContainerChange){.action = TEXT_LITERAL("start"),
                .id = TEXT_LITERAL("eeeeeeeeeeeeeeee"),
                .name = TEXT_LITERAL("edgeAgent"),
                .owned = true,
                .exit_code = -1,
                .signal = -1};
        ck_assert_int_eq(world_apply(w, &start), 0);
        q.world = w;
        ck_assert_int_eq(probe_find("module-down")->ask(&q, &a), 0);
        ck_assert_int_eq(a.verdict, VERDICT_UNKNOWN);
        ck_assert_ptr_nonnull(strstr(a.because, "edgeAgent runs for "));
        probe_answer_done(&a);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("runtime-probes");
        TCase *test = tcase_create("runtime-probes");

        tcase_add_loop_test(test, probe_judges, 0, ELEMENTSOF(cases));
        tcase_add_test(test, an_agent_that_just_started_forgets_nothing);
        suite_add_tcase(suite, test);
        return run_suite(suite);
}
