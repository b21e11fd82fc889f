/* A log stream, cut in two where the first byte says; the second byte's lowest bit makes it a terminal's. */

#include "lib/event/docker-event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *userdata, Text line, uint64_t nsec, bool truncated) {
        size_t *n_bytes = userdata;

        *n_bytes += line.len;
        if (line.len > DOCKER_LINE_MAX)
                abort();
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(docker_log_decoder_freep) DockerLogDecoder *d = NULL;
        size_t cut, n_bytes = 0;

        if (size < 2 || docker_log_decoder_new(&d, data[1] & 1, (DockerLogPosition){1, 1}) < 0)
                return 0;
        cut = data[0] < size - 2 ? data[0] : size - 2;
        if (docker_log_decoder_feed(d, data + 2, cut, take, &n_bytes) == 0 &&
                docker_log_decoder_feed(d, data + 2 + cut, size - 2 - cut, take, &n_bytes) == 0)
                (void) docker_log_decoder_finish(d, take, &n_bytes);
        if (n_bytes > size)
                abort();
        return 0;
}
