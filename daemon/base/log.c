/* The programs' own log.
 *
 * Promise: `%m` in a format is the text of the error handed in, not of whatever errno happens to be;
 * what a line quotes of others (a name, an answer, a file) does not reach a terminal raw.
 * Trap: standard error may be a pipe or a file although journald runs; only JOURNAL_STREAM, which names the
 * inode behind it, tells. */

#include "daemon/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <systemd/sd-journal.h>

#include "lib/base/printable.h"

#define LOG_LINE_MAX 2048

static const char *log_identifier = "edgewatchd";

void log_set_identifier(const char *identifier) {
        log_identifier = identifier;
}

static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat st;

        if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2 || fstat(STDERR_FILENO, &st) < 0)
                return false;
        return st.st_dev == device && st.st_ino == inode;
}

static void write_line(int priority, const char *message_id, const char *line) {
        static int to_journal = -1;

        if (to_journal < 0)
                to_journal = stderr_is_journal();
        if (!to_journal) {
                _cleanup_(freep) char *printable = printable_text(text_of(line), SIZE_MAX);

                (void) fprintf(stderr, "%s\n", printable ? printable : "(out of memory)");
                return;
        }

        (void) sd_journal_send("MESSAGE=%s", line, "PRIORITY=%i", priority, "SYSLOG_IDENTIFIER=%s",
                log_identifier, message_id ? "MESSAGE_ID=%s" : NULL, message_id, NULL);
}

static void write_format(int priority, const char *message_id, const char *format, va_list args) {
        char line[LOG_LINE_MAX];

        if (priority == LOG_DEBUG && !getenv("EDGEWATCH_DEBUG"))
                return;
        (void) vsnprintf(line, sizeof(line), format, args);
        write_line(priority, message_id, line);
}

void log_write(int priority, const char *message_id, const char *format, ...) {
        va_list args;

        va_start(args, format);
        write_format(priority, message_id, format, args);
        va_end(args);
}

int log_write_errno(int priority, int error, const char *format, ...) {
        va_list args;

        errno = error < 0 ? -error : error;
        va_start(args, format);
        write_format(priority, NULL, format, args);
        va_end(args);
        return error < 0 ? error : -error;
}
