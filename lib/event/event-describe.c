/* One line of evidence for a person: what the event says, in words.
 *
 * Promise: printable and redacted, whatever was in the event. The trap: redaction comes first, because the
 * escapes of printable_text() could hide the end of a secret from it. */

#include "lib/base/buffer.h"
#include "lib/base/printable.h"
#include "lib/base/redact.h"
#include "lib/event/event.h"

#define DESCRIPTION_MAX_BYTES ((size_t) 2048)
#define SHORT_ID_BYTES        12

static void describe_log(const Event *e, Buffer *b) {
        (void) buffer_append_text(b, text_clip(e->log.message, DESCRIPTION_MAX_BYTES));
}

static void describe_container(const Event *e, Buffer *b) {
        const ContainerChange *c = &e->container;
        int exit_code = container_change_exit_code(c);

        (void) buffer_append_string(b, "container ");
        (void) buffer_append_text(b, text_is_empty(c->name) ? text_clip(c->id, SHORT_ID_BYTES) : c->name);
        (void) buffer_append_string(b, ": ");
        if (text_is(c->action, "state") && c->object && c->object->status)
                (void) buffer_append_string(b, c->object->status);
        else
                (void) buffer_append_text(b, c->action);
        if (exit_code >= 0)
                (void) buffer_append_format(b, ", exit code %d", exit_code);
        if (c->signal >= 0)
                (void) buffer_append_format(b, ", signal %d", c->signal);
        if (!text_is_empty(c->error)) {
                (void) buffer_append_string(b, ": ");
                (void) buffer_append_text(b, text_clip(c->error, DESCRIPTION_MAX_BYTES));
        }
}

static void describe_network(const Event *e, Buffer *b) {
        const NetworkChange *n = &e->network;

        (void) buffer_append_string(b, "network ");
        (void) buffer_append_text(b, text_is_empty(n->name) ? text_clip(n->id, SHORT_ID_BYTES) : n->name);
        (void) buffer_append_string(b, ": ");
        (void) buffer_append_text(b, n->action);
        if (!text_is_empty(n->container_id)) {
                (void) buffer_append_string(b, ", container ");
                (void) buffer_append_text(b, text_clip(n->container_id, SHORT_ID_BYTES));
        }
        if (n->object && n->object->mtu >= 0)
                (void) buffer_append_format(b, ", MTU %d", n->object->mtu);
}

static void describe_link(const Event *e, Buffer *b) {
        (void) buffer_append_format(b, "link %s:", e->link.name);
        if (e->deleted) {
                (void) buffer_append_string(b, " gone");
                return;
        }
        (void) buffer_append_format(b, " %s", e->link.operstate[0] ? e->link.operstate : "state not told");
        if (e->link.mtu >= 0)
                (void) buffer_append_format(b, ", MTU %d", e->link.mtu);
}

static void describe_route(const Event *e, Buffer *b) {
        const Route *r = &e->route;

        (void) buffer_append_format(
                b, "%s route to %s", r->family == FAMILY_INET6 ? "IPv6" : "IPv4", r->destination);
        if (r->gateway[0])
                (void) buffer_append_format(b, " via %s", r->gateway);
        if (r->dev[0])
                (void) buffer_append_format(b, " on %s", r->dev);
        (void) buffer_append_format(b, ", metric %" PRIu32 "%s", r->metric, e->deleted ? ": gone" : "");
}

static void describe_address(const Event *e, Buffer *b) {
        (void) buffer_append_format(
                b, "address %s on %s%s", e->address.address, e->address.ifname, e->deleted ? ": gone" : "");
}

static void describe_forwarding(const Event *e, Buffer *b) {
        (void) buffer_append_format(b, "%s forwarding of %s: %s",
                e->forwarding.family == FAMILY_INET6 ? "IPv6" : "IPv4", e->forwarding.ifname,
                e->forwarding.enabled ? "on" : "off");
}

static void describe_unit(const Event *e, Buffer *b) {
        const UnitState *u = &e->unit;

        (void) buffer_append_format(
                b, "unit %s: %s", u->name, u->active_state[0] ? u->active_state : "unknown");
        if (u->sub_state[0])
                (void) buffer_append_format(b, " (%s)", u->sub_state);
        if (u->unit_file_state[0])
                (void) buffer_append_format(b, ", %s", u->unit_file_state);
        if (u->result[0] && strcmp(u->result, "success") != 0)
                (void) buffer_append_format(b, ", result %s", u->result);
        if (u->exit_status > 0)
                (void) buffer_append_format(b, ", exit status %d", u->exit_status);
}

static void describe_file(const Event *e, Buffer *b) {
        (void) buffer_append_string(b, "file ");
        (void) buffer_append_text(b, e->file.path);
        (void) buffer_append_string(b, e->file.exists ? ": changed" : ": does not exist");
}

static void describe_metrics(const Event *e, Buffer *b) {
        (void) buffer_append_string(b, "metrics of ");
        (void) buffer_append_text(b, e->metrics.module);
}

static void (*const describers[])(const Event *, Buffer *) = {
        [EVENT_LOG] = describe_log,
        [EVENT_CONTAINER] = describe_container,
        [EVENT_DOCKER_NETWORK] = describe_network,
        [EVENT_LINK] = describe_link,
        [EVENT_ROUTE] = describe_route,
        [EVENT_ADDRESS] = describe_address,
        [EVENT_FORWARDING] = describe_forwarding,
        [EVENT_UNIT] = describe_unit,
        [EVENT_FILE] = describe_file,
        [EVENT_METRICS] = describe_metrics,
};

char *event_describe(const Event *event) {
        _cleanup_(buffer_done) Buffer b = {};
        _cleanup_(freep) char *redacted = NULL;

        describers[event->kind](event, &b);
        if (b.error < 0)
                return NULL;
        redacted = redact_text(buffer_text(&b));
        return redacted ? printable_text(text_of(redacted), DESCRIPTION_MAX_BYTES) : NULL;
}
