/* Does the way to the hub hold messages back? Small batches over a long way: each batch waits for its
 * answer, so ten messages at a time take as many round trips. Throttling by the hub, a busy processor or a
 * way that loses packets look the same and are ruled out first. How long the way is tells edgeHub, by the
 * time that a send takes, and the kernel, which measures its connection. */

#include "lib/probes/probe-list.h"
#include "lib/event/prometheus.h"

#define BATCH_DEFAULT 10
#define BATCH_ENOUGH  20
#define LATENCY_FROM  0.1 /* seconds */
#define CPU_SATURATED 90.0
#define LOST_FROM     0.05 /* of what was sent; less is usual on a mobile network */
#define LOST_AT_LEAST 20   /* segments: a share of few is chance */
#define POINTS_NEEDED 3
#define FEW_BATCHES   5                  /* are sent within seconds, however long each takes */
#define GROWS_FOR     (5 * USEC_PER_MIN) /* at least: a burst is gone by then */
#define LOOK_BACK     (30 * USEC_PER_MIN)
#define FALLEN_BELOW  0.7

static uint64_t batch_size(const ProbeQuestion *q) {
        const Container *hub = world_container(q->world, "edgeHub");
        const char *told = probe_variable(q, "batch");
        uint64_t n;

        if (!told && hub)
                told = container_getenv(hub, "MaxUpstreamBatchSize");
        return told && text_to_u64(text_of(told), &n) >= 0 ? n : BATCH_DEFAULT;
}

/* The host's own load as edgeAgent measures it; -1 when it is not known. */
static double host_cpu_pct(const ProbeQuestion *q) {
        const Fact *f = world_peek(q->world, "metrics:edgeAgent");
        Text rest = f && f->state == FACT_KNOWN ? text_of(json_string_value(f->value)) : TEXT_NONE, module;
        PrometheusSample s;
        double pct = -1;

        while (prometheus_next(&rest, &s))
                if (text_is(s.name, "edgeAgent_used_cpu_percent") &&
                        prometheus_label(&s, "module_name", &module) && text_is(module, "host") &&
                        s.value > pct)
                        pct = s.value;
        return pct;
}

typedef struct Backlog {
        const MetricsPoint *first, *last;
        size_t n_points;
        double highest, slowest;
} Backlog;

static Backlog backlog_of(const MetricsSeries *s) {
        Backlog b = {.slowest = -1};
        usec_t since = s->n_points > 0 ? usec_sub(s->points[s->n_points - 1].time, LOOK_BACK) : 0;

        for (size_t i = 0; i < s->n_points; i++) {
                const MetricsPoint *p = s->points + i;

                if (p->upstream_queue < 0 || p->time < since)
                        continue;
                if (!b.first)
                        b.first = p;
                b.last = p;
                b.n_points++;
                if (p->upstream_queue > b.highest)
                        b.highest = p->upstream_queue;
        }
        if (b.last)
                b.slowest = b.last->send_seconds;
        return b;
}

/* The lowest length of the later half is above that of the earlier: a queue that is emptied between two
 * bursts comes back to the same length. */
static bool has_risen(const Backlog *b) {
        usec_t middle = b->first->time + (b->last->time - b->first->time) / 2;
        double earlier = b->highest, later = b->highest;

        for (const MetricsPoint *p = b->first; p <= b->last; p++) {
                double *lowest = p->time <= middle ? &earlier : &later;

                if (p->upstream_queue >= 0 && p->upstream_queue < *lowest)
                        *lowest = p->upstream_queue;
        }
        return later > earlier;
}

/* edgeHub's connection to the hub: of several the one that sent most. */
typedef struct Connection {
        const json_t *object; /* NULL when none is known */
        double rtt;           /* seconds, -1 when not known */
        json_int_t sent, retransmitted;
} Connection;

static Connection busiest_connection(const json_t *connections) {
        Connection busiest = {.rtt = -1};
        json_t *object;
        size_t i;

        json_array_foreach (connections, i, object) {
                json_int_t sent = json_integer_value(json_object_get(object, "sent"));
                json_int_t rtt_us = json_integer_value(json_object_get(object, "rtt_us"));

                if (busiest.object && sent <= busiest.sent)
                        continue;
                busiest = (Connection){.object = object,
                        .rtt = rtt_us > 0 ? (double) rtt_us / USEC_PER_SEC : -1,
                        .sent = sent,
                        .retransmitted = json_integer_value(json_object_get(object, "retransmitted"))};
        }
        return busiest;
}

static bool is_losing(const Connection *c) {
        return c->retransmitted >= LOST_AT_LEAST && (double) c->retransmitted > LOST_FROM * (double) c->sent;
}

static int tell_connection(const Connection *c, ProbeAnswer *a) {
        const char *peer = json_string_value(json_object_get(c->object, "peer"));

        if (!c->object)
                return 0;
        return probe_add_evidence(a,
                "edgeHub's connection to %s:%d: a round trip of %.0f ms, %lld of %lld segments sent again",
                peer ? peer : "the hub", (int) json_integer_value(json_object_get(c->object, "port")),
                c->rtt < 0 ? 0 : c->rtt * 1000, (long long) c->retransmitted, (long long) c->sent);
}

static int judge(const ProbeQuestion *q, const Connection *c, ProbeAnswer *a) {
        Backlog b = backlog_of(world_hub_metrics(q->world));
        int r;

        if (b.slowest < c->rtt) /* edgeHub's own measure is a median, of nothing when it just sent nothing */
                b.slowest = c->rtt;
        if (b.n_points < POINTS_NEEDED || b.last->time - b.first->time < GROWS_FOR)
                return probe_unknown(a, "whether edgeHub's queue to the hub grows: too few measurements");
        r = probe_set_variable(a, "queue", "%.0f", b.last->upstream_queue);
        if (r >= 0 && b.slowest >= 0)
                r = probe_set_variable(a, "latency_ms", "%.0f", b.slowest * 1000);
        if (r < 0)
                return r;
        if (b.last->upstream_queue <= (double) batch_size(q) * FEW_BATCHES)
                return probe_refutes(a, "what waits for the hub, %.0f messages, fits a few batches",
                        b.last->upstream_queue);
        if (b.last->upstream_queue <= b.first->upstream_queue ||
                b.last->upstream_queue < FALLEN_BELOW * b.highest || !has_risen(&b))
                return probe_refutes(a, "edgeHub's queue to the hub does not grow: %.0f messages",
                        b.last->upstream_queue);
        if (b.slowest < 0)
                return probe_unknown(a, "how long a send to the hub takes");
        if (b.slowest <= LATENCY_FROM)
                return probe_refutes(a, "a send to the hub takes only %.0f ms", b.slowest * 1000);
        r = tell_connection(c, a);
        if (r < 0)
                return r;
        return probe_confirms(a,
                "a send to the hub takes %.0f ms with %" PRIu64
                " messages at most, and its queue grew from %.0f to %.0f messages",
                b.slowest * 1000, batch_size(q), b.first->upstream_queue, b.last->upstream_queue);
}

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        uint64_t batch = batch_size(q);
        double cpu = host_cpu_pct(q);
        Connection connection;
        const Fact *tcp;
        int r = probe_set_variable(a, "batch", "%" PRIu64, batch);

        if (r < 0)
                return r;
        if (probe_variable(q, "throttled"))
                return probe_refutes(a, "the IoT hub throttles this device: larger batches would not help");
        if (batch >= BATCH_ENOUGH)
                return probe_refutes(a, "MaxUpstreamBatchSize is already %" PRIu64, batch);
        if (cpu >= CPU_SATURATED)
                return probe_refutes(
                        a, "the processor is busy (%.0f %%): the way to the hub is not what is slow", cpu);
        tcp = world_fact(q->world, q->now, q->since, "tcp-info:edgeHub");
        if (!tcp)
                return -ENOMEM;
        if (tcp->state == FACT_PENDING)
                return probe_pending(a);
        connection = busiest_connection(
                tcp->state == FACT_KNOWN ? json_object_get(tcp->value, "connections") : NULL);
        if (is_losing(&connection))
                return probe_refutes(a,
                        "the way to the hub loses packets (%lld of %lld segments sent again): that is what "
                        "is slow",
                        (long long) connection.retransmitted, (long long) connection.sent);
        return judge(q, &connection, a);
}

const Probe probe_upstream_latency = {
        .name = "upstream-latency",
        .question = "Does edgeHub's queue to the hub grow because each small batch waits for a long way?",
        .ask = ask,
};
