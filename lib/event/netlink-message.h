#pragma once

/* Decodes rtnetlink messages (RTM_*LINK, *ADDR, *ROUTE, *NETCONF) into events. Pure; lengths are checked by
 * libmnl. */

#include <linux/netlink.h>

#include "lib/event/event.h"

/* Names of links by index: routes and addresses name only the index. The decoder learns from the link
 * messages it sees. */
typedef struct NetlinkDecoder NetlinkDecoder;

int netlink_decoder_new(NetlinkDecoder **ret);
NetlinkDecoder *netlink_decoder_free(NetlinkDecoder *d);
DEFINE_CLEANUP(NetlinkDecoder, netlink_decoder_free);

/* nlh must lie whole within its buffer (mnl_nlmsg_ok). Returns 1 and an event without time, 0 for a message
 * of no interest (cached routes, other tables than main and default, other families), -EBADMSG when
 * malformed. */
int netlink_decoder_decode(NetlinkDecoder *d, const struct nlmsghdr *nlh, Event *ret);
