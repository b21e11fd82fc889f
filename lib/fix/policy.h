#pragma once

/* Who may have what repaired, when and how often. Pure: the fixer hands in its own configuration, its own
 * ledger and its own clock; nothing in here comes from who asks. */

#include "lib/config/config.h"
#include "lib/fix/ledger.h"

#define MINUTES_PER_DAY  (24U * 60)
#define MINUTES_PER_WEEK (7 * MINUTES_PER_DAY)

typedef struct FixTime {
        usec_t now;
        unsigned minute_of_week; /* of the device's local time; Monday 00:00 is 0 */
} FixTime;

/* May edgewatchd have this applied now? Returns 1, or 0 and why not, and when it may be asked again (0: not
 * without somebody changing the configuration). *ret_why belongs to the caller. -ENOMEM. */
int fix_policy(const Config *config, const FixLedger *ledger, const char *fix, const char *subject,
        FixTime time, char **ret_why, usec_t *ret_retry_at);

/* Minutes until the next window opens; 0 inside of one, or without any. */
unsigned fix_minutes_to_window(const Config *config, unsigned minute_of_week);
