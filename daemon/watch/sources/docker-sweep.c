/* Lists and inspects: the net beneath the event stream. A container that the stream spoke of is inspected
 * 100 ms later, every container once a minute; what State shows and nobody told becomes an event.
 *
 * One inspection at a time: an engine in trouble is not to be pressed. The trap: engines are known to answer
 * everything but the inspection of one hung container, so that a time-out there is not the engine's. */

#include "daemon/watch/sources/docker.h"

#include <stdio.h>

#include "daemon/base/clock.h"

static bool is_id(Text id) {
        if (id.len != DOCKER_ID_LEN)
                return false;
        for (size_t i = 0; i < id.len; i++)
                if (!strchr("0123456789abcdef", id.data[i]) || id.data[i] == '\0')
                        return false;
        return true;
}

DockerContainer *docker_find_container(Docker *d, Text id) {
        FOREACH_ARRAY (c, d->containers, d->n_containers)
                if (text_is(id, (*c)->id))
                        return *c;
        return NULL;
}

int docker_add_container(Docker *d, Text id, DockerContainer **ret) {
        DockerContainer *c = docker_find_container(d, id);

        if (c) {
                *ret = c;
                return 0;
        }
        if (!is_id(id))
                return -EINVAL;
        if (d->n_containers >= DOCKER_CONTAINERS_MAX)
                return -ENOSPC;
        if (!GROW_ARRAY(d->containers, d->n_containers_allocated, d->n_containers, DOCKER_CONTAINERS_MAX))
                return -ENOMEM;
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        memcpy(c->id, id.data, DOCKER_ID_LEN);
        c->touched = source_now(&d->source, CLOCK_MONOTONIC);
        c->history.known = d->has_history; /* it is new, so all its life is still to be told */
        d->containers[d->n_containers++] = c;
        *ret = c;
        return 0;
}

void docker_remove_container(Docker *d, DockerContainer *c) {
        for (size_t i = 0; i < d->n_containers; i++)
                if (d->containers[i] == c) {
                        d->containers[i] = d->containers[--d->n_containers];
                        break;
                }
        (void) docker_log_free(c->log);
        (void) container_unref(c->object);
        free(c->name);
        free(c);
}

static void arm(Docker *d, usec_t at) {
        int enabled = SD_EVENT_OFF;
        uint64_t armed;

        if (!d->inspect_timer)
                return;
        (void) sd_event_source_get_enabled(d->inspect_timer, &enabled);
        if (enabled != SD_EVENT_OFF && sd_event_source_get_time(d->inspect_timer, &armed) >= 0 &&
                armed <= at)
                return;
        (void) sd_event_source_set_time(d->inspect_timer, at);
        (void) sd_event_source_set_enabled(d->inspect_timer, SD_EVENT_ONESHOT);
}

void docker_inspect_in(Docker *d, DockerContainer *c, usec_t delay) {
        usec_t at = usec_add(source_now(&d->source, CLOCK_MONOTONIC), delay);

        if (c->inspect_at == 0 || at < c->inspect_at)
                c->inspect_at = at;
        arm(d, c->inspect_at);
}

void docker_touch_container(Docker *d, DockerContainer *c) {
        c->touched = source_now(&d->source, CLOCK_MONOTONIC);
        c->is_changed = true;
        docker_inspect_in(d, c, DOCKER_DEBOUNCE);
}

void docker_bury_container(Docker *d, DockerContainer *c) {
        c->is_gone = true;
        c->is_swept = false;
        c->inspect_at = 0;
        docker_inspect_in(d, c, c->log && c->log->channel.request ? DOCKER_BURIAL : 0);
        arm(d, source_now(&d->source, CLOCK_MONOTONIC)); /* the sweep may have waited for nothing else */
}

void docker_networks_changed(Docker *d) {
        d->networks_wanted = true;
        arm(d, usec_add(source_now(&d->source, CLOCK_MONOTONIC), DOCKER_DEBOUNCE));
}

/* Tells of `c` under another action than the one that its state gives. */
static void tell(Docker *d, DockerContainer *c, const char *action, usec_t time) {
        char position[DOCKER_ID_LEN + 32];
        Event event = {};

        container_state_event(c->object, time, &event);
        (void) snprintf(position, sizeof(position), "%s:%" PRIu64 "000:%s", c->id, time, action);
        event.time = time;
        event.position = text_of(position);
        event.container.action = text_of(action);
        event.container.error = TEXT_NONE;
        event.container.exit_code = strcmp(action, "die") == 0 ? c->object->exit_code : -1;
        docker_channel_deliver(d, &d->state, &event);
}

static void tell_missed(Docker *d, DockerContainer *c, unsigned missed) {
        const Container *o = c->object;
        bool start_first = o->started_at <= o->finished_at;

        if ((missed & DOCKER_MISSED_START) && start_first)
                tell(d, c, "start", o->started_at);
        if (missed & DOCKER_MISSED_OOM)
                tell(d, c, "oom", o->finished_at);
        if (missed & DOCKER_MISSED_DIE)
                tell(d, c, "die", o->finished_at);
        if ((missed & DOCKER_MISSED_START) && !start_first)
                tell(d, c, "start", o->started_at);
}

/* It is gone and nobody said so. */
static void tell_destroyed(Docker *d, DockerContainer *c) {
        Event event = {.kind = EVENT_CONTAINER, .source = SOURCE_DOCKER_STATE, .origin = ORIGIN_DEVICE};

        event.time = source_now(&d->source, CLOCK_REALTIME);
        event.container = (ContainerChange){
                .action = TEXT_LITERAL("destroy"),
                .id = text_of(c->id),
                .name = text_of(c->name),
                .image = text_of(c->object ? c->object->image : NULL),
                .owned = c->object ? container_is_owned(c->object) : c->log != NULL,
                .exit_code = -1,
                .signal = -1,
        };
        if (c->name)
                docker_channel_deliver(d, &d->state, &event);
        docker_remove_container(d, c);
}

/* Takes over `object`. */
static void observe(Docker *d, DockerContainer *c, Container *object) {
        usec_t now = source_now(&d->source, CLOCK_REALTIME);
        bool is_first = !c->object, is_changed = c->is_changed;
        Event event = {};
        unsigned missed;
        char *name;

        (void) container_unref(c->object);
        c->object = object;
        c->is_changed = false;
        name = strdup(object->name ? object->name : c->id);
        if (name) {
                free(c->name);
                c->name = name;
        }
        missed = docker_history_observe(&c->history, object, now);
        tell_missed(d, c, missed);
        container_state_event(object, now, &event);
        event.initial = (!is_changed || !d->swept_once) && !(missed & DOCKER_NEW_ERROR);
        if (world_apply(d->source.context.world, &event) < 0)
                d->source.counters.n_errors++;
        if (is_first || is_changed || (missed & ~(unsigned) DOCKER_LOOK_AGAIN))
                docker_channel_deliver(d, &d->state, &event);
        if (missed & DOCKER_LOOK_AGAIN)
                docker_inspect_in(d, c, DOCKER_HISTORY_SETTLE);
        docker_log_update(d, c);
}

static int ask_networks(Docker *d);

static void sweep_advance(Docker *d) {
        int r;

        if (d->sweep != DOCKER_SWEEP_INSPECT)
                return;
        FOREACH_ARRAY (c, d->containers, d->n_containers)
                if ((*c)->is_swept)
                        return;
        d->sweep = DOCKER_SWEEP_NETWORKS;
        r = ask_networks(d);
        if (r < 0)
                source_degrade(&d->source, r, "Cannot ask Docker at %s for its networks", d->socket);
}

static void on_inspected(void *userdata, const HttpResult *result) {
        Docker *d = userdata;
        DockerContainer *c = docker_find_container(d, text_of(d->inspecting));
        Container *object = NULL;
        json_t *json;

        d->inspect = NULL;
        if (result->error < 0 && result->error != -ETIMEDOUT && result->error != -EFBIG) {
                source_degrade(&d->source, result->error, "Docker at %s went away", d->socket);
                return;
        }
        if (c)
                c->is_swept = false;
        if (c && c->is_gone) {
                docker_inspect_in(d, c, 0);
        } else if (c && result->status == 404) {
                tell_destroyed(d, c);
        } else if (c && result->error == 0 && result->status == 200) {
                json = json_loadb(result->body.data, result->body.len, 0, NULL);
                if (json && container_from_json(json, &object) >= 0)
                        observe(d, c, object);
                else
                        d->source.counters.n_errors++;
                json_decref(json);
        } else
                d->source.counters.n_errors++;
        docker_inspect_due(d);
}

static void inspect(Docker *d, DockerContainer *c) {
        char path[DOCKER_ID_LEN + 32];
        int r;

        c->inspect_at = 0;
        memcpy(d->inspecting, c->id, sizeof(d->inspecting));
        (void) snprintf(path, sizeof(path), "/containers/%s/json", c->id);
        r = docker_get(d, path,
                (HttpOptions){.done = on_inspected,
                        .max_bytes = DOCKER_OBJECT_MAX,
                        .total_timeout = DOCKER_ANSWER_TIMEOUT},
                &d->inspect);
        if (r < 0)
                source_degrade(&d->source, r, "Cannot ask Docker at %s about a container", d->socket);
}

/* The one whose time comes first; those that are gone are let go on the way. */
static DockerContainer *next_due(Docker *d, usec_t now) {
        DockerContainer *next = NULL;

        for (size_t i = d->n_containers; i > 0; i--) {
                DockerContainer *c = d->containers[i - 1];
                if (c->is_gone && c->inspect_at <= now && (!c->log || c->log->channel.n_pending == 0))
                        docker_remove_container(d, c);
                else if (c->inspect_at > 0 && (!next || c->inspect_at < next->inspect_at) &&
                        (!c->is_gone || c->inspect_at > now))
                        next = c;
        }
        return next;
}

void docker_inspect_due(Docker *d) {
        usec_t now = source_now(&d->source, CLOCK_MONOTONIC);
        DockerContainer *next;
        int r;

        sweep_advance(d);
        if (d->inspect || !d->inspect_timer)
                return;
        if (d->networks_wanted && d->sweep == DOCKER_SWEEP_NONE && !d->list) {
                r = ask_networks(d);
                if (r < 0) {
                        source_degrade(&d->source, r, "Cannot ask Docker at %s for its networks", d->socket);
                        return;
                }
        }
        next = next_due(d, now);
        if (next && next->inspect_at <= now)
                inspect(d, next);
        else if (next)
                arm(d, next->inspect_at);
}

static bool is_listed(const json_t *list, const DockerContainer *c) {
        size_t i;
        json_t *item;

        json_array_foreach ((json_t *) list, i, item) {
                const char *id = json_string_value(json_object_get(item, "Id"));
                if (id && strcmp(id, c->id) == 0)
                        return true;
        }
        return false;
}

static void take_list(Docker *d, const json_t *list) {
        usec_t now = source_now(&d->source, CLOCK_MONOTONIC);
        json_t *item;
        size_t i;

        for (size_t k = d->n_containers; k > 0; k--) {
                DockerContainer *c = d->containers[k - 1];
                if (c->touched < d->list_asked && !c->is_gone && !is_listed(list, c))
                        tell_destroyed(d, c);
        }
        json_array_foreach ((json_t *) list, i, item) {
                const char *id = json_string_value(json_object_get(item, "Id"));
                DockerContainer *c;

                if (docker_add_container(d, text_of(id), &c) < 0) {
                        d->source.counters.n_dropped++;
                        continue;
                }
                if (c->is_gone)
                        continue;
                c->is_swept = true;
                c->inspect_at = now;
        }
}

static void on_list(void *userdata, const HttpResult *result) {
        Docker *d = userdata;
        json_t *list;

        d->list = NULL;
        list = docker_parse(d, result, "its containers");
        if (!list)
                return;
        take_list(d, list);
        json_decref(list);
        d->sweep = DOCKER_SWEEP_INSPECT;
        docker_inspect_due(d);
}

/* Atomic for the World: all that was inspected, in one go. */
static void enumerate_containers(Docker *d) {
        usec_t now = source_now(&d->source, CLOCK_REALTIME);
        World *world = d->source.context.world;

        world_begin_enumeration(world, EVENT_CONTAINER);
        FOREACH_ARRAY (c, d->containers, d->n_containers) {
                Event event = {};
                if (!(*c)->object || (*c)->is_gone)
                        continue;
                container_state_event((*c)->object, now, &event);
                event.initial = true;
                if (world_apply(world, &event) < 0)
                        d->source.counters.n_errors++;
        }
        world_end_enumeration(world, EVENT_CONTAINER);
}

static void on_info(void *userdata, const HttpResult *result) {
        Docker *d = userdata;
        json_t *info;

        d->list = NULL;
        info = docker_parse(d, result, "its state");
        if (!info)
                return;
        docker_set_fact(d, "engine-info", info);
        enumerate_containers(d);
        d->sweep = DOCKER_SWEEP_NONE;
        d->swept_once = d->has_history = true;
        docker_channel_release(d, &d->state);
        docker_check_live(d);
        docker_inspect_due(d);
}

static void take_network(Docker *d, const json_t *item) {
        World *world = d->source.context.world;
        Network *network = NULL;
        const Network *known;
        Event event = {};
        bool is_changed;

        if (network_from_json(item, &network) < 0) {
                d->source.counters.n_errors++;
                return;
        }
        known = world_network(world, network->id);
        is_changed = !known || known->mtu != network->mtu || !d->swept_once;
        network_state_event(network, source_now(&d->source, CLOCK_REALTIME), &event);
        event.initial = true;
        if (is_changed)
                docker_channel_deliver(d, &d->state, &event);
        if (world_apply(world, &event) < 0)
                d->source.counters.n_errors++;
        (void) network_unref(network);
}

static void on_networks(void *userdata, const HttpResult *result) {
        Docker *d = userdata;
        json_t *list, *item;
        size_t i;
        int r;

        d->list = NULL;
        list = docker_parse(d, result, "its networks");
        if (!list)
                return;
        world_begin_enumeration(d->source.context.world, EVENT_DOCKER_NETWORK);
        json_array_foreach (list, i, item)
                take_network(d, item);
        world_end_enumeration(d->source.context.world, EVENT_DOCKER_NETWORK);
        json_decref(list);
        if (d->sweep != DOCKER_SWEEP_NETWORKS)
                return;
        d->sweep = DOCKER_SWEEP_INFO;
        r = docker_get(d, "/info",
                (HttpOptions){.done = on_info,
                        .max_bytes = DOCKER_OBJECT_MAX,
                        .total_timeout = DOCKER_ANSWER_TIMEOUT},
                &d->list);
        if (r < 0)
                source_degrade(&d->source, r, "Cannot ask Docker at %s for its state", d->socket);
}

static int ask_networks(Docker *d) {
        d->networks_wanted = false;
        return docker_get(d, "/networks",
                (HttpOptions){.done = on_networks,
                        .max_bytes = DOCKER_LIST_MAX,
                        .total_timeout = DOCKER_ANSWER_TIMEOUT},
                &d->list);
}

int docker_sweep_start(Docker *d) {
        usec_t offset = usec_sub(realtime_now(), boottime_now());

        if (d->sweep != DOCKER_SWEEP_NONE || d->list)
                return 0;
        if (usec_add(offset, USEC_PER_SEC) < d->clock_offset)
                docker_logs_clock_stepped(d);
        d->clock_offset = offset;
        d->sweep = DOCKER_SWEEP_LIST;
        d->list_asked = source_now(&d->source, CLOCK_MONOTONIC);
        return docker_get(d, "/containers/json?all=1",
                (HttpOptions){.done = on_list,
                        .max_bytes = DOCKER_LIST_MAX,
                        .total_timeout = DOCKER_ANSWER_TIMEOUT},
                &d->list);
}

void docker_sweep_stop(Docker *d) {
        d->inspect = http_cancel(d->inspect);
        d->list = http_cancel(d->list);
        d->sweep = DOCKER_SWEEP_NONE;
        d->swept_once = false;
        FOREACH_ARRAY (c, d->containers, d->n_containers)
                (*c)->is_swept = false;
}
