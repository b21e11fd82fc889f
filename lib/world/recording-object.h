#pragma once

/* What the JSON of a recording says beyond the standard tools' own objects. */

#include "lib/event/object.h"

/* The member `key` as RFC 3339. -EINVAL when it is absent or no time. */
int json_time(const json_t *object, const char *key, usec_t *ret);

/* An address of net/events.jsonl: {"ifname", "address": "192.0.2.7" or "192.0.2.7/24"}. */
int recording_address_from_json(const json_t *object, Address *ret);
