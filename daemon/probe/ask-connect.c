/* Does a TCP connection to this port open? Every address of the name is tried within the time; the first
 * that answers decides. */

#include "daemon/probe/lookup.h"
#include "daemon/probe/questions.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

json_t *network_result(const char *result, const char *detail) {
        return json_pack("{s:s, s:s}", "result", result, "detail", detail);
}

const char *connect_result_word(int error) {
        switch (error) {
        case 0:
                return "ok";
        case ECONNREFUSED:
        case ECONNRESET:
                return "refused";
        case ETIMEDOUT:
                return "timeout";
        case ENETUNREACH:
        case EHOSTUNREACH:
                return "unreachable";
        default:
                return "error";
        }
}

static int connect_one(const struct sockaddr_storage *address, socklen_t length, int timeout_ms) {
        _cleanup_(closep) int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        socklen_t size = sizeof(int);
        int error = 0, r;

        if (fd < 0)
                return errno;
        if (connect(fd, (const struct sockaddr *) address, length) == 0)
                return 0;
        if (errno != EINPROGRESS)
                return errno;
        r = poll(&wait, 1, timeout_ms);
        if (r < 0)
                return errno;
        if (r == 0)
                return ETIMEDOUT;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                return errno;
        return error;
}

static json_t *ask(const Request *request, const char **ret_why) {
        int error = ETIMEDOUT;
        Lookup l;

        lookup_run(request, &l);
        if (l.n_addresses == 0)
                return lookup_answer(&l, ret_why);
        for (size_t i = 0; i < l.n_addresses && error != 0; i++)
                error = connect_one(
                        l.addresses + i, l.lengths[i], request->timeout_ms / (int) l.n_addresses);
        return network_result(connect_result_word(error), error == 0 ? "" : strerror(error));
}

const Question question_connect = {
        .name = "connect", .on_network = true, .needs_host = true, .needs_port = true, .ask = ask};
