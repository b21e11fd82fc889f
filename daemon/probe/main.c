/* edgewatch-probe: reads one request from standard input, answers on standard output, ends. Started by
 * systemd for each connection to its socket, or by edgewatchd itself where it is not installed. It looks and
 * never changes; what goes on the network does so without any right. */

#include "daemon/probe/lookup.h"
#include "daemon/probe/namespace.h"
#include "daemon/probe/question.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define REQUEST_WAIT_MS 5000

/* One request is one line, or everything until the other side shuts its end. */
static int read_request(char *buffer, size_t size, size_t *ret_len) {
        size_t len = 0;

        while (len < size && !memchr(buffer, '\n', len)) {
                struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
                ssize_t n;

                if (poll(&wait, 1, REQUEST_WAIT_MS) <= 0)
                        return -ETIMEDOUT;
                n = read(STDIN_FILENO, buffer + len, size - len);
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                len += (size_t) n;
        }
        *ret_len = len;
        return 0;
}

static int answer(json_t *object) {
        char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
        int r = text && printf("%s\n", text) > 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;

        free(text);
        json_decref(object);
        return r;
}

static int refuse(const char *why) {
        return answer(json_pack("{s:s}", "error", why));
}

static const char *prepare(const Request *request) {
        int r;

        if (request->question->needs_host && lookup_prepare(request) < 0)
                return "the resolver could not be read";
        if (request->container_id[0] != '\0') {
                r = enter_container_network(request->container_id);
                if (r == -ENOENT)
                        return "the container does not run";
                if (r < 0)
                        return "no right to enter the container's network";
        }
        return request->question->on_network && drop_rights() < 0 ? "the rights could not be dropped" : NULL;
}

int main(void) {
        char buffer[REQUEST_MAX_BYTES + 1];
        const char *why = NULL;
        Request request;
        json_t *value;
        size_t len = 0;

        if (read_request(buffer, sizeof(buffer), &len) < 0)
                return refuse("no request came");
        if (request_parse((Text){buffer, len}, &request, &why) < 0)
                return refuse(why);
        why = prepare(&request);
        if (why)
                return refuse(why);
        value = request.question->ask(&request, &why);
        return value ? answer(json_pack("{s:o}", "value", value)) : refuse(why ? why : "it cannot be known");
}
