/* The packet filter's rules: firewall_passes() and firewall_translates(). */

#include "lib/world/firewall.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const FirewallPacket packet = {
                .in = "br-1", .out = "eth0", .source = "172.18.0.0/16", .destination_port = 443};
        Text saved = {(const char *) data, size}, rule;

        (void) firewall_passes(saved, &packet, &rule);
        (void) firewall_translates(saved, &packet);
        return 0;
}
