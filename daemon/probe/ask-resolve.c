/* Does this name resolve here? */

#include "daemon/probe/lookup.h"
#include "daemon/probe/questions.h"

static json_t *ask(const Request *request, const char **ret_why) {
        Lookup l;

        lookup_run(request, &l);
        return lookup_answer(&l, ret_why);
}

const Question question_resolve = {.name = "resolve", .on_network = true, .needs_host = true, .ask = ask};
