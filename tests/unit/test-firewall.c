/* The packet filter's rules as a truth table: rules, a connection, what becomes of it. */

#include <stdio.h>

#include "lib/world/firewall.h"

#include "tests/unit/unit.h"

#define BRIDGE "br-0123456789ab"
#define SUBNET "172.18.0.0/16"

#define FILTER(policy, rules)                                                                               \
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD " policy                                                    \
        " [0:0]\n:DOCKER-FORWARD - [0:0]\n:DOCKER-USER - [0:0]\n" rules "COMMIT\n"
#define NAT(rules)    "*nat\n:POSTROUTING ACCEPT [0:0]\n:MINE - [0:0]\n" rules "COMMIT\n"
#define FORWARD(rule) "-A FORWARD " rule "\n"
#define USER(rule)    "-A DOCKER-USER " rule "\n"
#define INCOMPLETE    FIREWALL_INCOMPLETE "nftables has the table inet firewalld\n"

/* As Docker 20.10 and 28 write them. */
#define DOCKER_20                                                                                           \
        FORWARD("-j DOCKER-USER")                                                                           \
        FORWARD("-o " BRIDGE " -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")                       \
        FORWARD("-i " BRIDGE " ! -o " BRIDGE " -j ACCEPT")
#define DOCKER_28                                                                                           \
        FORWARD("-j DOCKER-USER")                                                                           \
        FORWARD("-j DOCKER-FORWARD")                                                                        \
        "-A DOCKER-FORWARD -m set --match-set docker-ext-bridges-v4 dst -m conntrack --ctstate "            \
        "RELATED,ESTABLISHED -j ACCEPT\n"                                                                   \
        "-A DOCKER-FORWARD -i " BRIDGE " -j ACCEPT\n"

static const struct {
        const char *rules;
        int expected;
        const char *rule; /* a part of what drops */
} forward_cases[] = {
        {"", 1},
        {"*nat\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n", 1},
        {INCOMPLETE, -ENODATA},
        {FILTER("ACCEPT", ""), 1},
        {FILTER("DROP", ""), 0, "policy is DROP"},
        {FILTER("DROP", DOCKER_20), 1},
        {FILTER("DROP", DOCKER_28), 1},
        {FILTER("DROP", DOCKER_28 USER("-j RETURN")), 1},
        {FILTER("DROP", DOCKER_20 USER("-p tcp -m tcp --dport 5671 -j DROP")), 0, "--dport 5671 -j DROP"},
        {FILTER("DROP", DOCKER_20 USER("-p tcp -m tcp --dport 443 -j DROP")), 1},
        {FILTER("DROP", DOCKER_20 USER("-p tcp -m multiport --dports 443,5671:5672 -j REJECT")), 0,
                "REJECT"},
        {FILTER("DROP", DOCKER_20 USER("-p tcp -m multiport ! --dports 443,8883 -j DROP")), 0, "8883"},
        {FILTER("DROP", DOCKER_20 USER("-p udp -m udp --dport 5671 -j DROP")), 1},
        {FILTER("DROP", DOCKER_20 USER("-s 172.18.0.0/15 -j DROP")), 0, "/15"},
        {FILTER("DROP", DOCKER_20 USER("-s 172.17.0.0/16 -j DROP")), 1},
        {FILTER("DROP", DOCKER_20 USER("! -s 172.17.0.0/16 -j DROP")), 0, "172.17"},
        {FILTER("DROP", DOCKER_20 USER("-s 172.18.0.7/32 -j DROP")), -ENODATA},
        {FILTER("DROP", DOCKER_20 USER("-i eth+ -o wwan0 -j DROP")), 1},
        {FILTER("DROP", DOCKER_20 USER("-i br-+ -o eth0 -j DROP")), 0, "br-+"},
        {FILTER("DROP", DOCKER_20 USER("-m conntrack --ctstate INVALID -j DROP")), 1},
        {FILTER("DROP", DOCKER_20 USER("-m limit --limit 1/sec -j DROP")), -ENODATA},
        {FILTER("DROP", DOCKER_20 USER("-d 192.0.2.1/32 -j DROP")), -ENODATA},
        {FILTER("ACCEPT", DOCKER_20 USER("-m comment --comment \"-j DROP \\\" -j DROP\" -j LOG")), 1},
        {FILTER("ACCEPT", DOCKER_20 USER("-m string --string \"-j\" --algo bm -j DROP")), -ENODATA},
        {FILTER("ACCEPT", DOCKER_20 USER("-m socket --transparent -j DROP")), -ENODATA},
        {FILTER("DROP", FORWARD("-g DOCKER-USER") FORWARD("-j ACCEPT")), 0, "policy"},
        {FILTER("DROP", FORWARD("-m mark --mark 0x1 -g DOCKER-USER") FORWARD("-j ACCEPT")), -ENODATA},
        {FILTER("ACCEPT", FORWARD("-m mark --mark 0x1 -j DOCKER-USER") FORWARD("-j DROP") USER("-j DROP")),
                0, "-A FORWARD -j DROP"},
        {FILTER("ACCEPT", FORWARD("-j DOCKER-USER") USER("-j DOCKER-USER")),
                -ENODATA},                                      /* no kernel has it */
        {FILTER("ACCEPT", "") FILTER("DROP", ""), 0, "policy"}, /* both backends */
        {"# Table `filter' is incompatible, use 'nft' tool.\n", -ENODATA},
        {FILTER("DROP", "") INCOMPLETE, 0, "policy"},
        {FILTER("ACCEPT", "") INCOMPLETE, -ENODATA},
};

START_TEST(forward) {
        const FirewallPacket packet = {
                .in = BRIDGE, .out = "eth0", .source = SUBNET, .destination_port = 5671};
        Text rule = TEXT_NONE;

        ck_assert_int_eq(firewall_passes(text_of(forward_cases[_i].rules), &packet, &rule),
                forward_cases[_i].expected);
        if (forward_cases[_i].rule)
                ck_assert_msg(
                        text_contains(rule, forward_cases[_i].rule), "%.*s", (int) rule.len, rule.data);
}
END_TEST

static const struct {
        const char *rules;
        int expected;
} nat_cases[] = {
        {"", 0},
        {INCOMPLETE, -ENODATA},
        {NAT(""), 0},
        {NAT("-A POSTROUTING -s 172.18.0.0/16 ! -o " BRIDGE " -j MASQUERADE\n"), 1},
        {NAT("-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE\n"), 0},
        {NAT("-A POSTROUTING -o eth0 -j SNAT --to-source 192.0.2.1\n"), 1},
        {NAT("-A POSTROUTING -o wwan0 -j MASQUERADE\n"), 0},
        {NAT("-A POSTROUTING -s 172.18.0.0/16 -j ACCEPT\n-A POSTROUTING -j MASQUERADE\n"), 0},
        {NAT("-A POSTROUTING -j MINE\n-A MINE -j MASQUERADE\n"), 1},
        {NAT("-A POSTROUTING -m mark --mark 0x4000 -j MASQUERADE\n"), -ENODATA},
        {NAT("") NAT("-A POSTROUTING -j MASQUERADE\n"), 1},
        {NAT("-A POSTROUTING -j MASQUERADE\n") INCOMPLETE, 1},
};

START_TEST(translation) {
        const FirewallPacket packet = {
                .in = BRIDGE, .out = "eth0", .source = SUBNET, .destination_port = 443};

        ck_assert_int_eq(firewall_translates(text_of(nat_cases[_i].rules), &packet), nat_cases[_i].expected);
}
END_TEST

/* What is not known of the way out leaves no certainty. */
START_TEST(unknown_links) {
        const FirewallPacket packet = {.in = BRIDGE, .destination_port = 443};
        Text rule;

        ck_assert_int_eq(
                firewall_translates(
                        TEXT_LITERAL(NAT("-A POSTROUTING -s 172.18.0.0/16 -o eth0 -j MASQUERADE\n")),
                        &packet),
                -ENODATA);
        ck_assert_int_eq(
                firewall_passes(TEXT_LITERAL(FILTER("DROP", FORWARD("-o eth0 -j ACCEPT"))), &packet, &rule),
                -ENODATA);
}
END_TEST

/* Each chain jumps to the next one twice: 2^15 walks, were there no budget. */
START_TEST(budget) {
        const FirewallPacket packet = {
                .in = BRIDGE, .out = "eth0", .source = SUBNET, .destination_port = 443};
        char rules[4096] = "*filter\n:FORWARD ACCEPT [0:0]\n";
        Text rule;

        for (char c = 'a'; c <= 'p'; c++)
                (void) snprintf(rules + strlen(rules), sizeof(rules) - strlen(rules), ":%c - [0:0]\n", c);
        for (char c = 'a'; c < 'o'; c++)
                for (unsigned i = 0; i < 4; i++)
                        (void) snprintf(rules + strlen(rules), sizeof(rules) - strlen(rules),
                                "-A %c -m mark --mark 0x%u -j %c\n", c, i, c + 1);
        (void) snprintf(rules + strlen(rules), sizeof(rules) - strlen(rules),
                "-A FORWARD -j a\n-A o -j DROP\nCOMMIT\n");
        ck_assert_int_eq(firewall_passes(text_of(rules), &packet, &rule), -ENODATA);
}
END_TEST

int main(void) {
        Suite *s = suite_create("firewall");
        TCase *t = tcase_create("firewall");

        tcase_add_loop_test(t, forward, 0, ELEMENTSOF(forward_cases));
        tcase_add_loop_test(t, translation, 0, ELEMENTSOF(nat_cases));
        tcase_add_test(t, unknown_links);
        tcase_add_test(t, budget);
        suite_add_tcase(s, t);
        return run_suite(s);
}
