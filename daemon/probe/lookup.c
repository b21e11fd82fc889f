/* The trap here: getaddrinfo() after setns() would still use the host's resolv.conf (and its mDNS, its hosts
 * file), and find a name that no container can resolve. So for a container the servers of its own
 * resolv.conf are asked with res_nquery(). Engines keep that file beside the container's data, outside of
 * the container's mount namespace; with another data root it is not found, and what is asked then is only a
 * guess. */

#include "daemon/probe/lookup.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <fcntl.h>
#include <glob.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define RESOLV_CONF_MAX_BYTES 8192
#define DNS_ANSWER_MAX_BYTES  4096

/* As the resolver has them: where the first has no family, the server is the second. */
static struct sockaddr_in container_servers[NAMESERVERS_MAX];
static struct sockaddr_in6 container_servers6[NAMESERVERS_MAX];
static size_t n_container_servers;
static bool is_guess;

/* UID.GID is a folder of its own where the users of containers are mapped to others (userns-remap). */
static const char *const data_roots[] = {
        "/var/lib/docker",
        "/var/lib/docker/*.*",
        "/var/snap/docker/common/var-lib-docker",
        "/var/snap/docker/common/var-lib-docker/*.*",
};

static void add_nameservers(Text content) {
        while (content.len > 0 && n_container_servers < NAMESERVERS_MAX) {
                const char *end = memchr(content.data, '\n', content.len);
                size_t n = end ? (size_t) (end - content.data) : content.len;
                Text line = text_strip(text_clip(content, n));
                char address[INET6_ADDRSTRLEN];
                struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(NAMESERVER_PORT)};
                struct sockaddr_in6 server6 = {.sin6_family = AF_INET6, .sin6_port = htons(NAMESERVER_PORT)};

                content = text_skip(content, n + 1);
                if (!text_starts_with(line, "nameserver "))
                        continue;
                line = text_strip(text_skip(line, strlen("nameserver ")));
                if (line.len >= sizeof(address))
                        continue;
                memcpy(address, line.data, line.len);
                address[line.len] = '\0';
                if (inet_pton(AF_INET, address, &server.sin_addr) == 1)
                        container_servers[n_container_servers++] = server;
                else if (inet_pton(AF_INET6, address, &server6.sin6_addr) == 1)
                        container_servers6[n_container_servers++] = server6;
        }
}

/* Whose it is tells nothing: the folders are the engine's, and what is in the file a container may write. */
static int read_resolv_conf(const char *path) {
        char content[RESOLV_CONF_MAX_BYTES];
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        struct stat st;
        ssize_t n;

        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EPERM;
        n = read(fd, content, sizeof(content));
        if (n < 0)
                return -errno;
        add_nameservers((Text){content, (size_t) n});
        return 0;
}

static void find_resolv_conf(const char *data_root, const char *id) {
        char pattern[256];
        glob_t found = {};

        (void) snprintf(pattern, sizeof(pattern), "%s/containers/%s/resolv.conf", data_root, id);
        if (glob(pattern, 0, NULL, &found) == 0)
                (void) read_resolv_conf(found.gl_pathv[0]);
        globfree(&found);
}

/* Docker's embedded server, which every user-defined network has, and no other. */
#define DOCKER_DNS 0x7f00000bU

int lookup_prepare(const Request *request) {
        if (request->container_id[0] == '\0')
                return setenv("RES_OPTIONS", "timeout:2 attempts:1", 1) < 0 ? -errno : 0;
        for (size_t i = 0; i < ELEMENTSOF(data_roots) && n_container_servers == 0; i++)
                find_resolv_conf(data_roots[i], request->container_id);
        is_guess = n_container_servers == 0;
        if (is_guess)
                container_servers[n_container_servers++] = (struct sockaddr_in){.sin_family = AF_INET,
                        .sin_port = htons(NAMESERVER_PORT),
                        .sin_addr.s_addr = htonl(DOCKER_DNS)};
        return 0;
}

static void fail(Lookup *l, const char *result, const char *detail) {
        l->result = result;
        (void) snprintf(l->detail, sizeof(l->detail), "%s", detail);
}

static void add_address(Lookup *l, const struct sockaddr *address, socklen_t length, uint16_t port) {
        struct sockaddr_storage *a = l->addresses + l->n_addresses;

        if (l->n_addresses >= ADDRESSES_MAX || length > sizeof(*a))
                return;
        memcpy(a, address, length);
        if (address->sa_family == AF_INET)
                ((struct sockaddr_in *) a)->sin_port = htons(port);
        else
                ((struct sockaddr_in6 *) a)->sin6_port = htons(port);
        l->lengths[l->n_addresses++] = length;
}

static void ask_host(const Request *request, Lookup *l) {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
        int r = getaddrinfo(request->host, NULL, &hints, &list);

        if (r == 0)
                for (const struct addrinfo *a = list; a; a = a->ai_next)
                        if (a->ai_family == AF_INET || a->ai_family == AF_INET6)
                                add_address(l, a->ai_addr, a->ai_addrlen, request->port);
        if (list)
                freeaddrinfo(list);
        if (l->n_addresses > 0)
                l->result = "ok";
        else
                fail(l,
                        r == EAI_AGAIN                      ? "timeout"
                                : r == 0 || r == EAI_NONAME ? "no-such-host"
                                                            : "error",
                        r == 0 ? "no address" : gai_strerror(r));
}

static void take_records(const unsigned char *answer, int n, uint16_t port, Lookup *l) {
        ns_msg message;

        if (ns_initparse(answer, n, &message) < 0) {
                fail(l, "error", "the name server's answer makes no sense");
                return;
        }
        for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
                struct sockaddr_in a = {.sin_family = AF_INET};
                ns_rr record;

                if (ns_parserr(&message, ns_s_an, i, &record) < 0 || ns_rr_type(record) != ns_t_a ||
                        ns_rr_rdlen(record) != sizeof(a.sin_addr))
                        continue;
                memcpy(&a.sin_addr, ns_rr_rdata(record), sizeof(a.sin_addr));
                add_address(l, (const struct sockaddr *) &a, sizeof(a), port);
        }
        if (l->n_addresses > 0)
                l->result = "ok";
        else
                fail(l, "no-such-host", "the name has no IPv4 address");
}

static int set_servers(struct __res_state *resolver) {
        resolver->nscount = (int) n_container_servers;
        memcpy(resolver->nsaddr_list, container_servers, n_container_servers * sizeof(container_servers[0]));
        for (size_t i = 0; i < n_container_servers; i++) {
                struct sockaddr_in6 **server = resolver->_u._ext.nsaddrs + i; /* res_nclose() frees it */

                if (container_servers[i].sin_family != 0)
                        continue;
                if (!*server)
                        *server = malloc(sizeof(**server));
                if (!*server)
                        return -ENOMEM;
                **server = container_servers6[i];
        }
        return 0;
}

static void ask_servers(const Request *request, Lookup *l) {
        unsigned char answer[DNS_ANSWER_MAX_BYTES];
        struct __res_state resolver = {};
        int n;

        if (res_ninit(&resolver) < 0 || set_servers(&resolver) < 0) {
                fail(l, "error", "the resolver could not be set up");
                res_nclose(&resolver);
                return;
        }
        /* A packet may be lost, and a second try takes 3 s with one server, 4 s with two. */
        resolver.retrans = 1;
        resolver.retry = n_container_servers < NAMESERVERS_MAX && request->timeout_ms > 4000 ? 2 : 1;
        errno = 0;
        n = res_nquery(&resolver, request->host, ns_c_in, ns_t_a, answer, sizeof(answer));
        if (n >= 0)
                take_records(answer, n, request->port, l);
        else if (resolver.res_h_errno == HOST_NOT_FOUND || resolver.res_h_errno == NO_DATA)
                fail(l, "no-such-host", "the name server does not know the name");
        else if (errno == ECONNREFUSED)
                fail(l, is_guess ? NULL : "refused", "no name server listens there");
        else if (errno == ENETUNREACH || errno == EHOSTUNREACH)
                fail(l, "unreachable", "the name server is unreachable");
        else
                fail(l, "timeout", "no name server answered with success");
        res_nclose(&resolver);
}

void lookup_run(const Request *request, Lookup *ret) {
        struct sockaddr_in literal = {.sin_family = AF_INET};
        Lookup l = {};

        if (inet_pton(AF_INET, request->host, &literal.sin_addr) == 1) {
                l.result = "ok";
                add_address(&l, (const struct sockaddr *) &literal, sizeof(literal), request->port);
        } else if (request->container_id[0] == '\0')
                ask_host(request, &l);
        else
                ask_servers(request, &l);
        *ret = l;
}

json_t *lookup_answer(const Lookup *l, const char **ret_why) {
        if (l->result)
                return network_result(l->result, l->detail);
        *ret_why = "which name servers the container asks is not known";
        return NULL;
}
