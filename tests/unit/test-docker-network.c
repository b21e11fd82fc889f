/* A Docker network and its containers as the engine 20.10 tells them. */

#include "lib/fix/docker-network.h"
#include "tests/unit/unit.h"

#define NETWORK_ID "7e1d4e06a21072c218a9e5f5a19de611348a02e17c9d8a097393606b91c69ff1"

static const char network_text[] = "{\"Name\": \"azure-iot-edge\", \"Id\": \"" NETWORK_ID
                                   "\", \"Created\": \"2026-01-01T00:00:00Z\", \"Scope\": \"local\", "
                                   "\"Driver\": \"bridge\", \"EnableIPv6\": true, \"IPAM\": {\"Driver\": "
                                   "\"default\", \"Options\": {}, \"Config\": [{\"Subnet\": "
                                   "\"172.30.0.0/16\", \"IPRange\": \"172.30.5.0/24\", \"Gateway\": "
                                   "\"172.30.5.254\", \"AuxiliaryAddresses\": {\"x\": \"172.30.5.9\"}}, "
                                   "{\"Subnet\": \"fd00:30::/64\"}]}, \"Internal\": false, \"Attachable\": "
                                   "true, \"Ingress\": false, \"ConfigFrom\": {\"Network\": \"\"}, "
                                   "\"ConfigOnly\": false, \"Containers\": {}, \"Options\": "
                                   "{\"com.docker.network.bridge.enable_icc\": \"true\"}, \"Labels\": "
                                   "{\"a\": \"b\"}}";

static json_t *parse(const char *text) {
        json_t *value = json_loads(text, 0, NULL);

        ck_assert_ptr_nonnull(value);
        return value;
}

static json_t *container(const char *id, const char *status, const char *address, const char *endpoint) {
        json_t *e = parse(endpoint);

        ck_assert_int_eq(json_object_set_new(e, "NetworkID", json_string(NETWORK_ID)), 0);
        ck_assert_int_eq(json_object_set_new(e, "IPAddress", json_string(address)), 0);
        return json_pack("{s:s, s:s, s:{s:s}, s:{s:{s:s}}, s:{s:{s:o}}}", "Id", id, "Name", id, "State",
                "Status", status, "Config", "Labels", "net.azure-devices.edge.owner",
                "Microsoft.Azure.Devices.Edge.Agent", "NetworkSettings", "Networks", "azure-iot-edge", e);
}

START_TEST(body_is_the_same_network) {
        json_t *network = parse(network_text), *body = docker_network_body(network, 1430);
        json_t *wanted = parse("{\"CheckDuplicate\": true, \"Name\": \"azure-iot-edge\", \"Driver\": "
                               "\"bridge\", \"EnableIPv6\": true, \"IPAM\": {\"Driver\": \"default\", "
                               "\"Options\": {}, \"Config\": [{\"Subnet\": \"172.30.0.0/16\", \"IPRange\": "
                               "\"172.30.5.0/24\", \"Gateway\": \"172.30.5.254\", \"AuxiliaryAddresses\": "
                               "{\"x\": \"172.30.5.9\"}}, {\"Subnet\": \"fd00:30::/64\"}]}, \"Internal\": "
                               "false, \"Attachable\": true, \"Options\": "
                               "{\"com.docker.network.bridge.enable_icc\": \"true\", "
                               "\"com.docker.network.driver.mtu\": \"1430\"}, \"Labels\": {\"a\": \"b\"}}");
        json_t *old = docker_network_body(network, 0);

        ck_assert(json_equal(body, wanted));
        ck_assert(!docker_network_has_mtu_of(network, body));
        ck_assert(docker_network_has_mtu_of(body, body));
        ck_assert(docker_network_has_mtu_of(network, old));
        /* the plan's copy is its own: nothing was written into what the device told */
        ck_assert_ptr_null(json_object_get(json_object_get(network, "Options"), DOCKER_MTU_OPTION));
        json_decref(network);
        json_decref(body);
        json_decref(wanted);
        json_decref(old);
}
END_TEST

START_TEST(body_without_options) {
        json_t *network = parse("{\"Name\": \"n\", \"Driver\": \"bridge\", \"Options\": null, \"Labels\": "
                                "null}");
        json_t *body = docker_network_body(network, 1400);

        ck_assert_str_eq(
                json_string_value(json_object_get(json_object_get(body, "Options"), DOCKER_MTU_OPTION)),
                "1400");
        ck_assert_ptr_null(json_object_get(body, "Labels"));
        json_decref(network);
        json_decref(body);
}
END_TEST

/* Fixed addresses first, or one that gets any could take them; links last; else by address. */
START_TEST(order_of_attaching) {
        static const char *const order[] = {
                "fixed", "fixed6", "fixed-linked", "nine", "ten", "stopped", "linked"};
        json_t *containers = json_pack("[o, o, o, o, o, o, o]",
                container("linked", "running", "172.30.5.1", "{\"Links\": [\"fixed:f\"]}"),
                container("stopped", "exited", "", "{\"IPAMConfig\": null}"),
                container("ten", "running", "172.30.5.10", "{\"IPAMConfig\": {}}"),
                container(
                        "nine", "restarting", "172.30.5.9", "{\"Aliases\": [\"a\"], \"DriverOpts\": null}"),
                container("fixed-linked", "running", "172.30.5.2",
                        "{\"IPAMConfig\": {\"IPv4Address\": \"172.30.5.2\"}, \"Links\": [\"x:y\"]}"),
                container("fixed6", "created", "", "{\"IPAMConfig\": {\"IPv6Address\": \"fd00:30::2\"}}"),
                container("fixed", "running", "172.30.5.77",
                        "{\"IPAMConfig\": {\"IPv4Address\": \"172.30.5.77\"}, \"MacAddress\": "
                        "\"02:42:ac:1e:05:4d\"}"));
        json_t *list = docker_attachments(containers, "azure-iot-edge", NETWORK_ID), *item;
        size_t i;

        ck_assert_uint_eq(json_array_size(list), ELEMENTSOF(order));
        json_array_foreach (list, i, item)
                ck_assert_str_eq(json_string_value(json_object_get(item, "name")), order[i]);
        item = json_array_get(list, 0);
        ck_assert(json_is_true(json_object_get(item, "owned")));
        ck_assert(json_is_true(json_object_get(item, "runs")));
        /* the MAC was the engine's choice */
        ck_assert_uint_eq(json_object_size(json_object_get(item, "endpoint")), 1);
        item = json_array_get(list, 3);
        ck_assert(json_is_true(json_object_get(item, "runs")));
        ck_assert_uint_eq(json_object_size(json_object_get(item, "endpoint")), 1);
        ck_assert(json_is_false(json_object_get(json_array_get(list, 5), "runs")));
        json_decref(list);
        json_decref(containers);
}
END_TEST

static const struct {
        const char *status;
        bool runs, may;
} states[] = {
        {"created", false, true},
        {"running", true, true},
        {"paused", false, true},
        {"exited", false, true},
        {"restarting", true, false},
        {"removing", false, false},
        {"dead", false, false},
};

/* The engine does not attach one that is half removed, and forgets the networks of one between two starts.
 */
START_TEST(state_of_a_container) {
        json_t *network = parse(network_text), *networks = json_pack("[O]", network);
        json_t *containers = json_pack("[o]", container("c", states[_i].status, "", "{}"));
        json_t *list = docker_attachments(containers, "azure-iot-edge", NETWORK_ID);
        _cleanup_(freep) char *why = NULL;

        ck_assert_int_eq(json_is_true(json_object_get(json_array_get(list, 0), "runs")), states[_i].runs);
        ck_assert_int_eq(docker_network_guard(network, networks, list, &why), !states[_i].may);
        ck_assert(states[_i].may || strstr(why, states[_i].status));
        json_decref(list);
        json_decref(containers);
        json_decref(networks);
        json_decref(network);
}
END_TEST

START_TEST(mac_that_was_asked_for) {
        json_t *c = container("c", "running", "172.30.5.3", "{}"), *containers, *list;

        ck_assert_int_eq(json_object_set_new(json_object_get(c, "Config"), "MacAddress",
                                 json_string("02:42:ac:1e:05:99")),
                0);
        containers = json_pack("[o]", c);
        list = docker_attachments(containers, "azure-iot-edge", NULL);
        ck_assert_str_eq(json_string_value(json_object_get(
                                 json_object_get(json_array_get(list, 0), "endpoint"), "MacAddress")),
                "02:42:ac:1e:05:99");
        json_decref(list);
        json_decref(containers);
}
END_TEST

START_TEST(found_by_name_or_id) {
        json_t *c = container("c", "exited", "", "{}"), *other = parse("{\"Id\": \"d\"}");

        ck_assert_ptr_nonnull(docker_endpoint_of(c, "azure-iot-edge", NULL));
        ck_assert_ptr_nonnull(docker_endpoint_of(c, "renamed", NETWORK_ID));
        ck_assert_ptr_null(docker_endpoint_of(c, "renamed", NULL));
        ck_assert_ptr_null(docker_endpoint_of(other, "azure-iot-edge", NETWORK_ID));
        json_decref(c);
        json_decref(other);
}
END_TEST

static const struct {
        const char *change; /* merged into the network */
        const char *other;  /* name of another network */
        const char *fixed;  /* a container's endpoint */
        const char *why;    /* part of it; NULL: may be made anew */
} guards[] = {
        {"{}", "other", "{}", NULL},
        {"{}", "iot-edge", "{}", NULL},
        {"{}", "test-azure-iot-edge", "{}", "test-azure-iot-edge contains azure-iot-edge"},
        {"{}", "azure-iot-edge", "{}", "contains azure-iot-edge"},
        {"{\"Name\": \"bridge\"}", "other", "{}", "the engine's own"},
        {"{\"Name\": \"host\", \"Driver\": \"host\"}", "other", "{}", "the engine's own"},
        {"{\"Driver\": \"macvlan\"}", "other", "{}", "is macvlan"},
        {"{\"Scope\": \"swarm\"}", "other", "{}", "swarm"},
        {"{\"ConfigFrom\": {\"Network\": \"x\"}}", "other", "{}", "another one's configuration"},
        {"{\"ConfigOnly\": true}", "other", "{}", "another one's configuration"},
        {"{}", "other", "{\"IPAMConfig\": {\"IPv4Address\": \"172.30.255.1\"}}", NULL},
        {"{}", "other", "{\"IPAMConfig\": {\"IPv4Address\": \"172.31.0.1\"}}", "(172.31.0.1) outside"},
        {"{}", "other", "{\"IPAMConfig\": {\"IPv6Address\": \"fd00:30::7\"}}", NULL},
        {"{}", "other", "{\"IPAMConfig\": {\"IPv6Address\": \"fd00:31::7\"}}", "(fd00:31::7) outside"},
        {"{}", "other", "{\"IPAMConfig\": {\"IPv4Address\": \"nonsense\"}}", "(nonsense) outside"},
};

START_TEST(guard) {
        json_t *network = parse(network_text), *change = parse(guards[_i].change);
        json_t *networks = json_pack("[O, {s:s, s:s}]", network, "Name", guards[_i].other, "Id", "0123");
        json_t *containers = json_pack("[o]", container("c", "exited", "", guards[_i].fixed)), *list;
        _cleanup_(freep) char *why = NULL;

        ck_assert_int_eq(json_object_update(network, change), 0);
        list = docker_attachments(containers, "azure-iot-edge", NETWORK_ID);
        ck_assert_int_eq(docker_network_guard(network, networks, list, &why), guards[_i].why != NULL);
        if (guards[_i].why)
                ck_assert_msg(strstr(why, guards[_i].why), "%s", why);
        json_decref(list);
        json_decref(containers);
        json_decref(networks);
        json_decref(change);
        json_decref(network);
}
END_TEST

static const struct {
        const char *fitting;
        bool ipv6;
        int result;
        unsigned mtu;
} mtus[] = {
        {"1430", true, 0, 1430},
        {"what the whole way carries, 1400 for a start", false, 0, 1400},
        {"1280", true, 0, 1280},
        {"1279", true, -ERANGE, 0},
        {"1279", false, 0, 1279},
        {"576", false, 0, 576},
        {"575", false, -ERANGE, 0},
        {"65536", false, -ERANGE, 0},
        {"99999999999999999999999", false, -ENODATA, 0},
        {"less", false, -ENODATA, 0},
        {"", false, -ENODATA, 0},
};

START_TEST(mtu_of_the_probe) {
        unsigned mtu = 0;

        ck_assert_int_eq(docker_mtu_from(mtus[_i].fitting, mtus[_i].ipv6, &mtu), mtus[_i].result);
        ck_assert_uint_eq(mtu, mtus[_i].mtu);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("docker-network");
        TCase *t = tcase_create("docker-network");

        tcase_add_test(t, body_is_the_same_network);
        tcase_add_test(t, body_without_options);
        tcase_add_test(t, order_of_attaching);
        tcase_add_loop_test(t, state_of_a_container, 0, ELEMENTSOF(states));
        tcase_add_test(t, mac_that_was_asked_for);
        tcase_add_test(t, found_by_name_or_id);
        tcase_add_loop_test(t, guard, 0, ELEMENTSOF(guards));
        tcase_add_loop_test(t, mtu_of_the_probe, 0, ELEMENTSOF(mtus));
        suite_add_tcase(suite, t);
        return run_suite(suite);
}
