/* edgewatch-probe: reads one request from standard input, answers on standard output, ends. Started by
 * systemd for each connection to its socket, or by edgewatchd itself where it is not installed. It looks and
 * never changes; what goes on the network does so without any right. */

#include "daemon/base/request.h"
#include "daemon/probe/lookup.h"
#include "daemon/probe/namespace.h"
#include "daemon/probe/question.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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
        int len = request_read(STDIN_FILENO, buffer, sizeof(buffer));

        if (len < 0)
                return refuse("no request came");
        if (request_parse((Text){buffer, (size_t) len}, &request, &why) < 0)
                return refuse(why);
        why = prepare(&request);
        if (why)
                return refuse(why);
        value = request.question->ask(&request, &why);
        return value ? answer(json_pack("{s:o}", "value", value)) : refuse(why ? why : "it cannot be known");
}
