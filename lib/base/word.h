#pragma once

/* Enumerations whose words stand in a table: how the text becomes the value again. */

#include "lib/base/text.h"

/* The index of text among the words; entries that are NULL match nothing. -EINVAL, which is each
 * enumeration's _X_INVALID, when it is none of them. */
int word_find(const char *const *words, size_t n, Text text);
