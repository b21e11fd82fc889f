/* What edgewatch-probe takes for a request, and for a process of a container. */

#include "daemon/probe/client-hello.h"
#include "daemon/probe/namespace.h"
#include "daemon/probe/question.h"

#include "tests/unit/unit.h"

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static const struct {
        const char *text;
        const char *why; /* NULL: it is a request */
} requests[] = {
        {"{\"question\":\"connect\",\"from\":\"host\",\"host\":\"hub.example\",\"port\":443,\"timeout_ms\":"
         "1000}",
                NULL},
        {"{\"question\":\"connect\",\"from\":\"" ID
         "\",\"host\":\"hub.example\",\"port\":443,\"timeout_ms\":1000}",
                NULL},
        {"{\"question\":\"listeners\",\"from\":\"host\",\"timeout_ms\":1000}\n", NULL},
        {"{\"question\":\"runtime-config\",\"from\":\"host\",\"timeout_ms\":1000}", NULL},
        {"", "the request is not a JSON object"},
        {"[]", "the request is not a JSON object"},
        {"{\"question\":\"connect\"", "the request is not a JSON object"},
        {"{\"question\":\"listeners\",\"question\":\"tls\",\"from\":\"host\",\"timeout_ms\":1}",
                "the request is not a JSON object"},
        {"{\"question\":\"shell\",\"from\":\"host\",\"timeout_ms\":1}", "`question` is none that is known"},
        {"{\"from\":\"host\",\"timeout_ms\":1}", "`question` is none that is known"},
        {"{\"question\":\"listeners\",\"from\":\"host\",\"timeout_ms\":1,\"pid\":1}",
                "there is a key that no request has"},
        {"{\"question\":\"listeners\",\"from\":\"host\"}", "`timeout_ms` is not from 1 to 15000"},
        {"{\"question\":\"listeners\",\"from\":\"host\",\"timeout_ms\":15001}",
                "`timeout_ms` is not from 1 to 15000"},
        {"{\"question\":\"listeners\",\"timeout_ms\":1}", "`from` is missing: \"host\" or a container's id"},
        {"{\"question\":\"listeners\",\"from\":\"1\",\"timeout_ms\":1}",
                "`from` is neither \"host\" nor 64 hex digits"},
        {"{\"question\":\"listeners\",\"from\":\"../../../../../../../../../../../../../../../../../../../"
         "../../\",\"timeout_ms\":1}",
                "`from` is neither \"host\" nor 64 hex digits"},
        {"{\"question\":\"listeners\",\"from\":\"host\",\"host\":\"x\",\"timeout_ms\":1}",
                "this question takes no `host`"},
        {"{\"question\":\"resolve\",\"from\":\"host\",\"timeout_ms\":1}", "`host` is missing"},
        {"{\"question\":\"resolve\",\"from\":\"host\",\"host\":\"-x\",\"timeout_ms\":1}",
                "`host` is no host name"},
        {"{\"question\":\"resolve\",\"from\":\"host\",\"host\":\"a b\",\"timeout_ms\":1}",
                "`host` is no host name"},
        {"{\"question\":\"resolve\",\"from\":\"host\",\"host\":\"a/b\",\"timeout_ms\":1}",
                "`host` is no host name"},
        {"{\"question\":\"resolve\",\"from\":\"host\",\"host\":\"\",\"timeout_ms\":1}",
                "`host` is no host name"},
        {"{\"question\":\"resolve\",\"from\":\"host\",\"host\":\"x\",\"port\":1,\"timeout_ms\":1}",
                "this question takes no `port`"},
        {"{\"question\":\"tls\",\"from\":\"host\",\"host\":\"x\",\"timeout_ms\":1}", "`port` is missing"},
        {"{\"question\":\"tls\",\"from\":\"host\",\"host\":\"x\",\"port\":0,\"timeout_ms\":1}",
                "`port` is not from 1 to 65535"},
        {"{\"question\":\"tls\",\"from\":\"host\",\"host\":\"x\",\"port\":65536,\"timeout_ms\":1}",
                "`port` is not from 1 to 65535"},
};

START_TEST(request_is_read_strictly) {
        const char *why = NULL;
        Request request;
        int r = request_parse(text_of(requests[_i].text), &request, &why);

        if (!requests[_i].why) {
                ck_assert_int_eq(r, 0);
                return;
        }
        ck_assert_int_eq(r, -EINVAL);
        ck_assert_str_eq(why, requests[_i].why);
}
END_TEST

static const struct {
        const char *cgroup;
        bool is_ours;
} cgroups[] = {
        {"0::/docker/" ID "\n", true},
        {"0::/system.slice/docker-" ID ".scope\n", true},
        {"5:memory:/\n4:cpu:/docker/" ID "\n", true},
        {"0::/docker/" OTHER "\n", false},
        {"0::/docker/" OTHER "/" ID "\n", false}, /* a container names a cgroup below its own as it likes */
        {"0::/docker/" ID "/" OTHER "\n", true},
        {"0::/docker/" ID "0\n", false},
        {"0::/docker/0123456789ab\n", false},
        {"0::/init.scope\n", false},
        {"", false},
};

START_TEST(container_is_known_by_its_first_cgroup) {
        ck_assert_int_eq(cgroup_names_container(text_of(cgroups[_i].cgroup), ID), cgroups[_i].is_ours);
}
END_TEST

static size_t number(const uint8_t *bytes, size_t n) {
        size_t value = 0;

        for (size_t i = 0; i < n; i++)
                value = value << 8 | bytes[i];
        return value;
}

/* Every nested length fits, whatever the size: else a server would close the connection unanswered. */
START_TEST(client_hello_has_its_size) {
        static const size_t sizes[] = {200, 524, 1348, 1460, 9000, CLIENT_HELLO_MAX_BYTES};
        uint8_t hello[CLIENT_HELLO_MAX_BYTES];
        size_t size = sizes[_i], at = 5 + 4 + 2 + 32 + 1;

        ck_assert_int_eq(client_hello_write(text_of("hub.example"), size, hello), 0);
        ck_assert_uint_eq(hello[0], 22);
        ck_assert_uint_eq(number(hello + 3, 2), size - 5);
        ck_assert_uint_eq(number(hello + 6, 3), size - 9);
        at += 2 + number(hello + at, 2); /* ciphers */
        at += 1 + hello[at];             /* compressions */
        ck_assert_uint_eq(number(hello + at, 2), size - at - 2);
        ck_assert_int_eq(memcmp(hello + at + 11, "hub.example", 11), 0);
        for (at += 2; at < size; at += 4 + number(hello + at + 2, 2))
                ck_assert_uint_le(at + 4, size);
        ck_assert_uint_eq(at, size);
}
END_TEST

START_TEST(client_hello_needs_room) {
        uint8_t hello[CLIENT_HELLO_MAX_BYTES];

        ck_assert_int_eq(client_hello_write(text_of("hub.example"), 100, hello), -EINVAL);
        ck_assert_int_eq(
                client_hello_write(text_of("hub.example"), CLIENT_HELLO_MAX_BYTES + 1, hello), -EINVAL);
}
END_TEST

START_TEST(questions_are_alphabetical_and_found) {
        size_t n;
        const Question *const *questions = question_registry(&n);

        for (size_t i = 0; i < n; i++) {
                ck_assert_ptr_eq(question_find(questions[i]->name), questions[i]);
                ck_assert(i == 0 || strcmp(questions[i - 1]->name, questions[i]->name) < 0);
        }
        ck_assert_ptr_null(question_find(""));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("prober");
        TCase *tc = tcase_create("prober");

        tcase_add_loop_test(tc, request_is_read_strictly, 0, ELEMENTSOF(requests));
        tcase_add_loop_test(tc, container_is_known_by_its_first_cgroup, 0, ELEMENTSOF(cgroups));
        tcase_add_loop_test(tc, client_hello_has_its_size, 0, 6);
        tcase_add_test(tc, client_hello_needs_room);
        tcase_add_test(tc, questions_are_alphabetical_and_found);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
