#pragma once

/* Files that are whole at any instant, also when the power goes: either the old content or the new. */

#include <sys/stat.h>

#include "lib/base/text.h"

/* Replaces NAME in the folder by a new file written beside it as NAME.new, synced, renamed; then syncs the
 * folder. On failure the old one stays and nothing is left beside. */
int atomic_file_write(int directory_fd, const char *name, Text content, mode_t mode);
/* Removes what a write that was cut off left beside. */
int atomic_file_tidy(int directory_fd, const char *name);
/* The same as the first by path. */
int atomic_file_write_path(const char *path, Text content, mode_t mode);

/* A regular file as a whole, NUL-terminated (owned by the caller). -EFBIG when it is larger or no regular
 * file. */
int file_read_at(int directory_fd, const char *name, size_t max_bytes, char **ret, size_t *ret_len);

/* All of it, then synced. */
int file_write_all(int fd, Text content);
