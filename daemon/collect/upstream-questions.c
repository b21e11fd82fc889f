#include "daemon/collect/upstream-questions.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/probes/upstream.h"

_printf_(2, 3) static int add(UpstreamQuestions *q, const char *format, ...) {
        va_list args;
        char *key;
        int n;

        if (q->n_keys >= PROBER_QUESTIONS_MAX)
                return 0;
        va_start(args, format);
        n = vasprintf(&key, format, args);
        va_end(args);
        if (n < 0)
                return -ENOMEM;
        q->keys[q->n_keys++] = key;
        return 0;
}

static int add_network(UpstreamQuestions *q, const char *host) {
        static const char *const froms[] = {"host", "edgeAgent"};
        static const unsigned ports[] = {443, 5671, 8883};
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(froms); i++) {
                r = add(q, "resolve:%s:%s", froms[i], host);
                if (r >= 0)
                        r = add(q, "path-mtu:%s:%s:443", froms[i], host);
                for (size_t j = 0; r >= 0 && j < ELEMENTSOF(ports); j++) {
                        r = add(q, "connect:%s:%s:%u", froms[i], host, ports[j]);
                        if (r >= 0)
                                r = add(q, "tls:%s:%s:%u", froms[i], host, ports[j]);
                }
        }
        return r;
}

int upstream_questions_ask(UpstreamQuestions *q, DeviceWorld *w, bool active, usec_t now) {
        char host[UPSTREAM_HOST_MAX];
        int r;

        *q = (UpstreamQuestions){};
        r = add(q, "firewall");
        if (r >= 0)
                r = add(q, "tcp-info:edgeHub");
        if (r >= 0 && active && upstream_host(w->world, now, host) > 0)
                r = add_network(q, host);
        return r < 0 ? r : prober_ask(w->prober, w->world, q->keys, q->n_keys, now);
}

void upstream_questions_done(UpstreamQuestions *q) {
        for (size_t i = 0; i < q->n_keys; i++)
                free(q->keys[i]);
        *q = (UpstreamQuestions){};
}
