/* Connecting to edgewatchd and asking it.
 *
 * The trap: on the private socket there is no bus daemon, so messages have no destination and no sender; on
 * the bus they need one. */

#include "daemon/ctl/client.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buffer.h"

/* As long as the daemon may take for a reload of its rules on a slow device. */
#define ANSWER_MAX (30 * USEC_PER_SEC)

/* "unix:path=…" with what D-Bus addresses reserve escaped. NULL when memory is out. */
static char *private_address(void) {
        const char *directory = getenv("EDGEWATCH_RUNTIME_DIRECTORY");
        _cleanup_(buffer_done) Buffer b = {};

        (void) buffer_append_string(&b, "unix:path=");
        for (const char *c = directory ? directory : BUS_RUNTIME_DIRECTORY; *c; c++)
                if (isalnum((unsigned char) *c) || strchr("-_/.*", *c))
                        (void) buffer_append(&b, c, 1);
                else
                        (void) buffer_append_format(&b, "%%%02x", (unsigned) (unsigned char) *c);
        (void) buffer_append_string(&b, "/" BUS_PRIVATE_SOCKET);
        return buffer_take(&b);
}

static int connect_private(sd_bus **ret) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(freep) char *address = private_address();
        int r;

        if (!address)
                return -ENOMEM;
        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_address(bus, address);
        if (r < 0)
                return r;
        r = sd_bus_start(bus);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(bus);
        return 0;
}

int client_connect(sd_bus **ret) {
        sd_bus *bus;
        int r, on_bus;

        r = connect_private(&bus);
        if (r < 0) {
                on_bus = sd_bus_open_system(&bus);
                if (on_bus < 0) {
                        (void) fail(0, "edgewatchd cannot be asked: its socket: %s; the system bus: %s",
                                strerror(-r), strerror(-on_bus));
                        return r;
                }
        }
        (void) sd_bus_set_method_call_timeout(bus, ANSWER_MAX);
        *ret = bus;
        return 0;
}

static int call(sd_bus *bus, const char *interface, const char *method, sd_bus_error *error,
        sd_bus_message **ret, const char *types, va_list ap) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const char *destination = sd_bus_is_bus_client(bus) > 0 ? BUS_NAME : NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, destination, BUS_PATH, interface, method);
        if (r < 0)
                return r;
        r = sd_bus_message_set_allow_interactive_authorization(m, true);
        if (r < 0)
                return r;
        if (types[0]) {
                r = sd_bus_message_appendv(m, types, ap);
                if (r < 0)
                        return r;
        }
        return sd_bus_call(bus, m, 0, error, ret);
}

static void say(int r, const sd_bus_error *error) {
        if (sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
                sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
                (void) fail(0, "edgewatchd does not run, or not on this bus");
        else if (sd_bus_error_is_set(error))
                (void) fail(0, "%s", error->message ? error->message : error->name);
        else
                (void) fail(r, "edgewatchd cannot be asked");
}

int client_call(sd_bus *bus, const char *interface, const char *method, sd_bus_message **ret,
        const char *types, ...) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        va_list ap;
        int r;

        va_start(ap, types);
        r = call(bus, interface, method, &error, ret, types, ap);
        va_end(ap);
        if (r < 0)
                say(r, &error);
        return r;
}

static int read_json(sd_bus_message *reply, json_t **ret) {
        const char *text;
        json_t *json;
        int r;

        r = sd_bus_message_read(reply, "s", &text);
        if (r < 0)
                return r;
        json = json_loads(text, 0, NULL);
        if (!json)
                return -EBADMSG;
        *ret = json;
        return 0;
}

int client_call_json(sd_bus *bus, const char *interface, const char *method, json_t **ret, bool *denied,
        const char *types, ...) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        va_list ap;
        int r;

        va_start(ap, types);
        r = call(bus, interface, method, &error, &reply, types, ap);
        va_end(ap);
        if (r >= 0)
                r = read_json(reply, ret);
        if (r < 0) {
                if (denied && sd_bus_error_has_name(&error, SD_BUS_ERROR_ACCESS_DENIED))
                        *denied = true;
                else
                        say(r, &error);
        }
        return r;
}

static json_t *time_to_json(uint64_t t) {
        char buffer[TIMESTAMP_MAX];
        return t == 0 ? json_null() : json_string(timestamp_format(t, buffer));
}

/* One row of ListIncidents() as far as it goes of a report's object. Returns 1, 0 at the end. */
static int read_row(sd_bus_message *m, json_t *list) {
        const char *id, *symptom, *subject, *state, *severity, *cause;
        uint64_t count, first, last, seq;
        int r;

        r = sd_bus_message_read(m, BUS_INCIDENT_ROW, &id, &symptom, &subject, &state, &severity, &cause,
                &count, &first, &last, &seq);
        if (r <= 0)
                return r;
        if (json_array_append_new(list,
                    json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:o, s:o}", "id", id, "symptom", symptom,
                            "subject", subject, "state", state, "severity", severity, "consequence_of",
                            cause[0] ? json_string(cause) : json_null(), "count", (json_int_t) count,
                            "first_seen", time_to_json(first), "last_seen", time_to_json(last))) < 0)
                return -ENOMEM;
        return 1;
}

static int list_incidents(sd_bus *bus, json_t **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        json_t *list;
        int r;

        r = client_call(bus, BUS_MANAGER_INTERFACE, "ListIncidents", &reply, "");
        if (r < 0)
                return r;
        list = json_array();
        r = list ? sd_bus_message_enter_container(reply, 'a', BUS_INCIDENT_ROW) : -ENOMEM;
        while (r > 0)
                r = read_row(reply, list);
        if (r < 0) {
                json_decref(list);
                (void) fail(r, "edgewatchd's answer cannot be read");
                return r;
        }
        *ret = json_pack("{s:i, s:o}", "format", 1, "incidents", list);
        return *ret ? 0 : -ENOMEM;
}

int client_incidents(sd_bus *bus, json_t **ret) {
        bool denied = false;
        int r;

        r = client_call_json(bus, BUS_EVIDENCE_INTERFACE, "DescribeAll", ret, &denied, "b", true);
        return r < 0 && denied ? list_incidents(bus, ret) : r;
}
