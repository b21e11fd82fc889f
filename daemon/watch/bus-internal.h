#pragma once

/* The inside of the bus, shared by its files only: bus.c (connections), bus-objects.c (what they offer),
 * bus-access.c (who may). */

#include <systemd/sd-bus.h>

#include "daemon/bus-names.h"
#include "daemon/watch/bus.h"

#define BUS_PEERS_MAX    16 /* connections on the private socket */
#define BUS_REQUESTS_MAX 32 /* calls of one connection whose caller is being looked up */

typedef struct Request Request;

typedef struct Connection {
        Bus *owner;
        sd_bus *bus;
        bool is_private; /* the peer's uid was checked when it connected */
        Request *requests[BUS_REQUESTS_MAX];
        sd_bus_slot *name_slot;
} Connection;

struct Bus {
        Manager *manager;

        gid_t journal_groups[2]; /* who is in one of them may read the journal */
        size_t n_journal_groups;

        Connection system;
        bool has_name;
        char *system_error; /* why there is no name on the system bus; NULL when there is */
        sd_event_source *retry;
        unsigned n_failures;

        int listen_fd;
        char *socket_path; /* NULL when it was not made */
        sd_event_source *listen;
        Connection *peers[BUS_PEERS_MAX];
};

/* What a method needs of its caller. */
typedef struct Access {
        const char *action; /* of polkit; NULL: it reads evidence, which quotes logs */
        /* Replies. Called when the caller may; a negative errno becomes the reply. */
        int (*run)(Connection *c, sd_bus_message *m, sd_bus_error *error);
} Access;

void bus_access_init(Bus *b);
/* Looks up who calls, without blocking, then runs or refuses. Returns as a method handler does. */
int bus_access_check(Connection *c, sd_bus_message *m, const Access *access, sd_bus_error *error);
/* Forgets all calls that wait. */
void bus_access_forget(Connection *c);

int bus_objects_add(Connection *c);
void bus_objects_changed(Connection *c, const Incident *incident, IncidentChange change);

json_t *bus_to_json(const Bus *b);
