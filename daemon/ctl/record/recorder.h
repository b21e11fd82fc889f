#pragma once

/* Writes the parts of a recording (docs/recording.md) into its directory. Each part says on standard error
 * what it left out and why; only a disk that cannot be written ends the recording. What goes through here is
 * redacted before. */

#include <stdio.h>

#include "daemon/collect/device.h"
#include "lib/base/buffer.h"

/* What a part may take on disk; what is beyond is cut and said. */
#define RECORD_JOURNAL_MAX ((size_t) 64 * 1024 * 1024)
#define RECORD_EVENTS_MAX  ((size_t) 16 * 1024 * 1024)
#define RECORD_LOG_MAX     ((size_t) 16 * 1024 * 1024) /* of one container */

typedef struct Recorder {
        int fd;
        size_t n_files;
        usec_t since, until;
} Recorder;

/* Sets r->fd: to a new directory, into which only its owner may look, or to an empty one that is there.
 * -ENOTEMPTY. */
int recorder_open(Recorder *r, const char *path);
void recorder_done(Recorder *r);

/* Says that a part is left out, or cut: "docker/events.jsonl left out: Permission denied". error may be 0.
 */
void recorder_say(const char *part, const char *what, int error);

/* One file, whole. Directories in `name` are made. Redacts nothing. */
int recorder_write(Recorder *r, const char *name, Text content);
/* Redacted and indented. */
int recorder_write_json(Recorder *r, const char *name, const json_t *value);

/* A file written piece by piece and cut at max_bytes: from there on nothing is written, and it is said once.
 */
typedef struct RecordFile {
        Recorder *recorder;
        const char *name;
        FILE *stream;
        size_t bytes, max_bytes;
        bool is_cut;
} RecordFile;

int record_file_open(RecordFile *f, Recorder *r, const char *name, size_t max_bytes);
/* Returns 1, 0 when it is cut, or a negative errno. A piece is written whole or not at all. */
int record_file_append(RecordFile *f, Text piece);
int record_file_close(RecordFile *f); /* tells of write errors */
void record_file_done(RecordFile *f); /* for the way out after a failure */

/* The parts. They return 0, or the error of the disk. */
int record_journal(Recorder *r, const char *directory);
int record_state(Recorder *r, const Device *device);
int record_root(Recorder *r);
int record_container_logs(Recorder *r, DockerApi *api, const Device *device);
int record_metrics(Recorder *r, const Device *device);
/* Not `active`: only what is found without sending anything. */
int record_probes(Recorder *r, const Device *device, bool active);

/* What happens from r->since until r->until, which may lie ahead: Docker's events (api may be NULL) and,
 * when reader is given, changes of the network. Waits until then. */
int record_events(Recorder *r, DockerApi *api, NetworkReader *reader);

/* A file of the device without its secrets, by the kind that its name tells. -EINVAL when it is not well
 * formed: then nobody knows where its secrets are. */
int record_redact_file(const char *path, Text content, char **ret);
