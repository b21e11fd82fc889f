/* Does this name resolve here? */

#include "daemon/probe/lookup.h"
#include "daemon/probe/questions.h"

static json_t *ask(const Request *request, const char **ret_why) {
        Lookup l;

        (void) ret_why;
        lookup_run(request, &l);
        return network_result(l.result, l.detail);
}

const Question question_resolve = {.name = "resolve", .on_network = true, .needs_host = true, .ask = ask};
