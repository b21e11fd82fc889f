/* Do the daemons answer, and are their units as they should be? The trap: the identity services are started
 * by their sockets, so `inactive` is well as long as the socket listens. */

#include <string.h>

#include "daemon/ctl/check/check.h"

#define RESTARTS_WARNING 5

static int check_running(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const json_t *asked = json_object_get(f->sockets, check->argument);
        int error = (int) json_integer_value(asked);

        if (check_is_old_runtime(f))
                return check_skipped(a, "IoT Edge 1.0 and 1.1 have no such service");
        if (!asked)
                return check_skipped(a, "%s was not asked", check->argument);
        if (error == 0)
                return check_ok(a, "%s answers", check->argument);
        if (error == EACCES)
                return check_skipped(a, "%s may not be asked: not root", check->argument);
        if (strstr(check->argument, "tpmd"))
                return check_skipped(
                        a, "%s: %s; it is needed with a TPM only", check->argument, strerror(error));
        return check_error(a, "%s: %s", check->argument, strerror(error));
}

static int check_sockets(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        static const char *const units[] = {"aziot-edged.mgmt.socket", "aziot-edged.workload.socket",
                "aziot-identityd.socket", "aziot-keyd.socket", "aziot-certd.socket"};
        int r;

        r = check_by_probe(
                f, "daemon-sockets", check_is_old_runtime(f) ? "iotedge.service" : "aziot-edged.service", a);
        FOREACH_ARRAY (name, units, ELEMENTSOF(units)) {
                const UnitState *u = world_unit(f->world, *name);

                if (r < 0 || check_is_old_runtime(f))
                        return r;
                if (!u || strcmp(u->load_state, "not-found") == 0 || strcmp(u->active_state, "active") == 0)
                        continue;
                r = check_error(a, "%s is %s; start it with `systemctl enable --now %s`", *name,
                        u->active_state, *name);
        }
        return r < 0 ? r : 0;
}

typedef struct UnitSearch {
        CheckAnswer *answer;
        size_t n_seen;
        int error;
} UnitSearch;

static bool judge_unit(void *userdata, const UnitState *u) {
        UnitSearch *s = userdata;

        if (!text_ends_with(text_of(u->name), ".service") || strcmp(u->load_state, "not-found") == 0)
                return true;
        s->n_seen++;
        if (strcmp(u->active_state, "failed") == 0)
                s->error = check_error(s->answer, "%s has failed (%s, exit status %d)%s", u->name, u->result,
                        u->exit_status,
                        u->exit_status == 153
                                ? ": its settings cannot be loaded, and systemd does not start it again"
                                : "");
        else if (strcmp(u->sub_state, "auto-restart") == 0)
                s->error = check_error(s->answer, "%s ends again and again (%d restarts, exit status %d)",
                        u->name, u->n_restarts, u->exit_status);
        else if (u->n_restarts >= RESTARTS_WARNING)
                s->error = check_warning(s->answer, "%s was restarted %d times", u->name, u->n_restarts);
        return s->error >= 0;
}

static int check_units(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        UnitSearch search = {.answer = a};

        world_each_unit(f->world, judge_unit, &search);
        if (search.error < 0)
                return search.error;
        return search.n_seen > 0
                ? 0
                : check_skipped(a, "systemd cannot be asked about units, or knows none of them");
}

static const Check checks[] = {
        {"keyd-running", "keyd is running", NULL, "/run/aziot/keyd.sock", 0, check_running},
        {"certd-running", "certd is running", NULL, "/run/aziot/certd.sock", 0, check_running},
        {"tpmd-running", "tpmd is running", NULL, "/run/aziot/tpmd.sock", 0, check_running},
        {"identityd-running", "identityd is running", NULL, "/run/aziot/identityd.sock", 0, check_running},
        {"socket-units", "the daemons' sockets are open", NULL, NULL, 0, check_sockets},
        {"service-units", "no service of the runtime or the engine has failed or restarts again and again",
                NULL, NULL, 0, check_units},
};

const CheckGroup check_group_services = {"Services", checks, ELEMENTSOF(checks)};
