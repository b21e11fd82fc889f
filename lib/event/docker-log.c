/* A container's log as the engine streams it: frames, timestamps, pieces of 16 KiB.
 *
 * Promise: bytes may arrive cut anywhere; a line is delivered once and whole, or cut at DOCKER_LINE_MAX and
 * marked. The position covers only what was delivered: a line whose end is missing is read again after a
 * reconnect. The traps: `since=` includes the nanosecond it names, and the pieces of a line all carry the
 * timestamp of its first, so that nanosecond may hold several frames; a terminal's log has no frames, so
 * there the repeated timestamps stand in the middle of the line. */

#include "lib/event/docker-event.h"

#define HEADER_BYTES    8
#define STAMP_MAX_BYTES 40 /* "2024-05-23T07:50:52.598123456+02:00" is 35 */
#define PIECE_BYTES     ((size_t) 16 * 1024)
/* Room for the timestamps that a terminal's pieces repeat, which are taken out before the cut is made. */
#define LINE_ROOM (DOCKER_LINE_MAX + DOCKER_LINE_MAX / PIECE_BYTES * (STAMP_MAX_BYTES + 1))

enum {
        STREAM_STDOUT = 1,
        STREAM_STDERR = 2,
        STREAM_ENGINE_ERROR = 3,
        STREAM_X_MAX = 4,
};

/* A line that waits for its end. */
typedef struct OpenLine {
        Buffer text;
        uint64_t nsec;
        bool is_open, truncated;
} OpenLine;

struct DockerLogDecoder {
        bool tty;
        DockerLogPosition skip, position;
        bool is_skipping;      /* not yet past `skip` */
        uint64_t nsec, frames; /* of the frame at hand: its time, and its number at that time */
        unsigned char header[HEADER_BYTES];
        size_t n_header;
        uint32_t remaining; /* of the frame's payload; unused with a terminal */
        char stamp[STAMP_MAX_BYTES + 1];
        size_t n_stamp;
        bool has_stamp, is_discarded;
        char last_byte;
        OpenLine lines[STREAM_X_MAX];
        uint64_t n_truncated;
};

int docker_log_decoder_new(DockerLogDecoder **ret, bool tty, DockerLogPosition skip) {
        DockerLogDecoder *d = calloc(1, sizeof(*d));

        if (!d)
                return -ENOMEM;
        d->tty = tty;
        d->skip = d->position = skip;
        d->is_skipping = true;
        *ret = d;
        return 0;
}

DockerLogDecoder *docker_log_decoder_free(DockerLogDecoder *d) {
        if (!d)
                return NULL;
        FOREACH_ARRAY (line, d->lines, STREAM_X_MAX)
                buffer_done(&line->text);
        free(d);
        return NULL;
}

DockerLogPosition docker_log_decoder_position(const DockerLogDecoder *d) {
        return d->position;
}

uint64_t docker_log_decoder_truncated(const DockerLogDecoder *d) {
        return d->n_truncated;
}

static OpenLine *current_line(DockerLogDecoder *d) {
        return &d->lines[d->tty ? STREAM_STDOUT : d->header[0]];
}

static bool has_open_line(const DockerLogDecoder *d) {
        FOREACH_ARRAY (line, d->lines, STREAM_X_MAX)
                if (line->is_open)
                        return true;
        return false;
}

/* Takes header bytes off *data; 1 when the header is complete. */
static int read_header(DockerLogDecoder *d, Text *data) {
        size_t n = text_clip(*data, HEADER_BYTES - d->n_header).len;

        memcpy(d->header + d->n_header, data->data, n);
        d->n_header += n;
        *data = text_skip(*data, n);
        if (d->n_header < HEADER_BYTES)
                return 0;
        if (d->header[0] >= STREAM_X_MAX || d->header[1] || d->header[2] || d->header[3])
                return -EBADMSG;
        if (d->header[0] == STREAM_ENGINE_ERROR)
                return -EIO;
        d->remaining = (uint32_t) d->header[4] << 24 | (uint32_t) d->header[5] << 16 |
                (uint32_t) d->header[6] << 8 | d->header[7];
        return 1;
}

/* The frame's time is known: counts it and decides whether it was handled before. */
static int begin_frame(DockerLogDecoder *d) {
        OpenLine *line = current_line(d);
        uint64_t nsec;
        size_t len;

        if (timestamp_parse((Text){d->stamp, d->n_stamp}, &nsec, &len) < 0 || len != d->n_stamp)
                return -EBADMSG;
        d->frames = nsec == d->nsec ? d->frames + 1 : 1;
        d->nsec = nsec;
        if (d->is_skipping && (nsec > d->skip.nsec || (nsec == d->skip.nsec && d->frames > d->skip.frames)))
                d->is_skipping = false;
        d->has_stamp = true;
        d->is_discarded = d->is_skipping;
        if (!d->is_discarded && !line->is_open) {
                line->is_open = true;
                line->nsec = nsec;
        }
        return 0;
}

static int read_stamp(DockerLogDecoder *d, Text *data) {
        while (data->len > 0) {
                char c = data->data[0];

                *data = text_skip(*data, 1);
                if (c == ' ')
                        return begin_frame(d);
                if (d->n_stamp >= STAMP_MAX_BYTES)
                        return -EBADMSG;
                d->stamp[d->n_stamp++] = c;
        }
        return 0;
}

/* A terminal's long line: the timestamp stands again before each piece. */
static void drop_repeated_stamps(DockerLogDecoder *d, Buffer *b) {
        size_t at = PIECE_BYTES, stamp = d->n_stamp + 1;

        d->stamp[d->n_stamp] = ' ';
        while (at < b->len && b->len - at >= stamp && memcmp(b->data + at, d->stamp, stamp) == 0) {
                memmove(b->data + at, b->data + at + stamp, b->len - at - stamp + 1);
                b->len -= stamp;
                at += PIECE_BYTES;
        }
}

static int append(OpenLine *line, Text body) {
        size_t room = LINE_ROOM - line->text.len;

        line->truncated = line->truncated || body.len > room;
        return buffer_append_text(&line->text, text_clip(body, room));
}

static int deliver(DockerLogDecoder *d, OpenLine *line, docker_log_line_t callback, void *userdata) {
        Text text;
        bool truncated;
        int r;

        if (d->tty)
                drop_repeated_stamps(d, &line->text);
        text = buffer_text(&line->text);
        while (text.len > 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
                text.len--;
        truncated = line->truncated || text.len > DOCKER_LINE_MAX;
        d->n_truncated += truncated;
        r = callback(userdata, text_clip(text, DOCKER_LINE_MAX), line->nsec, truncated);
        buffer_clear(&line->text);
        line->is_open = line->truncated = false;
        return r;
}

/* The frame is complete, or with a terminal the line. */
static int end_frame(DockerLogDecoder *d, bool ends_line, docker_log_line_t callback, void *userdata) {
        int r = 0;

        if (!d->is_discarded && ends_line)
                r = deliver(d, current_line(d), callback, userdata);
        /* One stream's line may end while the other's is open: only what lies before both is done with. */
        if (!d->is_discarded && !has_open_line(d))
                d->position = (DockerLogPosition){d->nsec, d->frames};
        d->n_header = d->n_stamp = 0;
        d->has_stamp = d->is_discarded = false;
        return r < 0 ? r : 0;
}

static int feed_frames(DockerLogDecoder *d, Text data, docker_log_line_t callback, void *userdata) {
        while (data.len > 0) {
                Text payload, rest;
                int r;

                if (d->n_header < HEADER_BYTES) {
                        r = read_header(d, &data);
                        if (r < 0)
                                return r;
                        if (r > 0 && d->remaining == 0)
                                d->n_header = 0; /* an empty frame says nothing */
                        continue;
                }
                payload = rest = text_clip(data, d->remaining);
                data = text_skip(data, payload.len);
                d->remaining -= (uint32_t) payload.len;
                d->last_byte = payload.data[payload.len - 1];
                r = d->has_stamp ? 0 : read_stamp(d, &rest);
                if (r >= 0 && d->has_stamp && !d->is_discarded)
                        r = append(current_line(d), rest);
                if (r < 0)
                        return r;
                if (d->remaining > 0)
                        continue;
                if (!d->has_stamp)
                        return -EBADMSG;
                r = end_frame(d, d->last_byte == '\n', callback, userdata);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int feed_terminal(DockerLogDecoder *d, Text data, docker_log_line_t callback, void *userdata) {
        while (data.len > 0) {
                const char *newline;
                Text body;
                int r = 0;

                if (!d->has_stamp) {
                        r = read_stamp(d, &data);
                        if (r < 0)
                                return r;
                        continue;
                }
                newline = memchr(data.data, '\n', data.len);
                body = newline ? text_clip(data, (size_t) (newline - data.data) + 1) : data;
                data = text_skip(data, body.len);
                if (!d->is_discarded)
                        r = append(current_line(d), body);
                if (r >= 0 && newline)
                        r = end_frame(d, true, callback, userdata);
                if (r < 0)
                        return r;
        }
        return 0;
}

int docker_log_decoder_feed(
        DockerLogDecoder *d, const void *data, size_t len, docker_log_line_t line, void *userdata) {
        Text bytes = {data, len};

        return d->tty ? feed_terminal(d, bytes, line, userdata) : feed_frames(d, bytes, line, userdata);
}

int docker_log_decoder_finish(DockerLogDecoder *d, docker_log_line_t callback, void *userdata) {
        FOREACH_ARRAY (line, d->lines, STREAM_X_MAX) {
                int r;

                if (!line->is_open)
                        continue;
                r = deliver(d, line, callback, userdata);
                if (r < 0)
                        return r;
        }
        if (!d->is_skipping)
                d->position = (DockerLogPosition){d->nsec, d->frames};
        return 0;
}
