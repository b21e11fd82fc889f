#pragma once

/* One or many journals read as one, in the order of time. */

#include <systemd/sd-journal.h>

#include "lib/base/time.h"

#define JOURNAL_SOURCES_MAX 4096 /* devices that one directory may hold */

#define JOURNAL_RECENT_MAX  256 /* entries of a sender among which one that came again is known */

typedef struct JournalSource {
        char *name;          /* NULL for a journal that is not one of many */
        sd_journal *journal; /* stands at an entry unless is_over */
        usec_t time;
        bool is_over;
        uint64_t *recent; /* a ring of hashes; NULL where nothing can come twice */
        size_t n_recent;  /* ever put there */
} JournalSource;

typedef struct JournalSet {
        JournalSource *sources;
        size_t n_sources, allocated;
        JournalSource *current; /* after journal_set_next() returned 1 */
        size_t n_unreadable;    /* files that were left out */
} JournalSet;

/* This machine's journal, or all files in a directory as one journal. */
int journal_set_open(JournalSet *ret, const char *directory);
/* The files in a directory and its folders, each sender's apart. The name of a sender is the file's name up
 * to '@' or its ending, as systemd-journal-remote writes it (remote-NAME.journal); in a folder it is the
 * folder's. Says which files cannot be read and leaves them out. -E2BIG when there are too many. */
int journal_set_open_senders(JournalSet *ret, const char *directory);
void journal_set_done(JournalSet *set);

/* To the first entry at or after `since` of each journal; matches were added before. */
int journal_set_seek(JournalSet *set, usec_t since);
/* Goes to the oldest entry that was not given yet. Returns 1, 0 at the end. */
int journal_set_next(JournalSet *set);
