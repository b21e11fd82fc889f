/* How the gate takes in connections. What it does with them is tests/integration/gate.py's. */

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/gate/gate.h"
#include "tests/unit/recording-folder.h"
#include "tests/unit/unit.h"

#define TURN     (100 * USEC_PER_MSEC)
#define PATIENCE 100U /* turns */
#define REQUEST  "GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n"

static int unix_socket(const char *path, int (*use)(int, const struct sockaddr *, socklen_t)) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
        memcpy(address.sun_path, path, strlen(path) + 1);
        ck_assert_int_eq(use(fd, (const struct sockaddr *) &address, sizeof(address)), 0);
        return fd;
}

static int ask(const char *path) {
        int fd = unix_socket(path, connect);

        ck_assert_int_eq(send(fd, REQUEST, strlen(REQUEST), MSG_NOSIGNAL), (int) strlen(REQUEST));
        return fd;
}

/* No further descriptor until the limit is set back. */
static struct rlimit take_descriptors(void) {
        struct rlimit before, none;
        int next = dup(STDIN_FILENO);

        ck_assert_int_ge(next, 0);
        (void) close(next);
        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
        none = (struct rlimit){(rlim_t) next, before.rlim_max};
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
        return before;
}

/* The gate went deaf for good when it had no descriptor once. */
START_TEST(listens_again_when_there_are_descriptors) {
        TestFolder folder = test_folder_new();
        char path[PATH_MAX], engine[PATH_MAX], answer[1024] = "";
        struct rlimit before;
        sd_event *event = NULL;
        Gate *gate = NULL;
        int listener, client;

        listener = unix_socket(test_folder_path(&folder, "gate.sock", path), bind);
        ck_assert_int_eq(listen(listener, 2), 0);
        ck_assert_int_eq(sd_event_new(&event), 0);
        ck_assert_int_eq(gate_new(&gate, event, listener, geteuid(),
                                 test_folder_path(&folder, "no-engine.sock", engine)),
                0);
        client = ask(path);
        before = take_descriptors();
        ck_assert_int_gt(sd_event_run(event, TURN), 0);
        ck_assert_int_eq(sd_event_run(event, TURN), 0); /* it does not turn in circles either */
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
        (void) close(client);
        client = ask(path); /* another: valgrind has taken in the first one, and closed it */
        for (unsigned i = 0; i < PATIENCE && recv(client, answer, sizeof(answer) - 1, 0) < 0; i++)
                ck_assert_int_ge(sd_event_run(event, TURN), 0);
        ck_assert_ptr_nonnull(strstr(answer, "HTTP/1.1 502 "));

        (void) close(client);
        gate_free(gate);
        sd_event_unref(event);
        test_folder_done(&folder);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("gate");
        TCase *tcase = tcase_create("gate");

        tcase_set_timeout(tcase, 30);
        tcase_add_test(tcase, listens_again_when_there_are_descriptors);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
