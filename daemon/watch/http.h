#pragma once

/* HTTP GET on the event loop: libcurl's multi interface driven by sd-event, over a Unix socket (the Docker
 * engine or its gate) or TCP (a module's metrics). Never blocks; every request has time-outs and a cap. */

#include <systemd/sd-event.h>

#include "lib/base/time.h"

typedef struct Http Http;
typedef struct HttpRequest HttpRequest;

#define HTTP_HEADER_MAX 64
#define HTTP_PAUSE      1 /* of HttpOptions.data: not taken, offer the same bytes again after http_resume() */

typedef struct HttpResult {
        int error;   /* 0; -ETIMEDOUT, -ECONNREFUSED, -EFBIG, what `data` returned, … */
        long status; /* 0 when no answer came */
        Text body;   /* when buffered; of a stream: of an answer that is not 200. Always NUL-terminated */
        const char *header; /* value of the wanted header, "" without */
} HttpResult;

typedef struct HttpOptions {
        const char *url;
        const char *unix_socket; /* NULL: TCP, never through a proxy */
        const char *header;      /* name of one answer header that is wanted, may be NULL */
        usec_t answer_timeout;   /* until the answer begins */
        usec_t idle_timeout;     /* between two pieces of it; 0 for a stream that may be silent */
        usec_t total_timeout;    /* of everything; 0 for none */
        size_t max_bytes;        /* cap of a buffered body */
        /* A stream: called for each piece of a 200. Returns 0, HTTP_PAUSE, or a negative errno that ends the
         * request. Must not start or cancel requests. NULL: the body is buffered. */
        int (*data)(void *userdata, Text piece);
        /* Called once, unless cancelled. May start and cancel requests; the request itself is gone with it.
         */
        void (*done)(void *userdata, const HttpResult *result);
        void *userdata;
} HttpOptions;

/* priority: of its event sources. */
int http_new(Http **ret, sd_event *event, int64_t priority);
Http *http_free(Http *h); /* cancels what is under way */
DEFINE_CLEANUP(Http, http_free);

int http_get(Http *h, const HttpOptions *options, HttpRequest **ret);
HttpRequest *http_cancel(HttpRequest *r); /* without a call back; returns NULL */
/* Goes on after HTTP_PAUSE: `data` may be called from within. */
void http_resume(HttpRequest *r);
/* The earliest monotonic time at which a request under way has to have answered; 0 when nothing is due. */
usec_t http_next_deadline(const Http *h);
