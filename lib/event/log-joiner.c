/* Joins the lines of one record: remembers, for each stream, the line that started its last one.
 *
 * Promise: bounded memory (STREAMS_MAX heads of HEAD_MAX_BYTES, allocated when a stream first needs one and
 * reused from then on), no allocation a line. The trap: a module that never prints prefixes has no heads, so
 * its lines stand alone; and a line long after the last one starts something new, whatever it looks like. */

#include "lib/event/log-prefix.h"

#include <ctype.h>
#include <strings.h>

#define STREAMS_MAX    256
#define HEAD_MAX_BYTES 1024
/* Lines of one record are written at once; under load they reach the journal a second or two apart. Counted
 * from the head, or a module that prints steadily would continue one record for ever. */
#define RECORD_GAP_MAX (5 * USEC_PER_SEC)
/* As long as the longest line that anything here reads. */
#define LINE_MAX_BYTES ((size_t) 64 * 1024)

typedef struct Stream {
        char *head; /* HEAD_MAX_BYTES */
        size_t head_len;
        Level level;
        usec_t time;
        uint64_t used; /* by the joiner's count of uses: time may jump */
} Stream;

struct LogJoiner {
        uint64_t keys[STREAMS_MAX]; /* apart, so that the search runs over one block */
        Stream streams[STREAMS_MAX];
        size_t n_streams, last;
        uint64_t n_uses;
        Buffer message;
};

int log_joiner_new(LogJoiner **ret) {
        LogJoiner *j = calloc(1, sizeof(*j));

        if (!j)
                return -ENOMEM;
        j->message.max_bytes = LINE_MAX_BYTES;
        *ret = j;
        return 0;
}

LogJoiner *log_joiner_free(LogJoiner *j) {
        if (!j)
                return NULL;
        for (size_t i = 0; i < j->n_streams; i++)
                free(j->streams[i].head);
        buffer_done(&j->message);
        free(j);
        return NULL;
}

static Stream *find_stream(LogJoiner *j, uint64_t key) {
        if (j->last < j->n_streams && j->keys[j->last] == key)
                return &j->streams[j->last];
        for (size_t i = 0; i < j->n_streams; i++)
                if (j->keys[i] == key) {
                        j->last = i;
                        return &j->streams[i];
                }
        return NULL;
}

static size_t oldest_stream(const LogJoiner *j) {
        size_t oldest = 0;

        for (size_t i = 1; i < j->n_streams; i++)
                if (j->streams[i].used < j->streams[oldest].used)
                        oldest = i;
        return oldest;
}

static Stream *add_stream(LogJoiner *j, uint64_t key) {
        size_t i = j->n_streams;

        if (i >= STREAMS_MAX)
                i = oldest_stream(j);
        else {
                j->streams[i].head = malloc(HEAD_MAX_BYTES);
                if (!j->streams[i].head)
                        return NULL;
                j->n_streams++;
        }
        j->keys[i] = key;
        j->last = i;
        return &j->streams[i];
}

static bool is_cause(Text message) {
        while (message.len > 0 && isspace((unsigned char) message.data[0]))
                message = text_skip(message, 1);
        return message.len >= 10 && strncasecmp(message.data, "caused by:", 10) == 0;
}

static int begin_record(LogJoiner *j, Stream *s, uint64_t key, usec_t time, const LogLine *line) {
        if (!s)
                s = add_stream(j, key);
        if (!s)
                return -ENOMEM;
        s->head_len = text_clip(line->message, HEAD_MAX_BYTES).len;
        memcpy(s->head, line->message.data, s->head_len);
        s->level = line->level;
        s->time = time;
        s->used = ++j->n_uses;
        return 0;
}

static bool goes_on(const Stream *s, usec_t time) {
        return s && usec_sub(time, s->time) <= RECORD_GAP_MAX && usec_sub(s->time, time) <= RECORD_GAP_MAX;
}

static int decode_prefixed(LogJoiner *j, uint64_t key, usec_t time, Text text, LogLine *line) {
        LogPrefix prefix = log_prefix_parse(text);
        Stream *s = find_stream(j, key);

        line->message = text_skip(text, prefix.bytes);
        line->level = prefix.level;
        if (prefix.bytes > 0 && !(is_cause(line->message) && goes_on(s, time)))
                return begin_record(j, s, key, time, line);
        if (!goes_on(s, time))
                return 0;
        line->head = (Text){s->head, s->head_len};
        line->level = s->level;
        s->used = ++j->n_uses;
        return 0;
}

static int decode_engine(LogJoiner *j, Text text, LogLine *line) {
        int r = logrus_parse(text, &line->level, &j->message);

        line->message = r > 0 ? buffer_text(&j->message) : text;
        return r < 0 ? r : 0;
}

static Text without_line_end(Text t) {
        while (t.len > 0 && (t.data[t.len - 1] == '\n' || t.data[t.len - 1] == '\r'))
                t.len--;
        return t;
}

int log_joiner_decode(LogJoiner *j, uint64_t key, Origin origin, usec_t time, Text text, LogLine *ret) {
        LogLine line = *ret;
        int r = 0;

        text = without_line_end(text);
        line.truncated = line.truncated || text.len > LINE_MAX_BYTES;
        text = text_clip(text, LINE_MAX_BYTES);
        line.message = text;
        line.head = TEXT_NONE;
        line.level = LEVEL_UNKNOWN;

        if (origin == ORIGIN_DOCKER)
                r = decode_engine(j, text, &line);
        else if (origin != ORIGIN_KERNEL && origin != ORIGIN_SYSTEMD)
                r = decode_prefixed(j, key, time, text, &line);
        if (r < 0)
                return r;
        *ret = line;
        return 0;
}
