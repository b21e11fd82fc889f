/* Alerts in the journal.
 *
 * Owns the table of what the journal holds of us beyond the state file. Promise: an entry per (incident,
 * sequence number) and no second one.
 * Trap: anybody may log under our identifier, and an alert could be silenced that way; only journald's own
 * _UID makes an entry ours. */

#include "daemon/watch/sinks/journal-sink.h"

#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include <systemd/sd-journal.h>
#include <uthash.h>

#include "lib/report/report.h"

#define IDENTIFIER           "edgewatchd"
#define READ_BACK_MAX        100000
#define WRITTEN_MAX          8192
#define FIELD_DATA_MAX_BYTES 1024

typedef struct Written {
        char id[INCIDENT_ID_MAX];
        uint64_t seq;
        bool ended; /* by that entry */
        UT_hash_handle hh;
} Written;

struct JournalSink {
        Written *written; /* by id */
};

int journal_sink_new(JournalSink **ret) {
        JournalSink *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        *ret = s;
        return 0;
}

JournalSink *journal_sink_free(JournalSink *s) {
        Written *w, *next;

        if (!s)
                return NULL;
        HASH_ITER (hh, s->written, w, next) {
                HASH_DEL(s->written, w);
                free(w);
        }
        free(s);
        return NULL;
}

static int remember(JournalSink *s, const char *id, uint64_t seq, bool ended) {
        Written *w;

        HASH_FIND_STR(s->written, id, w);
        if (!w) {
                if (HASH_COUNT(s->written) >= WRITTEN_MAX)
                        return -ENOBUFS;
                w = calloc(1, sizeof(*w));
                if (!w)
                        return -ENOMEM;
                (void) snprintf(w->id, sizeof(w->id), "%s", id);
                HASH_ADD_STR(s->written, id, w);
        }
        if (seq > w->seq) {
                w->seq = seq;
                w->ended = ended;
        }
        return 0;
}

static int get_field(sd_journal *j, const char *name, Text *ret) {
        const void *data;
        size_t len;
        int r;

        r = sd_journal_get_data(j, name, &data, &len);
        if (r < 0)
                return r;
        *ret = text_skip((Text){data, len}, strlen(name) + 1);
        return 0;
}

static int read_entry(JournalSink *s, sd_journal *j) {
        char id[INCIDENT_ID_MAX] = {};
        IncidentState state = INCIDENT_X_INVALID;
        uint64_t seq;
        Text text;

        if (get_field(j, "EDGEWATCH_INCIDENT", &text) < 0 || text.len != INCIDENT_ID_MAX - 1)
                return 0;
        memcpy(id, text.data, text.len);
        if (get_field(j, "EDGEWATCH_SEQ", &text) < 0 || text_to_u64(text, &seq) < 0)
                return 0;
        if (get_field(j, "EDGEWATCH_STATE", &text) >= 0)
                state = incident_state_from_string(text);
        return remember(s, id, seq, state == INCIDENT_CLEARED || state == INCIDENT_REFUTED);
}

static int add_own_matches(sd_journal *j) {
        char uid[sizeof("_UID=") + 20];
        int r;

        (void) snprintf(uid, sizeof(uid), "_UID=%lu", (unsigned long) geteuid());
        r = sd_journal_add_match(j, "SYSLOG_IDENTIFIER=" IDENTIFIER, 0);
        if (r < 0)
                return r;
        return sd_journal_add_match(j, uid, 0);
}

static int read_back(JournalSink *s, sd_journal *j, usec_t since) {
        int n = 0, r;

        r = sd_journal_set_data_threshold(j, FIELD_DATA_MAX_BYTES);
        if (r >= 0)
                r = add_own_matches(j);
        if (r >= 0)
                r = sd_journal_seek_realtime_usec(j, since);
        if (r < 0)
                return r;

        while (n < READ_BACK_MAX && (r = sd_journal_next(j)) > 0) {
                r = read_entry(s, j);
                if (r < 0)
                        return r;
                n++;
        }
        return r < 0 ? r : n;
}

int journal_sink_read_back(JournalSink *s, const char *directory, usec_t since) {
        sd_journal *j = NULL;
        int r;

        r = directory ? sd_journal_open_directory(&j, directory, 0)
                      : sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY);
        if (r < 0)
                return r;
        r = read_back(s, j, since);
        sd_journal_close(j);
        return r;
}

void journal_sink_note_ended(const JournalSink *s, Diagnosis *d) {
        for (const Written *w = s->written; w; w = w->hh.next)
                if (w->ended)
                        diagnosis_note_ended(d, w->id, w->seq);
}

static int send_fields(const JournalFields *fields) {
        struct iovec iov[JOURNAL_FIELDS_MAX + 1];
        int n = 0;

        iov[n++] = (struct iovec){
                (char *) "SYSLOG_IDENTIFIER=" IDENTIFIER, strlen("SYSLOG_IDENTIFIER=" IDENTIFIER)};
        for (size_t i = 0; i < fields->n; i++)
                iov[n++] = (struct iovec){fields->fields[i], strlen(fields->fields[i])};
        return sd_journal_sendv(iov, n);
}

int journal_sink_write(JournalSink *s, const Incident *incident, IncidentChange change) {
        JournalFields fields = {};
        Written *w;
        int r;

        HASH_FIND_STR(s->written, incident->id, w);
        if (w && incident->seq <= w->seq)
                return 0;

        r = report_journal_fields(incident, change, &fields);
        if (r >= 0)
                r = send_fields(&fields);
        journal_fields_done(&fields);
        return r < 0 ? r : 1;
}
