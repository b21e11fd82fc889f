#pragma once

/* The tables of nftables that iptables-save does not print: those of firewalld, of nft's own users. */

#include "lib/base/buffer.h"

/* Appends a line FIREWALL_INCOMPLETE with the name of each. Returns 0, also where the kernel has no
 * nftables, or a negative errno. */
int filter_tables_tell(Buffer *saved);
