#pragma once

/* Files of sysctl.d(5), as far as it takes to know which one has the last word about a setting. */

#include "lib/base/text.h"

/* The last value that the file gives the setting ("net.ipv4.ip_forward"), however it spells it: with
 * slashes, a leading "-", a pattern. Returns whether it gives one. */
bool sysctl_conf_value(Text content, const char *setting, Text *ret_value);

#define SYSCTL_NAME_MAX 256
/* A name for a file that is read after `rival` (a file name; NULL: after the distribution's own).
 * -ENAMETOOLONG. */
int sysctl_conf_name_after(const char *rival, char ret[static SYSCTL_NAME_MAX]);
