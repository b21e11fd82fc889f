/* Which name servers of the host a container can ask. */

#include "lib/world/name-servers.h"
#include "tests/unit/unit.h"

static const struct {
        const char *resolv_conf;
        bool has_ipv6;
        size_t n, n_loopback, n_usable;
        const char *usable[NAME_SERVERS_USABLE_MAX];
} cases[] = {
        {""},
        {"# nameserver 10.0.0.1\n;nameserver 10.0.0.2\nsearch lan\noptions edns0\n"},
        {"nameserver\n"},
        {"nameservers 10.0.0.1\n"},
        {"nameserver 10.0.0.1", .n = 1, .n_usable = 1, .usable = {"10.0.0.1"}},
        {"\tnameserver\t10.0.0.1 \r\n", .n = 1, .n_usable = 1, .usable = {"10.0.0.1"}},
        {"nameserver 10.0.0.1 # the router's\n", .n = 1, .n_usable = 1, .usable = {"10.0.0.1"}},
        /* a stub of the host's own */
        {"nameserver 127.0.0.53\n", .n = 1, .n_loopback = 1},
        {"nameserver 127.1.2.3\nnameserver ::1\nnameserver 0:0::1\n", .has_ipv6 = true, .n = 3,
                .n_loopback = 3},
        {"nameserver 0.0.0.0\nnameserver ::\n", .has_ipv6 = true, .n = 2, .n_loopback = 2},
        {"nameserver 127.0.0.1\nnameserver 192.0.2.1\n", .n = 2, .n_loopback = 1, .n_usable = 1,
                .usable = {"192.0.2.1"}},
        /* IPv6 */
        {"nameserver 2001:db8::53\n", .n = 1},
        {"nameserver 2001:db8::53\n", .has_ipv6 = true, .n = 1, .n_usable = 1, .usable = {"2001:db8::53"}},
        {"nameserver fe80::1\nnameserver fe80::1%eth0\nnameserver febf::1\n", .has_ipv6 = true, .n = 3},
        /* no address at all */
        {"nameserver router\nnameserver 1.2.3\nnameserver 300.1.1.1\n", .has_ipv6 = true, .n = 3},
        {"nameserver 1111111111111111111111111111111111111111111111111111111111111111111111111111\n",
                .n = 1},
        /* more than are asked */
        {"nameserver 10.0.0.1\nnameserver ::1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver "
         "10.0.0.4\n",
                .n = 5, .n_loopback = 1, .n_usable = 4, .usable = {"10.0.0.1", "10.0.0.2", "10.0.0.3"}},
};

START_TEST(choice) {
        NameServers servers;

        name_servers_read(text_of(cases[_i].resolv_conf), cases[_i].has_ipv6, &servers);
        ck_assert_uint_eq(servers.n, cases[_i].n);
        ck_assert_uint_eq(servers.n_loopback, cases[_i].n_loopback);
        ck_assert_uint_eq(servers.n_usable, cases[_i].n_usable);
        for (size_t i = 0; i < NAME_SERVERS_USABLE_MAX && i < servers.n_usable; i++)
                ck_assert_str_eq(servers.usable[i], cases[_i].usable[i]);
}
END_TEST

/* They are told to people, as many as fit. */
START_TEST(text_is_bounded) {
        char resolv_conf[64 * 25] = "";
        NameServers servers;

        for (int i = 0; i < 64; i++)
                (void) strcat(resolv_conf, "nameserver 192.0.2.100\n");
        name_servers_read(text_of(resolv_conf), false, &servers);
        ck_assert_uint_eq(servers.n, 64);
        ck_assert_uint_eq(strlen(servers.text), sizeof(servers.text) - 1);
        ck_assert_int_eq(strncmp(servers.text, "192.0.2.100, 192.0.2.100, ", 26), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("name-servers");
        TCase *t = tcase_create("name-servers");

        tcase_add_loop_test(t, choice, 0, ELEMENTSOF(cases));
        tcase_add_test(t, text_is_bounded);
        suite_add_tcase(suite, t);
        return run_suite(suite);
}
