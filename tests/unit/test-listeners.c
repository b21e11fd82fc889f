#include "daemon/probe/listeners.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <sys/prctl.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
        const char *cgroup, *unit, *container;
} cgroups[] = {
        {"0::/system.slice/nginx.service\n", "nginx.service", ""},
        {"0::/system.slice/docker-" ID ".scope\n", "docker-" ID ".scope", ID},
        {"12:pids:/docker/" ID "\n1:name=systemd:/docker/" ID "\n", "", ID},
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service\n", "web.service", ""},
        {"0::/\n", "", ""},
        {"", "", ""},
        {"0::/docker/" ID "0\n", "", ""}, /* 65 digits are no container id */
        {"0::/system.slice/a.service", "a.service", ""},
};

START_TEST(test_cgroup) {
        Text cgroup = text_of(cgroups[_i].cgroup);

        ck_assert_text_eq(listeners_unit_of_cgroup(cgroup), cgroups[_i].unit);
        ck_assert_text_eq(listeners_container_of_cgroup(cgroup), cgroups[_i].container);
}
END_TEST

static int listen_on(int family, struct sockaddr *address, socklen_t len, int *ret_port) {
        int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        ck_assert_int_eq(bind(fd, address, len), 0);
        ck_assert_int_eq(listen(fd, 1), 0);
        ck_assert_int_eq(getsockname(fd, address, &len), 0);
        *ret_port = ntohs(family == AF_INET ? ((struct sockaddr_in *) address)->sin_port
                                            : ((struct sockaddr_in6 *) address)->sin6_port);
        return fd;
}

static const json_t *find_port(const json_t *listeners, int port) {
        const json_t *object;
        size_t i;

        json_array_foreach (listeners, i, object)
                if (json_integer_value(json_object_get(object, "port")) == port)
                        return object;
        return NULL;
}

START_TEST(test_own_listener_is_found) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        json_t *listeners = NULL;
        const json_t *own;
        char name[16];
        int fd, port;

        ck_assert_int_eq(prctl(PR_GET_NAME, name), 0); /* valgrind's, when it runs the test */
        fd = listen_on(AF_INET, (struct sockaddr *) &address, sizeof(address), &port);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(listeners_read("/proc", &listeners), 0);
        own = find_port(listeners, port);
        ck_assert_ptr_nonnull(own);
        ck_assert_str_eq(json_string_value(json_object_get(own, "address")), "127.0.0.1");
        ck_assert_str_eq(json_string_value(json_object_get(own, "protocol")), "tcp");
        ck_assert_int_eq(json_integer_value(json_object_get(own, "pid")), getpid());
        ck_assert_str_eq(json_string_value(json_object_get(own, "comm")), name);
        json_decref(listeners);
        (void) close(fd);
}
END_TEST

START_TEST(test_own_ipv6_listener_is_found) {
        struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        json_t *listeners = NULL;
        const json_t *own;
        int fd, port;

        fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0) {
                (void) printf("# no IPv6 here\n");
                return;
        }
        (void) close(fd);
        fd = listen_on(AF_INET6, (struct sockaddr *) &address, sizeof(address), &port);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(listeners_read("/proc", &listeners), 0);
        own = find_port(listeners, port);
        ck_assert_ptr_nonnull(own);
        ck_assert_str_eq(json_string_value(json_object_get(own, "address")), "::1");
        json_decref(listeners);
        (void) close(fd);
}
END_TEST

START_TEST(test_no_proc) {
        json_t *listeners = NULL;

        ck_assert_int_eq(listeners_read("/nonexistent", &listeners), -ENOENT);
        ck_assert_ptr_null(listeners);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("listeners");
        TCase *tcase = tcase_create("listeners");

        tcase_add_loop_test(tcase, test_cgroup, 0, ELEMENTSOF(cgroups));
        tcase_add_test(tcase, test_own_listener_is_found);
        tcase_add_test(tcase, test_own_ipv6_listener_is_found);
        tcase_add_test(tcase, test_no_proc);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
