#include "lib/world/name-servers.h"

#include <arpa/inet.h>
#include <stdio.h>

#define KEYWORD "nameserver"

static bool is_loopback(const char *server) {
        return text_starts_with(text_of(server), "127.") || strcmp(server, "::1") == 0;
}

/* One with a zone ("fe80::1%eth0") is no address to inet_pton() either. */
static bool is_usable(const char *server, bool has_ipv6) {
        unsigned char address[sizeof(struct in6_addr)];

        if (is_loopback(server))
                return false;
        if (inet_pton(AF_INET, server, address) == 1)
                return true;
        return has_ipv6 && inet_pton(AF_INET6, server, address) == 1 &&
                !(address[0] == 0xfe && (address[1] & 0xc0) == 0x80);
}

static void note_server(NameServers *s, Text text, bool has_ipv6) {
        size_t len = strlen(s->text);
        char server[NAME_SERVER_MAX];

        (void) snprintf(server, sizeof(server), "%.*s",
                (int) (text.len < sizeof(server) ? text.len : sizeof(server)), text.data);
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

                if (text_starts_with(line, KEYWORD) && line.len > strlen(KEYWORD))
                        note_server(ret, text_strip(text_skip(line, strlen(KEYWORD))), has_ipv6);
        }
}
