#include "lib/fix/policy.h"

#include <stdio.h>

#define PAUSE_DOUBLINGS_MAX 10

static int refuse(char **ret_why, char *why) {
        *ret_why = why;
        return why ? 0 : -ENOMEM;
}

/* Minutes from `minute` until this window opens, counted over the week's end; 0 inside. */
static unsigned minutes_to(const FixWindow *w, unsigned minute) {
        unsigned length = (w->end_min + MINUTES_PER_DAY - w->begin_min) % MINUTES_PER_DAY;
        unsigned nearest = MINUTES_PER_WEEK;

        if (length == 0)
                length = MINUTES_PER_DAY;
        for (unsigned day = 0; day < 7; day++) {
                unsigned begin = day * MINUTES_PER_DAY + w->begin_min;
                unsigned since = (minute + MINUTES_PER_WEEK - begin % MINUTES_PER_WEEK) % MINUTES_PER_WEEK;

                if (!(w->days & (1U << day)))
                        continue;
                if (since < length)
                        return 0;
                if (MINUTES_PER_WEEK - since < nearest)
                        nearest = MINUTES_PER_WEEK - since;
        }
        return nearest;
}

unsigned fix_minutes_to_window(const Config *config, unsigned minute_of_week) {
        unsigned nearest = config->n_windows > 0 ? MINUTES_PER_WEEK : 0;

        FOREACH_ARRAY (w, config->windows, config->n_windows) {
                unsigned n = minutes_to(w, minute_of_week);

                if (n < nearest)
                        nearest = n;
        }
        return nearest;
}

static int check_ledger(const Config *config, unsigned attempts, usec_t last_end, usec_t now, char **ret_why,
        usec_t *ret_retry_at) {
        char pause_text[DURATION_MAX];
        usec_t pause = config->fix_cooldown;
        char *why = NULL;

        if (attempts == 0)
                return 1;
        if (attempts >= config->fix_attempts) {
                if (asprintf(&why,
                            "it was tried %u times without lasting success (fixes: attempts: %u); a person "
                            "has to look",
                            attempts, config->fix_attempts) < 0)
                        why = NULL;
                return refuse(ret_why, why);
        }
        for (unsigned i = 1; i < attempts && i < PAUSE_DOUBLINGS_MAX; i++)
                pause = usec_add(pause, pause);
        /* an end that lies ahead is of a clock that was wrong */
        if (last_end <= now && usec_add(last_end, pause) > now) {
                *ret_retry_at = usec_add(last_end, pause);
                if (asprintf(&why, "attempt %u was less than %s ago", attempts,
                            duration_format(pause, pause_text)) < 0)
                        why = NULL;
                return refuse(ret_why, why);
        }
        return 1;
}

int fix_policy(const Config *config, const FixLedger *ledger, const char *fix, const char *subject,
        FixTime time, char **ret_why, usec_t *ret_retry_at) {
        FixMode mode = config_fix_mode(config, fix);
        unsigned minutes = fix_minutes_to_window(config, time.minute_of_week), attempts;
        usec_t last_end;
        char *why;
        int r;

        *ret_retry_at = 0;
        if (mode != FIX_MODE_APPLY) {
                if (asprintf(&why, "the mode of %s is %s", fix, fix_mode_to_string(mode)) < 0)
                        why = NULL;
                return refuse(ret_why, why);
        }
        attempts = fix_ledger_attempts(ledger, fix, subject, time.now, &last_end);
        r = check_ledger(config, attempts, last_end, time.now, ret_why, ret_retry_at);
        if (r <= 0)
                return r;
        if (minutes == 0)
                return 1;
        *ret_retry_at = usec_add(time.now, minutes * USEC_PER_MIN);
        return refuse(ret_why, strdup("it is outside of the maintenance windows"));
}
