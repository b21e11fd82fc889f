#pragma once

/* One pass over journal files through sd-journal: opening, index matches, resuming at a cursor, one entry at
 * a time. Knows nothing of the event loop or of rules; the live source and the bench drive it. */

#include <systemd/sd-journal.h>

#include "lib/event/journal-entry.h"

/* Of one field. A log line is matched by its first 16 KiB; what a rule can see is less. */
#define JOURNAL_FIELD_MAX_BYTES ((size_t) 64 * 1024)
/* What one entry's fields may take in all. */
#define JOURNAL_ENTRY_MAX_BYTES (3 * JOURNAL_FIELD_MAX_BYTES)

typedef struct JournalReader {
        sd_journal *journal;
        char *copy; /* of the fields of the entry at hand: the journal's own memory is good for one field
                       only */
        size_t copied;
        bool filtered;      /* index matches are set */
        char *skip_cursor;  /* the entry at which we resume was read before */
        uint64_t n_damaged; /* entries or fields that could not be read */
} JournalReader;

/* directory and name_space may be NULL. -EACCES when there are files that may not be read, -ENODATA when
 * there are none. */
int journal_reader_open(JournalReader *r, const char *directory, const char *name_space);
void journal_reader_close(JournalReader *r);

/* Sets index matches for what rules can read, if a sample of the newest entries says that they leave most
 * out: with matches that keep most entries reading is slower than without. Returns whether it did. */
int journal_reader_select(JournalReader *r);
/* Forces them, for tests and the bench. */
int journal_reader_add_matches(JournalReader *r);

/* The next entry is the first one after this cursor, or if it is gone the first one after its place. */
int journal_reader_seek_cursor(JournalReader *r, const char *cursor);
int journal_reader_seek_time(JournalReader *r, usec_t time);

/* Returns 1 and an entry that is valid until the next call, 0 at the end, or a negative errno. A damaged
 * entry is skipped and counted. */
int journal_reader_next(JournalReader *r, JournalEntry *ret);

/* The cursor of the entry at hand; -EADDRNOTAVAIL when there is none. */
int journal_reader_cursor(JournalReader *r, char **ret);
