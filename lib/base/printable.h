#pragma once

/* What a log says never reaches a terminal raw. */

#include "lib/base/text.h"

/* A valid UTF-8 copy with control characters (C0 but tab, DEL, C1, bidirectional overrides) written as \xNN
 * or \u{NNNN}, line breaks as a space. NULL when memory is out. */
char *printable_text(Text t, size_t max_bytes);
