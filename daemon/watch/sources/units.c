/* The state of the runtime's and Docker's systemd units, over the system bus; needs no privilege.
 *
 * Subscribes to the changes of each unit, then asks PID 1 for all of its properties, one unit after the
 * other. Asking for a unit loads it, so one that is not installed is told as not-found. After a reload of
 * PID 1 and after units were enabled or disabled, for which no properties are sent, it asks again. Where
 * there is no bus the source is degraded and looks for one again.
 *
 * The trap: PID 1 tells one change in two messages, first what is special to services or sockets, then what
 * all units have. Only with the second the state is whole, so the first one is noted and not told. And it
 * sends nothing at all to a connection that did not call Subscribe. */

#include <systemd/sd-bus.h>

#include "daemon/watch/source.h"
#include "daemon/watch/sources/registry.h"
#include "daemon/watch/sources/units-properties.h"

#define SYSTEMD        "org.freedesktop.systemd1"
#define SYSTEMD_PATH   "/org/freedesktop/systemd1"
#define UNIT_PREFIX    SYSTEMD_PATH "/unit"
#define UNIT_INTERFACE SYSTEMD ".Unit"
#define PROPERTIES     "org.freedesktop.DBus.Properties"
#define ANSWER_TIMEOUT (10 * USEC_PER_SEC)
#define RESYNC_PAUSE   USEC_PER_SEC /* an upgrade reloads PID 1 several times */

typedef struct Units Units;

typedef struct Unit {
        Units *owner;
        const char *name;
        json_t *properties; /* as `systemctl show` names them, those below only */
        UnitState told;
        bool is_told;
} Unit;

struct Units {
        Source source;
        sd_bus *bus;
        sd_event_source *resync;
        MergeInput *input;
        Unit *units;
        size_t n_units;
        size_t next; /* index of the unit to be asked for */
        bool is_enumerating, is_wanted_again, has_no_room;
};

static bool is_same(const UnitState *a, const UnitState *b) {
        return strcmp(a->load_state, b->load_state) == 0 && strcmp(a->active_state, b->active_state) == 0 &&
                strcmp(a->sub_state, b->sub_state) == 0 &&
                strcmp(a->unit_file_state, b->unit_file_state) == 0 && strcmp(a->result, b->result) == 0 &&
                a->n_restarts == b->n_restarts && a->exit_status == b->exit_status;
}

/* Hands the unit's state on, unless it was told already. */
static void tell(Units *u, Unit *unit, bool initial) {
        Source *s = &u->source;
        Event event = {
                .kind = EVENT_UNIT,
                .source = SOURCE_UNITS,
                .origin = ORIGIN_DEVICE,
                .time = source_now(&u->source, CLOCK_REALTIME),
                .initial = initial,
        };
        int r;

        r = unit_state_from_json(unit->name, unit->properties, &event.unit);
        if (r < 0) {
                s->counters.n_errors++;
                return;
        }
        if (unit->is_told && is_same(&unit->told, &event.unit))
                return;
        if (initial && world_apply(s->context.world, &event) < 0)
                s->counters.n_errors++;
        r = intake_offer(s->context.intake, u->input, &event);
        if (r == -ENOBUFS) {
                u->has_no_room = true;
                return;
        }
        if (r > 0)
                s->counters.n_wanted++;
        else if (r < 0)
                s->counters.n_errors++;
        unit->told = event.unit;
        unit->is_told = true;
}

static int ask_next(Units *u);

static void enumerate(Units *u) {
        int r;

        if (u->is_enumerating) {
                u->is_wanted_again = true;
                return;
        }
        u->is_enumerating = true;
        u->next = 0;
        r = ask_next(u);
        if (r < 0)
                source_degrade(&u->source, r, "Cannot ask systemd for its units: %m");
}

static void enumerate_later(Units *u) {
        (void) sd_event_source_set_time(
                u->resync, usec_add(source_now(&u->source, CLOCK_MONOTONIC), RESYNC_PAUSE));
        (void) sd_event_source_set_enabled(u->resync, SD_EVENT_ONESHOT);
}

static int on_resync(sd_event_source *source, uint64_t usec, void *userdata) {
        enumerate(userdata);
        return 0;
}

static void enumeration_ended(Units *u) {
        u->is_enumerating = false;
        u->source.due = 0;
        if (u->is_wanted_again) {
                u->is_wanted_again = false;
                enumerate_later(u);
        }
        merge_set_live(u->input);
        source_set_live(&u->source);
}

/* A bus without systemd on it says so in one of several ways. */
static void degrade(Units *u, const sd_bus_error *e) {
        if (sd_bus_error_has_names(e, SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
                source_degrade(&u->source, -ESRCH, "there is no systemd on the system bus");
        else
                source_degrade(&u->source, -sd_bus_error_get_errno(e),
                        "systemd does not tell of its units: %s", e->message ? e->message : e->name);
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Units *u = userdata;
        Unit *unit;
        json_t *properties;
        int r;

        if (!u->is_enumerating || u->next == 0)
                return 0;
        unit = &u->units[u->next - 1];
        u->source.counters.n_read++;
        if (sd_bus_message_is_method_error(m, SD_BUS_ERROR_UNKNOWN_OBJECT))
                u->source.counters.n_errors++;
        else if (sd_bus_message_is_method_error(m, NULL)) {
                degrade(u, sd_bus_message_get_error(m));
                return 0;
        } else {
                properties = json_object();
                r = properties ? units_properties_read(m, properties) : -ENOMEM;
                if (r < 0) {
                        json_decref(properties);
                        source_degrade(&u->source, r, "Cannot read systemd's answer: %m");
                        return 0;
                }
                json_decref(unit->properties);
                unit->properties = properties;
                tell(u, unit, true);
        }
        r = ask_next(u);
        if (r < 0)
                source_degrade(&u->source, r, "Cannot ask systemd for its units: %m");
        return 0;
}

static int call(Units *u, const char *path, const char *interface, const char *member, const char *argument,
        sd_bus_message_handler_t handler) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(u->bus, &m, SYSTEMD, path, interface, member);
        /* On a device without systemd the bus would try to start it. */
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r >= 0 && argument)
                r = sd_bus_message_append_basic(m, 's', argument);
        if (r >= 0)
                r = sd_bus_call_async(u->bus, NULL, m, handler, u, ANSWER_TIMEOUT);
        if (r < 0)
                return r;
        u->source.due = usec_add(source_now(&u->source, CLOCK_MONOTONIC), ANSWER_TIMEOUT);
        return 0;
}

static int ask_next(Units *u) {
        _cleanup_(freep) char *path = NULL;
        int r;

        if (u->next >= u->n_units) {
                enumeration_ended(u);
                return 0;
        }
        r = sd_bus_path_encode(UNIT_PREFIX, u->units[u->next].name, &path);
        if (r < 0)
                return r;
        u->next++;
        return call(u, path, PROPERTIES, "GetAll", "", on_answer); /* of all its interfaces */
}

static int on_subscribed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Units *u = userdata;

        if (u->bus && sd_bus_message_is_method_error(m, NULL))
                degrade(u, sd_bus_message_get_error(m));
        return 0;
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Unit *unit = userdata;
        Units *u = unit->owner;
        const char *interface;
        int r;

        if (!u->bus || !unit->properties) /* its enumeration is still to come, and tells more */
                return 0;
        u->source.counters.n_read++;
        r = sd_bus_message_read_basic(m, 's', &interface);
        if (r >= 0)
                r = units_properties_read(m, unit->properties);
        if (r < 0)
                u->source.counters.n_errors++;
        else if (strcmp(interface, UNIT_INTERFACE) == 0)
                tell(u, unit, false);
        return 0;
}

/* Reloading(b): true before, false after. */
static int on_reloading(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Units *u = userdata;
        int is_active;

        if (u->bus && sd_bus_message_read_basic(m, 'b', &is_active) > 0 && !is_active)
                enumerate_later(u);
        return 0;
}

static int on_unit_files(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Units *u = userdata;

        if (u->bus)
                enumerate_later(u);
        return 0;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Units *u = userdata;

        if (u->bus)
                source_degrade(&u->source, -ESRCH, "systemd left the system bus, or came back to it");
        return 0;
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Units *u = userdata;

        if (u->bus)
                source_degrade(&u->source, -ECONNRESET, "the system bus is gone, or refuses us");
        return 0;
}

static int match_unit(Units *u, Unit *unit) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = sd_bus_path_encode(UNIT_PREFIX, unit->name, &path);
        if (r < 0)
                return r;
        return sd_bus_match_signal_async(
                u->bus, NULL, SYSTEMD, path, PROPERTIES, "PropertiesChanged", on_properties, NULL, unit);
}

static int subscribe(Units *u) {
        int r;

        r = sd_bus_match_signal(u->bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, u);
        if (r < 0)
                return r;
        r = sd_bus_add_match_async(u->bus, NULL,
                "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" SYSTEMD "'",
                on_owner_changed, NULL, u);
        if (r < 0)
                return r;
        r = sd_bus_match_signal_async(
                u->bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD ".Manager", "Reloading", on_reloading, NULL, u);
        if (r < 0)
                return r;
        r = sd_bus_match_signal_async(u->bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD ".Manager",
                "UnitFilesChanged", on_unit_files, NULL, u);
        if (r < 0)
                return r;
        for (size_t i = 0; i < u->n_units; i++) {
                r = match_unit(u, &u->units[i]);
                if (r < 0)
                        return r;
        }
        return call(u, SYSTEMD_PATH, SYSTEMD ".Manager", "Subscribe", NULL, on_subscribed);
}

static int connect_bus(Units *u) {
        int r;

        r = sd_bus_open_system_with_description(&u->bus, "units");
        if (r < 0)
                return r;
        return sd_bus_attach_event(u->bus, u->source.context.event, SOURCE_PRIORITY_READ);
}

static int add_units(Units *u) {
        const char *const *names = origin_units();
        size_t n = 0;

        if (u->units)
                return 0;
        while (names[n])
                n++;
        u->units = calloc(n, sizeof(*u->units));
        if (!u->units)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                u->units[i] = (Unit){.owner = u, .name = names[i]};
        u->n_units = n;
        return 0;
}

static int units_start(Source *s) {
        Units *u = (Units *) s;
        int r;

        r = add_units(u);
        if (r < 0)
                return r;
        r = connect_bus(u);
        if (r < 0) {
                source_degrade(s, r, "Cannot connect to the system bus: %m");
                return r;
        }
        r = sd_event_add_time(s->context.event, &u->resync, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_resync, u);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(u->resync, "units-resync");
        r = sd_event_source_set_enabled(u->resync, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = merge_add_input(intake_merge(s->context.intake), SOURCE_UNITS, &u->input);
        if (r < 0)
                return r;
        merge_set_catching_up(u->input, source_now(&u->source, CLOCK_REALTIME));
        /* The bus keeps the order: all matches are in place before the first question is answered. */
        r = subscribe(u);
        if (r < 0)
                return r;
        enumerate(u);
        return 0;
}

static void units_stop(Source *s) {
        Units *u = (Units *) s;

        u->resync = sd_event_source_disable_unref(u->resync);
        if (u->bus) {
                (void) sd_bus_detach_event(u->bus);
                u->bus = sd_bus_close_unref(u->bus);
        }
        if (u->input)
                u->input = merge_remove_input(u->input);
        for (size_t i = 0; i < u->n_units; i++) {
                json_decref(u->units[i].properties);
                u->units[i].properties = NULL;
        }
        u->is_enumerating = u->is_wanted_again = u->has_no_room = false;
        s->due = 0;
}

static void units_resume(Source *s) {
        Units *u = (Units *) s;

        if (!u->has_no_room || !u->bus)
                return;
        u->has_no_room = false;
        enumerate(u);
}

static void units_done(Source *s) {
        Units *u = (Units *) s;

        free(u->units);
}

/* Those that are installed, with their state. */
static void units_describe(const Source *s, json_t *object) {
        const Units *u = (const Units *) s;
        json_t *units = json_object();

        for (size_t i = 0; i < u->n_units; i++) {
                const UnitState *told = &u->units[i].told;

                if (u->units[i].is_told && strcmp(told->load_state, "not-found") != 0)
                        (void) json_object_set_new(units, told->name, json_string(told->active_state));
        }
        (void) json_object_set_new(object, "units", units);
}

const SourceOps units_source_ops = {
        .name = "units",
        .kind = SOURCE_UNITS,
        .object_bytes = sizeof(Units),
        .start = units_start,
        .stop = units_stop,
        .done = units_done,
        .describe = units_describe,
        .resume = units_resume,
};
