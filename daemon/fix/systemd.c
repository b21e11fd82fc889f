/* The trap: JobRemoved is sent only to those who subscribed, and may come before the reply that names the
 * job. sd_bus_call() leaves signals in the queue, so the match sees it when the name is known. */

#include "daemon/fix/systemd.h"

#include <stdio.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/fix/context.h"

#define SYSTEMD           "org.freedesktop.systemd1"
#define MANAGER_PATH      "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE SYSTEMD ".Manager"
#define CALL_TIME         (25 * USEC_PER_SEC)

typedef struct Job {
        const char *path;
        char result[32]; /* "" until it ended */
} Job;

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *path, *unit, *result;
        Job *job = userdata;
        uint32_t id;

        if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
                return 0;
        if (strcmp(path, job->path) == 0)
                (void) snprintf(job->result, sizeof(job->result), "%s", result);
        return 0;
}

/* A job need never end: its unit hangs, or what says so is lost. */
static int wait_for(sd_bus *bus, Job *job, usec_t time) {
        usec_t deadline = usec_add(monotonic_now(), time);

        while (job->result[0] == '\0') {
                int r = sd_bus_process(bus, NULL);

                if (r < 0)
                        return r;
                if (monotonic_now() >= deadline && job->result[0] == '\0')
                        return -ETIMEDOUT;
                if (r > 0)
                        continue;
                r = sd_bus_wait(bus, USEC_PER_SEC);
                if (r < 0 && r != -EINTR)
                        return r;
        }
        return 0;
}

static int call(
        sd_bus *bus, sd_bus_message **ret, char **ret_why, const char *method, const char *types, ...) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        va_list args;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, SYSTEMD, MANAGER_PATH, MANAGER_INTERFACE, method);
        if (r < 0)
                return r;
        va_start(args, types);
        r = sd_bus_message_appendv(m, types, args);
        va_end(args);
        if (r >= 0)
                r = sd_bus_call(bus, m, CALL_TIME, &error, ret);
        return r < 0 ? because(ret_why, r, "systemd: %s", error.message ? error.message : strerror(-r)) : 0;
}

/* For each job, as nobody knows whether it was done on this connection: the second time is an error. */
static int subscribe(sd_bus *bus, char **ret_why) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = sd_bus_call_method(
                bus, SYSTEMD, MANAGER_PATH, MANAGER_INTERFACE, "Subscribe", &error, NULL, "");

        if (r >= 0 || sd_bus_error_has_name(&error, SYSTEMD ".AlreadySubscribed"))
                return 0;
        return because(ret_why, r, "systemd: %s", error.message ? error.message : strerror(-r));
}

static int run_job(sd_bus *bus, const char *method, const char *unit, usec_t time, char **ret_why) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        Job job = {};
        int r;

        r = sd_bus_match_signal(
                bus, &slot, SYSTEMD, MANAGER_PATH, MANAGER_INTERFACE, "JobRemoved", on_job_removed, &job);
        if (r < 0)
                return r;
        r = subscribe(bus, ret_why);
        if (r >= 0)
                r = call(bus, &reply, ret_why, method, "ss", unit, "replace");
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &job.path);
        if (r < 0)
                return r;
        r = wait_for(bus, &job, time);
        if (r < 0)
                return because(ret_why, r, "%s of %s did not end: %s", method, unit, strerror(-r));
        if (strcmp(job.result, "done") != 0)
                return because(ret_why, -EIO, "%s of %s: %s", method, unit, job.result);
        return 0;
}

static int queue_job(sd_bus *bus, const char *method, const char *unit, usec_t time, char **ret_why) {
        return call(bus, NULL, ret_why, method, "ss", unit, "replace");
}

static int change_files(sd_bus *bus, const char *method, const char *unit, usec_t time, char **ret_why) {
        bool has_force = strcmp(method, "EnableUnitFiles") == 0 || strcmp(method, "MaskUnitFiles") == 0;
        int r;

        if (has_force)
                r = call(bus, NULL, ret_why, method, "asbb", 1, unit, 0, 0);
        else
                r = call(bus, NULL, ret_why, method, "asb", 1, unit, 0);
        return r < 0 ? r : call(bus, NULL, ret_why, "Reload", "");
}

static const struct {
        const char *verb, *method;
        int (*run)(sd_bus *bus, const char *method, const char *unit, usec_t time, char **ret_why);
} verbs[] = {
        {"disable", "DisableUnitFiles", change_files},
        {"enable", "EnableUnitFiles", change_files},
        {"mask", "MaskUnitFiles", change_files},
        {"queue-start", "StartUnit", queue_job},
        {"restart", "RestartUnit", run_job},
        {"start", "StartUnit", run_job},
        {"stop", "StopUnit", run_job},
        {"unmask", "UnmaskUnitFiles", change_files},
};

bool systemd_knows(const char *verb) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (strcmp(verbs[i].verb, verb) == 0)
                        return true;
        return false;
}

int systemd_do(sd_bus *bus, const char *verb, const char *unit, usec_t time, char **ret_why) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (strcmp(verbs[i].verb, verb) == 0)
                        return verbs[i].run(bus, verbs[i].method, unit, time, ret_why);
        return -EOPNOTSUPP;
}

static void read_property(sd_bus *bus, const char *path, const char *name, char *ret, size_t size) {
        _cleanup_(freep) char *text = NULL;

        if (sd_bus_get_property_string(bus, SYSTEMD, path, SYSTEMD ".Unit", name, NULL, &text) >= 0)
                (void) snprintf(ret, size, "%s", text);
}

static void read_invocation(sd_bus *bus, const char *path, char ret[static SD_ID128_STRING_MAX]) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const void *bytes;
        sd_id128_t id;
        size_t n;

        if (sd_bus_get_property(bus, SYSTEMD, path, SYSTEMD ".Unit", "InvocationID", NULL, &m, "ay") < 0 ||
                sd_bus_message_read_array(m, 'y', &bytes, &n) < 0 || n != sizeof(id))
                return;
        memcpy(&id, bytes, sizeof(id));
        (void) sd_id128_to_string(id, ret);
}

int systemd_look(sd_bus *bus, const char *unit, UnitFacts *ret) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path);
        if (r < 0)
                return r;
        *ret = (UnitFacts){};
        read_property(bus, path, "LoadState", ret->load, sizeof(ret->load));
        read_property(bus, path, "ActiveState", ret->active, sizeof(ret->active));
        read_property(bus, path, "UnitFileState", ret->file, sizeof(ret->file));
        read_invocation(bus, path, ret->invocation);
        (void) sd_bus_get_property_trivial(
                bus, SYSTEMD, path, SYSTEMD ".Service", "MainPID", NULL, 'u', &ret->main_pid);
        return ret->active[0] ? 0 : -ENODATA;
}
