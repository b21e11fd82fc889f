/* Configuration and rules: loading them, and taking new ones over while running.
 *
 * Promise: a reload is all or nothing. At the start there is nothing to keep, so a bad rule file is skipped
 * and a bad configuration is replaced by the defaults, under which nothing on the device is ever changed.
 * Trap: matcher, diagnosis and intake borrow from the rules; they are swapped together, the old ones freed
 * last. */

#include <string.h>

#include <systemd/sd-daemon.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/watch/manager-internal.h"

static int override_path(char **target, const char *value) {
        char *copy;

        if (!value)
                return 0;
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        free(*target);
        *target = copy;
        return 0;
}

static int override_rules(Config *c, const char *const *rules) {
        int r = 0;

        if (!rules[0])
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(c->rules); i++) {
                free(c->rules[i]);
                c->rules[i] = NULL;
        }
        for (size_t i = 0; i < CONFIG_RULES_DIRS_MAX && rules[i] && r >= 0; i++)
                r = override_path(&c->rules[i], rules[i]);
        return r;
}

static int apply_options(Config *c, const ManagerOptions *o) {
        int r;

        r = override_rules(c, o->rules);
        if (r >= 0)
                r = override_path(&c->state_directory, o->state_directory);
        if (r >= 0)
                r = override_path(&c->runtime_directory, o->runtime_directory);
        if (r >= 0)
                r = override_path(&c->docker_socket, o->docker_socket);
        if (r >= 0)
                r = override_path(&c->journal_directory, o->journal_directory);
        return r;
}

int manager_load_config(Manager *m, Config **ret, ProblemList *problems) {
        _cleanup_(config_freep) Config *c = NULL;
        int r;

        r = config_load(&c, m->options.config_path, problems);
        if (r < 0)
                return r;
        r = apply_options(c, &m->options);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

void compiled_done(Compiled *c) {
        diagnosis_free(c->diagnosis);
        matcher_free(c->matcher);
        rule_set_free(c->rules);
        *c = (Compiled){};
}

/* A mistyped directory would otherwise look like a healthy device. */
static int check_any(const RuleSet *rules, const Config *config, ProblemList *problems) {
        if (rules->n_rules > 0)
                return 0;
        return problem_list_add(problems, config->rules[0] ? config->rules[0] : "rules", 0, 0,
                "no rules in here%s, so nothing can be diagnosed",
                config->rules[0] && config->rules[1] ? " or in the directories behind it" : "");
}

int manager_compile(Manager *m, const Config *config, ProblemList *problems, Compiled *ret) {
        const DiagnosisOps ops = {.changed = manager_incident_changed, .userdata = m};
        Compiled c = {};
        int r;

        r = rule_set_load(&c.rules, (const char *const *) config->rules, false, problems);
        if (r >= 0)
                r = check_any(c.rules, config, problems);
        if (r >= 0)
                r = matcher_new(&c.matcher, c.rules, problems);
        if (r >= 0)
                r = diagnosis_new(&c.diagnosis, c.rules, c.matcher, m->world, ops);
        if (r >= 0)
                r = diagnosis_set_held(c.diagnosis, true); /* until the sources have settled */
        if (r < 0) {
                compiled_done(&c);
                return r;
        }
        *ret = c;
        return 0;
}

void manager_log_problems(const ProblemList *problems) {
        char *text;

        for (size_t i = 0; i < problems->n_items; i++) {
                text = problem_format(&problems->items[i]);
                log_warning("%s", text ? text : problems->items[i].text);
                free(text);
        }
        if (problems->n_dropped > 0)
                log_warning("%llu more problems are not listed.", (unsigned long long) problems->n_dropped);
}

static int move_incidents(const Diagnosis *from, Diagnosis *to) {
        json_t *state = diagnosis_save(from);
        int r = state ? diagnosis_restore(to, state) : -ENOMEM;

        json_decref(state);
        return r;
}

static void take_over(Manager *m, Config *config, Compiled *compiled) {
        Config *old_config = m->config;

        intake_set_diagnosis(m->intake, compiled->diagnosis);
        compiled_done(&m->compiled);
        m->compiled = *compiled;
        *compiled = (Compiled){};

        m->config = config;
        world_live_set_config(m->world_live, config);
        manager_restart_sources(m);
        config_free(old_config);
        m->settled = false;
        m->save_now = true;
}

static int reload(Manager *m, ProblemList *problems) {
        _cleanup_(config_freep) Config *config = NULL;
        Compiled compiled = {};
        int r, k;

        r = manager_load_config(m, &config, problems);
        k = manager_compile(m, config ? config : m->config, problems, &compiled);
        if (r >= 0)
                r = k;
        if (r >= 0 && problems->n_items > 0)
                r = -EINVAL;
        if (r >= 0)
                r = move_incidents(m->compiled.diagnosis, compiled.diagnosis);
        if (r >= 0)
                take_over(m, TAKE_PTR(config), &compiled);
        compiled_done(&compiled);
        return r;
}

static void tell_reloaded(Manager *m) {
        FOREACH_ARRAY (listener, m->listeners, m->n_listeners) {
                if (listener->reloaded)
                        listener->reloaded(listener->userdata);
        }
}

int manager_reload(Manager *m) {
        ProblemList problems = {};
        int r;

        m->phase = PHASE_RELOADING;
        (void) sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long) monotonic_now());
        r = reload(m, &problems);
        problem_list_done(&m->problems);
        m->problems = problems;
        m->reload_refused = r < 0;
        m->phase = PHASE_RUNNING;
        m->show_status = true;

        manager_log_problems(&m->problems);
        if (r < 0)
                log_warning("Not reloaded, the rules and the configuration from before stay: %s.",
                        r == -EINVAL ? "there are problems" : strerror(-r));
        else
                log_info("Reloaded: %zu rules.", m->compiled.rules->n_rules);
        if (m->settled)
                repair_consider_all(m->repair);
        (void) sd_notify(0, "READY=1");
        tell_reloaded(m);
        return r;
}
