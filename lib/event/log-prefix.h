#pragma once

/* Takes the prefix off a log line of any component and era and joins what belongs together.
 *
 * Prefixes: Rust daemons "<6>2024-11-19T14:10:41Z [INFO] - msg" (journald has already taken the <6>), .NET
 * "<6> 2024-11-19 14:10:41.162 +00:00 [INF] - msg" with or without <6> and source context, logrus
 * `time="…" level=error msg="…" key=val`, plain lines of start scripts.
 *
 * A line without a prefix that follows one in the same stream continues it ("Caused by:", "    HTTP 500 …",
 * stack traces), and so does a prefixed line whose text is "caused by: …". Such a line keeps its own text as
 * `message` and names the line it continues as `head`. The trap: journald splits one write into entries, so
 * only stream identity joins them. */

#include "lib/base/buffer.h"
#include "lib/event/event.h"

typedef struct LogPrefix {
        Level level;  /* LEVEL_UNKNOWN when there is no prefix */
        size_t bytes; /* to skip; 0 when there is no prefix */
} LogPrefix;

/* The prefix at the start of a Rust or .NET line. */
LogPrefix log_prefix_parse(Text line);

/* logrus: writes `msg` unescaped, then the remaining keys as they stand, into buffer (cleared first).
 * Returns 1, or 0 when the line is not logrus, or a negative errno. */
int logrus_parse(Text line, Level *ret_level, Buffer *buffer);

/* Remembers the head of each stream. Bounded: the stream not written to for longest is forgotten. */
typedef struct LogJoiner LogJoiner;

int log_joiner_new(LogJoiner **ret);
LogJoiner *log_joiner_free(LogJoiner *j);
DEFINE_CLEANUP(LogJoiner, log_joiner_free);

/* Fills message, head and level of ret from a raw line of the stream `key` (hash of unit, pid and stream id,
 * or of the container id) written by `origin` at `time`. The texts point into `line` and into the joiner:
 * valid until its next call. */
int log_joiner_decode(LogJoiner *j, uint64_t key, Origin origin, usec_t time, Text line, LogLine *ret);
