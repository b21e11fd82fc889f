/* A recording's logs as streams of lines.
 *
 * The buffer holds one line at most (RECORDING_LINE_MAX), however large the file is; the rest of a longer
 * line is read and thrown away without being kept. */

#include "lib/world/recording-stream.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/world/recording.h"

#define READ_BYTES ((size_t) 64 * 1024)

int recording_stream_open(RecordingStream *s, const RecordingFolder *f, const char *name) {
        _cleanup_(closep) int fd = recording_folder_open_file(f, name);
        char *copy;

        if (fd < 0)
                return fd;
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        *s = (RecordingStream){.folder = f, .name = copy, .fd = TAKE_FD(fd)};
        return 0;
}

void recording_stream_done(RecordingStream *s) {
        if (!s->name)
                return;
        closep(&s->fd);
        free(s->name);
        free(s->data);
        *s = (RecordingStream){.fd = -EBADF};
}

int recording_stream_problem(RecordingStream *s, unsigned column, const char *format, ...) {
        _cleanup_(freep) char *text = NULL;
        va_list args;
        int n;

        if (s->n_problems > RECORDING_STREAM_PROBLEMS_MAX)
                return 0;
        if (s->n_problems++ == RECORDING_STREAM_PROBLEMS_MAX)
                return recording_problem(
                        s->folder, s->name, s->line, 0, "further problems of this file are not listed");

        va_start(args, format);
        n = vasprintf(&text, format, args);
        va_end(args);
        if (n < 0) {
                text = NULL;
                return -ENOMEM;
        }
        return recording_problem(s->folder, s->name, s->line, column, "%s", text);
}

Text recording_stream_unread(const RecordingStream *s) {
        return (Text){s->data ? s->data + s->first : "", s->len};
}

static int make_room(RecordingStream *s, size_t max_bytes) {
        size_t wanted;
        char *grown;

        if (s->first > 0 && s->len > 0)
                memmove(s->data, s->data + s->first, s->len);
        s->first = 0;
        if (s->len + READ_BYTES <= s->allocated || s->allocated >= max_bytes)
                return 0;
        wanted = s->allocated > 0 ? s->allocated * 2 : 2 * READ_BYTES;
        if (wanted > max_bytes)
                wanted = max_bytes;
        grown = realloc(s->data, wanted);
        if (!grown)
                return -ENOMEM;
        s->data = grown;
        s->allocated = wanted;
        return 0;
}

int recording_stream_fill(RecordingStream *s, size_t max_bytes) {
        ssize_t n;
        int r;

        if (s->ended || s->len >= max_bytes)
                return 0;
        r = make_room(s, max_bytes);
        if (r < 0)
                return r;
        do
                n = read(s->fd, s->data + s->len, s->allocated - s->len);
        while (n < 0 && errno == EINTR);
        if (n < 0) { /* a disk error or the like: what was read so far stands */
                s->ended = true;
                r = recording_stream_problem(s, 0, "cannot be read on: %s", strerror(errno));
                return r;
        }
        if (n == 0) {
                s->ended = true;
                return 0;
        }
        s->len += (size_t) n;
        return 1;
}

void recording_stream_consume(RecordingStream *s, size_t n) {
        if (n == 0)
                return;
        for (const char *c = s->data + s->first, *end = c + n; c < end; c++)
                s->line += *c == '\n';
        s->first += n;
        s->len -= n;
}

/* Throws away everything up to and including the next line end. */
static int skip_line(RecordingStream *s) {
        for (;;) {
                char *end = s->len > 0 ? memchr(s->data + s->first, '\n', s->len) : NULL;
                int r;

                if (end) {
                        size_t n = (size_t) (end - (s->data + s->first)) + 1;
                        s->first += n;
                        s->len -= n;
                        return 0;
                }
                s->first = s->len = 0;
                r = recording_stream_fill(s, READ_BYTES);
                if (r <= 0)
                        return r;
        }
}

int recording_stream_line(RecordingStream *s, char **ret, size_t *ret_len, bool *ret_cut) {
        size_t searched = 0, n;
        char *end;
        int r;

        if (s->in_cut_line) {
                s->in_cut_line = false;
                r = skip_line(s);
                if (r < 0)
                        return r;
        }
        s->line++;

        for (;;) {
                end = s->len > searched ? memchr(s->data + s->first + searched, '\n', s->len - searched)
                                        : NULL;
                if (end)
                        break;
                searched = s->len;
                r = recording_stream_fill(s, RECORDING_LINE_MAX + 1);
                if (r < 0)
                        return r;
                if (r == 0 && s->ended && s->len == 0)
                        return 0;
                if (r == 0)
                        break;
        }

        *ret = s->data + s->first;
        *ret_cut = !end && s->len > RECORDING_LINE_MAX;
        n = end ? (size_t) (end - *ret) : s->len < RECORDING_LINE_MAX ? s->len : RECORDING_LINE_MAX;
        s->first += n + (end != NULL);
        s->len -= n + (end != NULL);
        *ret_len = n > 0 && (*ret)[n - 1] == '\r' ? n - 1 : n;
        if (!*ret_cut)
                return 1;
        s->in_cut_line = true;
        r = recording_stream_problem(s, 0, "line longer than %zu bytes was cut", RECORDING_LINE_MAX);
        return r < 0 ? r : 1;
}

int recording_stream_json(RecordingStream *s, json_t **ret) {
        for (;;) {
                json_error_t error;
                json_t *object;
                size_t len;
                char *line;
                bool cut;
                int r;

                r = recording_stream_line(s, &line, &len, &cut);
                if (r <= 0)
                        return r;
                if (cut || text_strip((Text){line, len}).len == 0)
                        continue;
                object = json_loadb(line, len, JSON_ALLOW_NUL, &error);
                if (json_is_object(object)) {
                        *ret = object;
                        return 1;
                }
                if (object)
                        r = recording_stream_problem(s, 1, "expected a JSON object");
                else
                        r = recording_stream_problem(s, error.column > 0 ? (unsigned) error.column : 0,
                                "not JSON: %s", error.text);
                json_decref(object);
                if (r < 0)
                        return r;
        }
}

int recording_time(const json_t *object, const char *key, usec_t *ret) {
        uint64_t nsec;
        int r;

        r = timestamp_parse(text_of(json_string_value(json_object_get(object, key))), &nsec, NULL);
        if (r < 0)
                return r;
        *ret = nsec / NSEC_PER_USEC;
        return 0;
}
