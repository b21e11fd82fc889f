/* The questions to edgewatch-probe, made of the keys of facts. */

#include "lib/world/fact-key.h"

#include "tests/unit/unit.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
        const char *key, *id;
        const char *request; /* NULL: there is none */
} cases[] = {
        {"firewall", NULL, "{\"question\":\"firewall\",\"from\":\"host\",\"timeout_ms\":5000}"},
        {"firewall", ID, "{\"question\":\"firewall\",\"from\":\"host\",\"timeout_ms\":5000}"},
        {"resolve:host:hub.example.net", NULL,
                "{\"question\":\"resolve\",\"from\":\"host\",\"timeout_ms\":5000,"
                "\"host\":\"hub.example.net\"}"},
        {"connect:edgeAgent:hub.example.net:8883", ID,
                "{\"question\":\"connect\",\"from\":\"" ID
                "\",\"timeout_ms\":5000,\"host\":\"hub.example.net\",\"port\":8883}"},
        {"tcp-info:edgeHub", ID, "{\"question\":\"tcp-info\",\"from\":\"" ID "\",\"timeout_ms\":5000}"},
        {"tcp-info:edgeHub", NULL, NULL},
        {"connect:host:h:65536", NULL,
                "{\"question\":\"connect\",\"from\":\"host\",\"timeout_ms\":5000,\"host\":\"h\"}"},
};

START_TEST(key_becomes_request) {
        char *request = fact_key_request(cases[_i].key, cases[_i].id, 5000);

        if (cases[_i].request)
                ck_assert_str_eq(request, cases[_i].request);
        else
                ck_assert_ptr_null(request);
        free(request);
}
END_TEST

START_TEST(key_is_taken_apart) {
        FactKey k = fact_key_parse("tls:edgeHub:parent:443");

        ck_assert_text_eq(k.question, "tls");
        ck_assert_text_eq(k.from, "edgeHub");
        ck_assert_text_eq(k.host, "parent");
        ck_assert_uint_eq(k.port, 443);
        k = fact_key_parse("listeners");
        ck_assert_text_eq(k.from, "");
        ck_assert_uint_eq(k.port, 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("fact-key");
        TCase *tcase = tcase_create("fact-key");

        tcase_add_loop_test(tcase, key_becomes_request, 0, ELEMENTSOF(cases));
        tcase_add_test(tcase, key_is_taken_apart);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
