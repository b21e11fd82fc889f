#pragma once

/* Decodes what the Docker engine sends: the objects of `GET /events`, the frames of `GET
 * /containers/ID/logs`. */

#include "lib/base/buffer.h"
#include "lib/event/log-prefix.h"

/* One object of the event stream. Returns 1, 0 for one of no interest (images, volumes, exec), -EBADMSG when
 * it is not an event. ret_time_nsec may be NULL. The event's texts point into `object`. */
int docker_event_decode(const json_t *object, Event *ret, uint64_t *ret_time_nsec);

/* What an enumeration or a re-inspection found: an event of action `running`, `error` or `state`. The event
 * borrows c. `initial` is left to the caller, who knows whether it was an enumeration. */
void container_state_event(Container *c, usec_t now, Event *ret);
void network_state_event(Network *n, usec_t now, Event *ret);

/* One container's log stream as the engine sends it with timestamps=1: frames of 8 + n bytes unless the
 * container has a terminal, each line (or its 16 KiB piece) with an RFC 3339 timestamp and a space in front.
 * Splits frames, joins pieces, cuts at DOCKER_LINE_MAX. */
#define DOCKER_LINE_MAX ((size_t) 64 * 1024)

/* Where to resume: `since=` is inclusive, so `frames` says how many at that nanosecond were already
 * consumed. */
typedef struct DockerLogPosition {
        uint64_t nsec;
        uint64_t frames;
} DockerLogPosition;

typedef struct DockerLogDecoder DockerLogDecoder;
typedef int (*docker_log_line_t)(void *userdata, Text line, uint64_t nsec, bool truncated);

/* `skip`: the position of the last frame already handled; lines up to it are not delivered again. */
int docker_log_decoder_new(DockerLogDecoder **ret, bool tty, DockerLogPosition skip);
DockerLogDecoder *docker_log_decoder_free(DockerLogDecoder *d);
DEFINE_CLEANUP(DockerLogDecoder, docker_log_decoder_free);

/* Feeds bytes as they arrive; calls back for each whole line. -EBADMSG when the frames make no sense, -EIO
 * when the engine tells of a failure of its own inside the stream, or what the callback returned. */
int docker_log_decoder_feed(
        DockerLogDecoder *d, const void *data, size_t len, docker_log_line_t line, void *userdata);
/* Delivers the lines whose end never came: when the container has exited, its last words may lack a newline.
 */
int docker_log_decoder_finish(DockerLogDecoder *d, docker_log_line_t line, void *userdata);
/* Covers what was delivered. A line still open is not in it and is sent again after a resume. */
DockerLogPosition docker_log_decoder_position(const DockerLogDecoder *d);
uint64_t docker_log_decoder_truncated(const DockerLogDecoder *d);
