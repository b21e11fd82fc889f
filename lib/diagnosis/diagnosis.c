/* The way from events to incidents. Owns the incidents and the order of things: time first (deadlines of the
 * engine and of incidents that lie before an event fire before it), then the World, then the rules. An
 * incident is never reported twice for the same thing: every report counts its seq up. */

#include "lib/diagnosis/diagnosis-private.h"

#define RECHECK_AT_MOST_EVERY (200 * USEC_PER_MSEC)         /* when events come in storms */
#define CROWDED_FROM          (DIAGNOSIS_INCIDENTS_MAX / 4) /* incidents of one rule: then it makes its own room */

static const char *const changes[CHANGE_X_MAX] = {
        [CHANGE_SUSPECTED] = "suspected",
        [CHANGE_CONFIRMED] = "confirmed",
        [CHANGE_UPDATED] = "updated",
        [CHANGE_FIX] = "fix",
        [CHANGE_CLEARED] = "cleared",
        [CHANGE_REFUTED] = "refuted",
};

const char *incident_change_to_string(IncidentChange c) {
        return c >= 0 && c < CHANGE_X_MAX ? changes[c] : NULL;
}

int diagnosis_new(Diagnosis **ret, const RuleSet *rules, Matcher *matcher, World *world, DiagnosisOps ops) {
        _cleanup_(diagnosis_freep) Diagnosis *d = calloc(1, sizeof(*d));
        int r;

        if (!d)
                return -ENOMEM;
        *d = (Diagnosis){.rules = rules, .matcher = matcher, .world = world, .ops = ops};
        r = engine_new(&d->engine, rules,
                (EngineHandler){.raise = diagnosis_raise, .clear = diagnosis_clear, .userdata = d});
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

Diagnosis *diagnosis_free(Diagnosis *d) {
        if (!d)
                return NULL;
        for (size_t n = 0; n < d->n_incidents; n++)
                (void) incident_free(d->incidents[n]);
        free(d->incidents);
        (void) engine_free(d->engine);
        free(d);
        return NULL;
}

void incident_report(Diagnosis *d, Incident *i, IncidentChange change) {
        if (i->tentative)
                return;
        i->seq++;
        if (change == CHANGE_CONFIRMED || change == CHANGE_SUSPECTED)
                i->alerted = true;
        if (d->ops.changed)
                d->ops.changed(d->ops.userdata, i, change);
}

void incident_end(Diagnosis *d, Incident *i, IncidentState state, const char *why) {
        char *copy = strdup(why);

        i->state = state;
        i->ended_seq = 0; /* reported with the number that the journal has already */
        i->asking = i->clear_latched = i->ends_on_refute = i->restored = false;
        i->ask_at = USEC_INFINITY;
        if (state != INCIDENT_CLEARED)
                i->consequence_of[0] = '\0';
        else if (!i->consequence_of[0]) /* it went with its cause */
                memcpy(i->consequence_of, i->formerly_of, INCIDENT_ID_MAX);
        if (copy) {
                free(i->ending);
                i->ending = copy;
        }
        if (state == INCIDENT_CLEARED) {
                i->cleared_at = d->now;
                incident_report(d, i, CHANGE_CLEARED);
                return;
        }
        (void) incident_rule_out(i, i->symptom, why);
        if (i->alerted)
                incident_report(d, i, CHANGE_REFUTED);
        i->alerted = false;
}

static size_t count_of_rule(const Diagnosis *d, const Rule *rule) {
        size_t count = 0;

        for (size_t n = 0; n < d->n_incidents; n++)
                count += d->incidents[n]->rule == rule;
        return count;
}

/* Subjects can come from outside (clients' names): a symptom that floods pushes out its own incidents, never
 * the few of another one. */
static const Rule *find_crowded(const Diagnosis *d, const Rule *rule) {
        size_t most = count_of_rule(d, rule);

        if (most >= CROWDED_FROM)
                return rule;
        for (size_t n = 0; n < d->n_incidents; n++) {
                size_t count = count_of_rule(d, d->incidents[n]->rule);

                if (count > most) {
                        rule = d->incidents[n]->rule;
                        most = count;
                }
        }
        return rule;
}

static size_t find_victim(const Diagnosis *d, const Rule *newcomer) {
        const Rule *crowded;
        size_t victim = 0;

        while (victim < d->n_incidents && incident_is_active(d->incidents[victim]))
                victim++;
        if (victim < d->n_incidents)
                return victim;
        crowded = find_crowded(d, newcomer);
        for (victim = 0; d->incidents[victim]->rule != crowded;)
                victim++;
        return victim;
}

static void make_room(Diagnosis *d, const Rule *newcomer) {
        size_t victim;

        if (d->n_incidents < DIAGNOSIS_INCIDENTS_MAX)
                return;
        victim = find_victim(d, newcomer);
        if (incident_is_active(d->incidents[victim]))
                d->n_dropped++;
        (void) incident_free(d->incidents[victim]);
        d->n_incidents--;
        memmove(d->incidents + victim, d->incidents + victim + 1,
                (d->n_incidents - victim) * sizeof(d->incidents[0]));
}

int diagnosis_add(Diagnosis *d, Incident *i) {
        make_room(d, i->rule);
        if (!GROW_ARRAY(d->incidents, d->allocated, d->n_incidents, DIAGNOSIS_INCIDENTS_MAX)) {
                (void) incident_free(i);
                return -ENOMEM;
        }
        d->incidents[d->n_incidents++] = i;
        return 0;
}

Incident *diagnosis_find_subject(const Diagnosis *d, const Rule *rule, const char *subject, bool active) {
        for (size_t n = d->n_incidents; n > 0; n--) {
                Incident *i = d->incidents[n - 1];

                if (i->rule == rule && strcmp(i->subject, subject) == 0 &&
                        (!active || incident_is_active(i)))
                        return i;
        }
        return NULL;
}

bool diagnosis_wants(Diagnosis *d, const Event *event) {
        const Hit *hits;

        return event->kind != EVENT_LOG || matcher_match(d->matcher, event, &hits) > 0;
}

/* A container's log is believed for what the World knows of the container, not for its name; and it is the
 * World that knows what went before a container's end. */
static bool vouch(const Diagnosis *d, Event *event) {
        if (event->kind == EVENT_CONTAINER && text_is(event->container.action, "die")) {
                _cleanup_(freep) char *id = text_dup(event->container.id);

                event->container.stopped = id && world_container_was_stopped(d->world, id);
        }
        if (event->kind != EVENT_LOG || event->log.container.len == 0)
                return true;
        event->origin = world_vouch_for_container(d->world, event->log.container, event->log.container_id);
        return event->origin != ORIGIN_OTHER;
}

/* A captured id of a container of the runtime becomes its name: kernel lines know only the id. */
static void name_container(const Diagnosis *d, Hit *hit) {
        for (size_t n = 0; n < hit->n_variables; n++) {
                Text id = hit->variables[n].value;
                const char *name;

                if (strcmp(hit->variables[n].name, "container_id") != 0 ||
                        hit->n_variables >= MATCH_VARIABLES_MAX)
                        continue;
                name = world_container_name(d->world, id);
                if (name && world_vouch_for_container(d->world, text_of(name), id) != ORIGIN_OTHER)
                        hit->variables[hit->n_variables++] =
                                (HitVariable){.name = "container", .value = text_of(name)};
                return;
        }
}

/* State changed: what clears or is proven by state is looked at again. */
static void schedule_rechecks(Diagnosis *d) {
        for (size_t n = 0; n < d->n_incidents; n++) {
                Incident *i = d->incidents[n];
                bool rests_on_state = i->state == INCIDENT_SUSPECTED;

                if (!incident_is_active(i) || !i->rule || i->rule->n_require + i->rule->n_ask == 0)
                        continue;
                for (size_t c = 0; c < i->rule->n_clear && !rests_on_state; c++)
                        rests_on_state = i->rule->clear[c].kind == CONDITION_REFUTED ||
                                (i->rule->clear[c].refuted && i->clear_latched);
                if (!rests_on_state || i->ask_at <= usec_add(d->now, RECHECK_AT_MOST_EVERY))
                        continue;
                i->ask_at = usec_sub(d->now, i->ask_since) >= RECHECK_AT_MOST_EVERY
                        ? d->now
                        : usec_add(i->ask_since, RECHECK_AT_MOST_EVERY);
        }
}

int diagnosis_feed(Diagnosis *d, const Event *event) {
        Hit named[MATCH_HITS_MAX];
        Event vouched = *event;
        const Hit *hits;
        size_t n;
        int error, r;

        error = diagnosis_advance(d, event->time > 0 ? event->time - 1 : 0);
        if (event->time > d->now)
                d->now = event->time;
        r = world_apply(d->world, event);
        if (r < 0)
                error = r;
        if (event->kind != EVENT_LOG)
                schedule_rechecks(d);
        if (vouch(d, &vouched)) {
                n = matcher_match(d->matcher, &vouched, &hits);
                memcpy(named, hits, n * sizeof(Hit));
                for (size_t k = 0; k < n; k++)
                        name_container(d, named + k);
                r = engine_feed(d->engine, &vouched, named, n);
                if (r < 0)
                        error = r;
        }
        r = diagnosis_advance(d, d->now);
        if (r < 0)
                error = r;
        differential_update(d);
        diagnosis_drop_tentative(d);
        return error;
}

int diagnosis_facts_arrived(Diagnosis *d, usec_t now) {
        int error = diagnosis_advance(d, now), r;

        for (size_t n = 0; n < d->n_incidents; n++)
                if (d->incidents[n]->asking) {
                        r = incident_ask(d, d->incidents[n]);
                        if (r < 0)
                                error = r;
                }
        differential_update(d);
        diagnosis_drop_tentative(d);
        return error;
}

int diagnosis_probe_all(Diagnosis *d, usec_t now) {
        int error = diagnosis_advance(d, now);

        for (size_t n = 0; n < d->n_incidents; n++) {
                Incident *i = d->incidents[n];
                int r;

                if (!incident_is_active(i))
                        continue;
                i->asking = false;
                i->ask_since = d->now;
                r = incident_ask(d, i);
                if (r < 0)
                        error = r;
        }
        differential_update(d);
        return error;
}

int diagnosis_set_held(Diagnosis *d, bool held) {
        bool was_held = d->is_held;

        d->is_held = held;
        return was_held && !held ? diagnosis_probe_all(d, d->now) : 0;
}

void diagnosis_source_lost(Diagnosis *d, SourceKind kind, usec_t now) {
        engine_forget_windows(d->engine, kind, now);
}

const Incident *const *diagnosis_incidents(const Diagnosis *d, size_t *ret_n) {
        size_t n = d->n_incidents;

        while (n > 0 && d->incidents[n - 1]->tentative)
                n--;
        *ret_n = n;
        return (const Incident *const *) d->incidents;
}

const Incident *diagnosis_find(const Diagnosis *d, const char *id) {
        const Incident *found = NULL;

        for (size_t n = 0; n < d->n_incidents; n++) {
                if (strncmp(d->incidents[n]->id, id, strlen(id)) != 0 || id[0] == '\0')
                        continue;
                if (found)
                        return NULL;
                found = d->incidents[n];
        }
        return found;
}

int diagnosis_set_fix_state(Diagnosis *d, const char *id, const char *state) {
        Incident *i = (Incident *) diagnosis_find(d, id);
        char *copy;

        if (!i)
                return -ENOENT;
        if (state && i->fix_state && strcmp(state, i->fix_state) == 0)
                return 0;
        copy = state ? strdup(state) : NULL;
        if (state && !copy)
                return -ENOMEM;
        free(i->fix_state);
        i->fix_state = copy;
        incident_report(d, i, CHANGE_FIX);
        return 0;
}

void diagnosis_note_ended(Diagnosis *d, const char *id, uint64_t seq) {
        Incident *i = (Incident *) diagnosis_find(d, id);

        /* one that was only suspected is confirmed and ended again by what is read again */
        if (i && i->state == INCIDENT_CONFIRMED && seq > i->seq)
                i->ended_seq = seq;
}

uint64_t diagnosis_dropped(const Diagnosis *d) {
        return d->n_dropped + engine_dropped(d->engine);
}

json_t *diagnosis_save(const Diagnosis *d) {
        json_t *incidents = json_array();

        for (size_t n = 0; n < d->n_incidents; n++)
                if (!d->incidents[n]->tentative &&
                        json_array_append_new(incidents, incident_to_json(d->incidents[n], true)) < 0) {
                        json_decref(incidents);
                        return NULL;
                }
        return json_pack("{s:o, s:o}", "engine", engine_save(d->engine), "incidents", incidents);
}

int diagnosis_restore(Diagnosis *d, const json_t *state) {
        json_t *item;
        size_t n;
        int r;

        r = engine_restore(d->engine, json_object_get(state, "engine"));
        if (r < 0)
                return r;
        d->now = engine_now(d->engine);
        json_array_foreach (json_object_get(state, "incidents"), n, item) {
                Incident *i;

                r = incident_from_json(item, d->rules, &i);
                if (r < 0)
                        return r;
                r = diagnosis_add(d, i);
                if (r < 0)
                        return r;
        }
        return 0;
}
