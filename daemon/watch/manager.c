/* The daemon's life and its loop.
 *
 * Owns all stages and their order. Promise: whatever a handler took in is drained to the diagnosis in the
 * same iteration of the loop, then what changed is saved. Trap: the diagnosis calls
 * manager_incident_changed() from deep inside feeding; that only notes what has to be done, saving waits for
 * the end of the iteration. */

#include "daemon/watch/manager-internal.h"

#include <signal.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "lib/report/report.h"

#define DEADLINE_ACCURACY (50 * USEC_PER_MSEC)

static const Config *repair_config(void *userdata) {
        return manager_config(userdata);
}

static Diagnosis *repair_diagnosis(void *userdata) {
        return manager_diagnosis(userdata);
}

int manager_new(Manager **ret, const ManagerOptions *options) {
        _cleanup_(manager_freep) Manager *m = calloc(1, sizeof(*m));
        int r;

        if (!m)
                return -ENOMEM;
        m->options = *options;
        m->phase = PHASE_STARTING;
        m->raised = json_object();
        m->fixed = json_object();
        if (!m->raised || !m->fixed)
                return -ENOMEM;
        r = sd_event_new(&m->event);
        if (r < 0)
                return r;
        r = merge_new(&m->merge);
        if (r < 0)
                return r;
        r = journal_sink_new(&m->journal_sink);
        if (r < 0)
                return r;
        r = silence_new(&m->silence);
        if (r < 0)
                return r;
        r = repair_new(&m->repair, m->event,
                (RepairOps){.config = repair_config, .diagnosis = repair_diagnosis, .userdata = m});
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

Manager *manager_free(Manager *m) {
        if (!m)
                return NULL;
        for (size_t i = 0; i < m->n_sources; i++)
                source_free(m->sources[i]);
        free(m->sources);
        repair_free(m->repair);
        watchdog_free(m->watchdog);
        clock_watch_free(m->clock_watch);
        for (size_t i = 0; i < ELEMENTSOF(m->signals); i++)
                sd_event_source_disable_unref(m->signals[i]);
        sd_event_source_disable_unref(m->after_each);
        sd_event_source_disable_unref(m->deadline);
        sd_event_source_disable_unref(m->save_later);
        intake_free(m->intake);
        merge_free(m->merge);
        compiled_done(&m->compiled);
        world_free(m->world);
        world_live_free(m->world_live);
        if (m->prober)
                m->prober->free(m->prober);
        journal_sink_free(m->journal_sink);
        silence_free(m->silence);
        config_free(m->config);
        problem_list_done(&m->problems);
        json_decref(m->fixed);
        json_decref(m->raised);
        json_decref(m->restored);
        free(m->set_aside);
        sd_event_unref(m->event);
        free(m);
        return NULL;
}

/* That something is over is no alert. */
static bool is_silenced(const Manager *m, const Incident *incident, IncidentChange change) {
        return change != CHANGE_CLEARED && change != CHANGE_REFUTED &&
                silence_covers(m->silence, incident, realtime_now());
}

/* The fixer writes its steps and their outcome itself; a plan is only known here. */
static bool is_told_by_fixer(const Incident *incident, IncidentChange change) {
        return change == CHANGE_FIX && (!incident->fix_state || strcmp(incident->fix_state, "planned") != 0);
}

void manager_incident_changed(void *userdata, const Incident *incident, IncidentChange change) {
        Manager *m = userdata;
        int r;

        m->save_now = true;
        m->show_status = true;
        manager_count_raised(m, incident, change);
        manager_count_fix(m, incident, change);
        r = is_silenced(m, incident, change) || is_told_by_fixer(incident, change)
                ? 0
                : journal_sink_write(m->journal_sink, incident, change);
        if (r < 0)
                log_error_errno(r, "Failed to write incident %s to the journal: %m", incident->id);
        if (m->options.foreground && r != 0)
                manager_print_change(incident, change);
        repair_consider(m->repair, incident);
        FOREACH_ARRAY (listener, m->listeners, m->n_listeners) {
                listener->changed(listener->userdata, incident, change);
        }
}

static int fetch_from_source(void *userdata, const char *key, usec_t now) {
        Manager *m = userdata;
        int r = -ENOENT;

        for (size_t i = 0; i < m->n_sources && r == -ENOENT; i++)
                if (m->sources[i]->ops->fetch)
                        r = m->sources[i]->ops->fetch(m->sources[i], key, now);
        return r;
}

static void on_facts_arrived(void *userdata) {
        Manager *m = userdata;
        int r;

        r = diagnosis_facts_arrived(m->compiled.diagnosis, realtime_now());
        if (r < 0)
                log_error_errno(r, "Failed to take in facts: %m");
}

static usec_t world_clock(void *userdata) {
        return realtime_now();
}

static void on_source_lost(void *userdata, SourceKind kind) {
        Manager *m = userdata;

        diagnosis_source_lost(m->compiled.diagnosis, kind, realtime_now());
}

static void on_source_changed(void *userdata, const Source *s) {
        Manager *m = userdata;

        m->show_status = true;
}

static void on_clock_stepped(void *userdata, int64_t by_usec) {
        Manager *m = userdata;

        log_notice("The clock was set by %+lld s; open time windows end as unknown.",
                (long long) (by_usec / (int64_t) USEC_PER_SEC));
        if (by_usec < 0)
                manager_set_time_back(m);
        else
                diagnosis_shift(m->compiled.diagnosis, (usec_t) by_usec);
        repair_shift(m->repair, by_usec);
        for (SourceKind kind = 0; kind < SOURCE_X_MAX; kind++)
                diagnosis_source_lost(m->compiled.diagnosis, kind, realtime_now());
}

static const char *find_stuck(void *userdata, usec_t patience) {
        const Manager *m = userdata;
        usec_t now = monotonic_now();

        for (size_t i = 0; i < m->n_sources; i++) {
                usec_t due = source_due(m->sources[i]);
                if (due > 0 && usec_sub(now, due) > patience)
                        return m->sources[i]->ops->name;
        }
        return NULL;
}

static bool all_have_enumerated(const Manager *m) {
        for (size_t i = 0; i < m->n_sources; i++)
                if (m->sources[i]->state == SOURCE_CATCHING_UP)
                        return false;
        return true;
}

/* What state has to prove is asked once all of it was told: half of it would prove what is not so. */
static int settle(Manager *m) {
        if (m->settled || !all_have_enumerated(m) || intake_pending(m->intake) > 0)
                return 0;
        m->settled = true;
        /* rules name their subjects by it (parent, hub, hostname), and the first suspicion cannot wait for
         * it */
        if (!world_fact(m->world, realtime_now(), 0, "runtime-config"))
                return -ENOMEM;
        repair_consider_all(m->repair);
        return diagnosis_set_held(m->compiled.diagnosis, false);
}

static int arm_deadline(Manager *m) {
        usec_t deadline = intake_next_deadline(m->intake);
        int r;

        if (deadline == USEC_INFINITY)
                return sd_event_source_set_enabled(m->deadline, SD_EVENT_OFF);
        r = sd_event_source_set_time(m->deadline, deadline);
        return r < 0 ? r : sd_event_source_set_enabled(m->deadline, SD_EVENT_ONESHOT);
}

static int after_each(sd_event_source *source, void *userdata) {
        Manager *m = userdata;
        int r;

        r = intake_drain(m->intake, realtime_now());
        if (r < 0)
                log_error_errno(r, "Failed to diagnose an event: %m");
        if (r > 0) {
                m->save_soon = true;
                for (size_t i = 0; i < m->n_sources; i++)
                        if (m->sources[i]->ops->resume)
                                m->sources[i]->ops->resume(m->sources[i]);
        }

        r = settle(m);
        if (r < 0)
                log_error_errno(r, "Failed to ask the probes of restored incidents: %m");
        r = arm_deadline(m);
        if (r < 0)
                return log_error_errno(r, "Failed to set the deadline: %m");
        r = manager_save_if_due(m);
        if (r < 0)
                return log_error_errno(r, "Failed to plan saving the state: %m");
        if (m->show_status)
                manager_show_status(m);
        return 0;
}

/* What has to be done is done by after_each(). */
static int on_time(sd_event_source *timer, uint64_t usec, void *userdata) {
        return 0;
}

static int on_end(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Manager *m = userdata;

        return sd_event_exit(m->event, 0);
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        (void) manager_reload(userdata);
        return 0;
}

static int add_signals(Manager *m) {
        static const struct {
                int number;
                sd_event_signal_handler_t handler;
        } signals[] = {{SIGTERM, on_end}, {SIGINT, on_end}, {SIGHUP, on_hangup}};
        int r;

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                r = sd_event_add_signal(m->event, &m->signals[i],
                        signals[i].number | SD_EVENT_SIGNAL_PROCMASK, signals[i].handler, m);
                if (r < 0)
                        return r;
                (void) sd_event_source_set_description(m->signals[i], strsignal(signals[i].number));
        }
        return 0;
}

static int add_timers(Manager *m) {
        int r;

        r = sd_event_add_time(m->event, &m->deadline, CLOCK_REALTIME, 0, DEADLINE_ACCURACY, on_time, m);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(m->deadline, "deadline");
        r = sd_event_source_set_enabled(m->deadline, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_time(m->event, &m->save_later, CLOCK_MONOTONIC, 0, USEC_PER_SEC, on_time, m);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(m->save_later, "save-state");
        r = sd_event_source_set_enabled(m->save_later, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_post(m->event, &m->after_each, after_each, m);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(m->after_each, "drain");
        r = watchdog_new(&m->watchdog, m->event, find_stuck, m);
        if (r < 0)
                return r;
        return clock_watch_new(&m->clock_watch, m->event, on_clock_stepped, m);
}

/* A device with a mistyped configuration is watched all the same. */
static int load_or_default(Manager *m) {
        const char *path = m->options.config_path;
        int r;

        r = manager_load_config(m, &m->config, &m->problems);
        if (r != -EINVAL)
                return r;
        log_warning("The configuration has problems; running with the defaults, under which nothing is "
                    "changed.");
        m->options.config_path = "/dev/null";
        r = manager_load_config(m, &m->config, &m->problems);
        m->options.config_path = path;
        return r;
}

static int build_stages(Manager *m) {
        const WorldLiveHandler handler = {
                .fetch_from_source = fetch_from_source,
                .facts_arrived = on_facts_arrived,
                .clock = world_clock,
                .userdata = m,
        };
        int r;

        r = load_or_default(m);
        if (r < 0)
                return r;
        r = prober_process_new(&m->prober, m->event, m->config->probe_socket,
                m->options.prober ? m->options.prober : EDGEWATCH_LIBEXEC_DIR "/edgewatch-probe");
        if (r < 0)
                return r;
        r = world_live_new(&m->world_live, m->config, m->prober, handler);
        if (r < 0)
                return r;
        r = world_new(&m->world, world_live_ops(m->world_live));
        if (r < 0)
                return r;
        r = manager_compile(m, m->config, &m->problems, &m->compiled);
        if (r < 0)
                return r;
        manager_log_problems(&m->problems);
        return intake_new(&m->intake, m->merge, m->compiled.diagnosis);
}

static void start_source(const Manager *m, Source *s) {
        s->context.config = m->config;
        if (config_source_is_on(m->config, s->ops->name))
                source_start(s);
        else
                source_set_off(s, "switched off in the configuration");
}

void manager_restart_sources(Manager *m) {
        for (size_t i = 0; i < m->n_sources; i++)
                start_source(m, m->sources[i]);
}

static int create_sources(Manager *m) {
        const SourceContext context = {
                .event = m->event,
                .intake = m->intake,
                .world = m->world,
                .config = m->config,
                .cold_start = manager_cold_start(),
                .positions = json_object_get(m->restored, "sources"),
                .facts_arrived = on_facts_arrived,
                .lost = on_source_lost,
                .changed = on_source_changed,
                .userdata = m,
        };
        const SourceOps *const *registry;
        size_t n;
        int r;

        registry = source_registry(&n);
        m->sources = calloc(n, sizeof(*m->sources));
        if (!m->sources)
                return -ENOMEM;
        for (; m->n_sources < n; m->n_sources++) {
                r = source_new(registry[m->n_sources], &context, &m->sources[m->n_sources]);
                if (r < 0)
                        return r;
        }
        return 0;
}

int manager_start(Manager *m) {
        int r;

        m->started = realtime_now();
        r = build_stages(m);
        if (r < 0)
                return log_error_errno(r, "Failed to set up: %m");
        r = add_signals(m);
        if (r < 0)
                return log_error_errno(r, "Failed to watch signals: %m");
        r = add_timers(m);
        if (r < 0)
                return log_error_errno(r, "Failed to set up timers: %m");
        r = manager_restore_state(m);
        if (r < 0)
                return r;
        manager_read_back_own_entries(m);
        r = create_sources(m);
        if (r < 0)
                return log_error_errno(r, "Failed to create the sources: %m");

        manager_restart_sources(m);
        m->phase = PHASE_RUNNING;
        m->saved_at = monotonic_now();
        m->show_status = true;
        (void) sd_notify(0, "READY=1");
        log_write(LOG_INFO, MESSAGE_ID_STARTED, "edgewatchd %s watches with %zu rules.", EDGEWATCH_VERSION,
                m->compiled.rules->n_rules);
        return 0;
}

int manager_run(Manager *m) {
        int r;

        r = sd_event_loop(m->event);
        m->phase = PHASE_STOPPING;
        (void) sd_notify(0, "STOPPING=1");
        manager_save_at_end(m);
        return r;
}

sd_event *manager_event(const Manager *m) {
        return m->event;
}

const Config *manager_config(const Manager *m) {
        return m->config;
}

const RuleSet *manager_rules(const Manager *m) {
        return m->compiled.rules;
}

Diagnosis *manager_diagnosis(const Manager *m) {
        return m->compiled.diagnosis;
}

int manager_silence(Manager *m, const char *what, usec_t until) {
        int r;

        r = silence_set(m->silence, what, until, realtime_now());
        if (r < 0)
                return r;
        m->save_now = true;
        return 0;
}

int manager_listen(Manager *m, ManagerListener listener) {
        if (m->n_listeners >= MANAGER_LISTENERS_MAX)
                return -ENOBUFS;
        m->listeners[m->n_listeners++] = listener;
        return 0;
}
