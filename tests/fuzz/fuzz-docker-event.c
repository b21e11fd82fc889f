/* One object of the engine's event stream: docker_event_decode(), and what is said about it. */

#include "lib/event/docker-event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        json_t *object = json_loadb((const char *) data, size, JSON_ALLOW_NUL, NULL);
        Event event;

        if (object && docker_event_decode(object, &event, NULL) > 0)
                free(event_describe(&event));
        json_decref(object);
        return 0;
}
