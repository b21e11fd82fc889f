/* What the prober takes for a request names a question, stays within its bounds and is nothing but a host
 * name. */

#include "daemon/probe/namespace.h"
#include "daemon/probe/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Text text = {(const char *) data, size};
        const char *why = NULL;
        Request request;

        (void) cgroup_names_container(
                text, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        if (request_parse(text, &request, &why) < 0)
                return why ? 0 : (abort(), 0);
        if (!request.question || request.timeout_ms < 1 || request.timeout_ms > TIMEOUT_MAX_MS ||
                strpbrk(request.host, "/ :;\n"))
                abort();
        return 0;
}
