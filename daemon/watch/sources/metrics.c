/* What edgeHub and edgeAgent say about themselves in Prometheus' text, asked for once a sweep at the address
 * of their container; only while it runs and belongs to the runtime.
 *
 * A module without metrics is no fault of the source, which stays live: an older runtime has none, and where
 * the module does not answer it is asked less and less often, until its container is another one or has been
 * started again. Of an answer only the module's own measurements are kept, not those of its .NET runtime.
 *
 * The trap: what systemd's IPAddressAllow= forbids is not refused. The packets vanish, so that it looks like
 * a module that hangs; hence the hint. */

#include <arpa/inet.h>
#include <stdio.h>

#include "daemon/base/clock.h"
#include "daemon/watch/http.h"
#include "daemon/watch/source.h"
#include "daemon/watch/sources/registry.h"
#include "lib/base/buffer.h"
#include "lib/config/config.h"
#include "lib/event/prometheus.h"

#define METRICS_PORT      9600
#define METRICS_BYTES_MAX ((size_t) 1024 * 1024)
#define ANSWER_TIMEOUT    (5 * USEC_PER_SEC)
#define TOTAL_TIMEOUT     (10 * USEC_PER_SEC)
#define FIRST_LOOK        (5 * USEC_PER_SEC) /* Docker has told of its containers by then */
#define PAUSE_MAX         (10 * USEC_PER_MIN)
#define URL_MAX           64

typedef struct Metrics Metrics;

typedef enum ModuleState {
        MODULE_ABSENT, /* does not run, is not the runtime's, or has no address */
        MODULE_ASKED,  /* its first answer is awaited */
        MODULE_READ,
        MODULE_OFF, /* does not answer; `reason` says why */
        MODULE_STATE_X_MAX,
} ModuleState;

static const char *const module_state_names[MODULE_STATE_X_MAX] = {
        [MODULE_ABSENT] = "absent",
        [MODULE_ASKED] = "asked",
        [MODULE_READ] = "read",
        [MODULE_OFF] = "off",
};

typedef struct Module {
        Metrics *owner;
        const char *name;
        const char *prefix; /* of its own measurements */
        ModuleState state;
        char url[URL_MAX];
        usec_t started_at; /* the container's; with the URL it tells one life of a module from the next */
        HttpRequest *request;
        usec_t next; /* monotonic */
        unsigned n_failures;
        char *reason;
} Module;

static const struct {
        const char *name, *prefix;
} modules[] = {
        {"edgeAgent", "edgeAgent_"},
        {"edgeHub", "edgehub_"},
};

struct Metrics {
        Source source;
        Http *http;
        sd_event_source *timer;
        MergeInput *input;
        Module modules[ELEMENTSOF(modules)];
};

static usec_t interval_of(const Metrics *m) {
        return m->source.context.config->sweep_interval;
}

static usec_t pause_of(const Metrics *m, const Module *module) {
        usec_t pause = interval_of(m);

        for (unsigned n = 1; n < module->n_failures && pause < PAUSE_MAX; n++)
                pause *= 2;
        return pause < PAUSE_MAX || pause == interval_of(m) ? pause : PAUSE_MAX;
}

static void set_state(Module *module, ModuleState state) {
        free(TAKE_PTR(module->reason));
        module->state = state;
}

static void failed(Module *module, char *reason) {
        if (module->n_failures < UINT32_MAX)
                module->n_failures++;
        set_state(module, MODULE_OFF);
        module->reason = reason;
        module->next = usec_add(
                source_now(&module->owner->source, CLOCK_MONOTONIC), pause_of(module->owner, module));
}

/* NULL when memory is out: then the state tells without its reason. */
static char *reason_of(const HttpResult *result) {
        char *text = NULL;

        switch (result->error) {
        case 0:
                return asprintf(&text, "it answers %ld", result->status) < 0 ? NULL : text;
        case -ECONNREFUSED:
                return strdup("its port is closed");
        case -EPERM:
        case -EACCES:
                return strdup("blocked by IPAddressAllow= of edgewatchd.service, or by a rule of the host");
        case -ETIMEDOUT:
                return strdup("no answer; IPAddressAllow= of edgewatchd.service may block it");
        case -EFBIG:
                return strdup("its answer is longer than 1 MiB");
        default:
                return strdup(strerror(-result->error));
        }
}

static void tell(Metrics *m, const Module *module, Text exposition) {
        Source *s = &m->source;
        Event event = {
                .kind = EVENT_METRICS,
                .source = SOURCE_METRICS,
                .origin = origin_of_module(text_of(module->name)),
                .time = source_now(&m->source, CLOCK_REALTIME),
                .metrics = {.module = text_of(module->name), .exposition = exposition},
        };
        int r;

        r = intake_offer(s->context.intake, m->input, &event);
        if (r > 0)
                s->counters.n_wanted++;
        else if (r == -ENOBUFS)
                s->counters.n_dropped++;
        else if (r < 0)
                s->counters.n_errors++;
}

static void on_answer(void *userdata, const HttpResult *result) {
        Module *module = userdata;
        Metrics *m = module->owner;
        _cleanup_(buffer_done) Buffer own = {.max_bytes = METRICS_BYTES_MAX};
        int r;

        module->request = NULL;
        if (result->error < 0 || result->status != 200) {
                failed(module, reason_of(result));
                return;
        }
        m->source.counters.n_read++;
        r = prometheus_select(result->body, module->prefix, &own);
        if (r <= 0) {
                m->source.counters.n_errors++;
                failed(module, strdup(r < 0 ? strerror(-r) : "its answer holds none of its metrics"));
                return;
        }
        module->n_failures = 0;
        set_state(module, MODULE_READ);
        module->next = usec_add(source_now(&m->source, CLOCK_MONOTONIC), interval_of(m));
        tell(m, module, buffer_text(&own));
}

/* Of an address that Docker told, so that nothing has to be resolved. */
static const char *address_of(const Container *c) {
        struct in_addr ignored;

        for (size_t i = 0; i < c->n_networks; i++)
                if (c->addresses[i] && inet_pton(AF_INET, c->addresses[i], &ignored) == 1)
                        return c->addresses[i];
        return NULL;
}

static const Container *find_container(const Metrics *m, const char *name) {
        const World *w = m->source.context.world;
        const Container *c = world_container(w, name);
        const char *status = c ? world_container_status(w, name) : NULL;

        return c && container_is_owned(c) && status && strcmp(status, "running") == 0 ? c : NULL;
}

static void ask(Metrics *m, Module *module) {
        const HttpOptions options = {
                .url = module->url,
                .answer_timeout = ANSWER_TIMEOUT,
                .idle_timeout = ANSWER_TIMEOUT,
                .total_timeout = TOTAL_TIMEOUT,
                .max_bytes = METRICS_BYTES_MAX,
                .done = on_answer,
                .userdata = module,
        };
        int r = http_get(m->http, &options, &module->request);

        if (r < 0)
                failed(module, strdup(strerror(-r)));
}

static void look_at(Metrics *m, Module *module) {
        const Container *c = find_container(m, module->name);
        const char *address = c ? address_of(c) : NULL;
        char url[URL_MAX];

        if (!address) {
                module->request = http_cancel(module->request);
                module->url[0] = '\0';
                set_state(module, MODULE_ABSENT);
                return;
        }
        (void) snprintf(url, sizeof(url), "http://%s:%d/metrics", address, METRICS_PORT);
        if (strcmp(url, module->url) != 0 || c->started_at != module->started_at) {
                module->request = http_cancel(module->request);
                memcpy(module->url, url, sizeof(url));
                module->started_at = c->started_at;
                module->n_failures = 0;
                module->next = 0;
                set_state(module, MODULE_ASKED);
        }
        /* The timer may be early by a little, and must not skip a turn for that. */
        if (!module->request &&
                usec_add(source_now(&m->source, CLOCK_MONOTONIC), interval_of(m) / 2) >= module->next)
                ask(m, module);
}

static int arm(Metrics *m, usec_t pause) {
        int r;

        r = sd_event_source_set_time(m->timer, usec_add(source_now(&m->source, CLOCK_MONOTONIC), pause));
        return r < 0 ? r : sd_event_source_set_enabled(m->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Metrics *m = userdata;
        int r;

        FOREACH_ARRAY (module, m->modules, ELEMENTSOF(m->modules))
                look_at(m, module);
        r = arm(m, interval_of(m));
        if (r < 0)
                source_degrade(&m->source, r, "Cannot set the timer: %m");
        return 0;
}

static int metrics_start(Source *s) {
        Metrics *m = (Metrics *) s;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(modules); i++) {
                m->modules[i].owner = m;
                m->modules[i].name = modules[i].name;
                m->modules[i].prefix = modules[i].prefix;
        }
        r = http_new(&m->http, s->context.event, SOURCE_PRIORITY_READ);
        if (r < 0)
                return r;
        r = sd_event_add_time(s->context.event, &m->timer, CLOCK_MONOTONIC, 0, USEC_PER_SEC, on_timer, m);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(m->timer, "metrics-timer");
        r = arm(m, FIRST_LOOK);
        if (r < 0)
                return r;
        r = merge_add_input(intake_merge(s->context.intake), SOURCE_METRICS, &m->input);
        if (r < 0)
                return r;
        merge_set_live(m->input); /* there is no past to be read */
        source_set_live(s);
        return 0;
}

static void metrics_stop(Source *s) {
        Metrics *m = (Metrics *) s;

        FOREACH_ARRAY (module, m->modules, ELEMENTSOF(m->modules)) {
                module->request = NULL;
                module->url[0] = '\0';
                set_state(module, MODULE_ABSENT);
        }
        m->http = http_free(m->http);
        m->timer = sd_event_source_disable_unref(m->timer);
        if (m->input)
                m->input = merge_remove_input(m->input);
}

static usec_t metrics_due(const Source *s) {
        const Metrics *m = (const Metrics *) s;

        return m->http ? http_next_deadline(m->http) : 0;
}

static void metrics_describe(const Source *s, json_t *object) {
        const Metrics *m = (const Metrics *) s;
        json_t *list = json_array();
        usec_t now = monotonic_now();

        for (size_t i = 0; i < ELEMENTSOF(m->modules); i++) {
                const Module *module = &m->modules[i];
                bool is_off = module->state == MODULE_OFF;

                if (!module->name)
                        continue; /* never started */
                (void) json_array_append_new(list,
                        json_pack("{s:s, s:s, s:s*, s:s*, s:o*}", "module", module->name, "state",
                                module_state_names[module->state], "url",
                                module->url[0] ? module->url : NULL, "reason", module->reason,
                                "again_in_seconds",
                                is_off ? json_integer(
                                                 (json_int_t) (usec_sub(module->next, now) / USEC_PER_SEC))
                                       : NULL));
        }
        (void) json_object_set_new(object, "modules", list);
}

const SourceOps metrics_source_ops = {
        .name = "metrics",
        .kind = SOURCE_METRICS,
        .object_bytes = sizeof(Metrics),
        .start = metrics_start,
        .stop = metrics_stop,
        .describe = metrics_describe,
        .due = metrics_due,
};
