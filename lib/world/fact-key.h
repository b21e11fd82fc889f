#pragma once

/* The key of a fact that edgewatch-probe answers, taken apart: QUESTION, QUESTION:FROM, QUESTION:FROM:HOST
 * or QUESTION:FROM:HOST:PORT (world.h lists them). */

#include "lib/base/text.h"

typedef struct FactKey {
        Text question, from, host; /* of the key; empty when it has none */
        unsigned port;             /* 0 when it has none */
} FactKey;

FactKey fact_key_parse(const char *key);

/* Whether answering it sends something on the network: an active question, which can be switched off. */
bool fact_key_is_active(const char *key);

/* The question to edgewatch-probe as JSON (daemon/probe/question.h); it knows containers by their ids only.
 * NULL when there is no id for a container, or memory is out. */
char *fact_key_request(const char *key, const char *container_id, unsigned timeout_ms);
