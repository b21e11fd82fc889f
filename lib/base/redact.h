#pragma once

/* Keeps secrets out of everything edgewatch writes: shared access keys, signatures, bearer tokens, account
 * keys, passwords, user info in URLs. */

#include "lib/base/text.h"

/* A copy of t with the values of secrets replaced by REDACTED. NULL when memory is out. */
char *redact_text(Text t);

/* Whether a variable or key of this name holds a secret by convention (…Key, …Password, …Token,
 * ConnectionString). */
bool redact_is_secret_name(Text name);
