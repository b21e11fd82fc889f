#include "lib/event/event.h"

#include "tests/unit/unit.h"

static const char inspect[] =
        "{\"Id\":\"0b1c\",\"Created\":\"2024-05-23T07:50:52.598Z\",\"Name\":\"/"
        "edgeHub\",\"Image\":\"sha256:ab\","
        "\"State\":{\"Status\":\"exited\",\"Running\":false,\"OOMKilled\":true,\"Pid\":0,\"ExitCode\":137,"
        "\"Error\":\"\",\"StartedAt\":\"2024-05-23T07:50:53Z\",\"FinishedAt\":\"0001-01-01T00:00:00Z\"},"
        "\"Config\":{\"Tty\":false,\"Image\":\"mcr.microsoft.com/azureiotedge-hub:1.5\",\"Env\":["
        "\"optimizeforperformance=false\",\"SECRET=s\",\"https_proxy=http://u:p@proxy:3128\",\"odd\","
        "\"IOTEDGE_GATEWAYHOSTNAME=gw\"],\"Labels\":{\"net.azure-devices.edge.owner\":"
        "\"Microsoft.Azure.Devices.Edge.Agent\"}},"
        "\"HostConfig\":{\"Memory\":67108864,\"NetworkMode\":\"azure-iot-edge\",\"LogConfig\":{\"Type\":"
        "\"local\"},"
        "\"RestartPolicy\":{\"Name\":\"\"},\"PortBindings\":{\"443/"
        "tcp\":[{\"HostIp\":\"\",\"HostPort\":\"443\"}],"
        "\"53/udp\":null,\"80\":[{\"HostPort\":\"8080-8090\"}]}},"
        "\"NetworkSettings\":{\"Networks\":{\"azure-iot-edge\":{\"IPAddress\":\"172.18.0.3\"},\"other\":{"
        "\"IPAddress\":\"\"}}},"
        "\"Mounts\":[{\"Type\":\"bind\",\"Destination\":\"/var/run/iotedge/mgmt.sock\"},{\"Type\":\"odd\"},{"
        "\"Destination\":\"/data\"}]}";

START_TEST(container_is_read) {
        json_t *object = json_loads(inspect, 0, NULL);
        _cleanup_(container_unrefp) Container *c = NULL;

        ck_assert_int_eq(container_from_json(object, &c), 0);
        json_decref(object);
        ck_assert_str_eq(c->id, "0b1c");
        ck_assert_str_eq(c->name, "edgeHub");
        ck_assert_str_eq(c->image, "mcr.microsoft.com/azureiotedge-hub:1.5");
        ck_assert_str_eq(c->image_id, "sha256:ab");
        ck_assert_str_eq(c->status, "exited");
        ck_assert_str_eq(c->error, "");
        ck_assert_str_eq(c->log_driver, "local");
        ck_assert_str_eq(c->network_mode, "azure-iot-edge");
        ck_assert_int_eq(c->exit_code, 137);
        ck_assert_int_eq(c->oom_killed, 1);
        ck_assert_uint_eq(c->created_at, 1716450652598000);
        ck_assert_uint_eq(c->started_at, 1716450653000000);
        ck_assert_uint_eq(c->finished_at, 0);
        ck_assert_uint_eq(c->memory_limit_bytes, 67108864);
        ck_assert_uint_eq(c->n_networks, 2);
        ck_assert_str_eq(c->networks[0], "azure-iot-edge");
        ck_assert_str_eq(c->addresses[0], "172.18.0.3");
        ck_assert_ptr_null(c->addresses[1]);
        ck_assert_uint_eq(c->n_ports, 2);
        ck_assert_uint_eq(c->ports[0].host_port, 443);
        ck_assert_str_eq(c->ports[0].protocol, "tcp");
        ck_assert_uint_eq(c->ports[1].container_port, 80);
        ck_assert_uint_eq(c->ports[1].host_port, 8080);
        ck_assert_uint_eq(c->n_mounts, 2);
        ck_assert_str_eq(c->mounts[1], "/data");
        ck_assert(container_is_owned(c));
        ck_assert(!container_is_running(c));
        ck_assert_str_eq(container_getenv(c, "OptimizeForPerformance"), "false");
        ck_assert_str_eq(container_getenv(c, "https_proxy"), "http://proxy:3128");
        ck_assert_str_eq(container_getenv(c, "IOTEDGE_GATEWAYHOSTNAME"), "gw");
        ck_assert_ptr_null(container_getenv(c, "SECRET"));
}
END_TEST

static const char *const no_containers[] = {
        "{}",
        "[]",
        "{\"Id\":\"\"}",
        "{\"Id\":1}",
        "{\"Id\":\"a\",\"State\":\"running\"}",
        "{\"Id\":\"a\",\"State\":{\"ExitCode\":99999999999}}",
        "{\"Id\":\"a\",\"Config\":{\"Env\":[1]}}",
        "{\"Id\":\"a\",\"HostConfig\":{\"Memory\":-1}}",
        "{\"Id\":\"a\",\"HostConfig\":{\"PortBindings\":{\"70000/tcp\":[]}}}",
        "{\"Id\":\"a\",\"Mounts\":{}}",
};

START_TEST(other_json_is_no_container) {
        json_t *object = json_loads(no_containers[_i], 0, NULL);
        Container *c = NULL;

        ck_assert_ptr_nonnull(object);
        ck_assert_int_eq(container_from_json(object, &c), -EINVAL);
        ck_assert_ptr_null(c);
        json_decref(object);
}
END_TEST

static const struct {
        const char *json;
        int r;
        const char *bridge;
        int mtu;
} networks[] = {
        {"{\"Id\":\"0123456789abcdef\",\"Name\":\"azure-iot-edge\",\"Driver\":\"bridge\",\"Options\":{"
         "\"com.docker.network.driver.mtu\":\"1430\"},\"IPAM\":{\"Config\":[{\"Subnet\":\"172.18.0.0/"
         "16\"}]}}",
                0, "br-0123456789ab", 1430},
        {"{\"Id\":\"ab\",\"Name\":\"bridge\",\"Driver\":\"bridge\",\"Options\":{\"com.docker.network.bridge."
         "name\":"
         "\"docker0\"}}",
                0, "docker0", -1},
        {"{\"Id\":\"ab\",\"Name\":\"bridge\",\"Driver\":\"bridge\",\"Options\":null}", 0, "docker0", -1},
        {"{\"Id\":\"ab\",\"Name\":\"host\",\"Driver\":\"host\",\"Options\":{\"com.docker.network.driver."
         "mtu\":\"x\"}}",
                0, NULL, -1},
        {"{\"Name\":\"x\"}", -EINVAL, NULL, 0},
        {"{\"Id\":\"ab\",\"IPAM\":[]}", -EINVAL, NULL, 0},
};

START_TEST(network_is_read) {
        json_t *object = json_loads(networks[_i].json, 0, NULL);
        _cleanup_(network_unrefp) Network *n = NULL;

        ck_assert_int_eq(network_from_json(object, &n), networks[_i].r);
        if (n) {
                ck_assert_pstr_eq(n->bridge, networks[_i].bridge);
                ck_assert_int_eq(n->mtu, networks[_i].mtu);
        }
        json_decref(object);
}
END_TEST

static const struct {
        const char *json;
        int r;
        Family family;
        const char *destination, *dev, *gateway;
        uint32_t metric, table;
} routes[] = {
        {"{\"dst\":\"default\",\"gateway\":\"192.168.1.1\",\"dev\":\"eth0\",\"protocol\":\"dhcp\","
         "\"metric\":100,"
         "\"flags\":[]}",
                0, FAMILY_INET, "default", "eth0", "192.168.1.1", 100, 254},
        {"{\"dst\":\"default\",\"gateway\":\"fe80::1\",\"dev\":\"wwan0\",\"metric\":1024,\"flags\":[],"
         "\"pref\":"
         "\"medium\"}",
                0, FAMILY_INET6, "default", "wwan0", "fe80::1", 1024, 254},
        {"{\"dst\":\"default\",\"dev\":\"wwan0\",\"scope\":\"link\",\"flags\":[]}", 0, FAMILY_INET,
                "default", "wwan0", "", 0, 254},
        {"{\"dst\":\"default\",\"via\":{\"family\":\"inet6\",\"host\":\"fe80::1\"},\"dev\":\"eth0\"}", 0,
                FAMILY_INET, "default", "eth0", "fe80::1", 0, 254},
        {"{\"dst\":\"default\",\"nexthops\":[{\"gateway\":\"10.0.0.1\",\"dev\":\"eth1\"},{\"gateway\":\"10."
         "0.0.2\","
         "\"dev\":\"eth2\"}]}",
                0, FAMILY_INET, "default", "eth1", "10.0.0.1", 0, 254},
        {"{\"type\":\"local\",\"dst\":\"127.0.0.1\",\"dev\":\"lo\",\"table\":\"local\"}", 0, FAMILY_INET,
                "127.0.0.1", "lo", "", 0, 255},
        {"{\"type\":\"unreachable\",\"dst\":\"default\",\"dev\":\"lo\",\"metric\":4294967295,\"pref\":"
         "\"medium\"}",
                0, FAMILY_INET6, "default", "lo", "", 4294967295, 0},
        {"{\"dst\":\"fe80::/64\",\"dev\":\"eth0\",\"table\":\"100\"}", 0, FAMILY_INET6, "fe80::/64", "eth0",
                "", 0, 100},
        {"{\"dst\":\"default\",\"dev\":\"eth0\",\"family\":\"inet6\"}", 0, FAMILY_INET6, "default", "eth0",
                "", 0, 254},
        {"{\"dev\":\"eth0\"}", -EINVAL},
        {"{\"dst\":\"default\",\"metric\":4294967296}", -EINVAL},
        {"{\"dst\":\"default\",\"dev\":\"a name that is too long\"}", -EINVAL},
        {"{\"dst\":\"default\",\"family\":\"ipx\"}", -EINVAL},
};

START_TEST(route_is_read) {
        json_t *object = json_loads(routes[_i].json, 0, NULL);
        Route route = {};

        ck_assert_ptr_nonnull(object);
        ck_assert_int_eq(route_from_json(object, &route), routes[_i].r);
        json_decref(object);
        if (routes[_i].r < 0)
                return;
        ck_assert_int_eq(route.family, routes[_i].family);
        ck_assert_str_eq(route.destination, routes[_i].destination);
        ck_assert_str_eq(route.dev, routes[_i].dev);
        ck_assert_str_eq(route.gateway, routes[_i].gateway);
        ck_assert_uint_eq(route.metric, routes[_i].metric);
        ck_assert_uint_eq(route.table, routes[_i].table);
}
END_TEST

static const struct {
        const char *json;
        size_t i;
        int r;
        const char *address;
        int prefix_len;
} addresses[] = {
        {"{\"ifname\":\"eth0\",\"address\":\"02:42:ac:11:00:02\",\"addr_info\":[{\"family\":\"inet\","
         "\"local\":"
         "\"192.168.1.5\",\"prefixlen\":24},{\"family\":\"inet6\",\"local\":\"fe80::1\",\"prefixlen\":64}]}",
                1, 0, "fe80::1", 64},
        {"{\"ifname\":\"eth0\",\"addr_info\":[]}", 0, -EINVAL, NULL, 0},
        {"{\"ifname\":\"wwan0\",\"address\":\"10.1.2.3\"}", 0, 0, "10.1.2.3", -1},
        {"{\"ifname\":\"wwan0\",\"address\":\"10.1.2.3/30\"}", 0, 0, "10.1.2.3", 30},
        {"{\"ifname\":\"wwan0\",\"address\":\"10.1.2.3\"}", 1, -EINVAL, NULL, 0},
        {"{\"ifname\":\"eth0\",\"address\":\"02:42:ac:11:00:02\"}", 0, -EINVAL, NULL, 0},
        {"{\"address\":\"10.1.2.3\"}", 0, -EINVAL, NULL, 0},
};

START_TEST(address_is_read) {
        json_t *object = json_loads(addresses[_i].json, 0, NULL);
        Address address = {};

        ck_assert_int_eq(address_from_json(object, addresses[_i].i, &address), addresses[_i].r);
        json_decref(object);
        if (addresses[_i].r < 0)
                return;
        ck_assert_str_eq(address.address, addresses[_i].address);
        ck_assert_int_eq(address.prefix_len, addresses[_i].prefix_len);
}
END_TEST

START_TEST(link_forwarding_and_unit_are_read) {
        json_t *link = json_loads(
                "{\"ifindex\":3,\"ifname\":\"veth0\",\"mtu\":1500,\"operstate\":\"UP\",\"master\":"
                "\"docker0\",\"linkinfo\":{\"info_kind\":\"veth\"}}",
                0, NULL);
        json_t *forwarding =
                json_loads("{\"family\":\"inet\",\"ifname\":\"all\",\"forwarding\":false}", 0, NULL);
        json_t *unit =
                json_loads("{\"LoadState\":\"loaded\",\"ActiveState\":\"failed\",\"SubState\":\"failed\","
                           "\"UnitFileState\":\"enabled\",\"Result\":\"exit-code\",\"NRestarts\":\"3\","
                           "\"ExecMainStatus\":153}",
                        0, NULL);
        Forwarding f;
        UnitState u;
        Link l;

        ck_assert_int_eq(link_from_json(link, &l), 0);
        ck_assert_str_eq(l.kind, "veth");
        ck_assert_str_eq(l.master, "docker0");
        ck_assert_int_eq(l.mtu, 1500);
        ck_assert_int_eq(forwarding_from_json(forwarding, &f), 0);
        ck_assert(!f.enabled);
        ck_assert_int_eq(unit_state_from_json("aziot-edged.service", unit, &u), 0);
        ck_assert_int_eq(u.n_restarts, 3);
        ck_assert_int_eq(u.exit_status, 153);
        ck_assert_str_eq(u.result, "exit-code");
        /* each is none of the others */
        ck_assert_int_eq(link_from_json(unit, &l), -EINVAL);
        ck_assert_int_eq(forwarding_from_json(link, &f), -EINVAL);
        ck_assert_int_eq(unit_state_from_json("", unit, &u), -EINVAL);
        json_decref(link);
        json_decref(forwarding);
        json_decref(unit);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("object");
        TCase *tc = tcase_create("object");

        tcase_add_test(tc, container_is_read);
        tcase_add_loop_test(tc, other_json_is_no_container, 0, ELEMENTSOF(no_containers));
        tcase_add_loop_test(tc, network_is_read, 0, ELEMENTSOF(networks));
        tcase_add_loop_test(tc, route_is_read, 0, ELEMENTSOF(routes));
        tcase_add_loop_test(tc, address_is_read, 0, ELEMENTSOF(addresses));
        tcase_add_test(tc, link_forwarding_and_unit_are_read);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
