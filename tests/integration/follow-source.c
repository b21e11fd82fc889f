/* Runs one source of the daemon and prints each event that it hands in, one JSON object a line, each
 * change of its state, and each loss. Linked from the daemon's own objects but for the intake, which is
 * replaced here: it wants everything and lets what left the merge out on standard output.
 *
 * follow-source NAME SOCKET STATE COLD-START-SECONDS
 *
 * Reads its position from the file STATE if there is one, and writes it there at SIGTERM. SIGUSR1 prints the
 * status object. SIGUSR2 stops the draining of the merge, as a busy diagnosis would, and starts it again.
 *
 * What other sources would have told: EDGEWATCH_CONTAINERS names a file, an array of containers as Docker
 * inspects them, which the World is to know. SIGHUP reads it again. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/config/config.h"
#include "daemon/base/clock.h"
#include "daemon/watch/sources/registry.h"
#include "lib/event/docker-event.h"

typedef struct Follow {
        sd_event *event;
        Intake *intake;
        World *world;
        Source *source;
        const char *state_path;
        bool is_held;
} Follow;

struct Intake {
        Merge *merge;
        size_t n_pending;
};

int intake_new(Intake **ret, Merge *merge, Diagnosis *diagnosis) {
        Intake *i = calloc(1, sizeof(*i));

        if (!i)
                return -ENOMEM;
        i->merge = merge;
        *ret = i;
        return 0;
}

Intake *intake_free(Intake *i) {
        free(i);
        return NULL;
}

Merge *intake_merge(Intake *i) {
        return i->merge;
}

bool intake_wants(Intake *i, const Event *event) {
        return true;
}

int intake_take(Intake *i, MergeInput *input, const Event *event) {
        Event *copy;
        int r;

        if (merge_input_is_full(input))
                return -ENOBUFS;
        copy = event_dup(event);
        if (!copy)
                return -ENOMEM;
        r = merge_push(input, copy);
        if (r < 0)
                return r;
        i->n_pending++;
        return 1;
}

int intake_offer(Intake *i, MergeInput *input, const Event *event) {
        return intake_take(i, input, event);
}

static json_t *text_value(Text t) {
        _cleanup_(freep) char *utf8 = text_to_utf8(t, t.len);
        return utf8 ? json_string(utf8) : json_null();
}

static json_t *details(const Event *e) {
        switch (e->kind) {
        case EVENT_LOG:
                return json_pack("{s:o, s:o, s:o, s:s*, s:b}", "container", text_value(e->log.container),
                        "message", text_value(e->log.message), "head", text_value(e->log.head), "level",
                        level_to_string(e->log.level), "truncated", e->log.truncated);
        case EVENT_CONTAINER:
                return json_pack("{s:o, s:o, s:o, s:b, s:i, s:o}", "action", text_value(e->container.action),
                        "name", text_value(e->container.name), "id", text_value(e->container.id), "owned",
                        e->container.owned, "exit_code", e->container.exit_code, "error",
                        text_value(e->container.error));
        case EVENT_DOCKER_NETWORK:
                return json_pack("{s:o, s:o, s:i}", "action", text_value(e->network.action), "name",
                        text_value(e->network.name), "mtu", e->network.object ? e->network.object->mtu : -1);
        case EVENT_LINK:
                return json_pack("{s:s, s:i, s:s, s:s}", "name", e->link.name, "mtu", e->link.mtu,
                        "operstate", e->link.operstate, "link_kind", e->link.kind);
        case EVENT_ROUTE:
                return json_pack("{s:s, s:s, s:s}", "destination", e->route.destination, "dev", e->route.dev,
                        "gateway", e->route.gateway);
        case EVENT_ADDRESS:
                return json_pack("{s:s, s:s}", "ifname", e->address.ifname, "address", e->address.address);
        case EVENT_FORWARDING:
                return json_pack("{s:s, s:s, s:b}", "family", family_to_string(e->forwarding.family),
                        "ifname", e->forwarding.ifname, "enabled", e->forwarding.enabled);
        case EVENT_FILE:
                return json_pack("{s:o, s:b, s:b, s:o}", "path", text_value(e->file.path), "exists",
                        e->file.exists, "unreadable", e->file.is_unreadable, "content",
                        text_value(e->file.content));
        case EVENT_METRICS:
                return json_pack("{s:o, s:o}", "module", text_value(e->metrics.module), "exposition",
                        text_value(e->metrics.exposition));
        case EVENT_UNIT:
                return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i}", "name", e->unit.name,
                        "load_state", e->unit.load_state, "active_state", e->unit.active_state, "sub_state",
                        e->unit.sub_state, "unit_file_state", e->unit.unit_file_state, "result",
                        e->unit.result, "n_restarts", e->unit.n_restarts, "exit_status",
                        e->unit.exit_status);
        default:
                return json_object();
        }
}

static void print_object(json_t *object) {
        (void) json_dumpf(object, stdout, JSON_COMPACT);
        (void) putchar('\n');
        (void) fflush(stdout);
        json_decref(object);
}

static void print_event(const Event *e) {
        json_t *object = details(e);

        (void) json_object_set_new(object, "kind", json_string(event_kind_to_string(e->kind)));
        (void) json_object_set_new(object, "source", json_string(source_kind_to_string(e->source)));
        (void) json_object_set_new(object, "origin", json_string(origin_to_string(e->origin)));
        (void) json_object_set_new(object, "time", json_integer((json_int_t) e->time));
        (void) json_object_set_new(object, "position", text_value(e->position));
        (void) json_object_set_new(object, "initial", json_boolean(e->initial));
        (void) json_object_set_new(object, "deleted", json_boolean(e->deleted));
        print_object(object);
}

static void on_changed(void *userdata, const Source *s) {
        print_object(json_pack("{s:s, s:s, s:s?}", "kind", "source-state", "state",
                source_state_to_string(s->state), "reason", s->reason));
}

static void on_lost(void *userdata, SourceKind kind) {
        print_object(json_pack("{s:s, s:s}", "kind", "lost", "source", source_kind_to_string(kind)));
}

static int fetch(void *userdata, World *world, const char *key, usec_t now) {
        return -ENODATA;
}

static int read_containers(Follow *f) {
        const char *path = getenv("EDGEWATCH_CONTAINERS");
        json_t *array = path ? json_load_file(path, 0, NULL) : NULL, *item;
        Container *container;
        Event event;
        size_t i;
        int r = path && !array ? -EBADMSG : 0;

        json_array_foreach (array, i, item) {
                r = container_from_json(item, &container);
                if (r < 0)
                        break;
                container_state_event(container, realtime_now(), &event);
                r = world_apply(f->world, &event);
                (void) container_unref(container);
                if (r < 0)
                        break;
        }
        json_decref(array);
        return r;
}

static void drain(Follow *f) {
        bool any = false;

        if (f->is_held)
                return;
        for (Event *e; (e = merge_pop(f->intake->merge));) {
                f->intake->n_pending--;
                print_event(e);
                (void) world_apply(f->world, e);
                (void) event_free(e);
                any = true;
        }
        if (any && f->source->ops->resume)
                f->source->ops->resume(f->source);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        Follow *f = userdata;

        if (si->ssi_signo == SIGUSR1) {
                json_t *status = source_to_json(f->source);
                (void) json_object_set_new(status, "kind", json_string("status"));
                print_object(status);
        } else if (si->ssi_signo == SIGUSR2)
                f->is_held = !f->is_held;
        else if (si->ssi_signo == SIGHUP)
                return read_containers(f);
        else
                return sd_event_exit(f->event, 0);
        return 0;
}

static int save(const Follow *f) {
        json_t *position, *all;
        int r;

        if (!*f->state_path)
                return 0;
        position = f->source->ops->save ? f->source->ops->save(f->source) : NULL;
        if (!position)
                return 0;
        all = json_pack("{s:o}", f->source->ops->name, position);
        r = json_dump_file(all, f->state_path, 0);
        json_decref(all);
        return r < 0 ? -EIO : 0;
}

static int run(Follow *f) {
        while (sd_event_get_state(f->event) != SD_EVENT_FINISHED) {
                int r = sd_event_run(f->event, UINT64_MAX);
                if (r < 0)
                        return r;
                drain(f);
                drain(f); /* what resuming brought */
        }
        return f->intake->n_pending == 0 ? save(f) : -EBUSY;
}

static int block_signals(Follow *f) {
        static const int signals[] = {SIGHUP, SIGTERM, SIGUSR1, SIGUSR2};
        sigset_t mask;

        (void) sigemptyset(&mask);
        FOREACH_ARRAY (s, signals, ELEMENTSOF(signals))
                (void) sigaddset(&mask, *s);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        FOREACH_ARRAY (s, signals, ELEMENTSOF(signals)) {
                int r = sd_event_add_signal(f->event, NULL, *s, on_signal, f);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const SourceOps *find_ops(const char *name) {
        size_t n;
        const SourceOps *const *registry = source_registry(&n);

        FOREACH_ARRAY (ops, registry, n)
                if (strcmp((*ops)->name, name) == 0)
                        return *ops;
        return NULL;
}

static int follow(Follow *f, const char *name, const char *socket, usec_t cold_start) {
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(merge_freep) Merge *merge = NULL;
        SourceContext context = {
                .cold_start = cold_start, .changed = on_changed, .lost = on_lost, .userdata = f};
        json_t *positions = json_load_file(f->state_path, 0, NULL);
        int r;

        if (sd_event_new(&f->event) < 0 || config_new(&config) < 0 || merge_new(&merge) < 0 ||
                intake_new(&f->intake, merge, NULL) < 0 ||
                world_new(&f->world, (WorldOps){.fetch = fetch}) < 0 || block_signals(f) < 0)
                return -ENOMEM;
        free(config->docker_socket);
        config->docker_socket = strdup(socket);
        config->sweep_interval = 5 * USEC_PER_SEC;
        context.event = f->event;
        context.intake = f->intake;
        context.world = f->world;
        context.config = config;
        context.positions = positions;
        r = source_new(find_ops(name), &context, &f->source);
        if (r < 0)
                return r;
        r = read_containers(f);
        if (r < 0)
                return r;
        source_start(f->source);
        r = run(f);
        (void) source_free(f->source);
        (void) world_free(f->world);
        (void) intake_free(f->intake);
        (void) sd_event_unref(f->event);
        json_decref(positions);
        return r;
}

int main(int argc, char **argv) {
        Follow f = {};
        usec_t ago;
        int r;

        if (argc != 5 || !find_ops(argv[1])) {
                (void) fprintf(stderr, "usage: follow-source NAME SOCKET STATE COLD-START-SECONDS\n");
                return 2;
        }
        f.state_path = argv[3];
        ago = (usec_t) strtoul(argv[4], NULL, 10) * USEC_PER_SEC;
        r = follow(&f, argv[1], argv[2], usec_sub(realtime_now(), ago));
        if (r < 0)
                (void) fprintf(stderr, "follow-source: %s\n", strerror(-r));
        return r < 0 ? 1 : 0;
}
