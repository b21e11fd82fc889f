/* Asks edgewatch-fix and waits.
 *
 * The trap: whoever listens at the socket's path may answer anything for ever. So lines, their number and
 * the silence between them are bounded, and what is no line of the protocol ends it. */

#include "daemon/ctl/fixer.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/base/request.h"
#include "lib/base/buffer.h"
#include "lib/config/config.h"

#define LINE_MAX_BYTES ((size_t) 8 * 1024 * 1024) /* as long as a plan may be */
#define LINES_MAX      10000            /* a plan has up to 1,024 steps, each done and taken back */
#define PATIENCE_MS    (60 * 60 * 1000) /* a step waits for jobs of systemd, polkit for a person */

static const char *socket_path(void) {
        const char *named = getenv("EDGEWATCH_FIX_SOCKET");

        return named ? named : CONFIG_FIX_SOCKET;
}

static int send_request(int fd, const json_t *request) {
        _cleanup_(freep) char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;

        return text ? request_send(fd, text) : -ENOMEM;
}

static bool has_event(const json_t *line) {
        static const char *const events[] = {"fixes", "history", "plan", "result", "step", "verifying"};
        const char *event = json_string_value(json_object_get(line, "event"));

        for (size_t i = 0; event && i < ELEMENTSOF(events); i++)
                if (strcmp(events[i], event) == 0)
                        return true;
        return false;
}

static int take_text(Text text, fixer_line_t take, void *userdata) {
        json_t *line = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
        int r = has_event(line) ? take(userdata, line) : -EBADMSG;

        json_decref(line);
        return r;
}

/* Returns as much as came, 0 at the end. */
static ssize_t receive(int fd, char *chunk, size_t size) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        ssize_t n;
        int r;

        do
                r = poll(&wait, 1, PATIENCE_MS);
        while (r < 0 && errno == EINTR);
        if (r <= 0)
                return r < 0 ? -errno : -ETIMEDOUT;
        n = recv(fd, chunk, size, 0);
        return n < 0 ? -errno : n;
}

static int read_answer(int fd, fixer_line_t take, void *userdata) {
        _cleanup_(buffer_done) Buffer b = {.max_bytes = LINE_MAX_BYTES};
        size_t n_lines = 0;
        char chunk[4096], *end;

        for (;;) {
                ssize_t n = receive(fd, chunk, sizeof(chunk));
                int r = 0;

                if (n <= 0)
                        return n < 0 ? (int) n : -ENODATA;
                r = buffer_append(&b, chunk, (size_t) n);
                while (r == 0 && (end = memchr(b.data, '\n', b.len))) {
                        size_t len = (size_t) (end - b.data);

                        r = n_lines++ < LINES_MAX ? take_text((Text){b.data, len}, take, userdata) : -EFBIG;
                        buffer_consume(&b, len + 1);
                }
                if (r != 0)
                        return r < 0 ? r : 0;
        }
}

int fixer_ask(json_t *request, fixer_line_t take, void *userdata) {
        const char *path = socket_path();
        _cleanup_(closep) int fd = socket_connect(path, 0);
        int r = fd;

        if (r < 0)
                (void) fail(r, "edgewatch-fix cannot be asked at %s", path);
        else {
                r = send_request(fd, request);
                if (r >= 0)
                        r = read_answer(fd, take, userdata);
                if (r == -ENODATA)
                        (void) fail(0, "edgewatch-fix gave no result; its journal says why");
                else if (r == -EBADMSG)
                        (void) fail(0, "what came from %s is no answer of edgewatch-fix", path);
                else if (r < 0)
                        (void) fail(r, "edgewatch-fix gave no result");
        }
        json_decref(request);
        return r;
}
