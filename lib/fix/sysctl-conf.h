#pragma once

/* Files of sysctl.d(5), as far as it takes to know which one has the last word about a setting. */

#include "lib/base/text.h"

#define SYSCTL_NAME_MAX 256

/* Where the kernel has a setting. Its first separator says which one it is, and the other one is part of a
 * name: "net.ipv4.conf.eth0/100.forwarding" and "net/ipv4/conf/eth0.100/forwarding" are of the link
 * eth0.100. -EINVAL. */
int sysctl_conf_path(const char *setting, char ret[static SYSCTL_NAME_MAX]);

/* The last value that the file gives the setting ("net.ipv4.ip_forward"), however it spells it: with
 * slashes, a leading "-", a pattern, as the bit of all links that it is. Returns whether it gives one. */
bool sysctl_conf_value(Text content, const char *setting, Text *ret_value);

/* A name for a file that is read after `rival` (a file name; NULL: after the distribution's own).
 * -ENAMETOOLONG. */
int sysctl_conf_name_after(const char *rival, char ret[static SYSCTL_NAME_MAX]);
