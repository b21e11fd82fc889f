/* Turns a step of an example into events.
 *
 * Log lines take the way of the real ones: lines of a unit through the journal decoder, lines of a container
 * through the joiner, so that an example is written as the component wrote it, prefix and all. Events of
 * other kinds are filled field by field from one table, under the names that rules test.
 *
 * The trap: a value may be written as a number or as a string; both are read the same. */

#include "lib/diagnosis/example-event.h"

#include <limits.h>
#include <stddef.h>

struct ExampleDecoder {
        JournalDecoder *journal;
        LogJoiner *joiner;
        uint64_t n_events;
};

int example_decoder_new(ExampleDecoder **ret) {
        _cleanup_(example_decoder_freep) ExampleDecoder *d = calloc(1, sizeof(*d));
        int r;

        if (!d)
                return -ENOMEM;
        r = journal_decoder_new(&d->journal);
        if (r < 0)
                return r;
        r = log_joiner_new(&d->joiner);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(d);
        return 0;
}

ExampleDecoder *example_decoder_free(ExampleDecoder *d) {
        if (!d)
                return NULL;
        journal_decoder_free(d->journal);
        log_joiner_free(d->joiner);
        free(d);
        return NULL;
}

static _printf_(2, 3) int wrong(char **ret_why, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(ret_why, format, ap);
        va_end(ap);
        return r < 0 ? -ENOMEM : 0;
}

typedef enum FieldType {
        FIELD_TEXT,
        FIELD_CHARS, /* a fixed array */
        FIELD_INT,
        FIELD_U32,
        FIELD_BOOL,
        FIELD_FAMILY,
} FieldType;

typedef struct FieldRow {
        EventKind kind; /* EVENT_X_MAX: of every kind */
        const char *name;
        FieldType type;
        size_t offset, bytes;
} FieldRow;

#define ROW(k, field, t, member)                                                                            \
        {                                                                                                   \
                .kind = (k), .name = (field), .type = (t), .offset = offsetof(Event, member),               \
                .bytes = sizeof(((Event *) NULL)->member)                                                   \
        }

/* The names are those of event_field(). */
static const FieldRow field_rows[] = {
        ROW(EVENT_X_MAX, "deleted", FIELD_BOOL, deleted),
        ROW(EVENT_X_MAX, "initial", FIELD_BOOL, initial),
        ROW(EVENT_CONTAINER, "action", FIELD_TEXT, container.action),
        ROW(EVENT_CONTAINER, "id", FIELD_TEXT, container.id),
        ROW(EVENT_CONTAINER, "name", FIELD_TEXT, container.name),
        ROW(EVENT_CONTAINER, "image", FIELD_TEXT, container.image),
        ROW(EVENT_CONTAINER, "owned", FIELD_BOOL, container.owned),
        ROW(EVENT_CONTAINER, "exit-code", FIELD_INT, container.exit_code),
        ROW(EVENT_CONTAINER, "signal", FIELD_INT, container.signal),
        ROW(EVENT_CONTAINER, "error", FIELD_TEXT, container.error),
        ROW(EVENT_DOCKER_NETWORK, "action", FIELD_TEXT, network.action),
        ROW(EVENT_DOCKER_NETWORK, "id", FIELD_TEXT, network.id),
        ROW(EVENT_DOCKER_NETWORK, "name", FIELD_TEXT, network.name),
        ROW(EVENT_DOCKER_NETWORK, "container-id", FIELD_TEXT, network.container_id),
        ROW(EVENT_LINK, "name", FIELD_CHARS, link.name),
        ROW(EVENT_LINK, "ifindex", FIELD_INT, link.ifindex),
        ROW(EVENT_LINK, "mtu", FIELD_INT, link.mtu),
        ROW(EVENT_LINK, "operstate", FIELD_CHARS, link.operstate),
        ROW(EVENT_LINK, "kind", FIELD_CHARS, link.kind),
        ROW(EVENT_LINK, "master", FIELD_CHARS, link.master),
        ROW(EVENT_ROUTE, "family", FIELD_FAMILY, route.family),
        ROW(EVENT_ROUTE, "destination", FIELD_CHARS, route.destination),
        ROW(EVENT_ROUTE, "dev", FIELD_CHARS, route.dev),
        ROW(EVENT_ROUTE, "gateway", FIELD_CHARS, route.gateway),
        ROW(EVENT_ROUTE, "metric", FIELD_U32, route.metric),
        ROW(EVENT_ADDRESS, "family", FIELD_FAMILY, address.family),
        ROW(EVENT_ADDRESS, "ifname", FIELD_CHARS, address.ifname),
        ROW(EVENT_ADDRESS, "address", FIELD_CHARS, address.address),
        ROW(EVENT_FORWARDING, "family", FIELD_FAMILY, forwarding.family),
        ROW(EVENT_FORWARDING, "ifname", FIELD_CHARS, forwarding.ifname),
        ROW(EVENT_FORWARDING, "enabled", FIELD_BOOL, forwarding.enabled),
        ROW(EVENT_UNIT, "name", FIELD_CHARS, unit.name),
        ROW(EVENT_UNIT, "load-state", FIELD_CHARS, unit.load_state),
        ROW(EVENT_UNIT, "active-state", FIELD_CHARS, unit.active_state),
        ROW(EVENT_UNIT, "sub-state", FIELD_CHARS, unit.sub_state),
        ROW(EVENT_UNIT, "unit-file-state", FIELD_CHARS, unit.unit_file_state),
        ROW(EVENT_UNIT, "result", FIELD_CHARS, unit.result),
        ROW(EVENT_UNIT, "n-restarts", FIELD_INT, unit.n_restarts),
        ROW(EVENT_UNIT, "exit-status", FIELD_INT, unit.exit_status),
        ROW(EVENT_FILE, "path", FIELD_TEXT, file.path),
        ROW(EVENT_FILE, "exists", FIELD_BOOL, file.exists),
        ROW(EVENT_FILE, "content", FIELD_TEXT, file.content),
        ROW(EVENT_METRICS, "module", FIELD_TEXT, metrics.module),
        ROW(EVENT_METRICS, "exposition", FIELD_TEXT, metrics.exposition),
};

static const FieldRow *field_row_find(EventKind kind, const char *name) {
        FOREACH_ARRAY (row, field_rows, ELEMENTSOF(field_rows))
                if ((row->kind == kind || row->kind == EVENT_X_MAX) && strcmp(row->name, name) == 0)
                        return row;
        return NULL;
}

/* A scalar as text; numbers and booleans are written into buffer. */
static bool scalar_text(const json_t *value, char buffer[static EVENT_FIELD_MAX], Text *ret) {
        if (json_is_string(value))
                *ret = (Text){json_string_value(value), json_string_length(value)};
        else if (json_is_boolean(value))
                *ret = json_is_true(value) ? TEXT_LITERAL("true") : TEXT_LITERAL("false");
        else if (json_is_integer(value)) {
                (void) snprintf(buffer, EVENT_FIELD_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
                *ret = text_of(buffer);
        } else
                return false;
        return true;
}

static bool number_of(Text text, int64_t min, int64_t max, int64_t *ret) {
        bool negative = text_starts_with(text, "-");
        uint64_t magnitude;

        if (text_to_u64(negative ? text_skip(text, 1) : text, &magnitude) < 0 || magnitude > INT64_MAX)
                return false;
        *ret = negative ? -(int64_t) magnitude : (int64_t) magnitude;
        return *ret >= min && *ret <= max;
}

static bool set_field(Event *event, const FieldRow *row, const json_t *value) {
        char buffer[EVENT_FIELD_MAX];
        char *member = (char *) event + row->offset;
        int64_t number;
        Text text;

        if (!scalar_text(value, buffer, &text))
                return false;

        switch (row->type) {
        case FIELD_TEXT:
                /* A borrowed text has to outlive this function: it stays in the example's JSON. */
                if (!json_is_string(value))
                        return false;
                memcpy(member, &text, sizeof(text));
                return true;
        case FIELD_CHARS:
                if (text.len >= row->bytes)
                        return false;
                memcpy(member, text.data, text.len);
                member[text.len] = '\0';
                return true;
        case FIELD_INT:
                if (!number_of(text, INT_MIN, INT_MAX, &number))
                        return false;
                *(int *) (void *) member = (int) number;
                return true;
        case FIELD_U32:
                if (!number_of(text, 0, UINT32_MAX, &number))
                        return false;
                *(uint32_t *) (void *) member = (uint32_t) number;
                return true;
        case FIELD_BOOL:
                *(bool *) (void *) member = text_is(text, "true") || text_is(text, "1");
                return *(bool *) (void *) member || text_is(text, "false") || text_is(text, "0");
        case FIELD_FAMILY: {
                Family family = family_from_string(text);

                if (family < 0)
                        return false;
                *(Family *) (void *) member = family;
                return true;
        }
        }
        return false;
}

static SourceKind source_of_kind(EventKind kind) {
        switch (kind) {
        case EVENT_CONTAINER:
        case EVENT_DOCKER_NETWORK:
                return SOURCE_DOCKER_EVENTS;
        case EVENT_UNIT:
                return SOURCE_UNITS;
        case EVENT_FILE:
                return SOURCE_FILES;
        case EVENT_METRICS:
                return SOURCE_METRICS;
        default:
                return SOURCE_NETWORK;
        }
}

/* What a source that did not tell a field leaves in it. */
static void event_defaults(EventKind kind, Event *ret) {
        *ret = (Event){.kind = kind, .source = source_of_kind(kind), .origin = ORIGIN_DEVICE};

        switch (kind) {
        case EVENT_CONTAINER:
                ret->container = (ContainerChange){.owned = true, .exit_code = -1, .signal = -1};
                break;
        case EVENT_LINK:
                ret->link.mtu = -1;
                break;
        case EVENT_ROUTE:
                ret->route.table = 254;
                break;
        case EVENT_UNIT:
                ret->unit.n_restarts = ret->unit.exit_status = -1;
                break;
        case EVENT_FILE:
                ret->file.exists = true;
                break;
        default:
                break;
        }
}

static int emit(ExampleDecoder *d, Event *event, example_event_t handler, void *userdata) {
        char position[64];

        (void) snprintf(position, sizeof(position), "example:%" PRIu64, d->n_events++);
        event->position = text_of(position);
        return handler(userdata, event);
}

static usec_t number_member(const json_t *object, const char *name) {
        json_int_t value = json_integer_value(json_object_get(object, name));

        return value > 0 && value <= INT32_MAX ? (usec_t) value : 0;
}

static const char *text_member(const json_t *object, const char *name) {
        return json_string_value(json_object_get(object, name));
}

/* What only an inspection tells: the example's words for it as the engine would answer. */
static int inspect(const ExampleEvent *step, bool owned, usec_t time, Container **ret) {
        const json_t *fields = step->fields;
        char since[TIMESTAMP_MAX], created[TIMESTAMP_MAX];
        usec_t restarts = number_member(fields, "restarts");
        json_t *inspected;
        int r;

        (void) timestamp_format(usec_sub(time, number_member(fields, "since-secs") * USEC_PER_SEC), since);
        (void) timestamp_format(
                usec_sub(time, restarts * number_member(fields, "restart-every-secs") * USEC_PER_SEC),
                created);

        inspected = json_pack("{s:s, s:s?, s:s, s:I, s:{s:s, s:s, s:s, s:b, s:s, s:i}, s:{s:s?, s:{s:s?}}}",
                "Id", "0000000000000000000000000000000000000000000000000000000000000001", "Name",
                text_member(fields, "name"), "Created", created, "RestartCount", (json_int_t) restarts,
                "State", "StartedAt", since, "FinishedAt", since, "Status",
                text_member(fields, "status") ? text_member(fields, "status") : "running", "OOMKilled",
                (int) json_is_true(json_object_get(fields, "oom-killed")), "Error",
                text_member(fields, "error") ? text_member(fields, "error") : "", "ExitCode",
                (int) json_integer_value(json_object_get(fields, "exit-code")), "Config", "Image",
                text_member(fields, "image"), "Labels", "net.azure-devices.edge.owner",
                owned ? "Microsoft.Azure.Devices.Edge.Agent" : NULL);
        if (!inspected)
                return -ENOMEM;
        r = container_from_json(inspected, ret);
        json_decref(inspected);
        return r;
}

static bool is_inspected(const char *name) {
        static const char *const names[] = {
                "oom-killed", "restart-every-secs", "restarts", "since-secs", "status"};

        FOREACH_ARRAY (n, names, ELEMENTSOF(names))
                if (strcmp(*n, name) == 0)
                        return true;
        return false;
}

static int decode_change(ExampleDecoder *d, const ExampleEvent *step, usec_t time, example_event_t handler,
        void *userdata, char **ret_why) {
        _cleanup_(container_unrefp) Container *object = NULL;
        bool needs_object = false;
        const char *name;
        json_t *value;
        Event event;
        int r;

        event_defaults(step->kind, &event);
        event.time = time;
        json_object_foreach (step->fields, name, value) {
                const FieldRow *row = field_row_find(step->kind, name);

                if (step->kind == EVENT_CONTAINER && is_inspected(name)) {
                        needs_object = true;
                        continue;
                }
                if (!row)
                        return wrong(ret_why, "line %u: an event of kind %s has no field \"%s\"", step->line,
                                event_kind_to_string(step->kind), name);
                if (!set_field(&event, row, value))
                        return wrong(ret_why, "line %u: \"%s\" cannot have this value", step->line, name);
        }
        if (needs_object) {
                r = inspect(step, event.container.owned, time, &object);
                if (r < 0)
                        return r;
                event.container.object = object;
        }
        if (event.kind == EVENT_CONTAINER && event.container.owned)
                event.origin = origin_of_module(event.container.name);

        r = emit(d, &event, handler, userdata);
        return r < 0 ? r : 1;
}

static const char *const default_units[ORIGIN_X_MAX] = {
        [ORIGIN_OTHER] = "other.service",
        [ORIGIN_RUNTIME] = "aziot-edged.service",
        [ORIGIN_IDENTITY] = "aziot-identityd.service",
        [ORIGIN_KEYD] = "aziot-keyd.service",
        [ORIGIN_CERTD] = "aziot-certd.service",
        [ORIGIN_TPMD] = "aziot-tpmd.service",
        [ORIGIN_DOCKER] = "docker.service",
        [ORIGIN_SYSTEMD] = "init.scope",
};

static const char *const default_containers[ORIGIN_X_MAX] = {
        [ORIGIN_AGENT] = "edgeAgent",
        [ORIGIN_HUB] = "edgeHub",
        [ORIGIN_MODULE] = "module",
};

static Text step_text(const ExampleEvent *step, const char *name) {
        const json_t *value = json_object_get(step->fields, name);
        return json_is_string(value) ? (Text){json_string_value(value), json_string_length(value)}
                                     : TEXT_NONE;
}

static int decode_container_line(
        ExampleDecoder *d, Origin origin, Text container, usec_t time, Text line, Event *ret) {
        LogLine log = {};
        int r;

        /* One stream per origin and name: what an example writes belongs together. */
        r = log_joiner_decode(d->joiner, (uint64_t) origin + 1 + container.len, origin, time, line, &log);
        if (r < 0)
                return r;
        log.container = container;
        *ret = (Event){
                .kind = EVENT_LOG, .source = SOURCE_DOCKER_LOGS, .origin = origin, .time = time, .log = log};
        return 1;
}

static int decode_unit_line(
        ExampleDecoder *d, Origin origin, Text unit, usec_t time, Text line, Event *ret) {
        JournalEntry entry = {.message = line, .pid = TEXT_LITERAL("1000"), .realtime = time};

        switch (origin) {
        case ORIGIN_KERNEL:
                entry.transport = TEXT_LITERAL("kernel");
                entry.identifier = TEXT_LITERAL("kernel");
                entry.pid = TEXT_NONE;
                break;
        case ORIGIN_SYSTEMD:
                entry.transport = TEXT_LITERAL("journal");
                entry.unit = TEXT_LITERAL("init.scope");
                entry.about_unit = unit;
                entry.pid = TEXT_LITERAL("1");
                entry.comm = entry.identifier = TEXT_LITERAL("systemd");
                break;
        default:
                entry.transport = TEXT_LITERAL("stdout");
                entry.stream_id = TEXT_LITERAL("00000000000000000000000000000001");
                entry.unit = unit;
                break;
        }
        return journal_decoder_decode(d->journal, &entry, ret);
}

static int decode_log(ExampleDecoder *d, const ExampleEvent *step, usec_t time, example_event_t handler,
        void *userdata, char **ret_why) {
        Text text = step_text(step, "text"), container = step_text(step, "container"),
             unit = step_text(step, "unit"), from = step_text(step, "from");
        Origin origin = origin_from_string(from);
        bool of_container;
        int r;

        if (origin < 0)
                return wrong(ret_why, "line %u: \"from\" names no origin: \"%.*s\"", step->line,
                        (int) (from.len < 64 ? from.len : 64), from.data ? from.data : "");
        of_container = default_containers[origin] != NULL || !text_is_empty(container);
        if (text_is_empty(container))
                container = text_of(default_containers[origin]);
        if (text_is_empty(unit))
                unit = text_of(default_units[origin]);

        /* journald and Docker split what is written into lines. */
        while (!text_is_empty(text)) {
                const char *end = memchr(text.data, '\n', text.len);
                size_t len = end ? (size_t) (end - text.data) : text.len;
                Text line = text_clip(text, len);
                Event event;

                text = text_skip(text, end ? len + 1 : len);
                r = of_container ? decode_container_line(d, origin, container, time, line, &event)
                                 : decode_unit_line(d, origin, unit, time, line, &event);
                if (r < 0)
                        return r;
                if (r > 0) {
                        r = emit(d, &event, handler, userdata);
                        if (r < 0)
                                return r;
                }
        }
        return 1;
}

int example_decode(ExampleDecoder *d, const ExampleEvent *step, usec_t time, example_event_t handler,
        void *userdata, char **ret_why) {
        if (step->kind == EVENT_LOG)
                return decode_log(d, step, time, handler, userdata, ret_why);
        return decode_change(d, step, time, handler, userdata, ret_why);
}
