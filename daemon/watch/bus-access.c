/* Who may call what.
 *
 * Changing needs root or polkit's consent. Evidence quotes logs, so it needs what reading the journal needs:
 * root, ourselves, or a member of adm or systemd-journal. On the private socket the peer was checked when it
 * connected; its messages have no sender, so polkit cannot be asked there and is not.
 *
 * Promise: the loop never waits. The bus is asked for the sender's credentials, polkit for its decision, and
 * the call is answered when they have. Trap: the connection may be gone by then, and with it the request;
 * bus_access_forget() ends both together. */

#include "daemon/watch/bus-internal.h"

#include <grp.h>
#include <string.h>

struct Request {
        Connection *connection;
        size_t index; /* in the connection's table */
        const Access *access;
        sd_bus_message *message;
        sd_bus_slot *slot;
};

static Request *request_free(Request *q) {
        if (!q)
                return NULL;
        q->connection->requests[q->index] = NULL;
        sd_bus_slot_unref(q->slot);
        sd_bus_message_unref(q->message);
        free(q);
        return NULL;
}
DEFINE_CLEANUP(Request, request_free);

static int request_new(Request **ret, Connection *c, sd_bus_message *m, const Access *access) {
        Request *q;
        size_t i = 0;

        while (i < BUS_REQUESTS_MAX && c->requests[i])
                i++;
        if (i == BUS_REQUESTS_MAX)
                return -EBUSY;
        q = calloc(1, sizeof(*q));
        if (!q)
                return -ENOMEM;
        *q = (Request){.connection = c, .index = i, .access = access, .message = sd_bus_message_ref(m)};
        c->requests[i] = q;
        *ret = q;
        return 0;
}

void bus_access_forget(Connection *c) {
        for (size_t i = 0; i < BUS_REQUESTS_MAX; i++)
                request_free(c->requests[i]);
}

static int run(const Request *q) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = q->access->run(q->connection, q->message, &error);
        if (r < 0)
                return sd_bus_reply_method_errno(q->message, r, &error);
        return 1;
}

static int refuse(const Request *q) {
        if (!q->access->action)
                return sd_bus_reply_method_errorf(q->message, SD_BUS_ERROR_ACCESS_DENIED,
                        "This quotes logs: it needs root, or membership of adm or systemd-journal");
        return sd_bus_reply_method_errorf(q->message, SD_BUS_ERROR_ACCESS_DENIED,
                "This needs root, or polkit's consent to %s", q->access->action);
}

static int on_polkit(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        _cleanup_(request_freep) Request *q = userdata;
        int authorized, challenge, r;

        /* No polkit, no consent. */
        if (sd_bus_message_is_method_error(reply, NULL))
                return refuse(q);
        r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(reply, "bb", &authorized, &challenge);
        if (r < 0)
                return refuse(q);
        if (authorized)
                return run(q);
        if (challenge)
                return sd_bus_reply_method_errorf(q->message,
                        SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                        "This needs an interactive authorization for %s", q->access->action);
        return refuse(q);
}

#define POLKIT_INTERACTIVE UINT32_C(1)
/* A person types a password meanwhile. */
#define POLKIT_PATIENCE (120 * USEC_PER_SEC)

static int ask_polkit(Request *q) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus *bus = q->connection->bus;
        uint32_t flags =
                sd_bus_message_get_allow_interactive_authorization(q->message) > 0 ? POLKIT_INTERACTIVE : 0;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, "org.freedesktop.PolicyKit1",
                "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority",
                "CheckAuthorization");
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
                sd_bus_message_get_sender(q->message), q->access->action, 0, flags, "");
        if (r < 0)
                return r;
        q->slot = sd_bus_slot_unref(q->slot);
        return sd_bus_call_async(bus, &q->slot, m, on_polkit, q, POLKIT_PATIENCE);
}

typedef struct Caller {
        bool has_uid;
        uint32_t uid;
        bool reads_journal; /* by a group it is in */
} Caller;

void bus_access_init(Bus *b) {
        static const char *const names[] = {"adm", "systemd-journal"};

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const struct group *group = getgrnam(names[i]);

                if (group)
                        b->journal_groups[b->n_journal_groups++] = group->gr_gid;
        }
}

static bool is_journal_group(const Bus *b, uint32_t gid) {
        for (size_t i = 0; i < b->n_journal_groups; i++)
                if (b->journal_groups[i] == gid)
                        return true;
        return false;
}

static int read_groups(const Bus *b, sd_bus_message *m, Caller *caller) {
        const uint32_t *groups;
        size_t bytes;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "au");
        if (r < 0)
                return r;
        r = sd_bus_message_read_array(m, 'u', (const void **) &groups, &bytes);
        if (r < 0)
                return r;
        for (size_t i = 0; i < bytes / sizeof(*groups) && !caller->reads_journal; i++)
                caller->reads_journal = is_journal_group(b, groups[i]);
        return sd_bus_message_exit_container(m);
}

/* The answer of GetConnectionCredentials. What the bus does not tell is not there: no group, no right. */
static int read_credentials(const Bus *b, sd_bus_message *m, Caller *ret) {
        Caller caller = {};
        const char *key;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &key);
                if (r < 0)
                        return r;
                if (strcmp(key, "UnixUserID") == 0) {
                        r = sd_bus_message_read(m, "v", "u", &caller.uid);
                        caller.has_uid = r >= 0;
                } else if (strcmp(key, "UnixGroupIDs") == 0)
                        r = read_groups(b, m, &caller);
                else
                        r = sd_bus_message_skip(m, "v");
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        *ret = caller;
        return 0;
}

static int on_credentials(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        _cleanup_(request_freep) Request *q = userdata;
        Caller caller = {};
        int r;

        if (sd_bus_message_is_method_error(reply, NULL) ||
                read_credentials(q->connection->owner, reply, &caller) < 0)
                return refuse(q);
        if (caller.has_uid && caller.uid == 0)
                return run(q);
        if (!q->access->action)
                return (caller.has_uid && caller.uid == geteuid()) || caller.reads_journal ? run(q)
                                                                                           : refuse(q);
        r = ask_polkit(q);
        if (r < 0)
                return refuse(q);
        (void) TAKE_PTR(q); /* on_polkit() ends it */
        return 1;
}

int bus_access_check(Connection *c, sd_bus_message *m, const Access *access, sd_bus_error *error) {
        _cleanup_(request_freep) Request *q = NULL;
        int r;

        if (c->is_private) {
                r = access->run(c, m, error);
                return r < 0 ? r : 1;
        }

        r = request_new(&q, c, m, access);
        if (r == -EBUSY)
                return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many calls at once");
        if (r < 0)
                return r;
        r = sd_bus_call_method_async(c->bus, &q->slot, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                "org.freedesktop.DBus", "GetConnectionCredentials", on_credentials, q, "s",
                sd_bus_message_get_sender(m));
        if (r < 0)
                return r;
        (void) TAKE_PTR(q); /* on_credentials() ends it */
        return 1;
}
