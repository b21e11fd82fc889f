/* The journal source: follows journald's files.
 *
 * Owns the position: the cursor of the last entry read, taken once per batch, and for events that count.
 * Promise: no entry is lost or read twice over restarts, rotation, vacuum and journald's own restart, as
 * long as journald still has it. Trap: rotation and vacuum show up as SD_JOURNAL_INVALIDATE on the same
 * descriptor, between any two entries; the way back is the same as after a restart: seek the cursor, skip
 * the entry if it is still there. */

#include <string.h>

#include "lib/config/config.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/watch/sources/journal-reader.h"
#include "daemon/watch/sources/registry.h"

/* A batch ends after this many entries or this long: others wait in the loop. */
#define BATCH_ENTRIES 4096
#define BATCH_USEC    (20 * USEC_PER_MSEC)
#define CLOCK_EVERY   128

typedef struct JournalSource {
        Source source;
        JournalReader reader;
        JournalDecoder *decoder;
        MergeInput *input;
        sd_event_source *wake;  /* the journal's descriptor */
        sd_event_source *again; /* there is more to read */
        char *cursor;           /* of the last entry read; NULL before the first */
        usec_t realtime;        /* its time */
        bool paused;            /* the merge is full */
} JournalSource;

static JournalSource *journal_source(Source *s) {
        return (JournalSource *) s;
}

static void set_cursor(JournalSource *j, char *cursor) {
        free(j->cursor);
        j->cursor = cursor;
}

static void journal_stop(Source *s) {
        JournalSource *j = journal_source(s);

        j->wake = sd_event_source_disable_unref(j->wake);
        j->again = sd_event_source_disable_unref(j->again);
        journal_reader_close(&j->reader);
        j->paused = false;
        if (j->input)
                merge_set_live(j->input);
}

static void journal_done(Source *s) {
        JournalSource *j = journal_source(s);

        if (j->input)
                j->input = merge_remove_input(j->input);
        journal_decoder_free(j->decoder);
        free(j->cursor);
}

static json_t *journal_save(const Source *s) {
        const JournalSource *j = (const JournalSource *) s;

        return j->cursor ? json_pack("{s:s, s:I}", "cursor", j->cursor, "realtime", (json_int_t) j->realtime)
                         : NULL;
}

static int restore_position(JournalSource *j) {
        const json_t *saved = source_saved_position(&j->source);
        const char *cursor = json_string_value(json_object_get(saved, "cursor"));

        if (j->cursor || !cursor)
                return 0;
        j->cursor = strdup(cursor);
        if (!j->cursor)
                return -ENOMEM;
        j->realtime = (usec_t) json_integer_value(json_object_get(saved, "realtime"));
        return 0;
}

/* The journal begins only after our position: what lay between was vacuumed. */
static void notice_vacuum(JournalSource *j) {
        usec_t oldest;

        if (j->realtime > 0 && sd_journal_get_cutoff_realtime_usec(j->reader.journal, &oldest, NULL) > 0 &&
                oldest > j->realtime)
                source_lost(&j->source, SOURCE_JOURNAL, "the journal was vacuumed past the place read last");
}

static int seek_position(JournalSource *j) {
        if (j->cursor)
                return journal_reader_seek_cursor(&j->reader, j->cursor);
        return journal_reader_seek_time(&j->reader, j->source.context.cold_start);
}

/* Takes the cursor only here: it costs a tenth of reading an entry. */
static int take_event(JournalSource *j, Event *event) {
        Source *s = &j->source;
        _cleanup_(freep) char *cursor = NULL;
        int r;

        r = journal_reader_cursor(&j->reader, &cursor);
        if (r < 0)
                return r;
        event->position = text_of(cursor);
        r = intake_take(s->context.intake, j->input, event);
        if (r < 0)
                return r;
        s->counters.n_wanted++;
        set_cursor(j, TAKE_PTR(cursor));
        return 0;
}

static int read_entry(JournalSource *j, const JournalEntry *entry) {
        Source *s = &j->source;
        Event event;
        int r;

        s->counters.n_read++;
        j->realtime = entry->realtime;
        r = journal_decoder_decode(j->decoder, entry, &event);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                s->counters.n_errors++;
        if (r <= 0 || !intake_wants(s->context.intake, &event))
                return 0;
        return take_event(j, &event);
}

/* Returns 1 when there is more, 0 at the end. */
static int read_batch(JournalSource *j) {
        usec_t end = monotonic_now() + BATCH_USEC;
        JournalEntry entry;
        int r;

        for (unsigned n = 0; n < BATCH_ENTRIES; n++) {
                if (merge_input_is_full(j->input)) {
                        j->paused = true;
                        return 1;
                }
                if (n % CLOCK_EVERY == CLOCK_EVERY - 1 && monotonic_now() > end)
                        return 1;
                r = journal_reader_next(&j->reader, &entry);
                if (r <= 0)
                        return r;
                r = read_entry(j, &entry);
                if (r < 0)
                        return r;
        }
        return 1;
}

/* At the end of the files sd-journal may no longer stand on an entry; the cursor of the last event that was
 * taken is then good enough: nothing that counts came after it. */
static void remember_place(JournalSource *j, uint64_t n_read_before) {
        char *cursor = NULL;

        if (j->source.counters.n_read == n_read_before)
                return;
        if (journal_reader_cursor(&j->reader, &cursor) >= 0)
                set_cursor(j, cursor);
        if (j->source.state != SOURCE_LIVE)
                merge_set_position(j->input, j->realtime);
}

static void caught_up(JournalSource *j) {
        if (j->source.state == SOURCE_LIVE)
                return;
        merge_set_live(j->input);
        source_set_live(&j->source);
}

static int read_on(JournalSource *j) {
        Source *s = &j->source;
        uint64_t n_read = s->counters.n_read;
        int r, k;

        s->due = 0;
        r = read_batch(j);
        remember_place(j, n_read);
        s->counters.n_errors += j->reader.n_damaged;
        j->reader.n_damaged = 0;
        if (r < 0) {
                source_degrade(s, r, "reading failed: %m");
                return 0;
        }

        if (r > 0 && !j->paused)
                s->due = monotonic_now();
        else if (r == 0)
                caught_up(j);
        k = sd_event_source_set_enabled(j->again, r > 0 && !j->paused ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
        return k < 0 ? k : 0;
}

static int on_again(sd_event_source *source, void *userdata) {
        return read_on(userdata);
}

static int on_wake(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        JournalSource *j = userdata;
        int r;

        r = sd_journal_process(j->reader.journal);
        if (r == SD_JOURNAL_INVALIDATE) {
                notice_vacuum(j);
                r = seek_position(j);
        }
        if (r < 0) {
                source_degrade(&j->source, r, "the journal's change notices failed: %m");
                return 0;
        }
        return j->paused ? 0 : read_on(j);
}

static void journal_resume(Source *s) {
        JournalSource *j = journal_source(s);
        int r;

        if (!j->paused || merge_input_is_full(j->input))
                return;
        j->paused = false;
        r = sd_event_source_set_enabled(j->again, SD_EVENT_ONESHOT);
        if (r < 0)
                source_degrade(s, r, "cannot go on after a pause: %m");
}

static int add_event_sources(JournalSource *j) {
        sd_event *event = j->source.context.event;
        int r, fd, events;

        fd = sd_journal_get_fd(j->reader.journal);
        if (fd < 0)
                return fd;
        events = sd_journal_get_events(j->reader.journal);
        if (events < 0)
                return events;

        r = sd_event_add_io(event, &j->wake, fd, (uint32_t) events, on_wake, j);
        if (r >= 0)
                r = sd_event_add_defer(event, &j->again, on_again, j);
        if (r >= 0)
                r = sd_event_source_set_priority(j->wake, SOURCE_PRIORITY_READ);
        if (r >= 0)
                r = sd_event_source_set_priority(j->again, SOURCE_PRIORITY_READ);
        if (r >= 0)
                r = sd_event_source_set_description(j->wake, "journal-wake");
        if (r >= 0)
                r = sd_event_source_set_description(j->again, "journal-again");
        return r < 0 ? r : 0;
}

static int allocate_once(JournalSource *j) {
        int r;

        if (!j->decoder) {
                r = journal_decoder_new(&j->decoder);
                if (r < 0)
                        return r;
        }
        if (!j->input) {
                r = merge_add_input(intake_merge(j->source.context.intake), SOURCE_JOURNAL, &j->input);
                if (r < 0)
                        return r;
        }
        return restore_position(j);
}

static void degrade_unopened(Source *s, int error) {
        const char *directory = s->context.config->journal_directory;

        if (error == -EACCES || error == -EPERM)
                source_degrade(s, error,
                        "the journal may not be read by this user: it has to be in group systemd-journal");
        else if (error == -ENODATA || error == -ENOENT)
                source_degrade(s, error,
                        "there are no journal files in %s; systemd-journald may not be running",
                        directory ? directory : "/var/log/journal and /run/log/journal");
        else
                source_degrade(s, error, "the journal cannot be opened: %m");
}

static int journal_start(Source *s) {
        JournalSource *j = journal_source(s);
        int r;

        r = allocate_once(j);
        if (r < 0)
                return r;
        r = journal_reader_open(
                &j->reader, s->context.config->journal_directory, s->context.config->journal_namespace);
        if (r < 0) {
                degrade_unopened(s, r);
                return 0;
        }

        r = journal_reader_select(&j->reader);
        if (r < 0)
                return r;
        r = seek_position(j);
        if (r < 0)
                return r;
        r = add_event_sources(j);
        if (r < 0)
                return r;
        notice_vacuum(j);
        merge_set_catching_up(j->input, j->cursor ? j->realtime : s->context.cold_start);
        return 0;
}

static void journal_describe(const Source *s, json_t *object) {
        const JournalSource *j = (const JournalSource *) s;

        (void) json_object_set_new(object, "index_matches", json_boolean(j->reader.filtered));
        (void) json_object_set_new(object, "paused", json_boolean(j->paused));
        if (j->realtime > 0) {
                char time[TIMESTAMP_MAX];
                (void) json_object_set_new(
                        object, "read_until", json_string(timestamp_format(j->realtime, time)));
        }
}

const SourceOps journal_source_ops = {
        .name = "journal",
        .kind = SOURCE_JOURNAL,
        .object_bytes = sizeof(JournalSource),
        .start = journal_start,
        .stop = journal_stop,
        .save = journal_save,
        .done = journal_done,
        .describe = journal_describe,
        .resume = journal_resume,
};
