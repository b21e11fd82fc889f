/* What the fixer takes for a request: of what becomes part of a path or of an engine's URL, only names. */

#include "daemon/fix/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NAME "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

static bool is_name(const char *s) {
        return s[strspn(s, NAME)] == '\0' && s[0] != '.' && s[0] != '-';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *why = NULL;
        FixRequest request;

        if (fix_request_parse((Text){(const char *) data, size}, &request, &why) < 0)
                return why ? 0 : (abort(), 0);
        if (request.verb < 0 || request.verb >= FIX_VERB_X_MAX || !is_name(request.subject) ||
                !is_name(request.incident) || !is_name(request.run) || strchr(request.fix, '/') ||
                strchr(request.fix, '.'))
                abort();
        return 0;
}
