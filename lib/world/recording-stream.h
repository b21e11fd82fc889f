#pragma once

/* Reads a file of a recording from front to back with a bounded buffer: as lines, or as bytes for a format
 * that has its own framing. Counts lines for problems. */

#include "lib/base/time.h"
#include "lib/world/recording-folder.h"

#define RECORDING_STREAM_PROBLEMS_MAX 20 /* listed per file: one bad file must not hide the others */

typedef struct RecordingStream {
        const RecordingFolder *folder;
        char *name; /* relative to the recording */
        int fd;
        char *data;
        size_t first, len, allocated; /* unread bytes are data[first .. first + len) */
        bool ended;                   /* the file has no more bytes than these */
        bool in_cut_line;             /* the rest of the line is still to be skipped */
        unsigned line;                /* of the line last returned, or of the first unread byte */
        unsigned n_problems;
} RecordingStream;

/* -ENOENT as recording_folder_open_file(). */
int recording_stream_open(RecordingStream *s, const RecordingFolder *f, const char *name);
void recording_stream_done(RecordingStream *s);
/* About the line at hand. Returns 0 or -ENOMEM. */
int recording_stream_problem(RecordingStream *s, unsigned column, const char *format, ...) _printf_(3, 4);

/* The next line without its end; it may be changed in place and is valid until the next call. One longer
 * than RECORDING_LINE_MAX is cut, and listed as a problem. Returns 1, 0 at the end, or a negative errno. */
int recording_stream_line(RecordingStream *s, char **ret, size_t *ret_len, bool *ret_cut);

/* The next line that is a JSON object; empty lines and (listed as a problem) others are passed over. Returns
 * 1, 0 at the end, or a negative errno. */
int recording_stream_json(RecordingStream *s, json_t **ret);

/* The member `key` of a line's object as RFC 3339. -EINVAL when it is absent or no time. */
int recording_time(const json_t *object, const char *key, usec_t *ret);

/* For other framings: what is in the buffer; more of it (1, 0 when the file has ended or the buffer holds
 * max_bytes, or a negative errno); done with the first n bytes. */
Text recording_stream_unread(const RecordingStream *s);
int recording_stream_fill(RecordingStream *s, size_t max_bytes);
void recording_stream_consume(RecordingStream *s, size_t n);
