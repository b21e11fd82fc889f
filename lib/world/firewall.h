#pragma once

/* The packet filter's rules, as `iptables-save` prints them, of either of its backends, one after the other.
 * What becomes of a connection that a container opens is worked out, and is told only where it is certain:
 * a rule that tests something else than addresses, links and ports may match or not.
 *
 * A line that begins with FIREWALL_INCOMPLETE says that there are rules beside these: then no absence
 * proves anything. */

#include "lib/base/text.h"

#define FIREWALL_BYTES_MAX  ((size_t) 512 * 1024)
#define FIREWALL_INCOMPLETE "# incomplete: "

/* The first packet of a TCP connection. */
typedef struct FirewallPacket {
        const char *in, *out; /* links; NULL when not known */
        const char *source;   /* an IPv4 address or subnet */
        unsigned destination_port;
} FirewallPacket;

/* Whether it passes the chain FORWARD: 1, 0 and *ret_rule (borrowed from `saved`, or a literal) that drops
 * or rejects it, or -ENODATA when that cannot be told. */
int firewall_passes(Text saved, const FirewallPacket *p, Text *ret_rule);

/* Whether its source address is translated on the way out: 1, 0, or -ENODATA. */
int firewall_translates(Text saved, const FirewallPacket *p);
