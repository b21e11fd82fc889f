/* Who holds the host port that the subject wants? Another container that publishes it, or a process that
 * listens on it. The conflict is over when the subject runs. */

#include "lib/probes/probe-list.h"

#include <stdio.h>

typedef struct HolderSearch {
        const ProbeQuestion *question;
        uint16_t port;
        char name[256];
} HolderSearch;

static bool publishes(const Container *c, uint16_t port) {
        for (size_t i = 0; i < c->n_ports; i++)
                if (c->ports[i].host_port == port && strcmp(c->ports[i].protocol, "udp") != 0)
                        return true;
        return false;
}

static bool visit(void *userdata, const Container *c) {
        HolderSearch *s = userdata;
        const char *status = world_container_status(s->question->world, c->name);

        if (strcmp(c->name, s->question->subject) == 0 || !status || strcmp(status, "running") != 0 ||
                !publishes(c, s->port))
                return true;
        (void) snprintf(s->name, sizeof(s->name), "%s", c->name);
        return false;
}

static bool is_other_listener(const ProbeQuestion *q, const json_t *listener, uint16_t port) {
        const char *protocol = json_string_value(json_object_get(listener, "protocol"));
        const char *container = json_string_value(json_object_get(listener, "container"));

        return json_integer_value(json_object_get(listener, "port")) == port && protocol &&
                strncmp(protocol, "tcp", 3) == 0 && !(container && strcmp(container, q->subject) == 0);
}

static int tell_holder(const json_t *listener, uint16_t port, ProbeAnswer *a) {
        const char *comm = json_string_value(json_object_get(listener, "comm"));
        const char *unit = json_string_value(json_object_get(listener, "unit"));
        const char *container = json_string_value(json_object_get(listener, "container"));
        json_int_t pid = json_integer_value(json_object_get(listener, "pid"));
        int r;

        if (container)
                r = probe_set_variable(a, "holder", "container %s", container);
        else if (comm && unit)
                r = probe_set_variable(a, "holder", "%s (pid %lld, %s)", comm, (long long) pid, unit);
        else if (comm)
                r = probe_set_variable(a, "holder", "%s (pid %lld)", comm, (long long) pid);
        else
                r = probe_set_variable(a, "holder", "a process of this host");
        if (r < 0)
                return r;
        return probe_confirms(
                a, "port %u is held by %s", (unsigned) port, a->variables[a->n_variables - 1].value);
}

static int ask_listeners(const ProbeQuestion *q, uint16_t port, ProbeAnswer *a) {
        const Fact *f = world_fact(q->world, q->now, q->since, "listeners");
        json_t *listener;
        size_t i;

        if (!f)
                return -ENOMEM;
        if (f->state == FACT_PENDING)
                return probe_pending(a);
        if (f->state == FACT_KNOWN)
                json_array_foreach (f->value, i, listener)
                        if (is_other_listener(q, listener, port))
                                return tell_holder(listener, port, a);
        return probe_unknown(a, "who holds port %u: %s", (unsigned) port,
                f->state == FACT_KNOWN ? "nothing listens on it now" : f->why);
}

static int ask_port(const ProbeQuestion *q, uint16_t port, ProbeAnswer *a) {
        HolderSearch search = {.question = q, .port = port};
        int r;

        world_each_container(q->world, visit, &search);
        if (search.name[0] == '\0')
                return ask_listeners(q, port, a);
        r = probe_set_variable(a, "holder", "container %s", search.name);
        if (r < 0)
                return r;
        return probe_confirms(a, "port %u is held by container %s", (unsigned) port, search.name);
}

/* The text named no port: one of those that the subject publishes, if somebody else holds it. */
static int ask_published_ports(const ProbeQuestion *q, ProbeAnswer *a) {
        const Container *c = world_container(q->world, q->subject);

        for (size_t i = 0; c && i < c->n_ports; i++) {
                int r = ask_port(q, c->ports[i].host_port, a);

                if (r < 0 || a->verdict == VERDICT_PENDING)
                        return r;
                if (a->verdict == VERDICT_CONFIRMS)
                        return probe_set_variable(a, "port", "%u", (unsigned) c->ports[i].host_port);
                probe_answer_done(a);
                *a = (ProbeAnswer){};
        }
        return probe_unknown(a, "which port is taken");
}

static int ask(const ProbeQuestion *q, ProbeAnswer *a) {
        const char *status = world_container_status(q->world, q->subject);
        const char *wanted = probe_variable(q, "port");
        uint64_t port;

        if (status && strcmp(status, "running") == 0 &&
                world_container_since(q->world, q->subject) >= q->last_seen)
                return probe_refutes(a, "%s is running", q->subject);
        if (!wanted || text_to_u64(text_of(wanted), &port) < 0 || port == 0 || port > UINT16_MAX)
                return ask_published_ports(q, a);
        return ask_port(q, (uint16_t) port, a);
}

const Probe probe_port_holder = {
        .name = "port-holder",
        .question = "Who holds the host port that the module wants?",
        .ask = ask,
};
