#pragma once

/* Reads one file of the device whole. */

#include "lib/base/text.h"

#define DEVICE_FILE_MAX ((size_t) 1024 * 1024)

/* NUL-terminated. -ENOENT, -EACCES, -EFBIG, -EINVAL when it is no regular file, … Files of /proc work too.
 */
int device_file_read(const char *path, char **ret, size_t *ret_len);
