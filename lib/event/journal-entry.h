#pragma once

/* Decodes one journal entry, field by field as the journal hands them out ("NAME=value"), into a log event.
 * Used by the live journal source and by the reader of journal export files.
 *
 * Trust: only fields that journald sets itself (leading underscore) decide the origin. CONTAINER_NAME and
 * the like count only when the entry was written by the engine's unit. */

#include "lib/event/log-prefix.h"

typedef struct JournalEntry {
        Text message, unit, transport, container_name, container_id, pid, stream_id, comm, about_unit,
                identifier;
        bool partial;    /* CONTAINER_PARTIAL_MESSAGE */
        Text partial_id; /* CONTAINER_PARTIAL_ID, since Docker 19.03 on all parts of one line */
        usec_t realtime;
} JournalEntry;

#define JOURNAL_LINE_MAX ((size_t) 64 * 1024) /* of a message joined from parts */

/* Takes in one field if it is one we read. The data is borrowed until journal_entry_decode() is done. */
void journal_entry_add(JournalEntry *e, const void *data, size_t len);
/* The same for a field whose name and value do not lie together. */
void journal_entry_set(JournalEntry *e, Text name, Text value);

/* Whether a field of this name is one that is read. */
bool journal_entry_reads(Text name);

typedef struct JournalDecoder JournalDecoder;

int journal_decoder_new(JournalDecoder **ret);
JournalDecoder *journal_decoder_free(JournalDecoder *d);
DEFINE_CLEANUP(JournalDecoder, journal_decoder_free);

/* Entries of this unit are our own and are dropped; default edgewatchd.service. */
#define JOURNAL_OWN_UNIT_PREFIX "edgewatch"

/* Returns 1 and an event (position left empty), 0 when the entry is of no interest (our own, no message, a
 * unit that nobody reads, the first parts of a partial message), or a negative errno. The event is valid
 * until the next call. Whether the runtime owns the container is not known here: origin is that of its name,
 * see world_vouch_for_container(). */
int journal_decoder_decode(JournalDecoder *d, const JournalEntry *e, Event *ret);

/* Reads one entry of the journal export format at the start of text (fields, binary fields with their
 * length, ended by an empty line). ret_bytes: how much it took; ret_cursor: its __CURSOR. Returns 1, 0 when
 * the text ends before the entry does, -EBADMSG when it is not one (ret_bytes is then where to resume). */
int journal_export_parse(Text text, JournalEntry *ret, Text *ret_cursor, size_t *ret_bytes);
