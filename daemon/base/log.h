#pragma once

/* What a program says about itself. Goes to the journal with its fields when standard error is connected to
 * it, else as text to standard error. Incidents do not pass through here: sinks/ writes those. */

#include <syslog.h>

#include "lib/base/macro.h"

/* The program's name in the journal; a literal. */
void log_set_identifier(const char *identifier);
/* message_id may be NULL. Returns nothing: a log that cannot be written has nobody to be told to. */
void log_write(int priority, const char *message_id, const char *format, ...) _printf_(3, 4);
/* Returns error, so that a caller logs and passes it on in one statement. `%m` is the error's text. */
int log_write_errno(int priority, int error, const char *format, ...) _printf_(3, 4);

#define log_debug(...)                log_write(LOG_DEBUG, NULL, __VA_ARGS__)
#define log_info(...)                 log_write(LOG_INFO, NULL, __VA_ARGS__)
#define log_notice(...)               log_write(LOG_NOTICE, NULL, __VA_ARGS__)
#define log_warning(...)              log_write(LOG_WARNING, NULL, __VA_ARGS__)
#define log_error(...)                log_write(LOG_ERR, NULL, __VA_ARGS__)
#define log_warning_errno(error, ...) log_write_errno(LOG_WARNING, (error), __VA_ARGS__)
#define log_error_errno(error, ...)   log_write_errno(LOG_ERR, (error), __VA_ARGS__)
#define log_oom()                     log_error_errno(-ENOMEM, "Out of memory")
