/* libcurl over the engine's Unix socket, one question after the other.
 *
 * The trap: an answer that is not 200 has a body too, which must not be taken for the answer; the status is
 * known when the first byte comes. */

#include "daemon/collect/docker-api.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/buffer.h"

struct DockerApi {
        CURLM *multi;
        CURL *easy;
};

typedef struct Answer {
        CURL *easy;
        docker_piece_t piece;
        void *userdata;
        bool takes_errors; /* what comes with another status than 200 is wanted too */
        int error;
} Answer;

const char *docker_api_socket(void) {
        const char *host = getenv("DOCKER_HOST");

        return host && strncmp(host, "unix://", 7) == 0 ? host + 7 : "/run/docker.sock";
}

DockerApi *docker_api_free(DockerApi *d) {
        if (!d)
                return NULL;
        curl_easy_cleanup(d->easy);
        if (d->multi)
                (void) curl_multi_cleanup(d->multi);
        free(d);
        return NULL;
}

static size_t on_data(char *data, size_t size, size_t n, void *userdata) {
        Answer *a = userdata;
        long status = 0;

        (void) curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status == 200 || a->takes_errors)
                a->error = a->piece(a->userdata, (Text){data, size * n});
        return a->error < 0 ? 0 : size * n;
}

static int error_of_status(long status) {
        switch (status) {
        case 200:
        case 201:
        case 204:
        case 304:
                return 0;
        case 401:
        case 403:
                return -EACCES;
        case 404:
                return -ENOENT;
        default:
                return -EIO;
        }
}

static int error_of_result(CURL *easy, CURLcode code) {
        long value = 0;

        switch (code) {
        case CURLE_OK:
                (void) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &value);
                return error_of_status(value);
        case CURLE_COULDNT_CONNECT:
                (void) curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &value);
                return value > 0 && value < INT32_MAX ? -(int) value : -ECONNREFUSED;
        case CURLE_OPERATION_TIMEDOUT:
                return -ETIMEDOUT;
        case CURLE_OUT_OF_MEMORY:
                return -ENOMEM;
        default:
                return -EIO;
        }
}

/* Returns the transfer's end, -EAGAIN while it goes on. */
static int poll_transfer(DockerApi *d, const DockerCompanion *companion) {
        struct curl_waitfd extra = {
                .fd = companion ? companion->fd : -1, .events = companion ? CURL_WAIT_POLLIN : 0};
        int running = 0, n_messages;
        CURLMsg *message;

        if (curl_multi_perform(d->multi, &running) != CURLM_OK)
                return -EIO;
        while ((message = curl_multi_info_read(d->multi, &n_messages)))
                if (message->msg == CURLMSG_DONE)
                        return error_of_result(d->easy, message->data.result);
        if (curl_multi_poll(d->multi, companion ? &extra : NULL, companion ? 1 : 0, 1000, NULL) != CURLM_OK)
                return -EIO;
        if (companion && (extra.revents & CURL_WAIT_POLLIN))
                companion->readable(companion->userdata);
        return -EAGAIN;
}

/* What the options of the handle say is asked; path is the URL's. */
static int transfer(
        DockerApi *d, const char *path, usec_t timeout, Answer *answer, const DockerCompanion *companion) {
        _cleanup_(freep) char *url = NULL;
        int r;

        if (asprintf(&url, "http://localhost%s", path) < 0) {
                url = NULL;
                return -ENOMEM;
        }
        answer->easy = d->easy;
        (void) curl_easy_setopt(d->easy, CURLOPT_URL, url);
        (void) curl_easy_setopt(d->easy, CURLOPT_TIMEOUT_MS, (long) (timeout / USEC_PER_MSEC));
        (void) curl_easy_setopt(d->easy, CURLOPT_WRITEFUNCTION, on_data);
        (void) curl_easy_setopt(d->easy, CURLOPT_WRITEDATA, answer);
        if (curl_multi_add_handle(d->multi, d->easy) != CURLM_OK)
                return -ENOMEM;
        do
                r = poll_transfer(d, companion);
        while (r == -EAGAIN);
        (void) curl_multi_remove_handle(d->multi, d->easy);
        return answer->error < 0 ? answer->error : r;
}

int docker_api_stream(DockerApi *d, const char *path, usec_t timeout, docker_piece_t piece, void *userdata,
        const DockerCompanion *companion) {
        Answer answer = {.piece = piece, .userdata = userdata};

        return transfer(d, path, timeout, &answer, companion);
}

static int append(void *userdata, Text piece) {
        return buffer_append_text(userdata, piece);
}

int docker_api_json(DockerApi *d, const char *path, json_type type, json_t **ret) {
        _cleanup_(buffer_done) Buffer b = {.max_bytes = DOCKER_OBJECT_MAX};
        json_t *value;
        int r;

        r = docker_api_stream(d, path, DOCKER_ASK_TIME, append, &b, NULL);
        if (r < 0)
                return r;
        value = json_loadb(buffer_text(&b).data, b.len, JSON_ALLOW_NUL, NULL);
        if (!value || json_typeof(value) != type) {
                json_decref(value);
                return -EBADMSG;
        }
        *ret = value;
        return 0;
}

/* The engine's own words, if it said any. */
static void tell_why(const Buffer *b, int error, char **ret_why) {
        json_t *said = json_loadb(b->data, b->len, JSON_ALLOW_NUL, NULL);
        const char *message = json_string_value(json_object_get(said, "message"));
        char *why = strdup(message ? message : strerror(-error));

        json_decref(said);
        if (!why)
                return;
        free(*ret_why);
        *ret_why = why;
}

/* A connection of its own: libcurl sends a request once more when a kept one turns out to be closed, and a
 * change must not be asked for twice. */
static int set_method(CURL *easy, const char *method, const char *body, struct curl_slist *headers) {
        if (curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) != CURLE_OK ||
                curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) != CURLE_OK ||
                curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) != CURLE_OK ||
                curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
                curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method) != CURLE_OK)
                return -ENOMEM;
        return 0;
}

static void set_get(CURL *easy) {
        (void) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 0L);
        (void) curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 0L);
        (void) curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
        (void) curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
        (void) curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
        (void) curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
}

int docker_api_send(DockerApi *d, const char *method, const char *path, const json_t *body, json_t **ret,
        char **ret_why) {
        _cleanup_(freep) char *text = body ? json_dumps(body, JSON_COMPACT) : strdup("");
        _cleanup_(buffer_done) Buffer b = {.max_bytes = DOCKER_OBJECT_MAX};
        Answer answer = {.piece = append, .userdata = &b, .takes_errors = true};
        struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
        int r = text && headers ? set_method(d->easy, method, text, headers) : -ENOMEM;

        if (r >= 0)
                r = transfer(d, path, DOCKER_SEND_TIME, &answer, NULL);
        set_get(d->easy);
        curl_slist_free_all(headers);
        if (r < 0)
                tell_why(&b, r, ret_why);
        else if (ret)
                *ret = b.len > 0 ? json_loadb(b.data, b.len, JSON_ALLOW_NUL, NULL) : NULL;
        return r;
}

int docker_api_new(DockerApi **ret, const char *socket) {
        _cleanup_(docker_api_freep) DockerApi *d = calloc(1, sizeof(*d));
        _cleanup_(buffer_done) Buffer pong = {.max_bytes = 4096};
        int r;

        if (!d)
                return -ENOMEM;
        if (access(socket, F_OK) < 0)
                return -errno;
        d->multi = curl_multi_init();
        d->easy = curl_easy_init();
        if (!d->multi || !d->easy)
                return -ENOMEM;
        if (curl_easy_setopt(d->easy, CURLOPT_UNIX_SOCKET_PATH, socket) != CURLE_OK)
                return -ENOMEM;
        (void) curl_easy_setopt(d->easy, CURLOPT_PROXY, "");
        (void) curl_easy_setopt(d->easy, CURLOPT_NOSIGNAL, 1L);
        r = docker_api_stream(d, "/_ping", DOCKER_ASK_TIME, append, &pong, NULL);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}
