/* What the gate lets through, and in which words it asks the engine. */

#include <stdio.h>

#include "lib/gate/gate-request.h"

#include "tests/unit/unit.h"

#define ID         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define NOT_LISTED "this path is not on the list"
#define BAD_PATH   "the path has `%`, `..`, `//`, or what no path here has"
#define BAD_KEY    "there is a query key that is not on the list for this path"
#define BAD_VALUE  "a query key has a value that it does not take"

/* What edgewatchd, and for it `curl`, ask. */
static const struct {
        const char *target;
        const char *written; /* NULL: the same */
        bool is_stream;
} accepted[] = {
        {"/_ping"},
        {"/v1.41/_ping"},
        {"/v1.52/version"},
        {"/v1.100/info"},
        {"/v1.41/containers/json?all=1"},
        {"/v1.41/containers/json?filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D&all=true"},
        {"/v1.41/containers/" ID "/json"},
        {"/containers/edgeHub/json"},
        {"/containers/a.b_c-d/changes"},
        {"/containers/json/json"}, /* a container of that name */
        {"/v1.41/containers/" ID "/logs?stdout=1&stderr=1&timestamps=1&since=1700000000.123456789&tail=100"},
        {"/v1.41/containers/" ID "/logs?stdout=1&stderr=1&timestamps=1&follow=1&since=0", NULL, true},
        {"/containers/x/logs?follow=true", NULL, true},
        {"/containers/x/logs?follow=0&tail=all&until=5"},
        {"/v1.41/events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D&since=1.000000000", NULL, true},
        {"/events", NULL, true},
        {"/networks"},
        {"/networks/azure-iot-edge"},
        {"/images/edge-sim:1/json"},
        {"/images/sha256:0123/json"},
        {"/images/localhost:5005/team/sensor:2.1@sha256:0123/json"},
        /* one spelling of each byte */
        {"/events?filters=%7b%61%7D", "/events?filters=%7Ba%7D", true},
};

START_TEST(what_is_on_the_list_is_let_through) {
        const char *written = accepted[_i].written ? accepted[_i].written : accepted[_i].target, *why = NULL;
        char request[1024];
        GateRequest q;

        (void) snprintf(request, sizeof(request),
                "GET %s HTTP/1.1\r\nHost: docker\r\nUser-Agent: edgewatch/0\r\nAccept: */*\r\n\r\n",
                accepted[_i].target);
        ck_assert_int_eq(gate_request_parse(text_of(request), &q, &why), 0);
        ck_assert_str_eq(q.target, written);
        ck_assert_int_eq(q.is_stream, accepted[_i].is_stream);
}
END_TEST

static const struct {
        const char *target;
        const char *why;
        int error;
} targets[] = {
        /* what the engine would tell or do */
        {"/", NOT_LISTED, -EACCES},
        {"/containers/create", NOT_LISTED, -EACCES},
        {"/containers/x/archive?path=/etc", NOT_LISTED, -EACCES},
        {"/containers/x/attach/ws", NOT_LISTED, -EACCES},
        {"/containers/x/export", NOT_LISTED, -EACCES},
        {"/containers/x/stats", NOT_LISTED, -EACCES},
        {"/containers/x/top", NOT_LISTED, -EACCES},
        {"/exec/x/json", NOT_LISTED, -EACCES},
        {"/images/json", NOT_LISTED, -EACCES},
        {"/images/x/get", NOT_LISTED, -EACCES},
        {"/images/get?names=x", NOT_LISTED, -EACCES},
        {"/secrets", NOT_LISTED, -EACCES},
        {"/system/df", NOT_LISTED, -EACCES},
        {"/volumes", NOT_LISTED, -EACCES},
        {"/debug/pprof/heap", NOT_LISTED, -EACCES},
        /* names that are none */
        {"/containers//json", BAD_PATH, -EBADMSG},
        {"/containers/-x/json", NOT_LISTED, -EACCES},
        {"/containers/.x/json", NOT_LISTED, -EACCES},
        {"/containers/x/y/json", NOT_LISTED, -EACCES},
        {"/containers/x:y/json", NOT_LISTED, -EACCES},
        {"/images//json", BAD_PATH, -EBADMSG},
        {"/images/x/-y/json", NOT_LISTED, -EACCES},
        {"/networks/", NOT_LISTED, -EACCES},
        {"/info/", NOT_LISTED, -EACCES},
        {"/v1.41", NOT_LISTED, -EACCES},
        {"/v1./info", NOT_LISTED, -EACCES},
        {"/v1.1234/info", NOT_LISTED, -EACCES},
        {"/v2.0/info", NOT_LISTED, -EACCES},
        {"/v1.41/v1.41/info", NOT_LISTED, -EACCES},
        {"/V1.41/info", NOT_LISTED, -EACCES},
        /* paths that would be read as others */
        {"/containers/x/%6cogs", BAD_PATH, -EBADMSG},
        {"/containers/x%2fjson", BAD_PATH, -EBADMSG},
        {"/containers/../images/json", BAD_PATH, -EBADMSG},
        {"/containers/x/../../info", BAD_PATH, -EBADMSG},
        {"/containers/./json", NOT_LISTED, -EACCES},
        {"//info", BAD_PATH, -EBADMSG},
        {"/containers/a..b/json", BAD_PATH, -EBADMSG},
        {"/info#x", BAD_PATH, -EBADMSG},
        {"/info;x", BAD_PATH, -EBADMSG},
        {"/info\\x", BAD_PATH, -EBADMSG},
        {"info", NOT_LISTED, -EACCES},
        {"http://docker/info", BAD_PATH, -EBADMSG},
        {"*", BAD_PATH, -EBADMSG},
        /* queries */
        {"/info?", "the query is empty", -EBADMSG},
        {"/info?x=1", BAD_KEY, -EACCES},
        {"/networks?filters=%7B%7D", BAD_KEY, -EACCES},
        {"/containers/x/json?size=1", BAD_KEY, -EACCES},
        {"/containers/json?limit=1", BAD_KEY, -EACCES},
        {"/containers/json?ALL=1", BAD_KEY, -EACCES},
        {"/containers/json?%61ll=1", BAD_KEY, -EACCES},
        {"/containers/json?", "the query is empty", -EBADMSG},
        {"/containers/json?&all=1", BAD_KEY, -EACCES},
        {"/containers/json?all=1&", "the query ends in the middle", -EBADMSG},
        {"/containers/json?all=1&&filters=x", BAD_KEY, -EACCES},
        {"/containers/json?all", BAD_VALUE, -EBADMSG},
        {"/containers/json?all=", BAD_VALUE, -EBADMSG},
        {"/containers/json?all=1=1", BAD_VALUE, -EBADMSG},
        {"/containers/json?all=1?all=1", BAD_VALUE, -EBADMSG},
        {"/containers/json?all=1;x", BAD_VALUE, -EBADMSG},
        {"/containers/json?all=1&all=1", "a query key stands there twice", -EBADMSG},
        {"/containers/x/logs?tail=-1", BAD_VALUE, -EBADMSG},
        {"/containers/x/logs?tail=123456789012345678901", BAD_VALUE, -EBADMSG},
        {"/containers/x/logs?since=1.", BAD_VALUE, -EBADMSG},
        {"/containers/x/logs?since=.5", BAD_VALUE, -EBADMSG},
        {"/containers/x/logs?since=1.1234567890", BAD_VALUE, -EBADMSG},
        {"/containers/x/logs?since=1h", BAD_VALUE, -EBADMSG},
        {"/containers/x/logs?details=1", BAD_KEY, -EACCES},
        {"/events?filters=", "`filters` is not percent-encoded JSON in ASCII", -EBADMSG},
        {"/events?filters={}", "`filters` is not percent-encoded JSON in ASCII", -EBADMSG},
        {"/events?filters=%7", "`filters` is not percent-encoded JSON in ASCII", -EBADMSG},
        {"/events?filters=%", "`filters` is not percent-encoded JSON in ASCII", -EBADMSG},
        {"/events?filters=%7g", "`filters` is not percent-encoded JSON in ASCII", -EBADMSG},
        {"/events?filters=%00", "`filters` is not percent-encoded JSON in ASCII", -EBADMSG},
        {"/events?filters=%0d%0aHost:x", "`filters` is not percent-encoded JSON in ASCII", -EBADMSG},
        {"/events?filters=%c3%bc", "`filters` is not percent-encoded JSON in ASCII", -EBADMSG},
        {"/events?filters=a+b", "`filters` is not percent-encoded JSON in ASCII", -EBADMSG},
};

START_TEST(other_targets_are_refused) {
        const char *why = NULL;
        char request[1024];
        GateRequest q;

        (void) snprintf(
                request, sizeof(request), "GET %s HTTP/1.1\r\nHost: docker\r\n\r\n", targets[_i].target);
        ck_assert_int_eq(gate_request_parse(text_of(request), &q, &why), targets[_i].error);
        ck_assert_str_eq(why, targets[_i].why);
}
END_TEST

#define LINE "GET /info HTTP/1.1\r\n"

static const struct {
        const char *request;
        const char *why; /* NULL without a refusal */
        int error;
} requests[] = {
        {LINE "\r\n", NULL, 0},
        {LINE "hOST:x\r\nconnection:  Close \r\nACCEPT:\r\n\r\n", NULL, 0},
        {LINE "Connection: keep-alive\r\n\r\n", NULL, 0},
        /* not at its end yet */
        {"", NULL, -EAGAIN},
        {"GET", NULL, -EAGAIN},
        {LINE, NULL, -EAGAIN},
        {LINE "Host: x\r\n", NULL, -EAGAIN},
        {LINE "\r", NULL, -EAGAIN},
        {"GET /info HTTP/1.1\n\n", NULL, -EAGAIN},
        /* methods */
        {"HEAD /_ping HTTP/1.1\r\n\r\n", "only GET is let through", -EOPNOTSUPP},
        {"POST /containers/x/start HTTP/1.1\r\n\r\n", "only GET is let through", -EOPNOTSUPP},
        {"DELETE /networks/x HTTP/1.1\r\n\r\n", "only GET is let through", -EOPNOTSUPP},
        {"get /info HTTP/1.1\r\n\r\n", "this is no HTTP request", -EBADMSG},
        {" GET /info HTTP/1.1\r\n\r\n", "this is no HTTP request", -EBADMSG},
        {"\r\n\r\n", "this is no HTTP request", -EBADMSG},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "there is more than one request on the connection", -EBADMSG},
        /* the request line */
        {"GET /info\r\n\r\n", "the request line is not METHOD PATH HTTP/1.1", -EBADMSG},
        {"GET /info HTTP/1.0\r\n\r\n", "the request line is not METHOD PATH HTTP/1.1", -EBADMSG},
        {"GET  /info HTTP/1.1\r\n\r\n", "the request line is not METHOD PATH HTTP/1.1", -EBADMSG},
        {"GET /info  HTTP/1.1\r\n\r\n", "the request line is not METHOD PATH HTTP/1.1", -EBADMSG},
        {"GET /info HTTP/1.1 \r\n\r\n", "the request line is not METHOD PATH HTTP/1.1", -EBADMSG},
        {"GET /info HTTP/1.1\n\r\n\r\n", "there is a byte that no request has", -EBADMSG},
        {"GET /info HTTP/1.1\rX: y\r\n\r\n", "a line does not end in CR LF", -EBADMSG},
        {"GET /in\tfo HTTP/1.1\r\n\r\n", "there is a byte that no request has", -EBADMSG},
        {"GET /in\x7f HTTP/1.1\r\n\r\n", "there is a byte that no request has", -EBADMSG},
        {"GET /\xc3\xbc HTTP/1.1\r\n\r\n", "there is a byte that no request has", -EBADMSG},
        /* headers */
        {LINE "Upgrade: tcp\r\n\r\n", "a connection stays HTTP", -EACCES},
        {LINE "Connection: Upgrade\r\n\r\n", "a connection stays HTTP", -EACCES},
        {LINE "Connection: close, Upgrade\r\n\r\n", "a connection stays HTTP", -EACCES},
        {LINE "Transfer-Encoding: chunked\r\n\r\n", "a request has no body", -EACCES},
        {LINE "Content-Length: 0\r\n\r\n", "a request has no body", -EACCES},
        {LINE "Expect: 100-continue\r\n\r\n", "a request has no body", -EACCES},
        {LINE "X-Registry-Auth: x\r\n\r\n", "there is a header that no request here needs", -EACCES},
        {LINE "Host: x\r\nhost: y\r\n\r\n", "a header stands there twice", -EBADMSG},
        {LINE "Host\r\n\r\n", "a header is not NAME: VALUE", -EBADMSG},
        {LINE "Host : x\r\n\r\n", "a header is not NAME: VALUE", -EBADMSG},
        {LINE ": x\r\n\r\n", "a header is not NAME: VALUE", -EBADMSG},
        {LINE "Accept: x\r\n Upgrade: y\r\n\r\n", "a header is not NAME: VALUE", -EBADMSG},
        /* bodies, and what would be a second request */
        {LINE "\r\n{}", "there is more than one request on the connection", -EBADMSG},
        {LINE "\r\n" LINE "\r\n", "there is more than one request on the connection", -EBADMSG},
};

START_TEST(requests_are_read_strictly) {
        const char *why = NULL;
        GateRequest q;
        int r = gate_request_parse(text_of(requests[_i].request), &q, &why);

        ck_assert_int_eq(r, requests[_i].error);
        if (requests[_i].why)
                ck_assert_str_eq(why, requests[_i].why);
        else
                ck_assert_ptr_null(why);
}
END_TEST

START_TEST(nul_ends_nothing) {
        const char request[] = LINE "Host: x\0\r\nUpgrade: tcp\r\n\r\n", *why = NULL;
        GateRequest q;

        ck_assert_int_eq(gate_request_parse((Text){request, sizeof(request) - 1}, &q, &why), -EBADMSG);
        ck_assert_str_eq(why, "there is a byte that no request has");
}
END_TEST

START_TEST(length_is_bounded) {
        char request[GATE_REQUEST_MAX + 1];
        const char *why = NULL;
        GateRequest q;

        memset(request, 'x', sizeof(request));
        memcpy(request, LINE "Accept: ", strlen(LINE "Accept: "));
        ck_assert_int_eq(gate_request_parse((Text){request, GATE_REQUEST_MAX}, &q, &why), -EFBIG);
        ck_assert_str_eq(why, "the request is too long");
        memcpy(request + GATE_REQUEST_MAX - 5, "\r\n\r\n", 4);
        ck_assert_int_eq(gate_request_parse((Text){request, GATE_REQUEST_MAX - 1}, &q, &why), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("gate-request");
        TCase *tc = tcase_create("gate-request");

        tcase_add_loop_test(tc, what_is_on_the_list_is_let_through, 0, ELEMENTSOF(accepted));
        tcase_add_loop_test(tc, other_targets_are_refused, 0, ELEMENTSOF(targets));
        tcase_add_loop_test(tc, requests_are_read_strictly, 0, ELEMENTSOF(requests));
        tcase_add_test(tc, nul_ends_nothing);
        tcase_add_test(tc, length_is_bounded);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
