/* Lines of a log, each as the runtime's and as the engine's: the joiner, prefixes, logrus. */

#include "lib/event/log-prefix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const Origin origins[] = {ORIGIN_RUNTIME, ORIGIN_DOCKER};
        _cleanup_(log_joiner_freep) LogJoiner *j = NULL;
        Text text = {(const char *) data, size};

        if (log_joiner_new(&j) < 0)
                return 0;
        while (text.len > 0) {
                const char *newline = memchr(text.data, '\n', text.len);
                Text line = text_clip(text, newline ? (size_t) (newline - text.data) + 1 : text.len);

                FOREACH_ARRAY (origin, origins, ELEMENTSOF(origins)) {
                        LogLine log = {};
                        (void) log_joiner_decode(j, (uint64_t) *origin, *origin, 0, line, &log);
                        if (log.message.len > line.len)
                                abort();
                }
                text = text_skip(text, line.len);
        }
        return 0;
}
