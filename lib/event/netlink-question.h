#pragma once

/* What the kernel is asked, and what it is told to tell of changes, to know links, addresses, routes and
 * forwarding. Pure: no socket in here. */

#include <linux/rtnetlink.h>

#include "lib/base/macro.h"

#define NETLINK_GROUPS         7
#define NETLINK_QUESTIONS      6
#define NETLINK_QUESTION_BYTES (NLMSG_ALIGN(sizeof(struct nlmsghdr)) + NLMSG_ALIGN(sizeof(struct ifinfomsg)))

/* To be joined before anything is asked. */
extern const unsigned netlink_groups[NETLINK_GROUPS];

/* Writes the i-th question, for all there is of one kind; links come first, as what follows names them by
 * index. They are asked one after the other: the kernel answers one at a time on a socket. */
struct nlmsghdr *netlink_question(size_t i, uint32_t seq, uint8_t buffer[static NETLINK_QUESTION_BYTES]);
