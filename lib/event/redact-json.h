#pragma once

/* A copy of a JSON document that may be written anywhere: what the Docker engine says of its objects, the
 * runtime's configuration, daemon.json.
 *
 * Values are replaced by REDACTED, names stay: members whose name says that they are secret, with all that
 * is in them; environment variables but those that container_env_is_kept(); the word after an option such as
 * --password; user info of proxies and URLs; private keys. JSON inside a string (labels, create options) is
 * treated in the same way. NULL when memory is out. */

#include <jansson.h>

json_t *redact_json(const json_t *value);
