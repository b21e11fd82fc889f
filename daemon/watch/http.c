/* libcurl tells which descriptors and which time-out it waits for; sd-event waits for them and tells
 * libcurl.
 *
 * Time-outs are our own, one timer a request: libcurl has none for "the answer has not begun", which is what
 * a hung engine looks like (its socket accepts, then stays silent), and its own clock would go on while a
 * stream is paused because its reader has no room.
 *
 * The trap: libcurl forbids most calls from within its callbacks. So `data` only takes bytes or refuses, and
 * whatever ends a request is told from the loop, never from inside libcurl. */

#include "daemon/watch/http.h"

#include <curl/curl.h>
#include <strings.h>
#include <time.h>

#include "lib/base/buffer.h"

#define RECEIVE_BUFFER_BYTES 4096 /* one is held for each container whose log is followed */
#define ERROR_BODY_MAX       ((size_t) 4096)

struct HttpRequest {
        Http *http;
        HttpRequest *previous, *next;
        HttpOptions options;
        CURL *easy;
        char *url, *unix_socket, *header_name;
        char header[HTTP_HEADER_MAX];
        Buffer body;
        sd_event_source *timer;
        usec_t deadline, total_deadline; /* monotonic, 0 for none */
        int error;                       /* why the request is to end */
        bool answered, paused, finishing;
};

struct Http {
        sd_event *event;
        int64_t priority;
        CURLM *multi;
        sd_event_source *timer;
        sd_event_source *over; /* takes up requests that end from outside libcurl's callbacks */
        HttpRequest *requests;
};

static usec_t now_monotonic(const Http *h) {
        usec_t now;

        if (sd_event_now(h->event, CLOCK_MONOTONIC, &now) < 0)
                return 0;
        return now;
}

static HttpRequest *request_free(HttpRequest *r) {
        if (!r)
                return NULL;
        if (r->easy) {
                (void) curl_multi_remove_handle(r->http->multi, r->easy);
                curl_easy_cleanup(r->easy);
        }
        if (r->http->requests == r)
                r->http->requests = r->next;
        if (r->previous)
                r->previous->next = r->next;
        if (r->next)
                r->next->previous = r->previous;
        sd_event_source_disable_unref(r->timer);
        buffer_done(&r->body);
        free(r->url);
        free(r->unix_socket);
        free(r->header_name);
        free(r);
        return NULL;
}
DEFINE_CLEANUP(HttpRequest, request_free);

static int curl_to_errno(CURLcode code) {
        switch (code) {
        case CURLE_OK:
                return 0;
        case CURLE_OUT_OF_MEMORY:
                return -ENOMEM;
        case CURLE_OPERATION_TIMEDOUT:
                return -ETIMEDOUT;
        case CURLE_COULDNT_CONNECT:
                return -ECONNREFUSED;
        case CURLE_COULDNT_RESOLVE_HOST:
                return -EHOSTUNREACH;
        case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, that is to say anything */
        case CURLE_WEIRD_SERVER_REPLY:
                return -EPROTO;
        case CURLE_URL_MALFORMAT:
                return -EINVAL;
        case CURLE_GOT_NOTHING:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_PARTIAL_FILE:
                return -ECONNRESET;
        default:
                return -EIO;
        }
}

/* Why no connection came about, in the words of connect(2): a missing socket and a forbidden one differ. */
static int request_errno(HttpRequest *r, CURLcode code) {
        long os_errno = 0;

        if (r->error < 0)
                return r->error;
        if (code == CURLE_COULDNT_CONNECT &&
                curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &os_errno) == CURLE_OK && os_errno > 0)
                return -(int) os_errno;
        return curl_to_errno(code);
}

static void request_finish(HttpRequest *r, int error) {
        HttpResult result = {.error = error, .header = r->header};

        r->finishing = true;
        (void) curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &result.status);
        (void) curl_multi_remove_handle(r->http->multi, r->easy);
        result.body = buffer_text(&r->body);
        r->options.done(r->options.userdata, &result);
        (void) request_free(r);
}

static void request_set_deadline(HttpRequest *r, usec_t timeout) {
        usec_t deadline = timeout > 0 ? usec_add(now_monotonic(r->http), timeout) : 0;

        if (r->total_deadline > 0 && (deadline == 0 || r->total_deadline < deadline))
                deadline = r->total_deadline;
        r->deadline = deadline;
        if (deadline == 0) {
                (void) sd_event_source_set_enabled(r->timer, SD_EVENT_OFF);
                return;
        }
        (void) sd_event_source_set_time(r->timer, deadline);
        (void) sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        HttpRequest *r = userdata;

        request_finish(r, r->error < 0 ? r->error : -ETIMEDOUT);
        return 0;
}

static size_t on_header(char *data, size_t size, size_t n, void *userdata) {
        HttpRequest *r = userdata;
        Text line = {data, n};
        size_t name_len = r->header_name ? strlen(r->header_name) : 0;

        if (!r->answered) {
                r->answered = true;
                request_set_deadline(r, r->options.idle_timeout);
        }
        if (name_len > 0 && line.len > name_len && line.data[name_len] == ':' &&
                strncasecmp(line.data, r->header_name, name_len) == 0) {
                Text value = text_strip(text_skip(line, name_len + 1));
                if (value.len < sizeof(r->header)) {
                        memcpy(r->header, value.data, value.len);
                        r->header[value.len] = '\0';
                }
        }
        return n;
}

static int request_take(HttpRequest *r, Text piece) {
        long status = 0;
        int k;

        (void) curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
        if (r->options.data && status == 200)
                return r->options.data(r->options.userdata, piece);
        k = buffer_append_text(&r->body, piece);
        if (k == -EFBIG && r->options.data)
                return 0; /* the beginning of an error's text is enough */
        return k;
}

static size_t on_data(char *data, size_t size, size_t n, void *userdata) {
        HttpRequest *r = userdata;
        int k = request_take(r, (Text){data, n});

        if (k == HTTP_PAUSE) {
                r->paused = true;
                request_set_deadline(r, 0);
                return CURL_WRITEFUNC_PAUSE;
        }
        if (k < 0) {
                r->error = k;
                return 0;
        }
        request_set_deadline(r, r->options.idle_timeout);
        return n;
}

/* Requests that libcurl is done with. A call back may cancel others, so the list is read anew each time. */
static void http_collect(Http *h) {
        CURLMsg *message;
        int n_left;

        while ((message = curl_multi_info_read(h->multi, &n_left))) {
                HttpRequest *r = NULL;
                if (message->msg != CURLMSG_DONE)
                        continue;
                if (curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &r) != CURLE_OK ||
                        !r)
                        continue;
                request_finish(r, request_errno(r, message->data.result));
        }
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Http *h = userdata;
        int action = 0, n_running;

        if (revents & EPOLLIN)
                action |= CURL_CSELECT_IN;
        if (revents & EPOLLOUT)
                action |= CURL_CSELECT_OUT;
        if (revents & (EPOLLHUP | EPOLLERR))
                action |= CURL_CSELECT_ERR;
        (void) curl_multi_socket_action(h->multi, fd, action, &n_running);
        http_collect(h);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Http *h = userdata;
        int n_running;

        (void) curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &n_running);
        http_collect(h);
        return 0;
}

/* libcurl may close a descriptor and open another under the same number before we hear of it; removing the
 * event source at CURL_POLL_REMOVE keeps epoll in step. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socket_data) {
        Http *h = userdata;
        sd_event_source *io = socket_data;
        uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);

        if (what == CURL_POLL_REMOVE) {
                sd_event_source_disable_unref(io);
                (void) curl_multi_assign(h->multi, fd, NULL);
                return 0;
        }
        if (io)
                return sd_event_source_set_io_events(io, events) < 0 ? -1 : 0;
        if (sd_event_add_io(h->event, &io, fd, events, on_io, h) < 0)
                return -1;
        (void) sd_event_source_set_description(io, "http-io");
        (void) sd_event_source_set_priority(io, h->priority);
        (void) curl_multi_assign(h->multi, fd, io);
        return 0;
}

static int on_timeout_wanted(CURLM *multi, long timeout_ms, void *userdata) {
        Http *h = userdata;

        if (timeout_ms < 0)
                return sd_event_source_set_enabled(h->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
        if (sd_event_source_set_time(
                    h->timer, usec_add(now_monotonic(h), (usec_t) timeout_ms * USEC_PER_MSEC)) < 0)
                return -1;
        return sd_event_source_set_enabled(h->timer, SD_EVENT_ONESHOT) < 0 ? -1 : 0;
}

static int on_over(sd_event_source *source, void *userdata) {
        http_collect(userdata);
        return 0;
}

int http_new(Http **ret, sd_event *event, int64_t priority) {
        _cleanup_(http_freep) Http *h = calloc(1, sizeof(*h));
        int r;

        if (!h)
                return -ENOMEM;
        h->event = sd_event_ref(event);
        h->priority = priority;
        /* Plain HTTP only: setting up TLS would cost memory for nothing. */
        if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
                return -ENOMEM;
        h->multi = curl_multi_init();
        if (!h->multi)
                return -ENOMEM;
        r = sd_event_add_time(event, &h->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_timer, h);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(h->timer, "http-timer");
        (void) sd_event_source_set_priority(h->timer, priority);
        r = sd_event_source_set_enabled(h->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_defer(event, &h->over, on_over, h);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(h->over, "http-over");
        (void) sd_event_source_set_priority(h->over, priority);
        r = sd_event_source_set_enabled(h->over, SD_EVENT_OFF);
        if (r < 0)
                return r;
        if (curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
                curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) != CURLM_OK ||
                curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted) != CURLM_OK ||
                curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h) != CURLM_OK ||
                curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, 2L) != CURLM_OK)
                return -ENOMEM;
        *ret = TAKE_PTR(h);
        return 0;
}

Http *http_free(Http *h) {
        if (!h)
                return NULL;
        while (h->requests)
                (void) request_free(h->requests);
        if (h->multi)
                (void) curl_multi_cleanup(h->multi);
        sd_event_source_disable_unref(h->timer);
        sd_event_source_disable_unref(h->over);
        sd_event_unref(h->event);
        free(h);
        return NULL;
}

static int request_set_options(HttpRequest *r) {
        CURLcode c = CURLE_OK;

#define SET(option, value)                                                                                  \
        if (c == CURLE_OK)                                                                                  \
        c = curl_easy_setopt(r->easy, (option), (value))
        SET(CURLOPT_URL, r->url);
        SET(CURLOPT_PRIVATE, r);
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_BUFFERSIZE, (long) RECEIVE_BUFFER_BYTES);
        SET(CURLOPT_NOPROXY, "*");
#if CURL_AT_LEAST_VERSION(7, 85, 0)
        SET(CURLOPT_PROTOCOLS_STR, "http");
#else
        SET(CURLOPT_PROTOCOLS, (long) CURLPROTO_HTTP);
#endif
        SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
        SET(CURLOPT_FOLLOWLOCATION, 0L);
        SET(CURLOPT_USERAGENT, "edgewatch/" EDGEWATCH_VERSION);
        SET(CURLOPT_HEADERFUNCTION, on_header);
        SET(CURLOPT_HEADERDATA, r);
        SET(CURLOPT_WRITEFUNCTION, on_data);
        SET(CURLOPT_WRITEDATA, r);
        if (r->unix_socket)
                SET(CURLOPT_UNIX_SOCKET_PATH, r->unix_socket);
#undef SET
        return curl_to_errno(c);
}

static int request_new(Http *h, const HttpOptions *options, HttpRequest **ret) {
        HttpRequest *r = calloc(1, sizeof(*r));

        if (!r)
                return -ENOMEM;
        r->http = h;
        r->options = *options;
        r->body.max_bytes = options->data ? ERROR_BODY_MAX : options->max_bytes;
        r->next = h->requests;
        if (r->next)
                r->next->previous = r;
        h->requests = r;
        *ret = r;
        return 0;
}

int http_get(Http *h, const HttpOptions *options, HttpRequest **ret) {
        _cleanup_(request_freep) HttpRequest *r = NULL;
        usec_t now = now_monotonic(h);
        int k;

        k = request_new(h, options, &r);
        if (k < 0)
                return k;
        r->url = strdup(options->url);
        r->unix_socket = options->unix_socket ? strdup(options->unix_socket) : NULL;
        r->header_name = options->header ? strdup(options->header) : NULL;
        if (!r->url || (options->unix_socket && !r->unix_socket) || (options->header && !r->header_name))
                return -ENOMEM;
        r->easy = curl_easy_init();
        if (!r->easy)
                return -ENOMEM;
        k = request_set_options(r);
        if (k < 0)
                return k;
        k = sd_event_add_time(h->event, &r->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_deadline, r);
        if (k < 0)
                return k;
        (void) sd_event_source_set_description(r->timer, "http-deadline");
        (void) sd_event_source_set_priority(r->timer, h->priority);
        r->total_deadline = options->total_timeout > 0 ? usec_add(now, options->total_timeout) : 0;
        request_set_deadline(r, options->answer_timeout);
        if (curl_multi_add_handle(h->multi, r->easy) != CURLM_OK)
                return -EIO;
        *ret = TAKE_PTR(r);
        return 0;
}

HttpRequest *http_cancel(HttpRequest *r) {
        if (r && !r->finishing)
                (void) request_free(r);
        return NULL;
}

void http_resume(HttpRequest *r) {
        if (!r->paused || r->finishing)
                return;
        r->paused = false;
        request_set_deadline(r, r->options.idle_timeout);
        (void) curl_easy_pause(r->easy, CURLPAUSE_CONT);
        /* What it delivered may have ended the request; that is told from the loop. */
        (void) sd_event_source_set_enabled(r->http->over, SD_EVENT_ONESHOT);
}

usec_t http_next_deadline(const Http *h) {
        usec_t deadline = 0;

        for (const HttpRequest *r = h->requests; r; r = r->next)
                if (!r->finishing && r->deadline > 0 && (deadline == 0 || r->deadline < deadline))
                        deadline = r->deadline;
        return deadline;
}
