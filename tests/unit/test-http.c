#include "daemon/watch/http.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/base/buffer.h"

#include "tests/unit/unit.h"

/* A server on the same loop: answers each connection's request with the bytes of `answer`, then closes, or
 * stays silent. Time-outs are real, but only of a millisecond and only where running out is the point. */
typedef struct Lab {
        sd_event *event;
        sd_event_source *listener, *connection;
        int fd;
        char directory[32], path[64];
        const char *answer;
        bool keep_open;
        char request[2048];
        Http *http;
        HttpRequest *pending;
        Buffer received;
        unsigned n_pauses;
        int refuse;
        int n_done, error;
        long status;
        char body[256], header[HTTP_HEADER_MAX];
} Lab;

static int on_connection(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Lab *lab = userdata;
        size_t used = strlen(lab->request);
        ssize_t n = read(fd, lab->request + used, sizeof(lab->request) - 1 - used);

        if (n > 0)
                lab->request[used + (size_t) n] = '\0';
        if (n > 0 && !strstr(lab->request, "\r\n\r\n"))
                return 0;
        if (n > 0 && lab->answer)
                ck_assert_int_eq(write(fd, lab->answer, strlen(lab->answer)), (ssize_t) strlen(lab->answer));
        if (n <= 0 || (lab->answer && !lab->keep_open))
                lab->connection = sd_event_source_disable_unref(lab->connection);
        return 0;
}

static int on_listener(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Lab *lab = userdata;
        int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

        ck_assert_int_ge(connection, 0);
        ck_assert_int_ge(
                sd_event_add_io(lab->event, &lab->connection, connection, EPOLLIN, on_connection, lab), 0);
        ck_assert_int_ge(sd_event_source_set_io_fd_own(lab->connection, true), 0);
        return 0;
}

static void lab_init(Lab *lab, const char *answer) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        *lab = (Lab){.answer = answer, .directory = "/tmp/test-http-XXXXXX"};
        ck_assert_ptr_nonnull(mkdtemp(lab->directory));
        (void) snprintf(lab->path, sizeof(lab->path), "%s/socket", lab->directory);
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", lab->path);
        lab->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(lab->fd, (struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(listen(lab->fd, 4), 0);
        ck_assert_int_ge(sd_event_new(&lab->event), 0);
        ck_assert_int_ge(sd_event_add_io(lab->event, &lab->listener, lab->fd, EPOLLIN, on_listener, lab), 0);
        ck_assert_int_eq(http_new(&lab->http, lab->event, SD_EVENT_PRIORITY_NORMAL), 0);
}

static void lab_done(Lab *lab) {
        (void) http_free(lab->http);
        (void) sd_event_source_disable_unref(lab->connection);
        (void) sd_event_source_disable_unref(lab->listener);
        (void) sd_event_unref(lab->event);
        (void) close(lab->fd);
        (void) unlink(lab->path);
        (void) rmdir(lab->directory);
        buffer_done(&lab->received);
}

static int on_data(void *userdata, Text piece) {
        Lab *lab = userdata;

        if (lab->n_pauses > 0)
                return HTTP_PAUSE;
        if (lab->refuse < 0)
                return lab->refuse;
        return buffer_append_text(&lab->received, piece);
}

static void on_done(void *userdata, const HttpResult *result) {
        Lab *lab = userdata;

        lab->n_done++;
        ck_assert_uint_eq(http_next_deadline(lab->http), 0); /* the answer is here: nothing is due */
        lab->pending = NULL;
        lab->error = result->error;
        lab->status = result->status;
        (void) snprintf(lab->body, sizeof(lab->body), "%s", result->body.data);
        (void) snprintf(lab->header, sizeof(lab->header), "%s", result->header);
}

static void get(Lab *lab, HttpOptions options) {
        options.url = "http://docker/v1.41/info";
        options.unix_socket = options.unix_socket ? options.unix_socket : lab->path;
        options.header = "Api-Version";
        options.done = on_done;
        options.userdata = lab;
        if (options.answer_timeout == 0)
                options.answer_timeout = 10 * USEC_PER_SEC;
        ck_assert_int_eq(http_get(lab->http, &options, &lab->pending), 0);
}

static void run_until_done(Lab *lab) {
        while (lab->n_done == 0)
                ck_assert_int_ge(sd_event_run(lab->event, 10 * USEC_PER_SEC), 1);
}

static const struct {
        const char *name, *answer;
        bool is_stream;
        int refuse, error;
        long status;
        const char *body, *received, *header;
} answers[] = {
        {.name = "a body",
                .answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nApi-Version: 1.41\r\n\r\n{}",
                .status = 200,
                .body = "{}",
                .header = "1.41"},
        {.name = "a header of any case",
                .answer = "HTTP/1.1 200 OK\r\napi-version:1.52\r\n\r\n",
                .status = 200,
                .header = "1.52"},
        {.name = "a header too long",
                .answer = "HTTP/1.1 200 OK\r\nApi-Version: "
                          "12345678901234567890123456789012345678901234567890123456789012345\r\n\r\n",
                .status = 200},
        {.name = "an error",
                .answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone",
                .status = 404,
                .body = "gone"},
        {.name = "a redirection is not followed",
                .answer = "HTTP/1.1 302 Found\r\nLocation: http://example.com/\r\nContent-Length: 0\r\n\r\n",
                .status = 302},
        {.name = "a body over the cap",
                .answer = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n12345678901234567890",
                .status = 200,
                .error = -EFBIG},
        {.name = "a body cut short",
                .answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
                .status = 200,
                .error = -ECONNRESET,
                .body = "abc"},
        {.name = "no HTTP", .answer = "\x01\x02 what is this\r\n\r\n", .error = -EPROTO},
        {.name = "nothing", .answer = "", .error = -ECONNRESET},
        {.name = "a stream",
                .answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                          "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
                .is_stream = true,
                .status = 200,
                .received = "abcde"},
        {.name = "a stream that was refused",
                .answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
                .is_stream = true,
                .refuse = -EBADMSG,
                .status = 200,
                .error = -EBADMSG},
        {.name = "an error instead of a stream",
                .answer = "HTTP/1.1 500 Oh\r\nContent-Length: 3\r\n\r\nwhy",
                .is_stream = true,
                .status = 500,
                .body = "why"},
};

START_TEST(answer_is_told_once) {
        typeof(&answers[0]) a = &answers[_i];
        Lab lab;

        lab_init(&lab, a->answer);
        lab.refuse = a->refuse;
        get(&lab, (HttpOptions){.data = a->is_stream ? on_data : NULL, .max_bytes = 16});
        ck_assert_uint_gt(http_next_deadline(lab.http), 0);
        run_until_done(&lab);
        ck_assert_int_eq(lab.error, a->error);
        ck_assert_int_eq(lab.status, a->status);
        if (a->error != -EFBIG)
                ck_assert_str_eq(lab.body, a->body ? a->body : "");
        ck_assert_str_eq(lab.header, a->header ? a->header : "");
        ck_assert_text_eq(buffer_text(&lab.received), a->received ? a->received : "");
        ck_assert_int_eq(lab.n_done, 1);
        ck_assert_uint_eq(http_next_deadline(lab.http), 0);
        ck_assert_ptr_nonnull(strstr(lab.request, "GET /v1.41/info HTTP/1.1\r\nHost: docker\r\n"));
        lab_done(&lab);
}
END_TEST

START_TEST(silence_is_a_time_out) {
        Lab lab;

        lab_init(&lab, NULL);
        get(&lab, (HttpOptions){.answer_timeout = USEC_PER_MSEC});
        run_until_done(&lab);
        ck_assert_int_eq(lab.error, -ETIMEDOUT);
        lab_done(&lab);
}
END_TEST

START_TEST(answer_that_stalls_is_a_time_out) {
        Lab lab;

        lab_init(&lab, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
        lab.keep_open = true;
        get(&lab, (HttpOptions){.idle_timeout = USEC_PER_MSEC, .max_bytes = 16});
        run_until_done(&lab);
        ck_assert_int_eq(lab.error, -ETIMEDOUT);
        lab_done(&lab);
}
END_TEST

START_TEST(stream_may_be_silent_but_not_for_ever_to_begin) {
        Lab lab;

        lab_init(&lab, "HTTP/1.1 200 OK\r\n\r\nabc");
        lab.keep_open = true;
        get(&lab, (HttpOptions){.data = on_data});
        while (lab.received.len < 3)
                ck_assert_int_ge(sd_event_run(lab.event, 10 * USEC_PER_SEC), 1);
        ck_assert_uint_eq(http_next_deadline(lab.http), 0);
        ck_assert_int_eq(lab.n_done, 0);
        lab.pending = http_cancel(lab.pending);
        ck_assert_int_eq(lab.n_done, 0);
        lab_done(&lab);
}
END_TEST

START_TEST(paused_stream_goes_on_where_it_was) {
        Lab lab;
        HttpRequest *request;

        lab_init(&lab, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
        lab.n_pauses = 1;
        get(&lab, (HttpOptions){.data = on_data, .idle_timeout = 10 * USEC_PER_SEC});
        request = lab.pending;
        for (int i = 0; i < 8; i++) /* all that can be done without it */
                (void) sd_event_run(lab.event, 1000);
        ck_assert_int_eq(lab.n_done, 0);
        ck_assert_uint_eq(lab.received.len, 0);
        ck_assert_uint_eq(http_next_deadline(lab.http), 0);
        lab.n_pauses = 0;
        http_resume(request);
        run_until_done(&lab);
        ck_assert_int_eq(lab.error, 0);
        ck_assert_text_eq(buffer_text(&lab.received), "abc");
        lab_done(&lab);
}
END_TEST

START_TEST(missing_socket_is_named) {
        Lab lab;

        lab_init(&lab, "");
        get(&lab, (HttpOptions){.unix_socket = "/nonexistent/socket"});
        run_until_done(&lab);
        ck_assert(lab.error == -ENOENT || lab.error == -ECONNREFUSED); /* libcurl does not always tell */
        lab_done(&lab);
}
END_TEST

START_TEST(requests_under_way_end_with_their_owner) {
        Lab lab;

        lab_init(&lab, NULL);
        get(&lab, (HttpOptions){});
        (void) sd_event_run(lab.event, 1000);
        lab_done(&lab);
        ck_assert_int_eq(lab.n_done, 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("http");
        TCase *tc = tcase_create("http");

        tcase_add_loop_test(tc, answer_is_told_once, 0, ELEMENTSOF(answers));
        tcase_add_test(tc, silence_is_a_time_out);
        tcase_add_test(tc, answer_that_stalls_is_a_time_out);
        tcase_add_test(tc, stream_may_be_silent_but_not_for_ever_to_begin);
        tcase_add_test(tc, paused_stream_goes_on_where_it_was);
        tcase_add_test(tc, missing_socket_is_named);
        tcase_add_test(tc, requests_under_way_end_with_their_owner);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
