#pragma once

/* The same change of a network for a person at a shell, where the fixer does not act itself. */

#include <jansson.h>

#include "lib/base/text.h"

/* An array of commands, in the order in which they work: everybody off the network, the network removed and
 * made as `body` (docker_network_body()) says, everybody back on. Words that a shell would take apart are
 * quoted. attachments: docker_attachments(). A new reference, NULL when memory is out. */
json_t *docker_network_commands(const json_t *body, const json_t *attachments);
