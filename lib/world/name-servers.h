#pragma once

/* The name servers of a resolv.conf, and which of them a container can use. */

#include "lib/base/text.h"

#define NAME_SERVERS_USABLE_MAX 3 /* more are not asked: resolv.conf(5), MAXNS */
#define NAME_SERVER_MAX         64

typedef struct NameServers {
        size_t n, n_usable, n_loopback;
        char text[256]; /* all of them, for people: "127.0.0.53, fe80::1%eth0" */
        char usable[NAME_SERVERS_USABLE_MAX][NAME_SERVER_MAX]; /* the first n_usable of these, at most */
} NameServers;

/* Loopback addresses, that of nobody and link-local ones mean something else in a container's network; IPv6
 * ones need IPv6 in it.
 */
void name_servers_read(Text resolv_conf, bool has_ipv6, NameServers *ret);
