#include "lib/event/event.h"

#include "tests/unit/unit.h"

#define ROUND_TRIP(to, from, max)                                                                           \
        do {                                                                                                \
                for (int _v = 0; _v < (int) (max); _v++) {                                                  \
                        ck_assert_ptr_nonnull(to(_v));                                                      \
                        ck_assert_int_eq(from(text_of(to(_v))), _v);                                        \
                }                                                                                           \
                ck_assert_ptr_null(to(max));                                                                \
                ck_assert_int_lt(from(TEXT_LITERAL("no such name")), 0);                                    \
        } while (false)

START_TEST(names_go_there_and_back) {
        ROUND_TRIP(source_kind_to_string, source_kind_from_string, SOURCE_X_MAX);
        ROUND_TRIP(event_kind_to_string, event_kind_from_string, EVENT_X_MAX);
        ROUND_TRIP(origin_to_string, origin_from_string, ORIGIN_X_MAX);
        ROUND_TRIP(level_to_string, level_from_string, LEVEL_X_MAX);
        ROUND_TRIP(family_to_string, family_from_string, FAMILY_X_MAX);
}
END_TEST

static const struct {
        const char *unit;
        Origin origin;
} units[] = {
        {"aziot-edged.service", ORIGIN_RUNTIME},
        {"aziot-edged.mgmt.socket", ORIGIN_RUNTIME},
        {"iotedge.service", ORIGIN_RUNTIME},
        {"snap.azure-iot-edge.aziot-edged.service", ORIGIN_RUNTIME},
        {"aziot-identityd.service", ORIGIN_IDENTITY},
        {"snap.azure-iot-identity.tpmd.service", ORIGIN_TPMD},
        {"docker.service", ORIGIN_DOCKER},
        {"snap.docker.dockerd.service", ORIGIN_DOCKER},
        {"ssh.service", ORIGIN_OTHER},
        {"xiotedge.service", ORIGIN_OTHER},
        {"", ORIGIN_OTHER},
};

START_TEST(unit_has_its_origin) {
        ck_assert_int_eq(origin_of_unit(text_of(units[_i].unit)), units[_i].origin);
}
END_TEST

START_TEST(listed_units_are_known) {
        size_t n = 0;

        for (const char *const *unit = origin_units(); *unit; unit++, n++)
                ck_assert_int_ne(origin_of_unit(text_of(*unit)), ORIGIN_OTHER);
        ck_assert_uint_gt(n, 10);
        ck_assert_int_eq(origin_of_module(TEXT_LITERAL("edgeAgent")), ORIGIN_AGENT);
        ck_assert_int_eq(origin_of_module(TEXT_LITERAL("edgeHub")), ORIGIN_HUB);
        ck_assert_int_eq(origin_of_module(TEXT_LITERAL("edgehub")), ORIGIN_MODULE);
}
END_TEST

static Container container = {
        .n_ref = 1, .status = (char *) "exited", .oom_killed = 1, .exit_code = 137, .restart_count = -1};
static Container restarting = {.n_ref = 1,
        .status = (char *) "restarting",
        .exit_code = 139,
        .created_at = 10 * USEC_PER_SEC,
        .finished_at = 97 * USEC_PER_SEC,
        .restart_count = 6};

static const struct {
        Event event;
        const char *field, *value; /* NULL: not told */
        int r;
} fields[] = {
#define LOG(...)                                                                                            \
        {                                                                                                   \
                .kind = EVENT_LOG, .log = { __VA_ARGS__ }                                                   \
        }
#define CONTAINER(...)                                                                                      \
        {                                                                                                   \
                .kind = EVENT_CONTAINER, .container = { __VA_ARGS__ }                                       \
        }
#define LINK(...)                                                                                           \
        {                                                                                                   \
                .kind = EVENT_LINK, .link = { __VA_ARGS__ }                                                 \
        }
        {LOG(.level = LEVEL_WARNING), "level", "warning", 1},
        {LOG(.level = LEVEL_UNKNOWN), "level", NULL, 0},
        {LOG(.container = {"edgeHub", 7}), "container", "edgeHub", 1},
        {LOG(.container = {NULL, 0}), "container", NULL, 0},
        {LOG(.level = LEVEL_INFO), "mtu", NULL, -ENOENT},
        {CONTAINER(.exit_code = 0), "exit-code", "0", 1},
        {CONTAINER(.exit_code = -1), "exit-code", NULL, 0},
        {CONTAINER(.exit_code = -1, .object = &container), "exit-code", "137", 1},
        {CONTAINER(.exit_code = -1, .object = &restarting), "exit-code", "139", 1},
        {CONTAINER(.object = &restarting), "restarts", "6", 1},
        {CONTAINER(.object = &container), "restarts", NULL, 0},
        {{.kind = EVENT_CONTAINER, .time = 100 * USEC_PER_SEC, .container = {.object = &restarting}},
                "restart-every-secs", "15", 1},
        {CONTAINER(.object = &container), "restart-every-secs", NULL, 0},
        {{.kind = EVENT_CONTAINER, .time = 100 * USEC_PER_SEC, .container = {.object = &restarting}},
                "since-secs", "3", 1},
        {CONTAINER(.object = &container), "since-secs", NULL, 0},
        {CONTAINER(.owned = true), "owned", "true", 1},
        {CONTAINER(.owned = false), "owned", "false", 1},
        {CONTAINER(.object = NULL), "oom-killed", NULL, 0},
        {CONTAINER(.object = &container), "oom-killed", "true", 1},
        {CONTAINER(.object = &container), "status", "exited", 1},
        {CONTAINER(.stopped = true), "stopped", "true", 1},
        {LINK(.mtu = 1430), "mtu", "1430", 1},
        {LINK(.mtu = -1), "mtu", NULL, 0},
        {LINK(.name = "wwan0"), "name", "wwan0", 1},
        {LINK(.ifindex = 0), "ifindex", NULL, 0},
        {{.kind = EVENT_ROUTE, .deleted = true}, "deleted", "true", 1},
        {{.kind = EVENT_ROUTE, .route = {.metric = 4294967295}}, "metric", "4294967295", 1},
        {{.kind = EVENT_FORWARDING, .forwarding = {.family = FAMILY_INET6}}, "family", "inet6", 1},
        {{.kind = EVENT_UNIT, .unit = {.n_restarts = 3}}, "n-restarts", "3", 1},
        {{.kind = EVENT_FILE, .file = {.exists = false}}, "exists", "false", 1},
        {{.kind = EVENT_METRICS, .metrics = {.module = {"edgeHub", 7}}}, "module", "edgeHub", 1},
};

START_TEST(field_is_told_by_name) {
        char buffer[EVENT_FIELD_MAX];
        Text value = TEXT_NONE;

        ck_assert_int_eq(event_field(&fields[_i].event, fields[_i].field, buffer, &value), fields[_i].r);
        if (fields[_i].r > 0)
                ck_assert_text_eq(value, fields[_i].value);
        ck_assert_int_eq(
                event_kind_has_field(fields[_i].event.kind, fields[_i].field), fields[_i].r != -ENOENT);
}
END_TEST

static const struct {
        Event event;
        const char *text;
} descriptions[] = {
        {LOG(.message = {"login: SharedAccessKey=abc \033[1m", 31}),
                "login: SharedAccessKey=REDACTED \\x1b[1m"},
        {CONTAINER(.name = {"edgeHub", 7}, .action = {"die", 3}, .exit_code = 137, .signal = -1),
                "container edgeHub: die, exit code 137"},
        {CONTAINER(.id = {"0123456789abcdef", 16}, .action = {"kill", 4}, .exit_code = -1, .signal = 9),
                "container 0123456789ab: kill, signal 9"},
        {{.kind = EVENT_DOCKER_NETWORK,
                 .network = {.name = {"azure-iot-edge", 14},
                         .action = {"disconnect", 10},
                         .container_id = {"0123456789abcdef", 16}}},
                "network azure-iot-edge: disconnect, container 0123456789ab"},
        {LINK(.name = "wwan0", .mtu = 1430, .operstate = "UP"), "link wwan0: UP, MTU 1430"},
        {{.kind = EVENT_LINK, .deleted = true, .link = {.name = "wwan0"}}, "link wwan0: gone"},
        {{.kind = EVENT_ROUTE,
                 .route = {.destination = "default", .gateway = "10.0.0.1", .dev = "eth0", .metric = 100}},
                "IPv4 route to default via 10.0.0.1 on eth0, metric 100"},
        {{.kind = EVENT_ADDRESS, .deleted = true, .address = {.address = "10.0.0.2", .ifname = "eth0"}},
                "address 10.0.0.2 on eth0: gone"},
        {{.kind = EVENT_FORWARDING, .forwarding = {.ifname = "all"}}, "IPv4 forwarding of all: off"},
        {{.kind = EVENT_UNIT,
                 .unit = {.name = "aziot-edged.service",
                         .active_state = "failed",
                         .sub_state = "failed",
                         .result = "exit-code",
                         .exit_status = 153}},
                "unit aziot-edged.service: failed (failed), result exit-code, exit status 153"},
        {{.kind = EVENT_FILE, .file = {.path = {"/etc/docker/daemon.json", 23}}},
                "file /etc/docker/daemon.json: does not exist"},
        {{.kind = EVENT_METRICS, .metrics = {.module = {"edgeHub", 7}}}, "metrics of edgeHub"},
};

START_TEST(event_is_described) {
        _cleanup_(freep) char *text = event_describe(&descriptions[_i].event);

        ck_assert_str_eq(text, descriptions[_i].text);
}
END_TEST

START_TEST(copy_outlives_what_it_was_made_from) {
        json_t *object = json_pack("{s:s,s:s}", "Id", "0b1c", "Name", "/m");
        char action[] = "die", position[] = "0b1c:7";
        _cleanup_(event_freep) Event *copy = NULL;
        Container *c = NULL;
        Event event;

        ck_assert_int_eq(container_from_json(object, &c), 0);
        json_decref(object);
        event = (Event){
                .kind = EVENT_CONTAINER,
                .position = text_of(position),
                .container = {.action = text_of(action), .id = text_of(c->id), .exit_code = 3, .object = c},
        };
        copy = event_dup(&event);
        (void) container_unref(c);
        memset(action, 'x', sizeof(action));
        memset(position, 'x', sizeof(position));
        ck_assert_text_eq(copy->position, "0b1c:7");
        ck_assert_text_eq(copy->container.action, "die");
        ck_assert_text_eq(copy->container.id, "0b1c");
        ck_assert_text_eq(copy->container.error, "");
        ck_assert_int_eq(copy->container.exit_code, 3);
        ck_assert_str_eq(copy->container.object->name, "m");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("event");
        TCase *tc = tcase_create("event");

        tcase_add_test(tc, names_go_there_and_back);
        tcase_add_loop_test(tc, unit_has_its_origin, 0, ELEMENTSOF(units));
        tcase_add_test(tc, listed_units_are_known);
        tcase_add_loop_test(tc, field_is_told_by_name, 0, ELEMENTSOF(fields));
        tcase_add_loop_test(tc, event_is_described, 0, ELEMENTSOF(descriptions));
        tcase_add_test(tc, copy_outlives_what_it_was_made_from);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
