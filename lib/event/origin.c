/* Which units and containers are whose, in all eras of the product and both ways of packaging it.
 *
 * Promise: the one place that knows these names. Socket units are listed with their service, because systemd
 * speaks about them too. */

#include "lib/event/event.h"

#include "lib/base/word.h"

static const char *const origin_names[] = {
        [ORIGIN_OTHER] = "other",
        [ORIGIN_RUNTIME] = "runtime",
        [ORIGIN_IDENTITY] = "identity",
        [ORIGIN_KEYD] = "keyd",
        [ORIGIN_CERTD] = "certd",
        [ORIGIN_TPMD] = "tpmd",
        [ORIGIN_DOCKER] = "docker",
        [ORIGIN_KERNEL] = "kernel",
        [ORIGIN_SYSTEMD] = "systemd",
        [ORIGIN_AGENT] = "agent",
        [ORIGIN_HUB] = "hub",
        [ORIGIN_MODULE] = "module",
        [ORIGIN_DEVICE] = "device",
};

const char *origin_to_string(Origin origin) {
        return origin >= 0 && origin < ORIGIN_X_MAX ? origin_names[origin] : NULL;
}

Origin origin_from_string(Text name) {
        return (Origin) word_find(origin_names, ORIGIN_X_MAX, name);
}

#define UNITS(X)                                                                                            \
        /* 1.2 and later */                                                                                 \
        X("aziot-edged.service", ORIGIN_RUNTIME)                                                            \
        X("aziot-edged.mgmt.socket", ORIGIN_RUNTIME)                                                        \
        X("aziot-edged.workload.socket", ORIGIN_RUNTIME)                                                    \
        X("aziot-identityd.service", ORIGIN_IDENTITY)                                                       \
        X("aziot-identityd.socket", ORIGIN_IDENTITY)                                                        \
        X("aziot-keyd.service", ORIGIN_KEYD)                                                                \
        X("aziot-keyd.socket", ORIGIN_KEYD)                                                                 \
        X("aziot-certd.service", ORIGIN_CERTD)                                                              \
        X("aziot-certd.socket", ORIGIN_CERTD)                                                               \
        X("aziot-tpmd.service", ORIGIN_TPMD)                                                                \
        X("aziot-tpmd.socket", ORIGIN_TPMD)                                                                 \
        /* snaps */                                                                                         \
        X("snap.azure-iot-edge.aziot-edged.service", ORIGIN_RUNTIME)                                        \
        X("snap.azure-iot-identity.identityd.service", ORIGIN_IDENTITY)                                     \
        X("snap.azure-iot-identity.keyd.service", ORIGIN_KEYD)                                              \
        X("snap.azure-iot-identity.certd.service", ORIGIN_CERTD)                                            \
        X("snap.azure-iot-identity.tpmd.service", ORIGIN_TPMD)                                              \
        X("snap.docker.dockerd.service", ORIGIN_DOCKER)                                                     \
        /* 1.0 and 1.1 */                                                                                   \
        X("iotedge.service", ORIGIN_RUNTIME)                                                                \
        X("iotedge.socket", ORIGIN_RUNTIME)                                                                 \
        X("iotedge.mgmt.socket", ORIGIN_RUNTIME)                                                            \
        /* the engine, packaged as docker or moby */                                                        \
        X("docker.service", ORIGIN_DOCKER)                                                                  \
        X("docker.socket", ORIGIN_DOCKER)

#define UNIT_NAME(name, origin) (name),
#define UNIT_ROW(name, origin)  {TEXT_LITERAL(name), (origin)},

static const char *const unit_names[] = {UNITS(UNIT_NAME) NULL};

static const struct {
        Text name;
        Origin origin;
} units[] = {UNITS(UNIT_ROW)};

Origin origin_of_unit(Text unit) {
        FOREACH_ARRAY (u, units, ELEMENTSOF(units))
                if (text_equals(unit, u->name))
                        return u->origin;
        return ORIGIN_OTHER;
}

const char *const *origin_units(void) {
        return unit_names;
}

Origin origin_of_module(Text name) {
        if (text_is(name, "edgeAgent"))
                return ORIGIN_AGENT;
        return text_is(name, "edgeHub") ? ORIGIN_HUB : ORIGIN_MODULE;
}
