/* What a person is told to run, where the fixer does not act itself. */

#include "lib/fix/docker-commands.h"
#include "lib/fix/docker-network.h"
#include "tests/unit/unit.h"

static json_t *parse(const char *text) {
        json_t *value = json_loads(text, 0, NULL);

        ck_assert_ptr_nonnull(value);
        return value;
}

static void check(const char *network_text, const char *attachments_text, const char *const *wanted) {
        json_t *network = parse(network_text), *attachments = parse(attachments_text);
        json_t *body = docker_network_body(network, 1400);
        json_t *commands = docker_network_commands(body, attachments);
        size_t n = 0;

        for (; wanted[n]; n++)
                ck_assert_str_eq(json_string_value(json_array_get(commands, n)), wanted[n]);
        ck_assert_uint_eq(json_array_size(commands), n);
        json_decref(commands);
        json_decref(body);
        json_decref(attachments);
        json_decref(network);
}

START_TEST(everything_a_network_can_have) {
        static const char *const wanted[] = {
                "docker network disconnect azure-iot-edge edgeHub",
                "docker network disconnect azure-iot-edge filter",
                "docker network rm azure-iot-edge",
                "docker network create --driver bridge --subnet 172.30.0.0/16 --ip-range 172.30.5.0/24 "
                "--gateway 172.30.5.254 --aux-address x=172.30.5.9 --subnet fd00:30::/64 --ipv6 --internal "
                "--attachable --opt com.docker.network.bridge.enable_icc=true --opt "
                "com.docker.network.driver.mtu=1400 --label a=b azure-iot-edge",
                "docker network connect --ip 172.30.5.77 --ip6 fd00:30::7 --alias hub --link filter:f "
                "azure-iot-edge edgeHub",
                "docker network connect azure-iot-edge filter",
                NULL,
        };

        check("{\"Name\": \"azure-iot-edge\", \"Driver\": \"bridge\", \"EnableIPv6\": true, \"Internal\": "
              "true, \"Attachable\": true, \"IPAM\": {\"Driver\": \"default\", \"Options\": {}, \"Config\": "
              "[{\"Subnet\": \"172.30.0.0/16\", \"IPRange\": \"172.30.5.0/24\", \"Gateway\": "
              "\"172.30.5.254\", \"AuxiliaryAddresses\": {\"x\": \"172.30.5.9\"}}, {\"Subnet\": "
              "\"fd00:30::/64\"}]}, \"Options\": {\"com.docker.network.bridge.enable_icc\": \"true\"}, "
              "\"Labels\": {\"a\": \"b\"}}",
                "[{\"name\": \"edgeHub\", \"endpoint\": {\"IPAMConfig\": {\"IPv4Address\": "
                "\"172.30.5.77\", \"IPv6Address\": \"fd00:30::7\"}, \"Aliases\": [\"hub\"], \"Links\": "
                "[\"filter:f\"]}}, {\"name\": \"filter\", \"endpoint\": {}}]",
                wanted);
}
END_TEST

/* A label is whatever somebody once wrote, and the line is pasted into a root shell. */
START_TEST(words_are_quoted) {
        static const char *const wanted[] = {
                "docker network rm n",
                "docker network create --opt com.docker.network.driver.mtu=1400 --label 'a b=$(reboot); "
                "'\\''x' "
                "--label 'empty=' n",
                NULL,
        };

        check("{\"Name\": \"n\", \"Labels\": {\"a b\": \"$(reboot); 'x\", \"empty\": \"\"}}", "[]", wanted);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("docker-commands");
        TCase *t = tcase_create("docker-commands");

        tcase_add_test(t, everything_a_network_can_have);
        tcase_add_test(t, words_are_quoted);
        suite_add_tcase(suite, t);
        return run_suite(suite);
}
