#pragma once

/* Incidents as verbs print them, from the JSON that the daemon or a replay gives. */

#include "daemon/ctl/output.h"
#include "lib/event/json-field.h"

/* {"format":1, "incidents":[…]} as JSON or as a table; without `all` only what is active. Returns
 * EXIT_FINDINGS when something is active, EXIT_TROUBLE (said) when memory is out. */
ExitCode incidents_print(const json_t *report, const Arguments *a);

/* What is active and no consequence of something else, each in full. Returns 0 or -ENOMEM. */
int incidents_explain(const json_t *report);

/* Whether the word is an incident's id or the beginning of one; no symptom is called so. */
bool incident_is_id(const char *word);

bool incident_json_is_active(const json_t *incident);

/* The incident of a report that the word names: by the beginning of its id or by its symptom, an active one
 * before others. A new reference, or NULL. */
json_t *incidents_find(const json_t *report, const char *what);

/* A time as reports write it; 0 when it is absent or null. */
usec_t member_time(const json_t *object, const char *name);
