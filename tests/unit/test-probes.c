/* Probes as truth tables: a World of state objects, container events and answers, and the verdict. All is
 * JSON as the device's tools print it, with ' for ". */

#include <stdio.h>

#include "lib/event/docker-event.h"
#include "lib/probes/probe.h"
#include "lib/probes/upstream.h"

#include "tests/unit/unit.h"

#define NOW       (2000 * USEC_PER_HOUR)

#define ID(digit) digit digit digit digit digit digit digit digit digit digit digit digit

#define CONTAINER(name, id, status, exit_code, oom, network, ports)                                         \
        "{'Id':'" id "','Name':'/" name "','State':{'Status':'" status "','ExitCode':" exit_code            \
        ",'OOMKilled':" oom ",'Error':'','StartedAt':'1970-03-25T07:00:00Z',"                               \
        "'FinishedAt':'1970-03-25T07:59:59Z'},"                                                             \
        "'Config':{'Image':'i','Env':['IOTEDGE_IOTHUBHOSTNAME=hub.example'],"                               \
        "'Labels':{'net.azure-devices.edge.owner':'Microsoft.Azure.Devices.Edge.Agent'}},"                  \
        "'HostConfig':{'NetworkMode':'" network "','PortBindings':{" ports "}},"                            \
        "'NetworkSettings':{'Networks':{'" network "':{}}}}"
#define HUB_RUNS  CONTAINER("edgeHub", ID("aa"), "running", "0", "false", "azure-iot-edge", "")
#define HUB_ENDED CONTAINER("edgeHub", ID("aa"), "exited", "137", "false", "azure-iot-edge", "")
#define HUB_OOM   CONTAINER("edgeHub", ID("aa"), "exited", "137", "true", "azure-iot-edge", "")
#define HUB_WAITS                                                                                           \
        CONTAINER("edgeHub", ID("aa"), "created", "128", "false", "azure-iot-edge",                         \
                "'443/tcp':[{'HostPort':'443'}],'8883/tcp':[{'HostPort':'8883'}]")
#define PROXY                                                                                               \
        CONTAINER("proxy", ID("bb"), "running", "0", "false", "azure-iot-edge",                             \
                "'443/tcp':[{'HostPort':'443'}]")
#define AGENT           CONTAINER("edgeAgent", ID("cc"), "running", "0", "false", "azure-iot-edge", "")
#define AGENT_ENDED     CONTAINER("edgeAgent", ID("cc"), "exited", "137", "false", "azure-iot-edge", "")
#define AGENT_ON_HOST   CONTAINER("edgeAgent", ID("cc"), "running", "0", "false", "host", "")
#define AGENT_ELSEWHERE CONTAINER("edgeAgent", ID("cc"), "running", "0", "false", "plant", "")

#define NETWORK(name, id, options)                                                                          \
        "{'Name':'" name "','Id':'" id "','Driver':'bridge','Options':{" options "}}"
#define EDGE NETWORK("azure-iot-edge", ID("ee"), "'com.docker.network.bridge.name':'br-edge'")
#define EDGE_NAT                                                                                            \
        "{'Name':'azure-iot-edge','Id':'" ID(                                                               \
                "ee") "','Driver':'bridge','IPAM':{'Config':[{'Subnet':"                                    \
                      "'172.18.0.0/16'}]},'Options':{'com.docker.network.bridge.name':'br-edge'}}"
#define MASQUERADES                                                                                         \
        "*nat\\n:POSTROUTING ACCEPT [0:0]\\n-A POSTROUTING -s 172.18.0.0/16 ! -o br-edge -j "               \
        "MASQUERADE\\nCOMMIT"                                                                               \
        "\\n"
#define DROPS(port)                                                                                         \
        "*filter\\n:FORWARD ACCEPT [0:0]\\n-A FORWARD -p tcp -m tcp --dport " port " -j DROP\\nCOMMIT\\n"
#define NARROW          NETWORK("azure-iot-edge", ID("ee"), "'com.docker.network.driver.mtu':'1400'")
#define PLANT           NETWORK("plant", ID("dd"), "'com.docker.network.driver.mtu':'1480'")

#define LINK(name, mtu) "{'ifname':'" name "','ifindex':7,'mtu':" mtu ",'operstate':'UP'}"
#define VIA(dev)        "{'dst':'default','dev':'" dev "','metric':100}"
#define BIT(name, on)   "{'family':'inet','ifname':'" name "','forwarding':" on "}"

typedef struct Pair {
        const char *name, *value;
} Pair;

typedef struct Case {
        const char *probe, *subject;
        Pair variable;
        const char *containers[3], *networks[2], *link, *route, *bits[3];
        struct {
                const char *action;
                int number; /* signal of a kill, exit code of a die */
                unsigned before;
        } events[3];   /* of the subject, seconds before the signal */
        Pair facts[4]; /* key, JSON */
        Verdict verdict;
        const char *because;
} Case;

static const Case cases[] = {
        {"container-oom", "edgeHub", {"oom_by", "CONSTRAINT_MEMCG"}, {HUB_RUNS}, .verdict = VERDICT_CONFIRMS,
                .because = "kernel"},
        {"container-oom", "edgeHub", {"exception", "System.OutOfMemoryException"}, {HUB_RUNS},
                .verdict = VERDICT_UNKNOWN, .because = "itself"},
        {"container-oom", "edgeHub", .containers = {HUB_RUNS}, .events = {{"oom", -1, 1}, {"die", 137, 0}},
                .verdict = VERDICT_CONFIRMS, .because = "Docker"},
        {"container-oom", "edgeHub", .containers = {HUB_OOM}, .verdict = VERDICT_CONFIRMS},
        {"container-oom", "edgeHub", .containers = {HUB_ENDED}, .verdict = VERDICT_REFUTES,
                .because = "code 137"},
        {"container-oom", "edgeHub", .containers = {HUB_RUNS}, .verdict = VERDICT_UNKNOWN},
        {"container-oom", "edgeHub", .verdict = VERDICT_UNKNOWN},
        /* edgeAgent ended within the same seconds: the engine or the device went down */
        {"container-oom", "edgeHub", .containers = {HUB_RUNS, AGENT_ENDED}, .events = {{"die", 137, 2}},
                .verdict = VERDICT_REFUTES, .because = "together with edgeAgent"},
        {"container-oom", "edgeHub", .containers = {HUB_RUNS, AGENT_ENDED}, .events = {{"die", 137, 60}},
                .verdict = VERDICT_UNKNOWN},
        {"container-oom", "edgeHub", .containers = {HUB_RUNS}, .events = {{"kill", 9, 1}, {"die", 137, 0}},
                .verdict = VERDICT_REFUTES, .because = "signal 9"},
        {"container-oom", "edgeHub", .containers = {HUB_RUNS}, .events = {{"kill", 15, 10}, {"die", 137, 0}},
                .verdict = VERDICT_REFUTES, .because = "signal 15"},
        /* an old `docker stop` says nothing about today's exit */
        {"container-oom", "edgeHub", .containers = {HUB_RUNS}, .events = {{"kill", 15, 60}, {"die", 137, 0}},
                .verdict = VERDICT_UNKNOWN},

        {"forwarding-off", "host", .containers = {AGENT}, .networks = {EDGE}, .bits = {BIT("all", "false")},
                .verdict = VERDICT_CONFIRMS, .because = "ip_forward is 0"},
        {"forwarding-off", "host", .containers = {AGENT}, .networks = {EDGE}, .route = VIA("eth0"),
                .bits = {BIT("all", "true"), BIT("eth0", "false")}, .verdict = VERDICT_CONFIRMS,
                .because = "conf.eth0"},
        {"forwarding-off", "host", .containers = {AGENT}, .networks = {EDGE}, .route = VIA("eth0"),
                .bits = {BIT("all", "true"), BIT("br-edge", "false")}, .verdict = VERDICT_CONFIRMS,
                .because = "conf.br-edge"},
        /* a dot of a link's name would be read as what separates names */
        {"forwarding-off", "host", .containers = {AGENT}, .networks = {EDGE}, .route = VIA("eth0.100"),
                .bits = {BIT("all", "true"), BIT("eth0.100", "false")}, .verdict = VERDICT_CONFIRMS,
                .because = "net.ipv4.conf.eth0/100.forwarding is 0"},
        {"forwarding-off", "host", .containers = {AGENT}, .networks = {EDGE}, .route = VIA("eth0"),
                .bits = {BIT("all", "true"), BIT("wlan1", "false")}, .verdict = VERDICT_REFUTES},
        {"forwarding-off", "host", .containers = {AGENT_ON_HOST}, .bits = {BIT("all", "false")},
                .verdict = VERDICT_REFUTES, .because = "bridge"},
        {"forwarding-off", "host", .bits = {BIT("all", "false")}, .verdict = VERDICT_REFUTES,
                .because = "0 known"},
        {"forwarding-off", "host", .containers = {AGENT}, .verdict = VERDICT_UNKNOWN},
        {"forwarding-off", "host", .containers = {AGENT},
                .facts = {{"engine-info", "{'IPv4Forwarding':false}"}}, .verdict = VERDICT_CONFIRMS},

        {"forwarding-off", "host", .containers = {AGENT}, .networks = {EDGE_NAT}, .route = VIA("eth0"),
                .bits = {BIT("all", "true")}, .facts = {{"firewall", "'" MASQUERADES "'"}},
                .verdict = VERDICT_REFUTES, .because = "can still drop"},
        {"forwarding-off", "host", .containers = {AGENT}, .networks = {EDGE_NAT}, .route = VIA("eth0"),
                .bits = {BIT("all", "true")}, .facts = {{"firewall", "''"}}, .verdict = VERDICT_REFUTES,
                .because = "translates addresses of the Docker network azure-iot-edge (172.18.0.0/16)"},
        {"forwarding-off", "host", .containers = {AGENT}, .networks = {EDGE_NAT}, .route = VIA("eth0"),
                .bits = {BIT("all", "true")}, .facts = {{"firewall", "'" DROPS("443") MASQUERADES "'"}},
                .verdict = VERDICT_REFUTES, .because = "to port 443: -A FORWARD -p tcp -m tcp --dport 443"},
        {"agent-port", "edgeAgent", .containers = {AGENT}, .networks = {EDGE_NAT}, .route = VIA("eth0"),
                .facts = {{"firewall", "'" DROPS("5671") MASQUERADES "'"},
                        {"connect:edgeAgent:hub.example:5671", "{'result':'timeout'}"},
                        {"connect:edgeAgent:hub.example:443", "{'result':'ok'}"}},
                .verdict = VERDICT_CONFIRMS, .because = "443 is open"},

        {"network-mtu", "azure-iot-edge", .containers = {AGENT}, .networks = {EDGE},
                .link = LINK("wwan0", "1430"), .route = VIA("wwan0"), .verdict = VERDICT_CONFIRMS,
                .because = "MTU of 1500"},
        {"network-mtu", "azure-iot-edge", .containers = {AGENT}, .networks = {NARROW},
                .link = LINK("wwan0", "1430"), .route = VIA("wwan0"), .verdict = VERDICT_REFUTES,
                .because = "fits the 1430"},
        {"network-mtu", "azure-iot-edge", .containers = {AGENT_ELSEWHERE}, .networks = {NARROW, PLANT},
                .link = LINK("wwan0", "1430"), .route = VIA("wwan0"), .verdict = VERDICT_CONFIRMS,
                .because = "plant has an MTU of 1480"},
        {"network-mtu", "azure-iot-edge", .containers = {AGENT}, .networks = {EDGE}, .route = VIA("wwan0"),
                .verdict = VERDICT_UNKNOWN, .because = "wwan0"},
        {"network-mtu", "azure-iot-edge", .containers = {AGENT}, .networks = {EDGE},
                .verdict = VERDICT_UNKNOWN, .because = "default route"},
        {"network-mtu", "azure-iot-edge", .containers = {AGENT}, .networks = {EDGE},
                .link = LINK("eth0", "1500"), .route = VIA("eth0"),
                .facts = {{"connect:edgeAgent:hub.example:443", "{'result':'timeout'}"},
                        {"connect:edgeAgent:hub.example:5671", "{'result':'ok'}"},
                        {"tls:edgeAgent:hub.example:5671", "{'result':'timeout'}"}},
                .verdict = VERDICT_CONFIRMS, .because = "behind eth0"},
        {"network-mtu", "azure-iot-edge", .containers = {AGENT}, .networks = {EDGE},
                .link = LINK("eth0", "1500"), .route = VIA("eth0"), .bits = {BIT("all", "false")},
                .verdict = VERDICT_REFUTES, .because = "forwarding is off"},
        {"network-mtu", "azure-iot-edge", .containers = {AGENT}, .networks = {EDGE},
                .link = LINK("eth0", "1500"), .route = VIA("eth0"),
                .facts = {{"connect:edgeAgent:hub.example:443", "{'result':'ok'}"},
                        {"tls:edgeAgent:hub.example:443", "{'result':'ok'}"}},
                .verdict = VERDICT_REFUTES, .because = "comes through"},
        {"network-mtu", "azure-iot-edge", .containers = {AGENT}, .networks = {EDGE},
                .link = LINK("eth0", "1500"), .route = VIA("eth0"),
                .facts = {{"connect:edgeAgent:hub.example:443", "{'result':'ok'}"},
                        {"tls:edgeAgent:hub.example:443", "{'result':'ok'}"},
                        {"path-mtu:edgeAgent:hub.example:443",
                                "{'result':'timeout','mtu':1400,'lost':1430,'answered':true}"}},
                .verdict = VERDICT_CONFIRMS,
                .because = "packets of 1400 bytes from edgeAgent's network reach "
                           "hub.example:443, packets of 1430 bytes vanish"},
        /* a router told of the narrower link, and TCP follows */
        {"network-mtu", "azure-iot-edge", .containers = {AGENT}, .networks = {EDGE},
                .link = LINK("eth0", "1500"), .route = VIA("eth0"),
                .facts = {{"connect:edgeAgent:hub.example:443", "{'result':'ok'}"},
                        {"tls:edgeAgent:hub.example:443", "{'result':'ok'}"},
                        {"path-mtu:edgeAgent:hub.example:443",
                                "{'result':'ok','mtu':1400,'lost':0,'answered':true}"}},
                .verdict = VERDICT_REFUTES, .because = "comes through"},
        {"network-mtu", "azure-iot-edge", .containers = {AGENT}, .networks = {EDGE},
                .link = LINK("eth0", "1500"), .route = VIA("eth0"),
                .facts = {{"connect:edgeAgent:hub.example:443", "{'result':'ok'}"},
                        {"tls:edgeAgent:hub.example:443",
                                "{'result':'error','not_before':'2024-01-01T00:00:00Z'}"}},
                .verdict = VERDICT_REFUTES, .because = "TLS fails for another reason: this device's clock"},

        /* where nothing was measured the log decides, and only there */
        {"network-mtu", "azure-iot-edge", {"name_error", "Name or service not known"}, {AGENT},
                .verdict = VERDICT_REFUTES, .because = "cannot resolve"},
        {"network-mtu", "azure-iot-edge", {"name_error", "Name or service not known"}, {AGENT}, {EDGE},
                .link = LINK("wwan0", "1430"), .route = VIA("wwan0"), .verdict = VERDICT_CONFIRMS},

        {"port-holder", "edgeHub", {"port", "443"}, {HUB_WAITS, PROXY}, .verdict = VERDICT_CONFIRMS,
                .because = "container proxy"},
        {"port-holder", "edgeHub", {"port", "8883"}, {HUB_WAITS, PROXY},
                .facts = {{"listeners",
                        "[{'protocol':'udp','port':8883,'pid':7,'comm':'dns'},"
                        "{'protocol':'tcp','port':8883,'pid':812,'comm':'mosquitto',"
                        "'unit':'mosquitto.service'}]"}},
                .verdict = VERDICT_CONFIRMS, .because = "mosquitto (pid 812, mosquitto.service)"},
        {"port-holder", "edgeHub", {"port", "8883"}, {HUB_WAITS}, .facts = {{"listeners", "[]"}},
                .verdict = VERDICT_UNKNOWN, .because = "nothing listens"},
        {"port-holder", "edgeHub", {"port", "8883"}, {HUB_WAITS}, .verdict = VERDICT_UNKNOWN},
        {"port-holder", "edgeHub", .containers = {HUB_WAITS, PROXY}, .verdict = VERDICT_CONFIRMS,
                .because = "port 443"},
        {"port-holder", "edgeHub", .containers = {HUB_WAITS}, .facts = {{"listeners", "[]"}},
                .verdict = VERDICT_UNKNOWN, .because = "which port"},
        {"port-holder", "edgeHub", {"port", "443"}, {HUB_WAITS}, .events = {{"start", -1, 0}},
                .verdict = VERDICT_REFUTES, .because = "is running"},
};

static json_t *parse(const char *text) {
        char copy[2048];
        json_t *value;

        ck_assert_uint_lt(strlen(text), sizeof(copy));
        (void) strcpy(copy, text);
        for (char *c = copy; *c; c++)
                if (*c == '\'')
                        *c = '"';
        value = json_loads(copy, JSON_DECODE_ANY, NULL);
        ck_assert_msg(value != NULL, "no JSON: %s", copy);
        return value;
}

static void apply(World *w, const Event *event) {
        ck_assert_int_eq(world_apply(w, event), 0);
}

static void add_containers(World *w, const Case *c) {
        world_begin_enumeration(w, EVENT_CONTAINER);
        for (size_t i = 0; i < ELEMENTSOF(c->containers) && c->containers[i]; i++) {
                json_t *object = parse(c->containers[i]);
                Container *container;
                Event event;

                ck_assert_int_eq(container_from_json(object, &container), 0);
                container_state_event(container, NOW, &event);
                apply(w, &event);
                (void) container_unref(container);
                json_decref(object);
        }
        world_end_enumeration(w, EVENT_CONTAINER);
}

static void add_networks(World *w, const Case *c) {
        for (size_t i = 0; i < ELEMENTSOF(c->networks) && c->networks[i]; i++) {
                json_t *object = parse(c->networks[i]);
                Network *network;
                Event event;

                ck_assert_int_eq(network_from_json(object, &network), 0);
                network_state_event(network, NOW, &event);
                apply(w, &event);
                (void) network_unref(network);
                json_decref(object);
        }
}

static void add_state(World *w, EventKind kind, const char *text) {
        Event event = {.kind = kind, .source = SOURCE_NETWORK, .origin = ORIGIN_DEVICE, .time = NOW};
        json_t *object = text ? parse(text) : NULL;
        int r = 0;

        if (!object)
                return;
        if (kind == EVENT_LINK)
                r = link_from_json(object, &event.link);
        else if (kind == EVENT_ROUTE) {
                r = route_from_json(object, &event.route);
                event.route.table = 254;
        } else
                r = forwarding_from_json(object, &event.forwarding);
        ck_assert_int_eq(r, 0);
        apply(w, &event);
        json_decref(object);
}

static void add_events(World *w, const Case *c) {
        for (size_t i = 0; i < ELEMENTSOF(c->events) && c->events[i].action; i++) {
                bool is_kill = strcmp(c->events[i].action, "kill") == 0;
                Event event = {.kind = EVENT_CONTAINER,
                        .source = SOURCE_DOCKER_EVENTS,
                        .time = NOW - c->events[i].before * USEC_PER_SEC};

                event.container = (ContainerChange){.action = text_of(c->events[i].action),
                        .id = TEXT_LITERAL(ID("aa")),
                        .name = text_of(c->subject),
                        .owned = true,
                        .exit_code = is_kill ? -1 : c->events[i].number,
                        .signal = is_kill ? c->events[i].number : -1};
                apply(w, &event);
        }
}

static int fetch(void *userdata, World *w, const char *key, usec_t now) {
        const Case *c = userdata;

        for (size_t i = 0; i < ELEMENTSOF(c->facts) && c->facts[i].name; i++)
                if (strcmp(c->facts[i].name, key) == 0)
                        return world_set_fact(w, key, parse(c->facts[i].value), now);
        return -EOPNOTSUPP;
}

static int fetch_later(void *userdata, World *w, const char *key, usec_t now) {
        unsigned *n_asked = userdata;

        (*n_asked)++;
        return 0;
}

/* In the network of a container that ends nothing resolves: no sign of a fault. */
START_TEST(asks_again_what_was_asked_while_a_container_ended) {
        static const Case ended = {.subject = "edgeAgent", .events = {{"start", 0, 60}, {"die"}}};
        unsigned n_asked = 0;
        _cleanup_(world_freep) World *w = NULL;
        ProbeQuestion q = {.since = NOW, .now = NOW};

        ck_assert_int_eq(world_new(&w, (WorldOps){fetch_later, &n_asked}), 0);
        q.world = w;
        add_events(w, &ended);
        ck_assert_int_eq(ask_resolve(&q, "edgeAgent", "hub"), ANSWER_PENDING);
        ck_assert_int_eq(
                world_set_fact(w, "resolve:edgeAgent:hub", parse("{'result': 'refused'}"), NOW + 9), 0);
        q.now = NOW + 10;
        ck_assert_int_eq(ask_resolve(&q, "edgeAgent", "hub"), ANSWER_PENDING);
        ck_assert_uint_eq(n_asked, 2);
        ck_assert_int_eq(
                world_set_fact(w, "resolve:edgeAgent:hub", parse("{'result': 'refused'}"), NOW + 19), 0);
        ck_assert_int_eq(ask_resolve(&q, "edgeAgent", "hub"), ANSWER_FAILED);
}
END_TEST

START_TEST(answers) {
        const Case *c = cases + _i;
        const Probe *probe = probe_find(c->probe);
        Variable variable = {(char *) c->variable.name, (char *) c->variable.value};
        ProbeAnswer answer = {};
        World *w;
        ProbeQuestion question = {.symptom = "t",
                .subject = c->subject,
                .variables = &variable,
                .n_variables = c->variable.name ? 1 : 0,
                .now = NOW,
                .since = NOW,
                .first_seen = NOW,
                .last_seen = NOW};

        ck_assert_ptr_nonnull(probe);
        ck_assert_int_eq(world_new(&w, (WorldOps){.fetch = fetch, .userdata = (void *) c}), 0);
        add_containers(w, c);
        add_networks(w, c);
        add_state(w, EVENT_LINK, c->link);
        add_state(w, EVENT_ROUTE, c->route);
        for (size_t i = 0; i < ELEMENTSOF(c->bits); i++)
                add_state(w, EVENT_FORWARDING, c->bits[i]);
        add_events(w, c);

        question.world = w;
        ck_assert_int_eq(probe->ask(&question, &answer), 0);
        ck_assert_msg(answer.verdict == c->verdict, "row %d: %s: %s", _i, verdict_to_string(answer.verdict),
                answer.because ? answer.because : "-");
        if (c->because)
                ck_assert_msg(answer.because && strstr(answer.because, c->because), "row %d: %s", _i,
                        answer.because ? answer.because : "-");
        probe_answer_done(&answer);
        (void) world_free(w);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("probes");
        TCase *table = tcase_create("answers");

        tcase_add_loop_test(table, answers, 0, (int) ELEMENTSOF(cases));
        tcase_add_test(table, asks_again_what_was_asked_while_a_container_ended);
        suite_add_tcase(suite, table);
        return run_suite(suite);
}
