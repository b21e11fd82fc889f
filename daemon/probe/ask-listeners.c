/* Who listens on which port of the host? */

#include "daemon/probe/listeners.h"
#include "daemon/probe/questions.h"

static json_t *ask(const Request *request, const char **ret_why) {
        json_t *value;

        (void) request;
        if (listeners_read("/proc", &value) >= 0)
                return value;
        *ret_why = "/proc could not be read";
        return NULL;
}

const Question question_listeners = {.name = "listeners", .ask = ask};
