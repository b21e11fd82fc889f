/* The World's tables. Objects are JSON with ' for ", as Docker's inspect tells them. */

#include "lib/world/world.h"

#include <signal.h>
#include <stdio.h>

#include "lib/world/world-tables.h"

#include "tests/unit/unit.h"

#define ID_A "aaaaaaaaaaaa0000000000000000000000000000000000000000000000000000"
#define ID_B "bbbbbbbbbbbb0000000000000000000000000000000000000000000000000000"
#define ID_C "cccccccccccc0000000000000000000000000000000000000000000000000000"

static json_t *json_of(const char *text) {
        char copy[1024];
        json_t *value;

        ck_assert_uint_lt(strlen(text), sizeof(copy));
        for (size_t i = 0; i <= strlen(text); i++)
                copy[i] = text[i] == '\'' ? '"' : text[i];
        value = json_loads(copy, JSON_DECODE_ANY, NULL);
        ck_assert_msg(value, "no JSON: %s", text);
        return value;
}

static World *world_of(WorldOps ops) {
        World *w;

        ck_assert_int_eq(world_new(&w, ops), 0);
        return w;
}

/* ---- containers ---- */

static int tell_container(World *w, usec_t time, const char *id, const char *name, const char *action) {
        Event event = {.kind = EVENT_CONTAINER, .time = time};

        event.container = (ContainerChange){.action = text_of(action),
                .id = text_of(id),
                .name = text_of(name),
                .exit_code = strcmp(action, "die") == 0 ? 137 : -1,
                .signal = strcmp(action, "kill") == 0 ? 9 : -1};
        return world_apply(w, &event);
}

static void inspect_container(
        World *w, usec_t time, const char *id, const char *name, const char *status, const char *owner) {
        Event event = {.kind = EVENT_CONTAINER, .time = time};
        Container *object;
        char text[512];
        json_t *json;

        (void) snprintf(text, sizeof(text),
                "{'Id':'%s','Name':'/%s','State':{'Status':'%s','ExitCode':3,"
                "'FinishedAt':'1970-01-01T00:00:05Z','OOMKilled':false},'Config':{'Labels':{'%s':"
                "'" CONTAINER_OWNER "'}}}",
                id, name, status, owner);
        json = json_of(text);
        ck_assert_int_eq(container_from_json(json, &object), 0);
        json_decref(json);
        event.container = (ContainerChange){.action = TEXT_LITERAL("state"),
                .id = text_of(id),
                .name = text_of(name),
                .exit_code = -1,
                .signal = -1,
                .object = object};
        ck_assert_int_eq(world_apply(w, &event), 0);
        (void) container_unref(object);
}

START_TEST(finds_containers) {
        static const char *const words[] = {"edgeHub", ID_A, "aaaaaaaaaaaa", "aaaaaaaaaaaa0000"};
        static const char *const others[] = {"edgeHu", "aaaaaaaaaaa", "aaaaaaaaaaab", ""};
        _cleanup_(world_freep) World *w = world_of((WorldOps){});

        inspect_container(w, 10, ID_A, "edgeHub", "running", CONTAINER_OWNER_LABEL);
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                ck_assert_msg(world_container(w, words[i]), "%s is not found", words[i]);
                ck_assert_str_eq(world_container_status(w, words[i]), "running");
        }
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                ck_assert_msg(!world_container(w, others[i]), "%s is found", others[i]);
        ck_assert_str_eq(world_container_name(w, TEXT_LITERAL("aaaaaaaaaaaa")), "edgeHub");
        ck_assert_ptr_null(world_container_name(w, TEXT_LITERAL("edgeHub")));
}
END_TEST

/* A name that was recreated belongs to the container that exists, and among those that are gone to the last.
 */
START_TEST(gives_a_name_to_the_latest) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});

        inspect_container(w, 10, ID_A, "edgeHub", "running", CONTAINER_OWNER_LABEL);
        ck_assert_int_eq(tell_container(w, 20, ID_A, "edgeHub", "die"), 0);
        ck_assert_str_eq(world_container_status(w, "edgeHub"), "exited");
        ck_assert_int_eq(world_container_exit_code(w, "edgeHub"), 137);
        ck_assert_uint_eq(world_container_since(w, "edgeHub"), 20);
        ck_assert_int_eq(tell_container(w, 30, ID_A, "edgeHub", "destroy"), 0);
        ck_assert_ptr_null(world_container(w, "edgeHub"));
        ck_assert_ptr_null(world_container_status(w, "edgeHub"));
        ck_assert_int_eq(world_container_exit_code(w, "edgeHub"), 137);
        ck_assert_str_eq(world_container_name(w, text_of(ID_A)), "edgeHub"); /* late lines still name it */

        ck_assert_int_eq(tell_container(w, 40, ID_B, "edgeHub", "create"), 0);
        ck_assert_str_eq(world_container_status(w, "edgeHub"), "created");
        ck_assert_int_eq(world_container_exit_code(w, "edgeHub"), -1);
        ck_assert_int_eq(tell_container(w, 50, ID_A, "edgeHub", "oom"), 0); /* of the old one, and late */
        ck_assert_str_eq(world_container_status(w, "edgeHub"), "created");
        ck_assert_int_eq(world_container_oom(w, "edgeHub", 0), -1);
        ck_assert_int_eq(world_container_oom(w, ID_A, 0), 1);
}
END_TEST

static const struct {
        const char *action, *status;
} actions[] = {
        {"create", "created"},
        {"start", "running"},
        {"pause", "paused"},
        {"unpause", "running"},
        {"restart", "running"},
        {"die", "exited"},
        {"kill", "created"}, /* says nothing of the status */
        {"oom", "created"},
        {"exec_start: sh", "created"},
};

START_TEST(follows_actions) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});

        ck_assert_int_eq(tell_container(w, 10, ID_A, "m", "create"), 0);
        ck_assert_int_eq(tell_container(w, 20, ID_A, "m", actions[_i].action), 0);
        ck_assert_str_eq(world_container_status(w, "m"), actions[_i].status);
        ck_assert_int_eq(
                world_container_kill_signal(w, "m", 15), strcmp(actions[_i].action, "kill") == 0 ? 9 : -1);
        ck_assert_int_eq(world_container_kill_signal(w, "m", 21), -1);
        ck_assert_int_eq(world_container_oom(w, "m", 15), strcmp(actions[_i].action, "oom") == 0 ? 1 : -1);
}
END_TEST

static const struct {
        int signal;
        usec_t killed_at, died_at;
        bool was_stopped;
} ends[] = {
        {SIGTERM, 100, 110, true},
        {SIGKILL, 100, 130, true},
        {SIGTERM, 100, 131, false}, /* the engine would have sent SIGKILL by then */
        {SIGHUP, 100, 101, false},  /* "read your configuration" */
        {SIGTERM, 120, 110, false}, /* of the end before */
        {0, 0, 110, false},
};

START_TEST(tells_a_stop_from_an_end) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        Event kill = {.kind = EVENT_CONTAINER, .time = ends[_i].killed_at * USEC_PER_SEC};

        kill.container = (ContainerChange){.action = TEXT_LITERAL("kill"),
                .id = TEXT_LITERAL(ID_A),
                .exit_code = -1,
                .signal = ends[_i].signal};
        ck_assert(!world_container_was_stopped(w, ID_A));
        ck_assert_int_eq(tell_container(w, 10, ID_A, "m", "start"), 0);
        if (ends[_i].killed_at > 0)
                ck_assert_int_eq(world_apply(w, &kill), 0);
        ck_assert_int_eq(tell_container(w, ends[_i].died_at * USEC_PER_SEC, ID_A, "m", "die"), 0);
        ck_assert_int_eq(world_container_was_stopped(w, "m"), ends[_i].was_stopped);
}
END_TEST

static bool count_container(void *userdata, const Container *c) {
        size_t *count = userdata;

        return ++*count < 2;
}

START_TEST(enumerates_containers) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        size_t count = 0;

        inspect_container(w, 10, ID_A, "one", "running", CONTAINER_OWNER_LABEL);
        inspect_container(w, 10, ID_B, "two", "exited", CONTAINER_OWNER_LABEL);
        ck_assert(!world_knows(w, EVENT_CONTAINER));
        world_begin_enumeration(w, EVENT_CONTAINER);
        inspect_container(w, 20, ID_B, "two", "exited", CONTAINER_OWNER_LABEL);
        ck_assert(!world_knows(w, EVENT_CONTAINER));
        world_end_enumeration(w, EVENT_CONTAINER);
        ck_assert(world_knows(w, EVENT_CONTAINER));
        ck_assert(!world_knows(w, EVENT_LINK));

        ck_assert_ptr_null(world_container(w, "one"));
        ck_assert_ptr_null(world_container_status(w, "one"));
        ck_assert_str_eq(world_container_status(w, "two"), "exited");
        ck_assert_int_eq(world_container_exit_code(w, "two"), 3);
        ck_assert_uint_eq(world_container_since(w, "two"), 5 * USEC_PER_SEC);

        world_each_container(w, count_container, &count);
        ck_assert_uint_eq(count, 1);
        inspect_container(w, 30, ID_A, "one", "running", CONTAINER_OWNER_LABEL); /* it is there after all */
        ck_assert_str_eq(world_container_status(w, "one"), "running");
        inspect_container(w, 30, ID_C, "three", "running", CONTAINER_OWNER_LABEL);
        count = 0;
        world_each_container(w, count_container, &count);
        ck_assert_uint_eq(count, 2); /* and not 3: the visitor ended it */
}
END_TEST

START_TEST(vouches_by_label) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        const Text none = {};

        ck_assert_int_eq(world_vouch_for_container(w, TEXT_LITERAL("edgeHub"), none), ORIGIN_HUB);
        ck_assert_int_eq(world_vouch_for_container(w, TEXT_LITERAL("sensor"), none), ORIGIN_OTHER);
        ck_assert(!world_has_modules(w));
        inspect_container(w, 10, ID_A, "edgeHub", "running", "no.owner");
        inspect_container(w, 10, ID_B, "sensor", "running", CONTAINER_OWNER_LABEL);
        ck_assert_int_eq(world_vouch_for_container(w, TEXT_LITERAL("edgeHub"), none), ORIGIN_OTHER);
        ck_assert_int_eq(world_vouch_for_container(w, TEXT_LITERAL("sensor"), none), ORIGIN_MODULE);
        ck_assert_int_eq(world_vouch_for_container(w, TEXT_LITERAL("edgeHub"), text_of(ID_A)), ORIGIN_OTHER);
        ck_assert(world_has_modules(w));
}
END_TEST

START_TEST(learns_names_from_logs) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        Event event = {.kind = EVENT_LOG, .time = 10, .origin = ORIGIN_MODULE};

        event.log.container = TEXT_LITERAL("sensor");
        event.log.container_id = TEXT_LITERAL("aaaaaaaaaaaa");
        ck_assert_int_eq(world_apply(w, &event), 0);
        ck_assert_str_eq(world_container_name(w, text_of(ID_A)), "sensor");
        ck_assert_ptr_null(world_container_status(w, "sensor"));
        ck_assert(world_has_modules(w));
        event.log.container = TEXT_LITERAL("other"); /* what is known stays */
        ck_assert_int_eq(world_apply(w, &event), 0);
        ck_assert_str_eq(world_container_name(w, text_of(ID_A)), "sensor");
}
END_TEST

/* The oldest container that is gone makes room. */
START_TEST(makes_room_for_containers) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        char id[65];

        ck_assert_int_eq(tell_container(w, 5, ID_A, "stays", "start"), 0);
        for (size_t i = 0; i < 2 * WORLD_CONTAINERS_MAX; i++) {
                (void) snprintf(id, sizeof(id), "%012zx%052d", i, 0);
                ck_assert_int_eq(tell_container(w, 10 + i, id, "passes", "start"), 0);
                ck_assert_int_eq(tell_container(w, 10 + i, id, "passes", "destroy"), 0);
        }
        ck_assert_str_eq(world_container_status(w, "stays"), "running");
        ck_assert_ptr_null(world_container_name(w, TEXT_LITERAL("000000000000")));
        ck_assert_uint_eq(HASH_COUNT(w->containers), WORLD_CONTAINERS_MAX);
}
END_TEST

/* ---- links, routes, forwarding ---- */

static int tell_link(World *w, bool deleted, int ifindex, const char *name, int mtu, const char *operstate) {
        Event event = {.kind = EVENT_LINK, .deleted = deleted, .link = {.ifindex = ifindex, .mtu = mtu}};

        (void) snprintf(event.link.name, sizeof(event.link.name), "%s", name);
        (void) snprintf(event.link.operstate, sizeof(event.link.operstate), "%s", operstate);
        return world_apply(w, &event);
}

static int tell_route(World *w, bool deleted, const char *destination, const char *dev, uint32_t metric) {
        Event event = {.kind = EVENT_ROUTE, .deleted = deleted};

        event.route = (Route){.family = FAMILY_INET, .metric = metric, .table = 254};
        (void) snprintf(event.route.destination, sizeof(event.route.destination), "%s", destination);
        (void) snprintf(event.route.dev, sizeof(event.route.dev), "%s", dev);
        return world_apply(w, &event);
}

static int tell_forwarding(World *w, Family family, const char *ifname, bool enabled) {
        Event event = {.kind = EVENT_FORWARDING, .forwarding = {.family = family, .enabled = enabled}};

        (void) snprintf(event.forwarding.ifname, sizeof(event.forwarding.ifname), "%s", ifname);
        return world_apply(w, &event);
}

START_TEST(merges_links) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        const Link *l;

        ck_assert_int_eq(tell_link(w, false, 2, "wwan0", 1430, "UP"), 0);
        ck_assert_int_eq(tell_link(w, false, 2, "wwan0", -1, "DOWN"), 0);
        l = world_link(w, "wwan0");
        ck_assert_int_eq(l->mtu, 1430);
        ck_assert_str_eq(l->operstate, "DOWN");
        ck_assert_int_eq(tell_link(w, false, 2, "lte0", -1, ""), 0); /* renamed */
        ck_assert_ptr_null(world_link(w, "wwan0"));
        l = world_link(w, "lte0");
        ck_assert_int_eq(l->mtu, 1430);
        ck_assert_str_eq(l->operstate, "DOWN");
        ck_assert_int_eq(tell_link(w, false, 0, "lte0", 1400, "UP"), 0); /* without an index: by its name */
        ck_assert_int_eq(world_link(w, "lte0")->mtu, 1400);
        ck_assert_int_eq(world_link(w, "lte0")->ifindex, 2);
        ck_assert_uint_eq(w->n_links, 1);
}
END_TEST

static const struct {
        const char *title;
        const char *eth0, *wwan0; /* operstate, NULL: not told of */
        uint32_t eth0_metric, wwan0_metric;
        const char *dev; /* NULL: no default route */
} choices[] = {
        {"the lowest metric", "UP", "UP", 100, 700, "eth0"},
        {"in any order", "UP", "UP", 700, 100, "wwan0"},
        {"not on a link that is down", "DOWN", "UP", 100, 700, "wwan0"},
        {"nor on one whose carrier is", "LOWERLAYERDOWN", "UP", 100, 700, "wwan0"},
        {"nor on one that is not there", "NOTPRESENT", "UP", 100, 700, "wwan0"},
        {"a modem has no state", "DOWN", "UNKNOWN", 100, 700, "wwan0"},
        {"a link that nothing told of is not down", NULL, NULL, 100, 700, "eth0"},
        {"all down", "DOWN", "DOWN", 100, 700, NULL},
};

START_TEST(chooses_the_default_route) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        const Route *route;

        ck_assert_ptr_null(world_default_route(w, FAMILY_INET));
        ck_assert_int_eq(tell_route(w, false, "10.0.0.0/8", "eth1", 0), 0);
        ck_assert_int_eq(tell_route(w, false, "default", "eth0", choices[_i].eth0_metric), 0);
        ck_assert_int_eq(tell_route(w, false, "default", "wwan0", choices[_i].wwan0_metric), 0);
        if (choices[_i].eth0)
                ck_assert_int_eq(tell_link(w, false, 2, "eth0", 1500, choices[_i].eth0), 0);
        if (choices[_i].wwan0)
                ck_assert_int_eq(tell_link(w, false, 3, "wwan0", 1430, choices[_i].wwan0), 0);

        route = world_default_route(w, FAMILY_INET);
        if (choices[_i].dev)
                ck_assert_msg(route && strcmp(route->dev, choices[_i].dev) == 0, "%s: %s", choices[_i].title,
                        route ? route->dev : "none");
        else
                ck_assert_msg(!route, "%s: %s", choices[_i].title, route->dev);
        ck_assert_ptr_null(world_default_route(w, FAMILY_INET6));
}
END_TEST

START_TEST(looks_at_the_main_table_only) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        Event event = {.kind = EVENT_ROUTE};

        event.route = (Route){.family = FAMILY_INET, .table = 100, .destination = "default", .dev = "tun0"};
        ck_assert_int_eq(world_apply(w, &event), 0);
        ck_assert_ptr_null(world_default_route(w, FAMILY_INET));
        ck_assert_int_eq(tell_route(w, false, "default", "eth0", 100), 0);
        ck_assert_str_eq(world_default_route(w, FAMILY_INET)->dev, "eth0");
        ck_assert_int_eq(tell_route(w, true, "default", "eth0", 100), 0);
        ck_assert_ptr_null(world_default_route(w, FAMILY_INET));
}
END_TEST

/* The kernel does not tell of what goes with a link. */
START_TEST(forgets_with_a_link) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        Event address = {.kind = EVENT_ADDRESS, .address = {.ifname = "wwan0", .address = "10.1.1.1"}};

        ck_assert_int_eq(tell_link(w, false, 2, "eth0", 1500, "UP"), 0);
        ck_assert_int_eq(tell_link(w, false, 3, "wwan0", 1430, "UP"), 0);
        ck_assert_int_eq(tell_route(w, false, "default", "wwan0", 50), 0);
        ck_assert_int_eq(tell_route(w, false, "10.1.1.0/24", "wwan0", 50), 0);
        ck_assert_int_eq(tell_route(w, false, "default", "eth0", 100), 0);
        ck_assert_int_eq(world_apply(w, &address), 0);
        ck_assert_int_eq(tell_forwarding(w, FAMILY_INET, "wwan0", true), 0);
        ck_assert_int_eq(tell_forwarding(w, FAMILY_INET6, "wwan0", true), 0);
        ck_assert_int_eq(tell_forwarding(w, FAMILY_INET, "eth0", false), 0);

        ck_assert_int_eq(tell_link(w, true, 3, "wwan0", -1, ""), 0);
        ck_assert_ptr_null(world_link(w, "wwan0"));
        ck_assert_str_eq(world_default_route(w, FAMILY_INET)->dev, "eth0");
        ck_assert_uint_eq(w->n_routes, 1);
        ck_assert_uint_eq(w->n_addresses, 0);
        ck_assert_int_eq(world_forwarding(w, FAMILY_INET, "wwan0", 1), -1);
        ck_assert_int_eq(world_forwarding(w, FAMILY_INET6, "wwan0", 1), -1);
        ck_assert_int_eq(world_forwarding(w, FAMILY_INET, "eth0", 1), 0);
        ck_assert_int_eq(tell_link(w, true, 9, "unknown0", -1, ""), 0);
        ck_assert_ptr_nonnull(world_link(w, "eth0"));
}
END_TEST

/* Every start of a container makes a link with a name of its own. */
START_TEST(survives_many_links) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        char name[IFNAMSIZ];

        for (int i = 1; i < 3 * WORLD_LINKS_MAX; i++) {
                (void) snprintf(name, sizeof(name), "veth%d", i);
                ck_assert_int_eq(tell_link(w, false, i, name, 1500, "UP"), 0);
                ck_assert_int_eq(tell_forwarding(w, FAMILY_INET, name, true), 0);
                ck_assert_int_eq(tell_forwarding(w, FAMILY_INET6, name, false), 0);
                ck_assert_int_eq(tell_link(w, true, i, name, 1500, "DOWN"), 0);
        }
        ck_assert_uint_eq(w->n_links, 0);
        ck_assert_uint_eq(w->n_forwarding, 0);
}
END_TEST

START_TEST(enumerates_the_network) {
        static const EventKind kinds[] = {EVENT_LINK, EVENT_ROUTE, EVENT_ADDRESS, EVENT_FORWARDING};
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        Event address = {.kind = EVENT_ADDRESS, .address = {.ifname = "eth0", .address = "10.1.1.1"}};

        for (int pass = 0; pass < 2; pass++) {
                for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                        world_begin_enumeration(w, kinds[i]);
                ck_assert_int_eq(tell_link(w, false, 2, "eth0", 1500, "UP"), 0);
                ck_assert_int_eq(tell_route(w, false, "default", "eth0", 100), 0);
                ck_assert_int_eq(world_apply(w, &address), 0);
                ck_assert_int_eq(tell_forwarding(w, FAMILY_INET, "all", true), 0);
                if (pass == 0) { /* what the second one does not name */
                        ck_assert_int_eq(tell_link(w, false, 3, "wwan0", 1430, "UP"), 0);
                        ck_assert_int_eq(tell_route(w, false, "default", "wwan0", 50), 0);
                        address.address.ifname[0] = 'w';
                        ck_assert_int_eq(world_apply(w, &address), 0);
                        address.address.ifname[0] = 'e';
                        ck_assert_int_eq(tell_forwarding(w, FAMILY_INET, "wwan0", true), 0);
                }
                for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                        world_end_enumeration(w, kinds[i]);
                        ck_assert(world_knows(w, kinds[i]));
                }
                ck_assert_str_eq(world_default_route(w, FAMILY_INET)->dev, pass == 0 ? "wwan0" : "eth0");
                ck_assert_uint_eq(w->n_links, pass == 0 ? 2 : 1);
                ck_assert_uint_eq(w->n_routes, pass == 0 ? 2 : 1);
                ck_assert_uint_eq(w->n_addresses, pass == 0 ? 2 : 1);
                ck_assert_uint_eq(w->n_forwarding, pass == 0 ? 2 : 1);
        }
}
END_TEST

static const struct {
        const char *file, *content; /* JSON */
        Family family;
        const char *ifname;
        int told, expected; /* told: by an event, -1 when none was */
} forwardings[] = {
        {"file:/proc/sys/net/ipv4/ip_forward", "'1\\n'", FAMILY_INET, "all", -1, 1},
        {"file:/proc/sys/net/ipv4/ip_forward", "'0\\n'", FAMILY_INET, "all", -1, 0},
        {"file:/proc/sys/net/ipv4/ip_forward", "'0\\n'", FAMILY_INET, "all", 1, 1},
        {"file:/proc/sys/net/ipv4/ip_forward", "null", FAMILY_INET, "all", -1, -1},
        {"file:/proc/sys/net/ipv4/ip_forward", "'1'", FAMILY_INET, "default", -1, -1},
        {"file:/proc/sys/net/ipv4/ip_forward", "'1'", FAMILY_INET6, "all", -1, -1},
        {"file:/proc/sys/net/ipv6/conf/all/forwarding", "'1'", FAMILY_INET6, "all", -1, 1},
        {"file:/proc/sys/net/ipv4/conf/eth0.7/forwarding", "'1'", FAMILY_INET, "eth0.7", -1, 1},
        {"file:/proc/sys/net/ipv4/conf/eth0/forwarding", "'1'", FAMILY_INET, "eth0", 0, 0},
};

START_TEST(falls_back_to_the_file) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});

        ck_assert_int_eq(world_set_fact(w, forwardings[_i].file, json_of(forwardings[_i].content), 5), 0);
        if (forwardings[_i].told >= 0)
                ck_assert_int_eq(tell_forwarding(w, forwardings[_i].family, forwardings[_i].ifname,
                                         forwardings[_i].told > 0),
                        0);
        ck_assert_int_eq(world_forwarding(w, forwardings[_i].family, forwardings[_i].ifname, 10),
                forwardings[_i].expected);
}
END_TEST

START_TEST(refuses_too_many) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        char name[IFNAMSIZ];

        for (int i = 1; i <= WORLD_LINKS_MAX + 1; i++) {
                (void) snprintf(name, sizeof(name), "veth%d", i);
                ck_assert_int_eq(
                        tell_link(w, false, i, name, 1500, "UP"), i <= WORLD_LINKS_MAX ? 0 : -ENOBUFS);
        }
        for (uint32_t i = 1; i <= WORLD_ROUTES_MAX + 1; i++)
                ck_assert_int_eq(
                        tell_route(w, false, "default", "eth0", i), i <= WORLD_ROUTES_MAX ? 0 : -ENOBUFS);
        ck_assert_int_eq(tell_link(w, false, 1, "veth1", 1400, "UP"), 0); /* those that are known go on */
        ck_assert_int_eq(world_link(w, "veth1")->mtu, 1400);
}
END_TEST

/* ---- Docker networks ---- */

static int tell_network(World *w, const char *id, const char *name, int mtu) {
        Event event = {.kind = EVENT_DOCKER_NETWORK};
        Network *object;
        char text[256];
        json_t *json;
        int r;

        (void) snprintf(text, sizeof(text),
                "{'Id':'%s','Name':'%s','Driver':'bridge','Options':{'com.docker.network.driver.mtu':'%d'}}",
                id, name, mtu);
        json = json_of(text);
        ck_assert_int_eq(network_from_json(json, &object), 0);
        json_decref(json);
        event.network = (NetworkChange){
                .action = TEXT_LITERAL("state"), .id = text_of(id), .name = text_of(name), .object = object};
        r = world_apply(w, &event);
        (void) network_unref(object);
        return r;
}

START_TEST(keeps_networks) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        Event event = {.kind = EVENT_DOCKER_NETWORK};

        ck_assert_int_eq(tell_network(w, ID_A, "azure-iot-edge", 1500), 0);
        ck_assert_int_eq(tell_network(w, ID_A, "azure-iot-edge", 1400), 0);
        ck_assert_int_eq(world_network(w, "azure-iot-edge")->mtu, 1400);
        ck_assert_ptr_eq(world_network(w, ID_A), world_network(w, "azure-iot-edge"));

        event.network = (NetworkChange){.action = TEXT_LITERAL("connect"), .id = TEXT_LITERAL(ID_A)};
        ck_assert_int_eq(world_apply(w, &event), 0);
        ck_assert_ptr_nonnull(world_network(w, ID_A));
        event.network.action = TEXT_LITERAL("destroy");
        ck_assert_int_eq(world_apply(w, &event), 0);
        ck_assert_ptr_null(world_network(w, ID_A));

        ck_assert_int_eq(tell_network(w, ID_A, "one", 1500), 0);
        ck_assert_int_eq(tell_network(w, ID_B, "two", 1500), 0);
        world_begin_enumeration(w, EVENT_DOCKER_NETWORK);
        ck_assert_int_eq(tell_network(w, ID_B, "two", 1500), 0);
        world_end_enumeration(w, EVENT_DOCKER_NETWORK);
        ck_assert_ptr_null(world_network(w, "one"));
        ck_assert_ptr_nonnull(world_network(w, "two"));
}
END_TEST

START_TEST(refuses_too_many_networks) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        char id[65], name[16];

        for (size_t i = 0; i <= WORLD_NETWORKS_MAX; i++) {
                (void) snprintf(id, sizeof(id), "%012zx%052d", i, 0);
                (void) snprintf(name, sizeof(name), "n%zu", i);
                ck_assert_int_eq(tell_network(w, id, name, 1500), i < WORLD_NETWORKS_MAX ? 0 : -ENOBUFS);
        }
        ck_assert_int_eq(tell_network(w, world_network(w, "n0")->id, "n0", 1400), 0);
        ck_assert_int_eq(world_network(w, "n0")->mtu, 1400);
}
END_TEST

/* ---- units ---- */

START_TEST(keeps_units) {
        _cleanup_(world_freep) World *w = world_of((WorldOps){});
        Event event = {.kind = EVENT_UNIT};
        int r = 0;

        for (int i = 0; i <= WORLD_UNITS_MAX; i++) {
                (void) snprintf(event.unit.name, sizeof(event.unit.name), "u%d.service", i);
                r = world_apply(w, &event);
                ck_assert_int_eq(r, i < WORLD_UNITS_MAX ? 0 : -ENOBUFS);
        }
        ck_assert_ptr_nonnull(world_unit(w, "u0.service"));
        (void) snprintf(event.unit.name, sizeof(event.unit.name), "u0.service");
        event.deleted = true;
        ck_assert_int_eq(world_apply(w, &event), 0);
        ck_assert_ptr_null(world_unit(w, "u0.service"));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("world-tables");
        TCase *tests = tcase_create("world-tables");

        tcase_add_test(tests, finds_containers);
        tcase_add_test(tests, gives_a_name_to_the_latest);
        tcase_add_loop_test(tests, follows_actions, 0, ELEMENTSOF(actions));
        tcase_add_loop_test(tests, tells_a_stop_from_an_end, 0, ELEMENTSOF(ends));
        tcase_add_test(tests, enumerates_containers);
        tcase_add_test(tests, vouches_by_label);
        tcase_add_test(tests, learns_names_from_logs);
        tcase_add_test(tests, makes_room_for_containers);
        tcase_add_test(tests, merges_links);
        tcase_add_loop_test(tests, chooses_the_default_route, 0, ELEMENTSOF(choices));
        tcase_add_test(tests, looks_at_the_main_table_only);
        tcase_add_test(tests, forgets_with_a_link);
        tcase_add_test(tests, survives_many_links);
        tcase_add_test(tests, enumerates_the_network);
        tcase_add_loop_test(tests, falls_back_to_the_file, 0, ELEMENTSOF(forwardings));
        tcase_add_test(tests, refuses_too_many);
        tcase_add_test(tests, keeps_networks);
        tcase_add_test(tests, refuses_too_many_networks);
        tcase_add_test(tests, keeps_units);
        suite_add_tcase(suite, tests);
        return run_suite(suite);
}
