/* What survives a restart: the engine with its incidents and the position of each source, as of one instant.
 *
 * Promise: a position is never saved that is ahead of what the diagnosis has seen; so after a kill at any
 * moment the same entries are read again and lead to the same changes, and the journal sink knows which of
 * these it wrote already.
 * Trap: while sources catch up, events wait in the merge; saving then waits too. */

#include <malloc.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/watch/manager-internal.h"
#include "daemon/watch/state.h"

/* Flash wears: incidents are saved at once, other events this often, */
#define SAVE_EVERY (10 * USEC_PER_SEC)
/* and a place in a journal in which nothing counted only to keep a restart short. */
#define SAVE_PLACE_EVERY (5 * USEC_PER_MIN)
#define COLD_START_MAX   USEC_PER_HOUR
/* Our own entries may be a little older than the state that knows of them. */
#define READ_BACK_MARGIN (10 * USEC_PER_SEC)

usec_t manager_cold_start(void) {
        usec_t since_boot = boottime_now();

        return usec_sub(realtime_now(), since_boot < COLD_START_MAX ? since_boot : COLD_START_MAX);
}

static void log_set_aside(Manager *m) {
        if (m->set_aside)
                log_warning("The state file could not be used; it is kept as %s/%s.",
                        m->config->state_directory, m->set_aside);
}

void manager_set_time_back(Manager *m) {
        usec_t now = realtime_now();

        world_set_back(m->world, now);
        diagnosis_set_back(m->compiled.diagnosis, now);
}

int manager_restore_state(Manager *m) {
        int r;

        r = state_load(m->config->state_directory, realtime_now(), &m->restored, &m->set_aside);
        if (r < 0) {
                log_warning_errno(r, "Failed to read the state in %s, starting without, ignoring: %m",
                        m->config->state_directory);
                return r == -ENOMEM ? r : 0;
        }
        log_set_aside(m);
        if (r == 0)
                return 0;
        r = manager_restore_counts(m, m->restored);
        if (r < 0)
                return r;
        r = silence_restore(m->silence, json_object_get(m->restored, "silences"), realtime_now());
        if (r < 0)
                log_warning_errno(r, "Failed to restore all silences, ignoring: %m");
        r = diagnosis_restore(m->compiled.diagnosis, json_object_get(m->restored, "diagnosis"));
        if (r < 0)
                log_warning_errno(r, "Failed to restore the incidents, starting without, ignoring: %m");
        /* Without a battery the clock may be behind what was saved, until the network is there. */
        manager_set_time_back(m);
        return r == -ENOMEM ? r : 0;
}

void manager_read_back_own_entries(Manager *m) {
        usec_t since = (usec_t) json_integer_value(json_object_get(m->restored, "saved_at"));
        int r;

        since = since > 0 ? usec_sub(since, READ_BACK_MARGIN) : manager_cold_start();
        r = journal_sink_read_back(m->journal_sink, m->config->journal_directory, since);
        if (r < 0)
                log_warning_errno(
                        r, "Failed to read our own journal entries; alerts may be repeated, ignoring: %m");
        journal_sink_note_ended(m->journal_sink, m->compiled.diagnosis);
}

static json_t *save_positions(const Manager *m) {
        json_t *positions = json_object(), *position;
        const json_t *old;

        for (size_t i = 0; positions && i < m->n_sources; i++) {
                const Source *s = m->sources[i];

                position = s->ops->save ? s->ops->save(s) : NULL;
                old = json_object_get(json_object_get(m->restored, "sources"), s->ops->name);
                /* One that is off or has not begun yet keeps its place. */
                if (!position && old)
                        position = json_deep_copy(old);
                if (position && json_object_set_new(positions, s->ops->name, position) < 0) {
                        json_decref(positions);
                        return NULL;
                }
        }
        return positions;
}

static json_t *make_state(const Manager *m) {
        json_t *diagnosis = diagnosis_save(m->compiled.diagnosis), *positions = save_positions(m),
               *silences = silence_save(m->silence, realtime_now());

        if (!diagnosis || !positions || !silences) {
                json_decref(diagnosis);
                json_decref(silences);
                json_decref(positions);
                return NULL;
        }
        return json_pack("{s:i, s:I, s:o, s:o, s:o, s:O, s:O}", "version", STATE_VERSION, "saved_at",
                (json_int_t) realtime_now(), "sources", positions, "diagnosis", diagnosis, "silences",
                silences, "raised", m->raised, "fixed", m->fixed);
}

static uint64_t count_read(const Manager *m) {
        uint64_t n = 0;

        for (size_t i = 0; i < m->n_sources; i++)
                n += m->sources[i]->counters.n_read;
        return n;
}

/* A full or read-only disk does not end the daemon; it is told once, and tried again. */
static void note_result(Manager *m, int error) {
        if (error == m->save_error)
                return;
        m->save_error = error;
        m->show_status = true;
        if (error < 0)
                log_warning_errno(error, "Failed to save the state in %s, trying again: %m",
                        m->config->state_directory);
        else
                log_notice("The state is saved again.");
}

static void save(Manager *m) {
        json_t *state = make_state(m);

        note_result(m, state ? state_save(m->config->state_directory, state) : -ENOMEM);
        json_decref(state);
        (void) malloc_trim(0); /* the state and its text were the most that was held at once */
        m->saved_at = monotonic_now();
        m->saved_n_read = count_read(m);
        /* After a failure an incident's change waits for the next turn like anything else. */
        m->save_soon = m->save_error < 0;
        m->save_now = false;
}

static int arm_save(Manager *m, usec_t at) {
        int r;

        r = sd_event_source_set_time(m->save_later, at);
        return r < 0 ? r : sd_event_source_set_enabled(m->save_later, SD_EVENT_ONESHOT);
}

int manager_save_if_due(Manager *m) {
        usec_t age = usec_sub(monotonic_now(), m->saved_at);

        if (intake_pending(m->intake) > 0)
                return 0;
        if (m->save_now || (m->save_soon && age >= SAVE_EVERY) ||
                (age >= SAVE_PLACE_EVERY && count_read(m) != m->saved_n_read))
                save(m);
        return m->save_soon ? arm_save(m, usec_add(m->saved_at, SAVE_EVERY)) : 0;
}

void manager_save_at_end(Manager *m) {
        if (m->settled && intake_pending(m->intake) == 0)
                save(m);
}
