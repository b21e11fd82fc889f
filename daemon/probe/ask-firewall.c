/* Which rules does the host's packet filter have? Read through the programs that print them, because there
 * are two backends with nothing in common, and the rules of either or of both may count. They are run by
 * absolute path, without an environment, and without arguments: with -t the legacy one would load a table
 * that nobody uses.
 *
 * The trap: nftables may hold tables that neither prints. Their names are asked of the kernel, so that
 * nobody takes what is missing here for missing. */

#include "daemon/probe/filter-tables.h"
#include "daemon/probe/questions.h"

#include <unistd.h>

#include "daemon/base/child.h"
#include "daemon/base/clock.h"
#include "lib/world/firewall.h"

/* Of each row the first that is there: what it is called when the distribution has only one backend. */
static const char *const programs[][3] = {
        {"/usr/sbin/iptables-nft-save", "/usr/sbin/iptables-save", "/sbin/iptables-save"},
        {"/usr/sbin/iptables-legacy-save", "/sbin/iptables-legacy-save"},
};

/* Appends what the program prints. -EIO when it fails. */
static int run(const char *program, usec_t until, Buffer *output) {
        const char *const argv[] = {program, NULL};
        int r = child_run(argv, STDOUT_FILENO, usec_sub(until, monotonic_now()), output);

        return r > 0 ? -EIO : r;
}

static const char *find_program(const char *const *names) {
        for (size_t i = 0; i < ELEMENTSOF(programs[0]) && names[i]; i++)
                if (access(names[i], X_OK) == 0)
                        return names[i];
        return NULL;
}

static int read_rules(const Request *request, Buffer *saved, bool *ret_any) {
        usec_t until = usec_add(monotonic_now(), (usec_t) request->timeout_ms * USEC_PER_MSEC);
        int r = 0;

        *ret_any = false;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(programs); i++) {
                const char *program = find_program(programs[i]);

                if (!program)
                        continue;
                *ret_any = true;
                r = run(program, until, saved);
        }
        return r;
}

static const char *describe(int error) {
        switch (error) {
        case -EFBIG:
                return "the packet filter has too many rules";
        case -ENOENT:
                return "there is no iptables-save on this device";
        case -ETIMEDOUT:
                return "iptables-save did not answer in time";
        default:
                return "no right to read the packet filter's rules";
        }
}

static json_t *ask(const Request *request, const char **ret_why) {
        _cleanup_(buffer_done) Buffer saved = {.max_bytes = FIREWALL_BYTES_MAX};
        json_t *value;
        bool any;
        int r;

        r = read_rules(request, &saved, &any);
        if (r >= 0)
                r = any ? filter_tables_tell(&saved) : -ENOENT;
        if (r < 0) {
                *ret_why = describe(r);
                return NULL;
        }
        value = json_stringn(saved.data ? saved.data : "", saved.len);
        if (!value)
                *ret_why = "the packet filter's rules are no text";
        return value;
}

const Question question_firewall = {.name = "firewall", .ask = ask};
