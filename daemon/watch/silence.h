#pragma once

/* What the administrator does not want to be alerted about for a while: symptoms and incidents, each until a
 * time. It concerns alerts only; incidents are found, listed and counted as ever. */

#include "lib/diagnosis/incident.h"

#define SILENCES_MAX     128
#define SILENCE_NAME_MAX 64

typedef struct Silence Silence;

int silence_new(Silence **ret);
Silence *silence_free(Silence *s);
DEFINE_CLEANUP(Silence, silence_free);

/* what: a symptom's or an incident's id. An `until` that is not after `now` ends the silence. -ENOBUFS when
 * there are too many. */
int silence_set(Silence *s, const char *what, usec_t until, usec_t now);
bool silence_covers(const Silence *s, const Incident *incident, usec_t now);

/* [{"what":…, "until":RFC3339}], also as it is shown. NULL when memory is out. */
json_t *silence_save(const Silence *s, usec_t now);
/* What cannot be read is left out. */
int silence_restore(Silence *s, const json_t *state, usec_t now);
