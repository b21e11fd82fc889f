#pragma once

/* Joins the stages: sources, intake, diagnosis, World, sinks, state, and whoever shows them (bus). One
 * thread, one sd_event.
 *
 * manager_new() allocates, manager_start() touches the world, manager_run() returns when the daemon is
 * asked to end. */

#include <systemd/sd-event.h>

#include "lib/config/config.h"
#include "lib/diagnosis/diagnosis.h"

/* What the command line says over the configuration; NULL where it says nothing. Borrowed. */
typedef struct ManagerOptions {
        const char *config_path;
        const char *rules[CONFIG_RULES_DIRS_MAX + 1];
        const char *state_directory;
        const char *runtime_directory;
        const char *docker_socket;
        const char *journal_directory;
        const char *prober; /* the program to spawn where there is no socket of it */
        bool foreground;    /* alerts as text on standard output too */
} ManagerOptions;

typedef struct Manager Manager;

int manager_new(Manager **ret, const ManagerOptions *options);
Manager *manager_free(Manager *m);
DEFINE_CLEANUP(Manager, manager_free);

int manager_start(Manager *m);
int manager_run(Manager *m);

/* Reads configuration and rules again. All or nothing: with any problem the old ones stay, the problems are
 * logged and listed, and -EINVAL is returned. Incidents and positions are kept. */
int manager_reload(Manager *m);

/* For the bus and other views. All borrowed; rules and diagnosis change with a reload. */
sd_event *manager_event(const Manager *m);
const Config *manager_config(const Manager *m);
const RuleSet *manager_rules(const Manager *m);
Diagnosis *manager_diagnosis(const Manager *m);

/* The object of `status --json`: version, started, uptime, state ("starting", "running", "reloading",
 * "stopping"), sources, rules (loaded, problems), matcher, incidents, dropped, state_file. */
json_t *manager_status(const Manager *m);

/* No alerts about this symptom or incident (ids) until then; a time that is over ends it. Kept over
 * restarts. -ENOBUFS when there are too many. */
int manager_silence(Manager *m, const char *what, usec_t until);

/* Told of each change of an incident, after the journal was; incident is borrowed. */
typedef struct ManagerListener {
        void (*changed)(void *userdata, const Incident *incident, IncidentChange change);
        void (*reloaded)(void *userdata); /* may be NULL */
        void *userdata;
} ManagerListener;

#define MANAGER_LISTENERS_MAX 4
int manager_listen(Manager *m, ManagerListener listener); /* -ENOBUFS when there are too many */
