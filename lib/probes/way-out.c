/* See the header. Only what is certain is told: where nftables has tables of its own beside iptables', or a
 * rule tests what is not known, it could be otherwise. */

#include "lib/probes/way-out.h"

#include <stdio.h>

#include "lib/probes/upstream.h"
#include "lib/world/firewall.h"

#define RULE_MAX_BYTES 200

static int describe(const Network *n, Text saved, const FirewallPacket *p, char **ret) {
        Text rule = TEXT_NONE;
        int r = 0;

        if (firewall_passes(saved, p, &rule) == 0)
                r = asprintf(ret,
                        "the host's packet filter drops what the Docker network %s (%s) sends to port %u: "
                        "%.*s",
                        n->name, n->subnet, p->destination_port, (int) text_clip(rule, RULE_MAX_BYTES).len,
                        rule.data);
        else if (firewall_translates(saved, p) == 0)
                r = asprintf(ret,
                        "no rule of the host's packet filter translates addresses of the Docker network %s "
                        "(%s): its MASQUERADE rule is missing, which a restart of the engine brings back",
                        n->name, n->subnet);
        return r < 0 ? -ENOMEM : r > 0;
}

int way_out_obstacle(World *w, usec_t now, usec_t since, unsigned port, char **ret) {
        const Route *uplink = world_default_route(w, FAMILY_INET);
        const Network *n = modules_network(w);
        const Fact *f;

        if (!n || !n->subnet || !n->bridge || n->internal > 0 ||
                (n->driver && strcmp(n->driver, "bridge") != 0))
                return 0;
        f = world_fact(w, now, since, "firewall");
        if (!f)
                return -ENOMEM;
        if (f->state == FACT_PENDING)
                return -EAGAIN;
        if (f->state != FACT_KNOWN || !json_is_string(f->value))
                return 0;
        return describe(n, (Text){json_string_value(f->value), json_string_length(f->value)},
                &(FirewallPacket){.in = n->bridge,
                        .out = uplink ? uplink->dev : NULL,
                        .source = n->subnet,
                        .destination_port = port},
                ret);
}
