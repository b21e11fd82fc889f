/* The journal part of a recording: journal.export and journal/NAME.export, or the journal's own files.
 *
 * Both go field by field through journal_entry_add(), as the live source does. The trap in the files:
 * sd-journal lends a field's data only until the next field is asked for, so the fields of an entry are
 * collected in one buffer first. The trap in the export: a binary field may hold anything, also what looks
 * like the end of an entry; only journal_export_parse() knows. */

#include <fcntl.h>
#include <stdio.h>
#include <systemd/sd-journal.h>

#include "lib/base/buffer.h"
#include "lib/event/journal-entry.h"
#include "lib/world/recording-part.h"
#include "lib/world/recording.h"

#define EXPORT_ENTRY_MAX   (4 * RECORDING_LINE_MAX)
#define JOURNAL_FILES_MAX  512
#define JOURNAL_FIELDS_MAX 512
#define JOURNAL_ENTRY_MAX  (4 * RECORDING_LINE_MAX)

typedef struct ExportPart {
        RecordingPart part;
        RecordingStream stream;
        JournalDecoder *decoder;
        size_t taken; /* of the entry lent out last */
} ExportPart;

static void export_done(RecordingPart *p) {
        ExportPart *e = (ExportPart *) p;

        recording_stream_done(&e->stream);
        (void) journal_decoder_free(e->decoder);
        free(e);
}

/* Passes over an entry that is larger than any that we keep. */
static int export_skip(ExportPart *e) {
        int r;

        r = recording_stream_problem(
                &e->stream, 0, "entry larger than %zu bytes, skipped", EXPORT_ENTRY_MAX);
        if (r < 0)
                return r;
        for (;;) {
                Text unread = recording_stream_unread(&e->stream);
                const char *end = unread.len > 1 ? memmem(unread.data, unread.len, "\n\n", 2) : NULL;

                if (end) {
                        recording_stream_consume(&e->stream, (size_t) (end - unread.data) + 2);
                        return 0;
                }
                if (unread.len > 1) /* the last byte may be the first half of the end */
                        recording_stream_consume(&e->stream, unread.len - 1);
                r = recording_stream_fill(&e->stream, EXPORT_ENTRY_MAX);
                if (r < 0)
                        return r;
                if (r == 0) {
                        recording_stream_consume(&e->stream, recording_stream_unread(&e->stream).len);
                        return 0;
                }
        }
}

/* The file ends without the empty line that ends an entry: complete in all else, it counts. */
static int export_parse_last(ExportPart *e, JournalEntry *ret, Text *ret_cursor, size_t *ret_bytes) {
        RecordingStream *s = &e->stream;
        char *grown;
        int r;

        if (text_strip(recording_stream_unread(s)).len == 0)
                return 0;
        grown = realloc(s->data, s->first + s->len + 2);
        if (!grown)
                return -ENOMEM;
        s->data = grown;
        s->allocated = s->first + s->len + 2;
        memcpy(s->data + s->first + s->len, "\n\n", 2);
        s->len += 2;
        r = journal_export_parse(recording_stream_unread(s), ret, ret_cursor, ret_bytes);
        if (r != 0)
                return r;
        r = recording_stream_problem(s, 0, "ends in the middle of an entry");
        return r < 0 ? r : 0;
}

/* Returns 1, 0 at the end of the file, or a negative errno. The entry stays in the buffer until the next
 * call. */
static int export_entry(ExportPart *e, JournalEntry *ret, Text *ret_cursor) {
        for (;;) {
                size_t bytes = 0;
                int r;

                recording_stream_consume(&e->stream, e->taken);
                e->taken = 0;

                r = journal_export_parse(recording_stream_unread(&e->stream), ret, ret_cursor, &bytes);
                if (r == 0) {
                        r = recording_stream_fill(&e->stream, EXPORT_ENTRY_MAX);
                        if (r > 0)
                                continue;
                        if (r == 0 && !e->stream.ended) {
                                r = export_skip(e);
                                if (r < 0)
                                        return r;
                                continue;
                        }
                        if (r == 0)
                                r = export_parse_last(e, ret, ret_cursor, &bytes);
                        if (r == 0)
                                return 0;
                }
                if (r == -EBADMSG) {
                        r = recording_stream_problem(
                                &e->stream, 0, "not an entry of the journal export format");
                        if (r < 0)
                                return r;
                        e->taken = bytes > 0 ? bytes : recording_stream_unread(&e->stream).len;
                        continue;
                }
                if (r < 0)
                        return r;
                e->taken = bytes;
                if (ret->realtime > 0)
                        return 1;
                r = recording_stream_problem(&e->stream, 0, "entry without __REALTIME_TIMESTAMP, skipped");
                if (r < 0)
                        return r;
        }
}

static int export_next(RecordingPart *p, Event *ret) {
        ExportPart *e = (ExportPart *) p;

        for (;;) {
                JournalEntry entry = {};
                Text cursor = TEXT_NONE;
                int r;

                r = export_entry(e, &entry, &cursor);
                if (r <= 0)
                        return r;
                r = journal_decoder_decode(e->decoder, &entry, ret);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                ret->position = cursor;
                return 1;
        }
}

static const RecordingPartOps export_ops = {.next = export_next, .done = export_done};

int recording_journal_export_open(const RecordingFolder *f, const char *name, RecordingPart **ret) {
        ExportPart *e = calloc(1, sizeof(*e));
        int r;

        if (!e)
                return -ENOMEM;
        e->part = (RecordingPart){.ops = &export_ops, .kind = SOURCE_JOURNAL};
        r = recording_stream_open(&e->stream, f, name);
        if (r >= 0)
                r = journal_decoder_new(&e->decoder);
        if (r < 0) {
                export_done(&e->part);
                return r;
        }
        e->stream.line = 1;
        *ret = &e->part;
        return 0;
}

typedef struct FilesPart {
        RecordingPart part;
        sd_journal *journal;
        int fds[JOURNAL_FILES_MAX]; /* until the journal was opened: from then on they are sd-journal's */
        size_t n_fds;
        JournalDecoder *decoder;
        Buffer fields;
        char *cursor;
} FilesPart;

static void files_done(RecordingPart *p) {
        FilesPart *j = (FilesPart *) p;

        sd_journal_close(j->journal);
        for (size_t i = 0; i < j->n_fds; i++)
                closep(&j->fds[i]);
        (void) journal_decoder_free(j->decoder);
        buffer_done(&j->fields);
        free(j->cursor);
        free(j);
}

/* The fields of the entry at hand, collected in the part's buffer. */
static int files_entry(FilesPart *j, JournalEntry *ret) {
        struct {
                size_t offset, len;
        } fields[JOURNAL_FIELDS_MAX];
        size_t n_fields = 0, len;
        const void *data;
        int r;

        buffer_clear(&j->fields);
        SD_JOURNAL_FOREACH_DATA (j->journal, data, len) {
                if (n_fields >= ELEMENTSOF(fields))
                        break;
                fields[n_fields].offset = j->fields.len;
                fields[n_fields].len = len;
                r = buffer_append(&j->fields, data, len);
                if (r == -EFBIG)
                        break;
                if (r < 0)
                        return r;
                n_fields++;
        }
        for (size_t i = 0; i < n_fields; i++)
                journal_entry_add(ret, j->fields.data + fields[i].offset, fields[i].len);
        return sd_journal_get_realtime_usec(j->journal, &ret->realtime);
}

static int files_next(RecordingPart *p, Event *ret) {
        FilesPart *j = (FilesPart *) p;

        for (;;) {
                JournalEntry entry = {};
                int r;

                r = sd_journal_next(j->journal);
                if (r <= 0)
                        return r;
                r = files_entry(j, &entry);
                if (r == -ENOMEM)
                        return r;
                if (r < 0) /* a damaged entry: the others are still good */
                        continue;
                r = journal_decoder_decode(j->decoder, &entry, ret);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                free(TAKE_PTR(j->cursor));
                r = sd_journal_get_cursor(j->journal, &j->cursor);
                if (r < 0)
                        return r;
                ret->position = text_of(j->cursor);
                return 1;
        }
}

static const RecordingPartOps files_ops = {.next = files_next, .done = files_done};

/* A file that sd-journal refuses is left out; sd_journal_open_files_fd() would refuse all of them with it.
 */
static int files_probe(const RecordingFolder *f, const char *name, int fd) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), r;
        sd_journal *journal = NULL;

        if (copy < 0)
                return -errno;
        r = sd_journal_open_files_fd(&journal, &copy, 1, 0);
        if (r >= 0)
                sd_journal_close(journal); /* and the copy: on success sd-journal owns it */
        else
                (void) close(copy);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                r = recording_problem(
                        f, name, 0, 0, "not a journal file that can be read: %s", strerror(-r));
                return r < 0 ? r : 0;
        }
        return 1;
}

static int files_collect(FilesPart *j, const RecordingFolder *f) {
        _cleanup_(name_list_done) NameList list = {};
        int r;

        r = recording_folder_list(f, "journal", ".journal", &list);
        if (r < 0)
                return r;
        for (size_t i = 0; i < list.n_names; i++) {
                _cleanup_(closep) int fd = -EBADF;
                _cleanup_(freep) char *name = NULL;

                if (asprintf(&name, "journal/%s", list.names[i]) < 0) {
                        name = NULL;
                        return -ENOMEM;
                }
                if (j->n_fds >= ELEMENTSOF(j->fds))
                        return recording_problem(
                                f, name, 0, 0, "more than %d journal files, skipped", JOURNAL_FILES_MAX);
                fd = recording_folder_open_file(f, name);
                if (fd == -ENOENT)
                        continue;
                if (fd < 0)
                        return fd;
                r = files_probe(f, name, fd);
                if (r < 0)
                        return r;
                if (r > 0)
                        j->fds[j->n_fds++] = TAKE_FD(fd);
        }
        return 0;
}

static int files_start(FilesPart *j, const RecordingFolder *f) {
        int r;

        r = files_collect(j, f);
        if (r < 0)
                return r;
        if (j->n_fds == 0)
                return -ENOENT;
        r = sd_journal_open_files_fd(&j->journal, j->fds, (unsigned) j->n_fds, 0);
        if (r < 0)
                return r;
        j->n_fds = 0;
        r = sd_journal_set_data_threshold(j->journal, RECORDING_LINE_MAX);
        if (r < 0)
                return r;
        r = sd_journal_seek_head(j->journal);
        if (r < 0)
                return r;
        return journal_decoder_new(&j->decoder);
}

int recording_journal_files_open(const RecordingFolder *f, RecordingPart **ret) {
        FilesPart *j = calloc(1, sizeof(*j));
        int r;

        if (!j)
                return -ENOMEM;
        j->part = (RecordingPart){.ops = &files_ops, .kind = SOURCE_JOURNAL};
        j->fields.max_bytes = JOURNAL_ENTRY_MAX;
        r = files_start(j, f);
        if (r < 0) {
                files_done(&j->part);
                return r;
        }
        *ret = &j->part;
        return 0;
}

static int export_has_container(const RecordingFolder *f, const char *name, Text field) {
        _cleanup_(recording_stream_done) RecordingStream s = {};
        size_t len;
        char *line;
        bool cut;
        int r;

        r = recording_stream_open(&s, f, name);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        while ((r = recording_stream_line(&s, &line, &len, &cut)) > 0)
                if (text_equals((Text){line, len}, field))
                        return 1;
        return r;
}

static int files_has_container(const RecordingFolder *f, Text field) {
        RecordingPart *p;
        FilesPart *j;
        int r;

        r = recording_journal_files_open(f, &p);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        j = (FilesPart *) p;
        r = sd_journal_add_match(j->journal, field.data, field.len);
        if (r >= 0)
                r = sd_journal_next(j->journal);
        files_done(p);
        return r;
}

int recording_journal_exports(const RecordingFolder *f, NameList *ret) {
        _cleanup_(name_list_done) NameList list = {};
        int r;

        r = recording_folder_list(f, "journal", ".export", &list);
        if (r < 0)
                return r;
        for (size_t i = 0; i < list.n_names; i++) {
                char *name;

                if (asprintf(&name, "journal/%s", list.names[i]) < 0)
                        return -ENOMEM;
                free(list.names[i]);
                list.names[i] = name;
        }
        if (!GROW_ARRAY(list.names, list.allocated, list.n_names, RECORDING_NAMES_MAX + 1))
                return -ENOMEM;
        list.names[list.n_names] = strdup("journal.export");
        if (!list.names[list.n_names])
                return -ENOMEM;
        list.n_names++;
        *ret = list;
        list = (NameList){};
        return 0;
}

static int has_container(const RecordingFolder *f, Text field) {
        _cleanup_(name_list_done) NameList list = {};
        int r;

        r = recording_journal_exports(f, &list);
        if (r < 0)
                return r;
        for (size_t i = 0; i < list.n_names; i++) {
                r = export_has_container(f, list.names[i], field);
                if (r != 0)
                        return r;
        }
        return files_has_container(f, field);
}

int recording_journal_has_container(const RecordingFolder *f, const char *container) {
        ProblemList ignored = {}; /* the reading proper lists them */
        RecordingFolder quiet = *f;
        _cleanup_(freep) char *field = NULL;
        int r;

        if (asprintf(&field, "CONTAINER_NAME=%s", container) < 0) {
                field = NULL;
                return -ENOMEM;
        }
        quiet.problems = &ignored;
        r = has_container(&quiet, text_of(field));
        problem_list_done(&ignored);
        return r;
}
