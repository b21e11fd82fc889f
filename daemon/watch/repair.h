#pragma once

/* Has confirmed incidents repaired, as far as the configuration allows: asks edgewatch-fix at its socket,
 * which decides by itself whether it does. What is decided in here only saves asking for what would be
 * refused.
 *
 * One request at a time; what is refused is asked again when the fixer said, else less and less often. */

#include <systemd/sd-event.h>

#include "lib/config/config.h"
#include "lib/diagnosis/diagnosis.h"

#define REPAIR_WANTED_MAX 64

/* What the repair works on; both may be others after a reload. */
typedef struct RepairOps {
        const Config *(*config)(void *userdata);
        Diagnosis *(*diagnosis)(void *userdata);
        void *userdata;
} RepairOps;

typedef struct Repair Repair;

int repair_new(Repair **ret, sd_event *event, RepairOps ops);
Repair *repair_free(Repair *r);
DEFINE_CLEANUP(Repair, repair_free);

/* An incident changed, or is looked at anew after a start or a reload. */
void repair_consider(Repair *r, const Incident *incident);
/* All of them. */
void repair_consider_all(Repair *r);
/* The clock was set by this much. */
void repair_shift(Repair *r, int64_t by_usec);
