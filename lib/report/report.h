#pragma once

/* An incident as others read it: text, JSON, journal fields. */

#include "lib/diagnosis/diagnosis.h"

/* The whole answer of `replay --json` and of `list --json`: {"format":1,"incidents":[…],"dropped":N}. */
json_t *report_incidents(const Incident *const *incidents, size_t n, uint64_t dropped);

/* For `explain`: several lines of plain text, printable. NULL when memory is out. */
char *report_explain(const json_t *incident);

/* The same for a symptom in general: what stands for its variables are their names in capitals. */
char *report_explain_rule(const Rule *rule);

/* The catalog of all alerts, in the format of /usr/lib/systemd/catalog. NULL when memory is out. */
char *report_catalog(const RuleSet *rules);

/* MESSAGE_IDs that are not a symptom's own. */
#define MESSAGE_ID_CLEARED         "5e1d2a2f7c0b4f0e9d7a4b8c61f3e201"
#define MESSAGE_ID_SOURCE_DEGRADED "5e1d2a2f7c0b4f0e9d7a4b8c61f3e202"
#define MESSAGE_ID_SOURCE_RESTORED "5e1d2a2f7c0b4f0e9d7a4b8c61f3e203"
#define MESSAGE_ID_STARTED         "5e1d2a2f7c0b4f0e9d7a4b8c61f3e204"
#define MESSAGE_ID_FIX_PLANNED     "5e1d2a2f7c0b4f0e9d7a4b8c61f3e205"
#define MESSAGE_ID_FIX_STEP        "5e1d2a2f7c0b4f0e9d7a4b8c61f3e206"
#define MESSAGE_ID_FIX_APPLIED     "5e1d2a2f7c0b4f0e9d7a4b8c61f3e207"
#define MESSAGE_ID_FIX_FAILED      "5e1d2a2f7c0b4f0e9d7a4b8c61f3e208"
#define MESSAGE_ID_FIX_ROLLED_BACK "5e1d2a2f7c0b4f0e9d7a4b8c61f3e209"
#define MESSAGE_ID_FIX_REFUSED     "5e1d2a2f7c0b4f0e9d7a4b8c61f3e20a"

/* Those that stand once, and all that an incident can hold of the others. */
#define JOURNAL_FIELDS_MAX (16 + INCIDENT_CAUSE_OF_MAX + INCIDENT_EVIDENCE_MAX + INCIDENT_RULED_OUT_MAX)

typedef struct JournalFields {
        char *fields[JOURNAL_FIELDS_MAX]; /* "NAME=value" */
        size_t n;
} JournalFields;

void journal_fields_done(JournalFields *f);
/* One entry for one change (docs: edgewatch-fields(7)). */
int report_journal_fields(const Incident *incident, IncidentChange change, JournalFields *ret);
