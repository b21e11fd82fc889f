/* Listening sockets and their owners.
 *
 * The kernel's tables name sockets by inode; the owner is the process with a descriptor on that inode.
 * Promise: what may not be read is null, never guessed. Trap: a process may end between any two reads; that
 * is not an error, its sockets are then nobody's. */

#include "daemon/probe/listeners.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <fcntl.h>

#define TCP_LISTEN_STATE 0x0A
#define CGROUP_MAX_BYTES 4096
#define CONTAINER_ID_LEN 64

typedef struct Listener {
        uint64_t inode;
        json_t *object; /* borrowed from the array */
} Listener;

typedef struct Listeners {
        json_t *array;
        Listener items[LISTENERS_MAX];
        size_t n_items;
} Listeners;

static Listeners *listeners_free(Listeners *l) {
        if (l)
                json_decref(l->array);
        free(l);
        return NULL;
}
DEFINE_CLEANUP(Listeners, listeners_free);

/* "0100007F" or four such words: each word as the machine has it in memory. */
static bool parse_address(const char *hex, char ret[static INET6_ADDRSTRLEN]) {
        size_t words = strlen(hex) / 8;
        uint32_t raw[4] = {};

        if (strlen(hex) % 8 != 0 || (words != 1 && words != 4))
                return false;
        for (size_t i = 0; i < words; i++)
                if (sscanf(hex + i * 8, "%8" SCNx32, &raw[i]) != 1)
                        return false;
        return inet_ntop(words == 1 ? AF_INET : AF_INET6, raw, ret, INET6_ADDRSTRLEN) != NULL;
}

static int add_line(Listeners *l, const char *line) {
        char hex[33], address[INET6_ADDRSTRLEN];
        unsigned port, state;
        uint64_t inode;
        json_t *object;

        if (sscanf(line, " %*u: %32[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %" SCNu64, hex,
                    &port, &state, &inode) != 4 ||
                state != TCP_LISTEN_STATE || port > UINT16_MAX || !parse_address(hex, address))
                return 0;
        if (l->n_items >= LISTENERS_MAX)
                return 0;

        object = json_pack("{s:s, s:s, s:i, s:n, s:n, s:n, s:n}", "protocol", "tcp", "address", address,
                "port", (int) port, "pid", "comm", "unit", "container");
        if (!object || json_array_append_new(l->array, object) < 0)
                return -ENOMEM;
        l->items[l->n_items++] = (Listener){inode, object};
        return 0;
}

static int read_table(Listeners *l, const char *proc, const char *name) {
        _cleanup_(freep) char *path = NULL;
        char line[512];
        FILE *f;
        int r = 0;

        if (asprintf(&path, "%s/net/%s", proc, name) < 0)
                return -ENOMEM;
        f = fopen(path, "re");
        if (!f)
                return -errno;
        while (r == 0 && fgets(line, sizeof(line), f))
                r = add_line(l, line);
        (void) fclose(f);
        return r;
}

static int compare_inodes(const void *a, const void *b) {
        uint64_t x = ((const Listener *) a)->inode, y = ((const Listener *) b)->inode;

        return x < y ? -1 : x > y;
}

static Text next_line(Text *rest) {
        const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
        Text line = {rest->data, end ? (size_t) (end - rest->data) : rest->len};

        *rest = text_skip(*rest, line.len + 1);
        return line;
}

static Text next_component(Text *path) {
        const char *end = path->len ? memchr(path->data, '/', path->len) : NULL;
        Text component = {path->data, end ? (size_t) (end - path->data) : path->len};

        *path = text_skip(*path, component.len + 1);
        return component;
}

Text listeners_unit_of_cgroup(Text cgroup) {
        Text unit = TEXT_NONE, line, component;

        while (cgroup.len > 0) {
                line = next_line(&cgroup);
                while (line.len > 0) {
                        component = next_component(&line);
                        if (text_ends_with(component, ".service") || text_ends_with(component, ".scope"))
                                unit = component;
                }
        }
        return unit;
}

static bool is_hex(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

Text listeners_container_of_cgroup(Text cgroup) {
        size_t run = 0;

        for (size_t i = 0; i <= cgroup.len; i++) {
                if (i < cgroup.len && is_hex(cgroup.data[i])) {
                        run++;
                        continue;
                }
                if (run == CONTAINER_ID_LEN)
                        return (Text){cgroup.data + i - run, run};
                run = 0;
        }
        return TEXT_NONE;
}

static Text read_small(int directory_fd, const char *name, char *buffer, size_t size) {
        _cleanup_(closep) int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, buffer, size);

        return n < 0 ? TEXT_NONE : (Text){buffer, (size_t) n};
}

static int set_text(json_t *object, const char *key, Text text) {
        _cleanup_(freep) char *copy = NULL;

        if (text_is_empty(text))
                return 0;
        copy = text_to_utf8(text, CGROUP_MAX_BYTES);
        if (!copy || json_object_set_new(object, key, json_string(copy)) < 0)
                return -ENOMEM;
        return 0;
}

static int set_owner(json_t *object, int process_fd, uint64_t pid) {
        char comm[64], cgroup_buffer[CGROUP_MAX_BYTES];
        Text cgroup = read_small(process_fd, "cgroup", cgroup_buffer, sizeof(cgroup_buffer));
        int r;

        if (json_object_set_new(object, "pid", json_integer((json_int_t) pid)) < 0)
                return -ENOMEM;
        r = set_text(object, "comm", text_strip(read_small(process_fd, "comm", comm, sizeof(comm))));
        if (r >= 0)
                r = set_text(object, "unit", listeners_unit_of_cgroup(cgroup));
        if (r >= 0)
                r = set_text(object, "container", listeners_container_of_cgroup(cgroup));
        return r;
}

/* All listeners that this inode belongs to: a socket shared by a fork keeps its first owner. */
static int set_owner_of_inode(Listeners *l, uint64_t inode, int process_fd, uint64_t pid) {
        Listener key = {.inode = inode};
        Listener *found = bsearch(&key, l->items, l->n_items, sizeof(l->items[0]), compare_inodes);

        if (!found || !json_is_null(json_object_get(found->object, "pid")))
                return 0;
        return set_owner(found->object, process_fd, pid);
}

static int scan_descriptors(Listeners *l, DIR *descriptors, int process_fd, uint64_t pid) {
        char target[64];
        uint64_t inode;
        ssize_t n;
        int r;

        for (struct dirent *entry; (entry = readdir(descriptors));) {
                n = readlinkat(dirfd(descriptors), entry->d_name, target, sizeof(target) - 1);
                if (n <= 0)
                        continue;
                target[n] = '\0';
                if (sscanf(target, "socket:[%" SCNu64 "]", &inode) != 1)
                        continue;
                r = set_owner_of_inode(l, inode, process_fd, pid);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int scan_process(Listeners *l, int proc_fd, const char *name, uint64_t pid) {
        _cleanup_(closep) int process_fd = -EBADF;
        DIR *descriptors;
        int fd, r;

        process_fd = openat(proc_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (process_fd < 0)
                return 0;
        fd = openat(process_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return 0;
        descriptors = fdopendir(fd);
        if (!descriptors) {
                r = errno == ENOMEM ? -ENOMEM : 0; /* else the process has ended meanwhile */
                (void) close(fd);
                return r;
        }
        r = scan_descriptors(l, descriptors, process_fd, pid);
        (void) closedir(descriptors);
        return r;
}

static int scan_processes(Listeners *l, const char *proc) {
        DIR *processes = opendir(proc);
        uint64_t pid;
        int r = 0;

        if (!processes)
                return -errno;
        for (struct dirent *entry; r >= 0 && (entry = readdir(processes));)
                if (text_to_u64(text_of(entry->d_name), &pid) >= 0)
                        r = scan_process(l, dirfd(processes), entry->d_name, pid);
        (void) closedir(processes);
        return r;
}

int listeners_read(const char *proc, json_t **ret) {
        _cleanup_(listeners_freep) Listeners *l = calloc(1, sizeof(*l));
        int r;

        if (!l)
                return -ENOMEM;
        l->array = json_array();
        if (!l->array)
                return -ENOMEM;

        r = read_table(l, proc, "tcp");
        if (r < 0)
                return r;
        r = read_table(l, proc, "tcp6"); /* absent when IPv6 is compiled out or disabled */
        if (r < 0 && r != -ENOENT)
                return r;

        qsort(l->items, l->n_items, sizeof(l->items[0]), compare_inodes);
        r = scan_processes(l, proc);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l->array);
        return 0;
}
