#pragma once

/* The manager's inside, shared by its files only: manager.c (life and loop), manager-rules.c (configuration,
 * rules, reload), manager-state.c (what is saved and restored), manager-status.c and manager-counts.c (how
 * it shows itself). */

#include "daemon/watch/clock-watch.h"
#include "daemon/watch/manager.h"
#include "daemon/watch/silence.h"
#include "daemon/watch/prober-process.h"
#include "daemon/watch/repair.h"
#include "daemon/watch/sinks/journal-sink.h"
#include "daemon/watch/source.h"
#include "daemon/watch/watchdog.h"
#include "daemon/watch/world-live.h"

typedef enum ManagerPhase {
        PHASE_STARTING,
        PHASE_RUNNING,
        PHASE_RELOADING,
        PHASE_STOPPING,
        PHASE_X_MAX,
        PHASE_X_INVALID = -EINVAL,
} ManagerPhase;

/* What a set of rules is turned into; replaced as a whole by a reload. */
typedef struct Compiled {
        RuleSet *rules;
        Matcher *matcher;
        Diagnosis *diagnosis;
} Compiled;

struct Manager {
        ManagerOptions options;
        ManagerPhase phase;
        usec_t started; /* realtime */

        Config *config;
        ProblemList problems; /* of configuration and rules, as last read */
        bool reload_refused;  /* the problems are those of a reload that was not taken over */
        Compiled compiled;
        World *world;
        WorldLive *world_live;
        Prober *prober;
        Merge *merge;
        Intake *intake;
        Source **sources; /* in the order of the registry */
        size_t n_sources;
        bool settled; /* all sources have enumerated once */
        JournalSink *journal_sink;
        Silence *silence;
        Repair *repair;
        ManagerListener listeners[MANAGER_LISTENERS_MAX];
        size_t n_listeners;

        sd_event *event;
        ClockWatch *clock_watch;
        Watchdog *watchdog;
        sd_event_source *signals[3], *after_each, *deadline, *save_later;

        json_t *raised;        /* symptom: how many of its incidents were ever reported */
        json_t *fixed;         /* fix: outcome: how many */
        json_t *restored;      /* the state as it was loaded; holds the sources' positions */
        usec_t saved_at;       /* monotonic */
        bool save_now;         /* an incident changed */
        bool save_soon;        /* something else that counts changed */
        uint64_t saved_n_read; /* entries read by then: whether positions moved since */
        int save_error;        /* 0, or why the state could not be saved last */
        char *set_aside;       /* the name under which a state file that could not be read was put */
        bool show_status;      /* STATUS= is out of date */
};

/* manager-rules.c */
int manager_load_config(Manager *m, Config **ret, ProblemList *problems);
int manager_compile(Manager *m, const Config *config, ProblemList *problems, Compiled *ret);
void compiled_done(Compiled *c);
void manager_log_problems(const ProblemList *problems);

/* manager-state.c */
/* To now, if the diagnosis was ahead of it. */
void manager_set_time_back(Manager *m);
int manager_restore_state(Manager *m);
void manager_read_back_own_entries(Manager *m);
/* Saves when it is time to and the sources' positions agree with what the diagnosis has seen. */
int manager_save_if_due(Manager *m);
void manager_save_at_end(Manager *m);
usec_t manager_cold_start(void);

/* manager-status.c */
void manager_show_status(Manager *m);
void manager_print_change(const Incident *incident, IncidentChange change);

/* manager-counts.c */
void manager_count_raised(Manager *m, const Incident *incident, IncidentChange change);
void manager_count_fix(Manager *m, const Incident *incident, IncidentChange change);
int manager_restore_counts(Manager *m, const json_t *state);
json_t *manager_symptoms_to_json(const Manager *m);
json_t *manager_fixes_to_json(const Manager *m);

/* manager.c */
void manager_incident_changed(void *userdata, const Incident *incident, IncidentChange change);
void manager_restart_sources(Manager *m);
