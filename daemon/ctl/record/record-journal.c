/* journal.export: the entries that rules can read, with the fields that a replay reads.
 *
 * The trap: a value with a line break has to be written with its length, after redaction, not before. */

#include <endian.h>
#include <stdio.h>
#include <systemd/sd-journal.h>

#include "daemon/ctl/record/recorder.h"
#include "lib/base/redact.h"
#include "lib/event/journal-entry.h"

#define FIELD_MAX_BYTES ((size_t) 64 * 1024)
#define PART            "journal.export"

static int add_match(sd_journal *j, const char *field, const char *value) {
        _cleanup_(freep) char *match = NULL;

        if (asprintf(&match, "%s=%s", field, value) < 0) {
                match = NULL;
                return -ENOMEM;
        }
        return sd_journal_add_match(j, match, 0);
}

/* The units' own lines, PID 1's lines about them, the kernel's. Container logs of the journald driver are
 * the engine's. */
static int add_matches(sd_journal *j) {
        static const char *const fields[] = {"_SYSTEMD_UNIT", "UNIT"};

        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                int r = 0;

                for (const char *const *unit = origin_units(); r >= 0 && *unit; unit++)
                        r = add_match(j, fields[i], *unit);
                if (r >= 0)
                        r = sd_journal_add_disjunction(j);
                if (r < 0)
                        return r;
        }
        return add_match(j, "_TRANSPORT", "kernel");
}

static int open_journal(sd_journal **ret, const char *directory) {
        sd_journal *j;
        uint64_t bytes = 0;
        int r;

        r = directory ? sd_journal_open_directory(&j, directory, 0)
                      : sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r < 0)
                return r;
        r = sd_journal_set_data_threshold(j, FIELD_MAX_BYTES);
        if (r >= 0)
                r = sd_journal_get_usage(j, &bytes);
        /* none could be opened; sd-journal does not tell why */
        if (r >= 0 && bytes == 0)
                r = geteuid() == 0 || directory ? -ENODATA : -EACCES;
        if (r >= 0)
                r = add_matches(j);
        if (r < 0) {
                sd_journal_close(j);
                return r;
        }
        *ret = j;
        return 0;
}

static int append_field(Buffer *b, Text name, Text value) {
        uint64_t length = htole64(value.len);

        (void) buffer_append_text(b, name);
        if (memchr(value.data, '\n', value.len)) {
                (void) buffer_append_string(b, "\n");
                (void) buffer_append(b, &length, sizeof(length));
        } else
                (void) buffer_append_string(b, "=");
        (void) buffer_append_text(b, value);
        return buffer_append_string(b, "\n");
}

static int append_data(Buffer *b, Text field) {
        const char *equals = memchr(field.data, '=', field.len);
        _cleanup_(freep) char *redacted = NULL;
        Text name, value;

        if (!equals)
                return 0;
        name = text_clip(field, (size_t) (equals - field.data));
        if (!journal_entry_reads(name) && !text_is(name, "PRIORITY"))
                return 0;
        value = text_clip(text_skip(field, name.len + 1), FIELD_MAX_BYTES);
        if (text_is(name, "MESSAGE")) {
                redacted = redact_text(value);
                if (!redacted)
                        return -ENOMEM;
                value = text_of(redacted);
        }
        return append_field(b, name, value);
}

static int append_entry(Buffer *b, sd_journal *j) {
        _cleanup_(freep) char *cursor = NULL;
        const void *data;
        uint64_t usec;
        size_t len;
        int r;

        r = sd_journal_get_cursor(j, &cursor);
        if (r >= 0)
                r = sd_journal_get_realtime_usec(j, &usec);
        if (r < 0)
                return r;
        (void) buffer_append_format(b, "__CURSOR=%s\n__REALTIME_TIMESTAMP=%" PRIu64 "\n", cursor, usec);
        sd_journal_restart_data(j);
        while ((r = sd_journal_enumerate_available_data(j, &data, &len)) > 0) {
                r = append_data(b, (Text){data, len});
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : buffer_append_string(b, "\n");
}

/* Returns 0, the disk's error in *ret_disk, or the journal's. */
static int copy_entries(Recorder *r, sd_journal *j, RecordFile *f, int *ret_disk) {
        _cleanup_(buffer_done) Buffer b = {};
        usec_t time;
        int error;

        error = sd_journal_seek_realtime_usec(j, r->since);
        if (error < 0)
                return error;
        while ((error = sd_journal_next(j)) > 0) {
                int written;

                if (sd_journal_get_realtime_usec(j, &time) >= 0 && time > r->until)
                        return 0;
                buffer_clear(&b);
                error = append_entry(&b, j);
                if (error == -ENOMEM)
                        return error;
                if (error < 0) /* a damaged entry costs that entry */
                        continue;
                written = record_file_append(f, buffer_text(&b));
                if (written <= 0) {
                        *ret_disk = written;
                        return 0;
                }
        }
        return error;
}

int record_journal(Recorder *r, const char *directory) {
        _cleanup_(record_file_done) RecordFile f = {};
        sd_journal *j = NULL;
        int error, disk = 0;

        error = open_journal(&j, directory);
        if (error < 0) {
                recorder_say(PART, "left out", error);
                return 0;
        }
        disk = record_file_open(&f, r, PART, RECORD_JOURNAL_MAX);
        if (disk >= 0)
                error = copy_entries(r, j, &f, &disk);
        sd_journal_close(j);
        if (disk < 0)
                return disk;
        if (error < 0)
                recorder_say(PART, "ends early", error);
        return record_file_close(&f);
}
