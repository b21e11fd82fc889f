/* Do expired messages pile up? edgeHub removes them only every MessageCleanupIntervalSecs; when messages
 * live shorter than that, its store grows in between. The interval is edgeHub's environment, the life time
 * its last log line about it. */

#include "lib/probes/probe-list.h"

#define INTERVAL_DEFAULT_SECS 1800
#define LOOK_BACK_MAX         (30 * USEC_PER_MIN)
#define FALLEN_BELOW          0.7 /* of the highest length seen: the queue is being emptied */

static uint64_t cleanup_interval_secs(const Container *hub) {
        const char *value = hub ? container_getenv(hub, "MessageCleanupIntervalSecs") : NULL;
        uint64_t secs;

        return value && text_to_u64(text_of(value), &secs) >= 0 && secs > 0 ? secs : INTERVAL_DEFAULT_SECS;
}

typedef struct Growth {
        const MetricsPoint *first, *last;
        double highest;
} Growth;

static Growth growth_of(const MetricsSeries *s, usec_t since) {
        Growth g = {};

        for (size_t i = 0; i < s->n_points; i++) {
                const MetricsPoint *p = s->points + i;

                if (p->queue_length < 0 || p->time < since)
                        continue;
                if (!g.first)
                        g.first = p;
                g.last = p;
                if (p->queue_length > g.highest)
                        g.highest = p->queue_length;
        }
        return g;
}

static int judge(
        const ProbeQuestion *q, const Container *hub, usec_t interval, const char *ttl, ProbeAnswer *a) {
        const MetricsSeries *s = world_hub_metrics(q->world);
        usec_t needed = 2 * interval < LOOK_BACK_MAX ? 2 * interval : LOOK_BACK_MAX;
        Growth all = growth_of(s, 0), g = growth_of(s, all.last ? usec_sub(all.last->time, 2 * needed) : 0);

        if (!g.first || g.last->time - g.first->time < needed)
                return probe_unknown(a, "whether edgeHub's queues grow: too few measurements");
        if (g.last->queue_length < FALLEN_BELOW * g.highest)
                return probe_refutes(a, "edgeHub's queues are falling: %.0f messages of %.0f are left",
                        g.last->queue_length, g.highest);
        if (g.last->queue_length <= g.first->queue_length)
                return probe_refutes(a, "edgeHub's queues do not grow: %.0f messages", g.last->queue_length);
        if (!hub)
                return probe_unknown(a,
                        "how often edgeHub cleans up: its container's environment is not known; its queues "
                        "grew from %.0f to %.0f messages",
                        g.first->queue_length, g.last->queue_length);
        return probe_confirms(a,
                "messages live %s s, are cleaned up only every %" PRIu64
                " s, and edgeHub's queues grew from %.0f to %.0f messages",
                ttl, interval / USEC_PER_SEC, g.first->queue_length, g.last->queue_length);
}

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        const char *ttl = probe_variable(q, "ttl");
        const Container *hub = world_container(q->world, "edgeHub");
        uint64_t ttl_secs, interval_secs = cleanup_interval_secs(hub);
        int r;

        if (!ttl || text_to_u64(text_of(ttl), &ttl_secs) < 0)
                return probe_unknown(a, "the messages' time to live");
        r = probe_set_variable(a, "interval", "%" PRIu64, interval_secs);
        if (r >= 0)
                r = probe_set_variable(
                        a, "suggested_interval", "%" PRIu64, ttl_secs / 5 > 30 ? ttl_secs / 5 : 30);
        if (r < 0)
                return r;
        if (ttl_secs >= interval_secs)
                return probe_refutes(a,
                        "messages live %s s, longer than the %" PRIu64 " s between two clean-ups", ttl,
                        interval_secs);
        if (interval_secs > USEC_INFINITY / USEC_PER_SEC / 8)
                interval_secs = USEC_INFINITY / USEC_PER_SEC / 8;
        return judge(q, hub, interval_secs * USEC_PER_SEC, ttl, a);
}

const Probe probe_queue_growth = {
        .name = "queue-growth",
        .question = "Do edgeHub's queues grow between two clean-ups?",
        .ask = ask,
};
