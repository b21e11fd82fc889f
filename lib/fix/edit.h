#pragma once

/* Changes to files, as data: a plan keeps what is to be changed, not the content, so that secrets beside it
 * do not get into the plan.
 *
 * {"kind": "content", "text": …}             the whole file
 * {"kind": "merge-json", "members": {…}}     these members of the top object replaced or added; others keep
 * their place. An empty or missing file is an empty object.
 * {"kind": "toml-strings", "table": …, "strings": {…}}   these strings of a table replaced where they stand;
 * comments and all else stay. One that is not there yet is refused. */

#include <jansson.h>

#include "lib/base/text.h"

#define FIX_FILE_MAX ((size_t) 1024 * 1024)

/* Returns the new content (owned). -EINVAL and *ret_why (owned, may be NULL) when the file is not what the
 * edit needs: then it is not touched. */
int fix_edit(const json_t *edit, Text old, char **ret_new, char **ret_why);
