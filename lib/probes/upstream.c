/* See the header. IOTEDGE_IOTHUBHOSTNAME is on edgeAgent's container even when the hub was assigned by DPS;
 * IOTEDGE_GATEWAYHOSTNAME only when there is a parent. */

#include "lib/probes/upstream.h"

#include <stdio.h>

static bool is_hostname(const char *s) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

        return n > 0 && n < UPSTREAM_HOST_MAX && s[n] == '\0';
}

static const char *from_configuration(const Fact *f) {
        static const char *const keys[] = {"parent_hostname", "iothub_hostname"};

        for (size_t i = 0; f->state == FACT_KNOWN && i < ELEMENTSOF(keys); i++) {
                const char *value = json_string_value(json_object_get(f->value, keys[i]));

                if (value && is_hostname(value))
                        return value;
        }
        return NULL;
}

int upstream_host(World *w, usec_t now, char ret[static UPSTREAM_HOST_MAX]) {
        const Container *agent = world_container(w, "edgeAgent");
        const char *host = NULL;
        const Fact *f;

        if (agent) {
                host = container_getenv(agent, "IOTEDGE_GATEWAYHOSTNAME");
                if (!host)
                        host = container_getenv(agent, "IOTEDGE_IOTHUBHOSTNAME");
        }
        if (!host || !is_hostname(host)) {
                f = world_fact(w, now, 0, "runtime-config");
                if (f && f->state == FACT_PENDING)
                        return -EAGAIN;
                host = f ? from_configuration(f) : NULL;
        }
        if (!host)
                return 0;
        (void) snprintf(ret, UPSTREAM_HOST_MAX, "%s", host);
        return 1;
}

bool fact_result_is(const Fact *f, const char *result) {
        const char *value =
                f->state == FACT_KNOWN ? json_string_value(json_object_get(f->value, "result")) : NULL;

        return value && strcmp(value, result) == 0;
}

const char *fact_detail(const Fact *f) {
        const char *detail =
                f->state == FACT_KNOWN ? json_string_value(json_object_get(f->value, "detail")) : NULL;

        return detail ? detail : "";
}
