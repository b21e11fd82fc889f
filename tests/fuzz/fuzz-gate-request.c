/* What the gate takes for a request becomes one whose target has one spelling: asked for again it is the
 * same, and nothing is in it that would need interpretation. */

#include <stdio.h>

#include "lib/gate/gate-request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ALPHABET "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.:@-?&=%~"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char written[GATE_REQUEST_MAX + 32];
        GateRequest request, again;
        const char *why = NULL;
        size_t path;
        int r;

        r = gate_request_parse((Text){(const char *) data, size}, &request, &why);
        if (r == -EAGAIN)
                return 0;
        if (r < 0)
                return why ? 0 : (abort(), 0);
        path = strcspn(request.target, "?");
        if (request.target[0] != '/' || request.target[strspn(request.target, ALPHABET)] != '\0' ||
                strcspn(request.target, "%") < path ||
                text_contains(text_clip(text_of(request.target), path), ".."))
                abort();
        (void) snprintf(written, sizeof(written), "GET %s HTTP/1.1\r\n\r\n", request.target);
        if (gate_request_parse(text_of(written), &again, &why) < 0 ||
                strcmp(again.target, request.target) != 0 || again.is_stream != request.is_stream)
                abort();
        return 0;
}
