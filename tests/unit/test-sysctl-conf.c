#include "lib/fix/sysctl-conf.h"

#include "tests/unit/unit.h"

#define ALL  "net.ipv4.ip_forward"
#define VLAN "net.ipv4.conf.eth0/100.forwarding"

static const struct {
        const char *content, *setting;
        const char *value; /* NULL: the file gives none */
} files[] = {
        {"net.ipv4.ip_forward = 0\n", ALL, "0"},
        {"net/ipv4/ip_forward=0", ALL, "0"},
        {"-net.ipv4.ip_forward = 1\nnet.ipv4.ip_forward =0\n", ALL, "0"},
        {"# net.ipv4.ip_forward = 0\n; net.ipv4.ip_forward = 0\nnet.ipv4.ip_forward\n\n", ALL, NULL},
        {"net.ipv4.tcp_syncookies = 0\nnet.ipv4.ip_forward.x = 0\n", ALL, NULL},
        /* the other name of the bit of all, in turns with the first */
        {"net.ipv4.conf.all.forwarding = 0\n", ALL, "0"},
        {"net.ipv4.ip_forward = 1\nnet/ipv4/conf/all/forwarding = 0\n", ALL, "0"},
        {"net.ipv4.conf.all.forwarding = 0\nnet.ipv4.ip_forward = 1\n", ALL, "1"},
        {"net.ipv4.conf.*.forwarding = 0\n", ALL, "0"},
        {"net.ipv4.conf.default.forwarding = 0\n", ALL, NULL},
        {"net.ipv4.ip_forward = 0\n", "net.ipv4.conf.eth0.forwarding", NULL},
        /* a dot of a link's name */
        {"net/ipv4/conf/eth0.100/forwarding = 0\n", VLAN, "0"},
        {"net.ipv4.conf.eth0/100.forwarding = 0\n", VLAN, "0"},
        {"net.ipv4.conf.eth0.100.forwarding = 0\n", VLAN, NULL},
        {"net.ipv4.conf.*.forwarding = 0\n", VLAN, "0"},
};

START_TEST(a_file_gives_a_setting_its_last_value) {
        Text value = TEXT_NONE;
        bool gives = sysctl_conf_value(text_of(files[_i].content), files[_i].setting, &value);

        ck_assert_int_eq(gives, files[_i].value != NULL);
        if (gives)
                ck_assert_text_eq(value, files[_i].value);
}
END_TEST

static const struct {
        const char *setting, *path;
} settings[] = {
        {ALL, "/proc/sys/net/ipv4/ip_forward"},
        {"net.ipv4.conf.br-edge.forwarding", "/proc/sys/net/ipv4/conf/br-edge/forwarding"},
        {VLAN, "/proc/sys/net/ipv4/conf/eth0.100/forwarding"},
        {"net/ipv4/conf/eth0.100/forwarding", "/proc/sys/net/ipv4/conf/eth0.100/forwarding"},
};

START_TEST(a_setting_has_its_place_in_proc) {
        char path[SYSCTL_NAME_MAX];

        ck_assert_int_eq(sysctl_conf_path(settings[_i].setting, path), 0);
        ck_assert_str_eq(path, settings[_i].path);
}
END_TEST

START_TEST(what_is_no_setting_is_refused) {
        char path[SYSCTL_NAME_MAX] = "as it was", name[SYSCTL_NAME_MAX];

        memset(name, 'x', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        ck_assert_int_eq(sysctl_conf_path("", path), -EINVAL);
        ck_assert_int_eq(sysctl_conf_path(name, path), -EINVAL);
        ck_assert_str_eq(path, "as it was");
}
END_TEST

/* By bytes, as the files are read. */
static const char *const rivals[] = {"10-network.conf", "99-sysctl.conf", "99-zz-edgewatch.conf",
        "99-zz.conf", "99-zzz.conf", "zz-hardening.conf", "zz.conf"};

START_TEST(a_name_is_read_after_its_rival) {
        char name[SYSCTL_NAME_MAX];

        ck_assert_int_eq(sysctl_conf_name_after(rivals[_i], name), 0);
        ck_assert_int_gt(strcmp(name, rivals[_i]), 0);
        ck_assert(text_ends_with(text_of(name), ".conf"));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("sysctl-conf");
        TCase *cases = tcase_create("sysctl-conf");

        tcase_add_loop_test(cases, a_file_gives_a_setting_its_last_value, 0, ELEMENTSOF(files));
        tcase_add_loop_test(cases, a_setting_has_its_place_in_proc, 0, ELEMENTSOF(settings));
        tcase_add_test(cases, what_is_no_setting_is_refused);
        tcase_add_loop_test(cases, a_name_is_read_after_its_rival, 0, ELEMENTSOF(rivals));
        suite_add_tcase(suite, cases);
        return run_suite(suite);
}
