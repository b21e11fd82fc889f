/* Is this gateway's hub another one than its child's, or did the device's identity change lately? Then the
 * child's credentials belong to a hub that nobody asks any more. */

#include "lib/probes/probe-list.h"
#include "lib/probes/upstream.h"

/* The device's own places disagree about its hub: the move is half done. */
static int compare_places(const ProbeQuestion *q, const char *configured, ProbeAnswer *a) {
        const Container *agent = world_container(q->world, "edgeAgent");
        const char *running = agent ? container_getenv(agent, "IOTEDGE_IOTHUBHOSTNAME") : NULL;
        const Fact *f = world_fact(q->world, q->now, q->since, "file:/var/lib/aziot/identityd/device_info");
        const char *info = f && f->state == FACT_KNOWN ? json_string_value(f->value) : NULL;

        if (f && f->state == FACT_PENDING)
                return probe_pending(a);
        if (configured && running && strcasecmp(configured, running) != 0)
                return probe_confirms(
                        a, "the configuration names %s, but edgeAgent still uses %s", configured, running);
        if (configured && info && strstr(info, "azure-devices") && !strcasestr(info, configured))
                return probe_confirms(a,
                        "the configuration names %s, but the device was provisioned for another hub",
                        configured);
        return 0;
}

/* All that is below works, and no move is known of: a wrong clock makes every token look too old or too new.
 */
static int ask_clock(const ProbeQuestion *q, const char *hub, ProbeAnswer *a) {
        const Fact *tls = hub ? world_fact(q->world, q->now, q->since, "tls:host:%s:443", hub) : NULL;
        _cleanup_(freep) char *clock = NULL;
        int r = tls ? tls_clock(tls, q->now, &clock) : 0;

        if (r < 0)
                return r;
        if (tls && tls->state == FACT_PENDING)
                return probe_pending(a);
        if (r > 0)
                return probe_refutes(a, "tokens of %s are judged by a wrong clock: %s", q->subject, clock);
        return probe_unknown(a, "which hub %s was set up for", q->subject);
}

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        const char *child_hub = probe_variable(q, "child_hub"), *own_hub = probe_variable(q, "own_hub");
        char hub[UPSTREAM_HOST_MAX];
        const json_t *config;
        bool pending;
        int r;

        if (!own_hub && device_name(q->world, q->now, "hub", hub))
                own_hub = hub;
        if (child_hub && own_hub && strcasecmp(child_hub, own_hub) != 0)
                return probe_confirms(a, "%s authenticates for %s, this gateway belongs to %s", q->subject,
                        child_hub, own_hub);
        if (probe_variable(q, "changed"))
                return probe_confirms(
                        a, "this device's own identity changed lately: its hub, name or parent is new");
        config = runtime_config(q->world, q->now, q->since, &pending);
        if (pending)
                return probe_pending(a);
        r = compare_places(q, runtime_config_string(config, "iothub_hostname"), a);
        if (r < 0 || a->because || a->verdict == VERDICT_PENDING)
                return r;
        return ask_clock(q, own_hub, a);
}

const Probe probe_hub_migration = {
        .name = "hub-migration",
        .question = "Does the child belong to another hub, or did this device move lately?",
        .ask = ask,
};
