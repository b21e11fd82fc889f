/* One journal entry becomes one log line.
 *
 * Promise: nothing is allocated for an entry, but for the parts of a container's line of more than 16 KiB.
 * Entries that nobody reads cost a few comparisons.
 *
 * Trust: the origin comes from _SYSTEMD_UNIT, _TRANSPORT and _PID, which journald sets. Any program can
 * write CONTAINER_NAME= or UNIT=, so the first counts only from the engine's unit, the second only from
 * PID 1. */

#include "lib/event/journal-entry.h"

#define PARTIALS_MAX 16

/* The parts of one line so far. */
typedef struct Partial {
        uint64_t key; /* 0 while free */
        uint64_t used;
        Buffer text;
        bool truncated;
} Partial;

struct JournalDecoder {
        LogJoiner *joiner;
        Partial partials[PARTIALS_MAX];
        Partial *delivered; /* its text is in the event handed out last */
        uint64_t n_uses;
};

#define FIELDS(X)                                                                                           \
        X("CONTAINER_ID", container_id)                                                                     \
        X("CONTAINER_ID_FULL", container_id)                                                                \
        X("CONTAINER_NAME", container_name)                                                                 \
        X("CONTAINER_PARTIAL_ID", partial_id)                                                               \
        X("MESSAGE", message)                                                                               \
        X("SYSLOG_IDENTIFIER", identifier)                                                                  \
        X("UNIT", about_unit)                                                                               \
        X("_COMM", comm)                                                                                    \
        X("_PID", pid)                                                                                      \
        X("_STREAM_ID", stream_id)                                                                          \
        X("_SYSTEMD_UNIT", unit)                                                                            \
        X("_TRANSPORT", transport)

#define PARTIAL_FIELD            "CONTAINER_PARTIAL_MESSAGE"

#define FIELD_ROW(name, member)  {TEXT_LITERAL(name), offsetof(JournalEntry, member)},
#define LENGTH_BIT(name, member) | (uint64_t) 1 << (sizeof(name) - 1)

static const struct {
        Text name;
        size_t offset;
} fields[] = {FIELDS(FIELD_ROW)};

/* The lengths of names that are read: most fields of an entry are told apart by theirs already. */
static const uint64_t name_lengths = 0 FIELDS(LENGTH_BIT) LENGTH_BIT(PARTIAL_FIELD, partial);

void journal_entry_set(JournalEntry *e, Text name, Text value) {
        if (name.len >= 64 || !(name_lengths >> name.len & 1))
                return;
        FOREACH_ARRAY (f, fields, ELEMENTSOF(fields)) {
                Text *member = (Text *) ((char *) e + f->offset);

                if (!text_equals(name, f->name))
                        continue;
                /* The full id wins over the short one, in whichever order they come. */
                if (f->offset != offsetof(JournalEntry, container_id) || value.len > member->len)
                        *member = value;
                return;
        }
        if (text_is(name, PARTIAL_FIELD))
                e->partial = text_is(value, "true");
}

bool journal_entry_reads(Text name) {
        FOREACH_ARRAY (f, fields, ELEMENTSOF(fields))
                if (text_equals(name, f->name))
                        return true;
        return text_is(name, "CONTAINER_PARTIAL_MESSAGE");
}

#define FIELD_NAME_MAX_BYTES 64 /* journald's own limit */

void journal_entry_add(JournalEntry *e, const void *data, size_t len) {
        Text field = {data, len};
        const char *equals = memchr(data, '=', text_clip(field, FIELD_NAME_MAX_BYTES + 1).len);

        if (!equals)
                return;
        size_t name_len = (size_t) (equals - field.data);

        journal_entry_set(e, text_clip(field, name_len), text_skip(field, name_len + 1));
}

int journal_decoder_new(JournalDecoder **ret) {
        _cleanup_(journal_decoder_freep) JournalDecoder *d = calloc(1, sizeof(*d));
        int r;

        if (!d)
                return -ENOMEM;
        r = log_joiner_new(&d->joiner);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

JournalDecoder *journal_decoder_free(JournalDecoder *d) {
        if (!d)
                return NULL;
        FOREACH_ARRAY (p, d->partials, PARTIALS_MAX)
                buffer_done(&p->text);
        log_joiner_free(d->joiner);
        free(d);
        return NULL;
}

/* Eight bytes a step: this runs for every line that is read. */
static uint64_t hash_text(uint64_t hash, Text t) {
        uint64_t word;

        for (; t.len >= sizeof(word); t = text_skip(t, sizeof(word))) {
                memcpy(&word, t.data, sizeof(word));
                hash = (hash ^ word) * 0x9E3779B97F4A7C15;
                hash ^= hash >> 32;
        }
        word = t.len;
        for (size_t i = 0; i < t.len; i++)
                word = word << 8 | (unsigned char) t.data[i];
        hash = (hash ^ word) * 0x9E3779B97F4A7C15;
        return hash ^ hash >> 32;
}

static uint64_t stream_key(const JournalEntry *e, const LogLine *line) {
        if (!text_is_empty(line->container))
                return hash_text(
                        1, text_is_empty(line->container_id) ? line->container : line->container_id);
        return hash_text(hash_text(hash_text(2, e->unit), e->pid), e->stream_id);
}

static Partial *find_partial(JournalDecoder *d, uint64_t key) {
        FOREACH_ARRAY (p, d->partials, PARTIALS_MAX)
                if (p->key == key)
                        return p;
        return NULL;
}

/* A free one, else the one that has waited longest for its end. */
static Partial *new_partial(JournalDecoder *d, uint64_t key) {
        Partial *chosen = d->partials;

        FOREACH_ARRAY (p, d->partials, PARTIALS_MAX) {
                if (p->key == 0) {
                        chosen = p;
                        break;
                }
                if (p->used < chosen->used)
                        chosen = p;
        }
        buffer_done(&chosen->text);
        *chosen = (Partial){.key = key};
        return chosen;
}

static int partial_append(JournalDecoder *d, Partial *p, Text part) {
        size_t room = JOURNAL_LINE_MAX - p->text.len;

        p->truncated = p->truncated || part.len > room;
        p->used = ++d->n_uses;
        return buffer_append_text(&p->text, text_clip(part, room));
}

/* Returns 1 and the whole line, 0 while parts are missing. */
static int join_parts(JournalDecoder *d, const JournalEntry *e, uint64_t stream, LogLine *line, Text *ret) {
        uint64_t key = hash_text(stream, e->partial_id) | 1;
        Partial *p = find_partial(d, key);
        int r;

        if (!p && !e->partial) {
                *ret = e->message;
                return 1;
        }
        if (!p)
                p = new_partial(d, key);
        r = partial_append(d, p, e->message);
        if (r < 0) {
                p->key = 0;
                return r;
        }
        if (e->partial)
                return 0;
        p->key = 0;
        d->delivered = p;
        line->truncated = p->truncated;
        *ret = buffer_text(&p->text);
        return 1;
}

/* The engine's scopes are worth hearing about: systemd tells there of memory that ran out. */
static bool is_container_scope(Text unit) {
        return text_starts_with(unit, "docker-") && text_ends_with(unit, ".scope");
}

/* Who wrote it, ORIGIN_OTHER when nobody reads that. */
static Origin vouch(const JournalEntry *e, LogLine *line) {
        Origin origin;

        if (text_is(e->transport, "kernel"))
                return ORIGIN_KERNEL;
        if (text_starts_with(e->unit, JOURNAL_OWN_UNIT_PREFIX))
                return ORIGIN_OTHER;
        if (text_is(e->pid, "1") && !text_is_empty(e->about_unit)) {
                line->unit = e->about_unit;
                return origin_of_unit(e->about_unit) != ORIGIN_OTHER || is_container_scope(e->about_unit)
                        ? ORIGIN_SYSTEMD
                        : ORIGIN_OTHER;
        }
        origin = origin_of_unit(e->unit);
        if (origin != ORIGIN_DOCKER || text_is_empty(e->container_name)) {
                line->unit = e->unit;
                return origin;
        }
        line->container = e->container_name;
        line->container_id = e->container_id;
        return origin_of_module(e->container_name);
}

int journal_decoder_decode(JournalDecoder *d, const JournalEntry *e, Event *ret) {
        LogLine line = {};
        Text text = e->message;
        uint64_t key;
        Origin origin;
        int r;

        if (d->delivered) {
                buffer_done(&d->delivered->text);
                d->delivered = NULL;
        }
        origin = vouch(e, &line);
        if (origin == ORIGIN_OTHER)
                return 0;
        key = stream_key(e, &line);
        if (!text_is_empty(line.container)) {
                r = join_parts(d, e, key, &line, &text);
                if (r <= 0)
                        return r;
        }
        r = log_joiner_decode(d->joiner, key, origin, e->realtime, text, &line);
        if (r < 0)
                return r;
        if (text_is_empty(line.message))
                return 0;
        *ret = (Event){
                .kind = EVENT_LOG,
                .source = SOURCE_JOURNAL,
                .origin = origin,
                .time = e->realtime,
                .log = line,
        };
        return 1;
}
