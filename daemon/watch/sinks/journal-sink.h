#pragma once

/* Writes one journal entry per change of an incident, and reads back what it wrote: (incident, sequence
 * number) is never written twice, whatever happened between writing it and saving the state. */

#include "lib/diagnosis/diagnosis.h"

typedef struct JournalSink JournalSink;

int journal_sink_new(JournalSink **ret);
JournalSink *journal_sink_free(JournalSink *s);
DEFINE_CLEANUP(JournalSink, journal_sink_free);

/* Looks up our own entries from `since` on (realtime), in the journal of this directory, or in the default
 * one for NULL: that is where we write, whichever namespace is watched. Returns their number or a negative
 * errno; what was found until then counts. */
int journal_sink_read_back(JournalSink *s, const char *directory, usec_t since);

/* Tells a restored diagnosis which of its incidents the journal has the end of. */
void journal_sink_note_ended(const JournalSink *s, Diagnosis *d);

/* Returns 1, 0 when the journal has it already, or a negative errno. */
int journal_sink_write(JournalSink *s, const Incident *incident, IncidentChange change);
