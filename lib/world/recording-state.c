/* The snapshot of a recording: loaded whole, put into the World as what is closest to known at the start,
 * and told as initial events at the moment at which it was taken.
 *
 * The trap is a snapshot taken at the end, as `edgewatchctl record` may do: by then events have spoken of
 * some objects, and what they said stands. Such objects are not told again. A container is the exception:
 * its snapshot is withheld only where it contradicts the last event (running or not, gone), since inspect
 * tells more than the event does. */

#include "lib/world/recording-state.h"

#include <stdio.h>

#include "lib/event/docker-event.h"
#include "lib/world/recording-state-load.h"

#define FILE_KEY "file:"

void recording_state_done(RecordingState *s) {
        for (size_t i = 0; i < s->n_items; i++) {
                Event *e = &s->items[i].event;

                if (e->kind == EVENT_CONTAINER)
                        (void) container_unref(e->container.object);
                else if (e->kind == EVENT_DOCKER_NETWORK)
                        (void) network_unref(e->network.object);
        }
        free(s->items);
        for (size_t i = 0; i < s->n_files; i++) {
                free(s->files[i].path);
                free(s->files[i].content);
        }
        free(s->files);
        json_decref(s->listeners);
        json_decref(s->engine_info);
        json_decref(s->engine_version);
        json_decref(s->firewall);
        *s = (RecordingState){};
}

bool recording_state_is_empty(const RecordingState *s) {
        return s->n_items == 0 && s->n_files == 0 && !s->listeners && !s->engine_info &&
                !s->engine_version && !s->firewall;
}

int recording_state_add(RecordingState *s, const Event *event) {
        if (!GROW_ARRAY(s->items, s->allocated, s->n_items, RECORDING_STATE_MAX))
                return s->n_items >= RECORDING_STATE_MAX ? -ENOBUFS : -ENOMEM;
        s->items[s->n_items++] = (StateItem){.event = *event};
        return 0;
}

static bool is_same_id(Text a, Text b) {
        size_t n = a.len < b.len ? a.len : b.len;

        return n >= 12 && text_equals(text_clip(a, n), text_clip(b, n));
}

/* By id where both tell one: a container that was created anew has the old one's name. */
static bool is_same_object(Text id_a, Text name_a, Text id_b, Text name_b) {
        if (id_a.len > 0 && id_b.len > 0)
                return is_same_id(id_a, id_b) || text_equals(id_a, id_b);
        return name_a.len > 0 && text_equals(name_a, name_b);
}

const Container *recording_state_container(const RecordingState *s, const char *name_or_id) {
        Text text = text_of(name_or_id);

        FOREACH_ARRAY (item, s->items, s->n_items) {
                const Container *c =
                        item->event.kind == EVENT_CONTAINER ? item->event.container.object : NULL;

                if (c && (text_equals(text, text_of(c->name)) || is_same_id(text, text_of(c->id))))
                        return c;
        }
        return NULL;
}

static json_t *file_value(const RecordedFile *file) {
        _cleanup_(freep) char *text = text_to_utf8((Text){file->content, file->len}, file->len);

        return text ? json_string(text) : NULL;
}

int recording_state_fact(const RecordingState *s, const char *key, json_t **ret) {
        const struct {
                const char *key;
                json_t *value;
        } facts[] = {
                {"engine-info", s->engine_info},
                {"engine-version", s->engine_version},
                {"firewall", s->firewall},
                {"listeners", s->listeners},
        };

        FOREACH_ARRAY (f, facts, ELEMENTSOF(facts))
                if (f->value && strcmp(key, f->key) == 0) {
                        *ret = json_incref(f->value);
                        return 1;
                }
        if (!text_starts_with(text_of(key), FILE_KEY))
                return 0;
        FOREACH_ARRAY (file, s->files, s->n_files)
                if (strcmp(file->path, key + strlen(FILE_KEY)) == 0) {
                        json_t *value = file_value(file);

                        if (!value)
                                return -ENOMEM;
                        *ret = value;
                        return 1;
                }
        return 0;
}

/* So that the facts are there for those who only look (world_peek). */
static int apply_facts(const RecordingState *s, World *w, usec_t start) {
        static const char *const keys[] = {"engine-info", "engine-version", "firewall", "listeners"};
        json_t *value;
        int r;

        FOREACH_ARRAY (key, keys, ELEMENTSOF(keys)) {
                r = recording_state_fact(s, *key, &value);
                if (r > 0)
                        r = world_set_fact(w, *key, value, start);
                if (r < 0)
                        return r;
        }
        FOREACH_ARRAY (file, s->files, s->n_files) {
                _cleanup_(freep) char *key = NULL;

                if (asprintf(&key, FILE_KEY "%s", file->path) < 0) {
                        key = NULL;
                        return -ENOMEM;
                }
                value = file_value(file);
                if (!value)
                        return -ENOMEM;
                r = world_set_fact(w, key, value, start);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Whether objects of this kind are taken as known from the start. Of containers only who they are is:
 * whether they run is known from the snapshot's time on. */
static bool is_static(EventKind kind) {
        return kind == EVENT_CONTAINER || kind == EVENT_DOCKER_NETWORK || kind == EVENT_LINK ||
                kind == EVENT_ROUTE || kind == EVENT_ADDRESS || kind == EVENT_FORWARDING;
}

int recording_state_apply(const RecordingState *s, World *w, usec_t start) {
        int r;

        for (EventKind kind = 0; kind < EVENT_X_MAX; kind++) {
                if (!is_static(kind) || !s->has[kind])
                        continue;
                world_begin_enumeration(w, kind);
                FOREACH_ARRAY (item, s->items, s->n_items) {
                        Event event = item->event;

                        if (event.kind != kind)
                                continue;
                        event.time = start;
                        if (kind == EVENT_CONTAINER)
                                event.container.action = TEXT_LITERAL("known");
                        r = world_apply(w, &event);
                        if (r < 0)
                                return r;
                }
                world_end_enumeration(w, kind);
        }
        return apply_facts(s, w, start);
}

static StateOvertaken overtaken_by_action(Text action, StateOvertaken before) {
        static const struct {
                const char *action;
                StateOvertaken overtaken;
        } actions[] = {
                {"destroy", STATE_OVERTAKEN},
                {"die", STATE_CONTAINER_ENDED},
                {"restart", STATE_CONTAINER_STARTED},
                {"start", STATE_CONTAINER_STARTED},
                {"stop", STATE_CONTAINER_ENDED},
        };

        FOREACH_ARRAY (a, actions, ELEMENTSOF(actions))
                if (text_is(action, a->action))
                        return a->overtaken;
        return before;
}

/* What `event` leaves of what the snapshot says. */
static StateOvertaken overtake(const StateItem *item, const Event *event) {
        const Event *state = &item->event;
        bool same = false;

        switch (event->kind) {
        case EVENT_CONTAINER:
                if (!is_same_object(event->container.id, event->container.name, state->container.id,
                            state->container.name))
                        return item->overtaken;
                return overtaken_by_action(event->container.action, item->overtaken);
        case EVENT_DOCKER_NETWORK:
                same = text_is(event->network.action, "destroy") &&
                        is_same_object(event->network.id, event->network.name, state->network.id,
                                state->network.name);
                break;
        case EVENT_LINK:
                same = strcmp(event->link.name, state->link.name) == 0;
                break;
        case EVENT_ROUTE:
                same = event->route.family == state->route.family &&
                        strcmp(event->route.destination, state->route.destination) == 0 &&
                        strcmp(event->route.dev, state->route.dev) == 0;
                break;
        case EVENT_ADDRESS:
                same = strcmp(event->address.ifname, state->address.ifname) == 0 &&
                        strcmp(event->address.address, state->address.address) == 0;
                break;
        case EVENT_FORWARDING:
                same = event->forwarding.family == state->forwarding.family &&
                        strcmp(event->forwarding.ifname, state->forwarding.ifname) == 0;
                break;
        default:
                break;
        }
        return same ? STATE_OVERTAKEN : item->overtaken;
}

void recording_state_note(RecordingState *s, const Event *event) {
        if (event->initial || event->kind == EVENT_LOG)
                return;
        FOREACH_ARRAY (item, s->items, s->n_items)
                if (item->event.kind == event->kind)
                        item->overtaken = overtake(item, event);
}

static bool stands(const StateItem *item) {
        switch (item->overtaken) {
        case STATE_STANDS:
                return true;
        case STATE_CONTAINER_STARTED:
                return container_is_running(item->event.container.object);
        case STATE_CONTAINER_ENDED:
                return !container_is_running(item->event.container.object);
        default:
                return false;
        }
}

typedef struct StatePart {
        RecordingPart part;
        const RecordingState *state;
        size_t next;
} StatePart;

static int state_next(RecordingPart *p, Event *ret) {
        StatePart *sp = (StatePart *) p;

        while (sp->next < sp->state->n_items) {
                const StateItem *item = &sp->state->items[sp->next++];

                if (item->event.source != p->kind || !stands(item))
                        continue;
                *ret = item->event;
                ret->time = sp->state->time;
                ret->initial = true;
                return 1;
        }
        return 0;
}

static bool state_is_overtaken(const RecordingPart *p) {
        const StatePart *sp = (const StatePart *) p;

        return sp->next > 0 && !stands(&sp->state->items[sp->next - 1]);
}

static void state_part_done(RecordingPart *p) {
        free(p);
}

static const RecordingPartOps state_ops = {
        .next = state_next,
        .is_overtaken = state_is_overtaken,
        .done = state_part_done,
};

int recording_state_open(RecordingState *s, SourceKind kind, RecordingPart **ret) {
        StatePart *sp;
        bool any = false;

        FOREACH_ARRAY (item, s->items, s->n_items)
                any = any || item->event.source == kind;
        if (!any)
                return -ENOENT;
        sp = calloc(1, sizeof(*sp));
        if (!sp)
                return -ENOMEM;
        sp->part = (RecordingPart){.ops = &state_ops, .kind = kind};
        sp->state = s;
        *ret = &sp->part;
        return 0;
}
