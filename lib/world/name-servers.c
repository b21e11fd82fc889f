#include "lib/world/name-servers.h"

#include <arpa/inet.h>
#include <stdio.h>

#define KEYWORD "nameserver"

/* The address of nobody ("0.0.0.0", "::") is the asking host's own, too. */
static bool is_loopback(const char *server) {
        struct in6_addr ipv6;
        struct in_addr ipv4;

        if (inet_pton(AF_INET, server, &ipv4) == 1)
                return ntohl(ipv4.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET ||
                        ipv4.s_addr == htonl(INADDR_ANY);
        return inet_pton(AF_INET6, server, &ipv6) == 1 &&
                (IN6_IS_ADDR_LOOPBACK(&ipv6) || IN6_IS_ADDR_UNSPECIFIED(&ipv6));
}

/* One with a zone ("fe80::1%eth0") is no address to inet_pton() either. */
static bool is_usable(const char *server, bool has_ipv6) {
        struct in6_addr ipv6;
        struct in_addr ipv4;

        if (is_loopback(server))
                return false;
        if (inet_pton(AF_INET, server, &ipv4) == 1)
                return true;
        return has_ipv6 && inet_pton(AF_INET6, server, &ipv6) == 1 && !IN6_IS_ADDR_LINKLOCAL(&ipv6);
}

static size_t word_length(Text t) {
        size_t n = 0;

        while (n < t.len && t.data[n] != ' ' && t.data[n] != '\t')
                n++;
        return n;
}

static void note_server(NameServers *s, Text text, bool has_ipv6) {
        size_t len = strlen(s->text);
        char server[NAME_SERVER_MAX];

        (void) snprintf(server, sizeof(server), "%.*s", (int) text.len, text.data);
        (void) snprintf(s->text + len, sizeof(s->text) - len, "%s%s", len > 0 ? ", " : "", server);
        s->n++;
        if (is_loopback(server))
                s->n_loopback++;
        if (!is_usable(server, has_ipv6))
                return;
        if (s->n_usable < NAME_SERVERS_USABLE_MAX)
                memcpy(s->usable[s->n_usable], server, sizeof(server));
        s->n_usable++;
}

void name_servers_read(Text resolv_conf, bool has_ipv6, NameServers *ret) {
        Text rest = resolv_conf;

        *ret = (NameServers){};
        while (rest.len > 0) {
                Text line = text_strip(text_cut(&rest, '\n'));

                if (!text_is(text_clip(line, word_length(line)), KEYWORD))
                        continue;
                line = text_strip(text_skip(line, strlen(KEYWORD)));
                if (line.len > 0) /* the C library takes no notice of what stands behind it */
                        note_server(ret, text_clip(line, word_length(line)), has_ipv6);
        }
}
