#pragma once

/* Reads what `iotedge support-bundle` wrote: a zip of logs as text, inspect and network documents and the
 * output of `iotedge check`, unpacked as a recording (docs/recording.md) into a private temporary directory.
 */

#include "lib/rules/rule-set.h"

#define BUNDLE_ENTRIES_MAX     4096
#define BUNDLE_ENTRY_BYTES_MAX ((uint64_t) 64 * 1024 * 1024) /* a log is cut there, a document skipped */
#define BUNDLE_TOTAL_BYTES_MAX ((uint64_t) 512 * 1024 * 1024)
#define BUNDLE_RATIO_MAX       200 /* of what is larger than a MiB: logs reach 30 */

/* Whether it is a zip archive by its first bytes. Returns 1, 0 or a negative errno. */
int bundle_is_archive(const char *path);

/* Returns 0 and the directory, which the caller removes with bundle_remove(); -EINVAL when there is nothing
 * of a support bundle in the archive or it cannot be read, which is listed as a problem. */
int bundle_unpack(const char *path, ProblemList *problems, char **ret_directory);

/* Removes the directory with all that is in it, or says that it could not, and frees its name; NULL is fine.
 * Returns NULL. */
char *bundle_remove(char *directory);
DEFINE_CLEANUP(char, bundle_remove);
