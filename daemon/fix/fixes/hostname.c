/* A hostname that cannot be the name of a certificate. Planned only: the runtime takes a new one only after
 * every module container is removed, and downstream devices know the old one. */

#include "daemon/fix/fix-list.h"

#define REMOVE_MODULES                                                                                      \
        "docker rm -f $(docker ps -aq -f "                                                                  \
        "label=net.azure-devices.edge.owner=Microsoft.Azure.Devices.Edge.Agent)"

/* For a runtime since 1.2; what was before has another configuration and another name. */
static const char *const commands[] = {
        "iotedge system stop",
        REMOVE_MODULES,
        "iotedge config apply",
        "systemctl is-active aziot-edged.service   # what is above reports success even when it failed",
};

static const char *const old_commands[] = {
        "systemctl stop iotedge",
        REMOVE_MODULES,
        "systemctl start iotedge",
};

static bool is_old(const FixContext *c) {
        const UnitState *u = world_unit(c->world, "iotedge.service");

        return u && strcmp(u->load_state, "loaded") == 0;
}

static int note_all(FixPlan *p, const char *const *lines, size_t n) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = fix_plan_note(&p->by_person, "%s", lines[i]);
        return r;
}

static int plan(FixContext *c, FixPlan *p) {
        bool old = is_old(c);
        int r;

        r = fix_plan_note(&p->losses,
                "what modules keep inside of their containers, outside of mounts: every one is removed");
        if (r >= 0)
                r = fix_plan_note(&p->by_person,
                        "set hostname in %s to a name of 1 to 64 characters that downstream devices resolve "
                        "(now: %s)",
                        old ? "/etc/iotedge/config.yaml" : "/etc/aziot/config.toml", p->because);
        if (r < 0)
                return r;
        return old ? note_all(p, old_commands, ELEMENTSOF(old_commands))
                   : note_all(p, commands, ELEMENTSOF(commands));
}

const Fix fix_hostname = {
        .name = "hostname",
        .title = "Give the device a hostname that certificates can carry (planned only)",
        .probe = "hostname-length",
        .symptom = "hostname-invalid",
        .subject = "hostname",
        .for_people = true,
        .plan = plan,
};
