/* Plays the part of PID 1 on a test's own bus: as much of org.freedesktop.systemd1 as the source `units`
 * asks for, with the habits that matter. It sends nothing before Subscribe was called, loads units that are
 * asked for, and tells one change in two messages, the service's first.
 *
 * Standard input, one command a line:
 *   set UNIT LOAD ACTIVE SUB FILE RESULT RESTARTS STATUS   without telling anybody
 *   pid UNIT PID                                           likewise: its main process
 *   change UNIT …                                          likewise, then tells of it
 *   signal Reloading|UnitFilesChanged
 *   appear                                                 takes its name on the bus
 *   leave                                                  gives it up
 *   finish JOB RESULT                                      ends a job; one that is "done" changed its unit
 *   refuse N                                               of the changes of unit files to come the N-th
 * Prints "ready" once it is on the bus, "done" after each command, and "job JOB start|stop|restart UNIT" for
 * each that is asked for. */

#include <stdio.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "lib/base/macro.h"

#define SYSTEMD   "org.freedesktop.systemd1"
#define PREFIX    "/org/freedesktop/systemd1/unit"
#define JOBS      "/org/freedesktop/systemd1/job/"
#define UNITS_MAX 64
#define JOBS_MAX  1024

typedef struct Unit {
        char name[128], load[32], active[32], sub[32], file[32], result[32];
        uint32_t n_restarts, n_invocations, main_pid;
        int32_t status;
} Unit;

typedef struct Job {
        Unit *unit; /* NULL when it ended */
        bool up;
} Job;

typedef struct Fake {
        sd_bus *bus;
        Unit units[UNITS_MAX];
        size_t n_units;
        Job jobs[JOBS_MAX];
        size_t n_jobs;
        bool is_subscribed;
        char subscriber[64]; /* the last one */
        unsigned refuse_in;  /* 0: none */
} Fake;

static Unit *load(Fake *f, const char *name) {
        Unit *u;

        for (size_t i = 0; i < f->n_units; i++)
                if (strcmp(f->units[i].name, name) == 0)
                        return &f->units[i];
        if (f->n_units >= UNITS_MAX)
                return NULL;
        u = &f->units[f->n_units++];
        *u = (Unit){.load = "not-found", .active = "inactive", .sub = "dead", .result = "success"};
        (void) snprintf(u->name, sizeof(u->name), "%s", name);
        return u;
}

static int find(
        sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret, sd_bus_error *e) {
        _cleanup_(freep) char *name = NULL;

        if (sd_bus_path_decode(path, PREFIX, &name) <= 0)
                return 0;
        *ret = load(userdata, name);
        return *ret != NULL;
}

static int find_service(
        sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret, sd_bus_error *e) {
        int r = find(bus, path, interface, userdata, ret, e);

        return r > 0 && strstr(((Unit *) *ret)->name, ".service") ? r : 0;
}

static int on_subscribe(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        Fake *f = userdata;
        const char *sender = sd_bus_message_get_sender(m);

        if (sender && strcmp(f->subscriber, sender) == 0)
                return sd_bus_error_set(e, SYSTEMD ".AlreadySubscribed", "Client is already subscribed.");
        (void) snprintf(f->subscriber, sizeof(f->subscriber), "%s", sender ? sender : "");
        f->is_subscribed = true;
        return sd_bus_reply_method_return(m, NULL);
}

static int add_job(sd_bus_message *m, Fake *f, const char *type) {
        const char *name, *mode;
        char path[64];
        Unit *unit;
        int r;

        r = sd_bus_message_read(m, "ss", &name, &mode);
        if (r < 0)
                return r;
        unit = load(f, name);
        if (!unit || f->n_jobs >= JOBS_MAX)
                return -ENOBUFS;
        (void) snprintf(path, sizeof(path), JOBS "%zu", f->n_jobs);
        f->jobs[f->n_jobs] = (Job){.unit = unit, .up = strcmp(type, "stop") != 0};
        unit->n_invocations += f->jobs[f->n_jobs].up;
        r = sd_bus_reply_method_return(m, "o", path);
        if (r < 0)
                return r;
        (void) printf("job %zu %s %s\n", f->n_jobs++, type, name);
        (void) fflush(stdout);
        return r;
}

static int on_start(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        return add_job(m, userdata, "start");
}

static int on_stop(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        return add_job(m, userdata, "stop");
}

static int on_restart(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        return add_job(m, userdata, "restart");
}

static int change_file(sd_bus_message *m, Fake *f, const char *load_state, const char *file) {
        _cleanup_(freep) char **names = NULL;
        Unit *unit;
        int r;

        r = sd_bus_message_read_strv(m, &names);
        if (r < 0)
                return r;
        unit = names && names[0] ? load(f, names[0]) : NULL;
        for (char **name = names; name && *name; name++)
                free(*name);
        if (!unit)
                return -ENOBUFS;
        if (f->refuse_in > 0 && --f->refuse_in == 0)
                return -EROFS;
        if (strcmp(unit->load, "masked") == 0 && strcmp(file, "enabled") == 0)
                return -ESHUTDOWN;
        if (load_state)
                (void) snprintf(unit->load, sizeof(unit->load), "%s", load_state);
        (void) snprintf(unit->file, sizeof(unit->file), "%s", file);
        return 0;
}

static int on_enable(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        int r = change_file(m, userdata, NULL, "enabled");

        return r < 0 ? r : sd_bus_reply_method_return(m, "ba(sss)", true, 0);
}

static int on_disable(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        int r = change_file(m, userdata, NULL, "disabled");

        return r < 0 ? r : sd_bus_reply_method_return(m, "a(sss)", 0);
}

static int on_mask(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        int r = change_file(m, userdata, "masked", "masked");

        return r < 0 ? r : sd_bus_reply_method_return(m, "a(sss)", 0);
}

static int on_unmask(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        int r = change_file(m, userdata, "loaded", "disabled");

        return r < 0 ? r : sd_bus_reply_method_return(m, "a(sss)", 0);
}

static int on_reload(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        return sd_bus_reply_method_return(m, NULL);
}

/* Something that no source wants, of a type none expects, as the real one has by the hundred. */
static int get_other(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *e) {
        return sd_bus_message_append(reply, "a(sb)", 2, "one", true, "two", false);
}

static int get_string(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *e) {
        return sd_bus_message_append_basic(reply, 's', userdata);
}

/* 16 bytes that are others after each start. */
static int get_invocation(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *e) {
        uint32_t id[4] = {*(uint32_t *) userdata + 1};

        return sd_bus_message_append_array(reply, 'y', id, sizeof(id));
}

#define STRING(name, member) SD_BUS_PROPERTY(name, "s", get_string, offsetof(Unit, member), 0)
#define CHANGING(name, member)                                                                              \
        SD_BUS_PROPERTY(name, "s", get_string, offsetof(Unit, member), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

static const sd_bus_vtable unit_vtable[] = {
        SD_BUS_VTABLE_START(0),
        STRING("LoadState", load),
        CHANGING("ActiveState", active),
        CHANGING("SubState", sub),
        STRING("UnitFileState", file),
        SD_BUS_PROPERTY("InvocationID", "ay", get_invocation, offsetof(Unit, n_invocations), 0),
        SD_BUS_PROPERTY("Conditions", "a(sb)", get_other, 0, 0),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable service_vtable[] = {
        SD_BUS_VTABLE_START(0),
        CHANGING("Result", result),
        SD_BUS_PROPERTY(
                "NRestarts", "u", NULL, offsetof(Unit, n_restarts), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("MainPID", "u", NULL, offsetof(Unit, main_pid), 0),
        SD_BUS_PROPERTY(
                "ExecMainStatus", "i", NULL, offsetof(Unit, status), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Subscribe", "", "", on_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("StartUnit", "ss", "o", on_start, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("StopUnit", "ss", "o", on_stop, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("RestartUnit", "ss", "o", on_restart, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("EnableUnitFiles", "asbb", "ba(sss)", on_enable, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("DisableUnitFiles", "asb", "a(sss)", on_disable, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("MaskUnitFiles", "asbb", "a(sss)", on_mask, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("UnmaskUnitFiles", "asb", "a(sss)", on_unmask, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Reload", "", "", on_reload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
        SD_BUS_SIGNAL("Reloading", "b", 0),
        SD_BUS_SIGNAL("UnitFilesChanged", "", 0),
        SD_BUS_VTABLE_END,
};

static int set(Fake *f, const char *arguments, Unit **ret) {
        char name[128];
        Unit parsed = {}, *u;

        if (sscanf(arguments, "%127s %31s %31s %31s %31s %31s %u %d", name, parsed.load, parsed.active,
                    parsed.sub, parsed.file, parsed.result, &parsed.n_restarts, &parsed.status) != 8)
                return -EINVAL;
        u = load(f, name);
        if (!u)
                return -ENOBUFS;
        (void) snprintf(parsed.name, sizeof(parsed.name), "%s", name);
        parsed.n_invocations = u->n_invocations;
        parsed.main_pid = u->main_pid;
        *u = parsed;
        *ret = u;
        return 0;
}

static int set_pid(Fake *f, const char *arguments) {
        char name[128];
        uint32_t pid;
        Unit *u;

        if (sscanf(arguments, "%127s %u", name, &pid) != 2)
                return -EINVAL;
        u = load(f, name);
        if (!u)
                return -ENOBUFS;
        u->main_pid = pid;
        return 0;
}

static int emit(Fake *f, const Unit *u) {
        _cleanup_(freep) char *path = NULL;
        int r = sd_bus_path_encode(PREFIX, u->name, &path);

        if (r < 0 || !f->is_subscribed)
                return r;
        if (strstr(u->name, ".service"))
                r = sd_bus_emit_properties_changed(
                        f->bus, path, SYSTEMD ".Service", "Result", "NRestarts", "ExecMainStatus", NULL);
        if (r < 0)
                return r;
        return sd_bus_emit_properties_changed(
                f->bus, path, SYSTEMD ".Unit", "ActiveState", "SubState", NULL);
}

static int emit_signal(Fake *f, const char *name) {
        int r;

        if (strcmp(name, "UnitFilesChanged") == 0)
                return sd_bus_emit_signal(
                        f->bus, "/org/freedesktop/systemd1", SYSTEMD ".Manager", name, NULL);
        r = sd_bus_emit_signal(f->bus, "/org/freedesktop/systemd1", SYSTEMD ".Manager", name, "b", true);
        if (r < 0)
                return r;
        return sd_bus_emit_signal(f->bus, "/org/freedesktop/systemd1", SYSTEMD ".Manager", name, "b", false);
}

static int finish(Fake *f, const char *arguments) {
        char result[32], path[64];
        Unit *unit;
        size_t job;
        int r;

        if (sscanf(arguments, "%zu %31s", &job, result) != 2 || job >= f->n_jobs || !f->jobs[job].unit)
                return -EINVAL;
        unit = f->jobs[job].unit;
        if (strcmp(result, "done") == 0) {
                bool up = f->jobs[job].up;

                (void) snprintf(unit->active, sizeof(unit->active), "%s", up ? "active" : "inactive");
                (void) snprintf(unit->sub, sizeof(unit->sub), "%s", up ? "running" : "dead");
        }
        f->jobs[job].unit = NULL;
        (void) snprintf(path, sizeof(path), JOBS "%zu", job);
        r = emit(f, unit);
        return r < 0 ? r
                     : sd_bus_emit_signal(f->bus, "/org/freedesktop/systemd1", SYSTEMD ".Manager",
                               "JobRemoved", "uoss", (uint32_t) job, path, unit->name, result);
}

static int execute(Fake *f, char *line) {
        Unit *u;
        int r;

        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0')
                return 0;
        if (strncmp(line, "set ", 4) == 0)
                return set(f, line + 4, &u);
        if (strncmp(line, "change ", 7) == 0) {
                r = set(f, line + 7, &u);
                return r < 0 ? r : emit(f, u);
        }
        if (strncmp(line, "pid ", 4) == 0)
                return set_pid(f, line + 4);
        if (strncmp(line, "signal ", 7) == 0)
                return emit_signal(f, line + 7);
        if (strncmp(line, "finish ", 7) == 0)
                return finish(f, line + 7);
        if (sscanf(line, "refuse %u", &f->refuse_in) == 1)
                return 0;
        if (strcmp(line, "leave") == 0) {
                f->is_subscribed = false;
                f->subscriber[0] = '\0';
                return sd_bus_release_name(f->bus, SYSTEMD);
        }
        if (strcmp(line, "appear") == 0)
                return sd_bus_request_name(f->bus, SYSTEMD, 0);
        return -EINVAL;
}

static int on_input(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Fake *f = userdata;
        char line[512];
        int r;

        if (!fgets(line, sizeof(line), stdin))
                return sd_event_exit(sd_event_source_get_event(source), 0);
        r = execute(f, line);
        if (r < 0)
                return r;
        r = sd_bus_flush(f->bus);
        if (r < 0)
                return r;
        (void) printf("done\n");
        (void) fflush(stdout);
        return 0;
}

static int run(Fake *f) {
        sd_event *event = NULL;
        int r;

        r = sd_event_new(&event);
        if (r >= 0)
                r = sd_bus_open_system(&f->bus);
        if (r >= 0)
                r = sd_bus_attach_event(f->bus, event, 0);
        if (r >= 0)
                r = sd_bus_add_object_vtable(
                        f->bus, NULL, "/org/freedesktop/systemd1", SYSTEMD ".Manager", manager_vtable, f);
        if (r >= 0)
                r = sd_bus_add_fallback_vtable(f->bus, NULL, PREFIX, SYSTEMD ".Unit", unit_vtable, find, f);
        if (r >= 0)
                r = sd_bus_add_fallback_vtable(
                        f->bus, NULL, PREFIX, SYSTEMD ".Service", service_vtable, find_service, f);
        if (r >= 0)
                r = sd_event_add_io(event, NULL, STDIN_FILENO, EPOLLIN, on_input, f);
        if (r >= 0) {
                (void) setvbuf(stdin, NULL, _IONBF, 0); /* what stdio read ahead would wake nobody */
                (void) printf("ready\n");
                (void) fflush(stdout);
                r = sd_event_loop(event);
        }
        (void) sd_bus_flush_close_unref(f->bus);
        (void) sd_event_unref(event);
        return r;
}

int main(void) {
        static Fake fake;
        int r = run(&fake);

        if (r < 0)
                (void) fprintf(stderr, "fake-systemd: %s\n", strerror(-r));
        return r < 0 ? 1 : 0;
}
