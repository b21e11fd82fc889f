/* A file in the journal export format: journal_export_parse() and the decoder behind it. */

#include "lib/event/journal-entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(journal_decoder_freep) JournalDecoder *d = NULL;
        Text text = {(const char *) data, size}, cursor;
        JournalEntry entry;
        size_t bytes;
        Event event;
        int r;

        if (journal_decoder_new(&d) < 0)
                return 0;
        while ((r = journal_export_parse(text, &entry, &cursor, &bytes)) != 0) {
                if (bytes == 0)
                        abort(); /* it would never end */
                if (r > 0 && journal_decoder_decode(d, &entry, &event) > 0)
                        free(event_describe(&event));
                text = text_skip(text, bytes);
        }
        return 0;
}
