/* Reading journal files.
 *
 * One SD_JOURNAL enumeration of an entry's fields costs as much as one sd_journal_get_data(), so all fields
 * are walked once and those we read are kept. Promise: damaged entries are skipped, never fatal.
 * Trap: what sd_journal_enumerate_data() hands out is good until its next call only (compressed fields share
 * one buffer, maps move), so a field that is kept is copied. */

#include "daemon/watch/sources/journal-reader.h"

#include <string.h>

/* Entries looked at to decide on index matches, and the share of wanted ones under which they pay. */
#define SAMPLE_ENTRIES      2048
#define SELECTIVE_PER_MILLE 200

static int check_readable(sd_journal *j, const char *directory) {
        static const char *const system_directories[] = {"/var/log/journal", "/run/log/journal"};
        uint64_t bytes = 0;
        int r;

        r = sd_journal_get_usage(j, &bytes);
        if (r < 0)
                return r;
        if (bytes > 0)
                return 0;

        /* No file could be opened. sd-journal does not tell whether there is none or whether we may not. */
        if (directory)
                return access(directory, R_OK | X_OK) < 0 ? -errno : -ENODATA;
        for (size_t i = 0; i < ELEMENTSOF(system_directories); i++)
                if (access(system_directories[i], F_OK) == 0)
                        return geteuid() == 0 ? -ENODATA : -EACCES;
        return -ENODATA;
}

static int open_journal(sd_journal **ret, const char *directory, const char *name_space) {
        if (directory)
                return sd_journal_open_directory(ret, directory, 0);
        if (name_space)
                return sd_journal_open_namespace(ret, name_space, SD_JOURNAL_LOCAL_ONLY);
        return sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
}

int journal_reader_open(JournalReader *reader, const char *directory, const char *name_space) {
        int r;

        *reader = (JournalReader){.copy = malloc(JOURNAL_ENTRY_MAX_BYTES)};
        if (!reader->copy)
                return -ENOMEM;

        r = open_journal(&reader->journal, directory, name_space);
        if (r >= 0)
                /* At once: only then does sd-journal notice files that are deleted, and lets go of them. */
                r = sd_journal_get_fd(reader->journal);
        if (r >= 0)
                r = sd_journal_set_data_threshold(reader->journal, JOURNAL_FIELD_MAX_BYTES);
        if (r >= 0)
                r = check_readable(reader->journal, directory);
        if (r < 0)
                journal_reader_close(reader);
        return r < 0 ? r : 0;
}

void journal_reader_close(JournalReader *reader) {
        sd_journal_close(reader->journal);
        free(reader->copy);
        free(reader->skip_cursor);
        *reader = (JournalReader){};
}

static int add_match(sd_journal *j, const char *field, const char *value) {
        _cleanup_(freep) char *match = NULL;

        if (asprintf(&match, "%s=%s", field, value) < 0) {
                match = NULL;
                return -ENOMEM;
        }
        return sd_journal_add_match(j, match, 0);
}

/* The units' own lines; PID 1's lines about them; the kernel. Container logs of the journald driver come
 * from the engine's unit, which is one of them. */
int journal_reader_add_matches(JournalReader *reader) {
        static const char *const fields[] = {"_SYSTEMD_UNIT", "UNIT"};
        sd_journal *j = reader->journal;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                for (const char *const *unit = origin_units(); *unit; unit++) {
                        r = add_match(j, fields[i], *unit);
                        if (r < 0)
                                return r;
                }
                r = sd_journal_add_disjunction(j);
                if (r < 0)
                        return r;
        }
        r = add_match(j, "_TRANSPORT", "kernel");
        if (r < 0)
                return r;
        reader->filtered = true;
        return 0;
}

static bool is_readable_origin(const JournalEntry *e) {
        return text_is(e->transport, "kernel") || origin_of_unit(e->unit) != ORIGIN_OTHER ||
                (!text_is_empty(e->about_unit) && origin_of_unit(e->about_unit) != ORIGIN_OTHER);
}

int journal_reader_select(JournalReader *reader) {
        size_t n = 0, n_wanted = 0;
        JournalEntry entry;
        int r;

        r = sd_journal_seek_tail(reader->journal);
        if (r < 0)
                return r;
        r = sd_journal_previous_skip(reader->journal, SAMPLE_ENTRIES);
        if (r <= 0)
                return r;
        for (; n < SAMPLE_ENTRIES && (r = journal_reader_next(reader, &entry)) > 0; n++)
                n_wanted += is_readable_origin(&entry);
        if (r < 0)
                return r;

        if (n_wanted * 1000 >= n * SELECTIVE_PER_MILLE)
                return 0;
        r = journal_reader_add_matches(reader);
        return r < 0 ? r : 1;
}

int journal_reader_seek_cursor(JournalReader *reader, const char *cursor) {
        char *copy = strdup(cursor);
        int r;

        if (!copy)
                return -ENOMEM;
        free(reader->skip_cursor);
        reader->skip_cursor = copy;
        r = sd_journal_seek_cursor(reader->journal, cursor);
        return r < 0 ? r : 0;
}

int journal_reader_seek_time(JournalReader *reader, usec_t time) {
        int r;

        free(reader->skip_cursor);
        reader->skip_cursor = NULL;
        r = sd_journal_seek_realtime_usec(reader->journal, time);
        return r < 0 ? r : 0;
}

static bool is_damage(int error) {
        return error == -EBADMSG || error == -EIO || error == -ENODATA || error == -EADDRNOTAVAIL ||
                error == -E2BIG || error == -EPROTONOSUPPORT;
}

/* Seeking leaves us on the entry read last, when it still exists. */
static int step(JournalReader *reader) {
        int r = sd_journal_next(reader->journal);

        if (r <= 0 || !reader->skip_cursor)
                return r;
        if (sd_journal_test_cursor(reader->journal, reader->skip_cursor) > 0)
                r = sd_journal_next(reader->journal);
        if (r > 0) {
                free(reader->skip_cursor);
                reader->skip_cursor = NULL;
        }
        return r;
}

static void keep_field(JournalReader *reader, JournalEntry *entry, const void *data, size_t len) {
        char *copy = reader->copy + reader->copied;

        if (len > JOURNAL_FIELD_MAX_BYTES)
                len = JOURNAL_FIELD_MAX_BYTES;
        if (len > JOURNAL_ENTRY_MAX_BYTES - reader->copied)
                return;
        memcpy(copy, data, len);
        journal_entry_add(entry, copy, len);
        reader->copied += len;
}

static int read_fields(JournalReader *reader, JournalEntry *ret) {
        JournalEntry entry = {};
        const void *data;
        size_t len;
        int r;

        reader->copied = 0;
        sd_journal_restart_data(reader->journal);
        while ((r = sd_journal_enumerate_available_data(reader->journal, &data, &len)) > 0)
                keep_field(reader, &entry, data, len);
        if (r < 0)
                return r;

        r = sd_journal_get_realtime_usec(reader->journal, &entry.realtime);
        if (r < 0)
                return r;
        *ret = entry;
        return 1;
}

int journal_reader_next(JournalReader *reader, JournalEntry *ret) {
        int r;

        for (;;) {
                r = step(reader);
                if (r <= 0)
                        return r;
                r = read_fields(reader, ret);
                if (r > 0 || !is_damage(r))
                        return r;
                reader->n_damaged++;
        }
}

int journal_reader_cursor(JournalReader *reader, char **ret) {
        int r = sd_journal_get_cursor(reader->journal, ret);

        return r < 0 ? r : 0;
}
