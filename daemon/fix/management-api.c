#include "daemon/fix/management-api.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "daemon/fix/context.h"
#include "lib/base/buffer.h"

#define DEFAULT_SOCKET "/var/run/iotedge/mgmt.sock"
#define API_VERSION    "2018-06-28"        /* known to every version of the runtime */
#define ANSWER_TIME    (90 * USEC_PER_SEC) /* it gives the engine 60 s itself */
#define PING_TIME      (5 * USEC_PER_SEC)
#define ANSWER_BYTES   ((size_t) 64 * 1024)

int management_socket(World *w, usec_t now, char **ret) {
        const Fact *config = world_fact(w, now, 0, "runtime-config");
        const char *uri = NULL;

        if (config && config->state == FACT_KNOWN)
                uri = json_string_value(
                        json_object_get(json_object_get(config->value, "connect"), "management_uri"));
        *ret = strdup(uri && text_starts_with(text_of(uri), "unix:///") ? uri + strlen("unix://")
                                                                        : DEFAULT_SOCKET);
        return *ret ? 0 : -ENOMEM;
}

/* What is behind the cap is not wanted; a short count would end the transfer. */
static size_t on_data(char *data, size_t size, size_t n, void *userdata) {
        (void) buffer_append(userdata, data, size * n);
        return size * n;
}

static int set_up(CURL *easy, const char *socket, const char *url, usec_t timeout, Buffer *answer) {
        if (curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, socket) != CURLE_OK ||
                curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK)
                return -ENOMEM;
        (void) curl_easy_setopt(easy, CURLOPT_PROXY, "");
        (void) curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        (void) curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) (timeout / USEC_PER_MSEC));
        (void) curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
        (void) curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
        return 0;
}

static int error_of(CURL *easy, CURLcode code, long *ret_status) {
        switch (code) {
        case CURLE_OK:
                (void) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, ret_status);
                if ((*ret_status >= 200 && *ret_status < 300) || *ret_status == 304)
                        return 0;
                return *ret_status == 404 ? -ENOENT : *ret_status == 403 ? -EACCES : -EIO;
        case CURLE_COULDNT_CONNECT:
                return -ECONNREFUSED;
        case CURLE_OPERATION_TIMEDOUT:
                return -ETIMEDOUT;
        default:
                return -EIO;
        }
}

static int tell_why(
        const Buffer *answer, const char *verb, const char *module, int error, long status, char **ret_why) {
        json_t *said = json_loadb(buffer_text(answer).data, answer->len, 0, NULL);
        const char *message = json_string_value(json_object_get(said, "message"));

        if (status > 0)
                error = because(ret_why, error, "the runtime refused to %s %s (HTTP %ld): %s", verb, module,
                        status, message ? message : "it does not say why");
        else
                error = because(ret_why, error, "the runtime does not answer: %s", strerror(-error));
        json_decref(said);
        return error;
}

int management_do(const char *socket, const char *verb, const char *module, char **ret_why) {
        _cleanup_(buffer_done) Buffer answer = {.max_bytes = ANSWER_BYTES};
        CURL *easy = curl_easy_init();
        char url[512];
        long status = 0;
        int n, r;

        n = snprintf(
                url, sizeof(url), "http://localhost/modules/%s/%s?api-version=" API_VERSION, module, verb);
        r = n < 0 || (size_t) n >= sizeof(url) ? -ENAMETOOLONG
                : easy                         ? set_up(easy, socket, url, ANSWER_TIME, &answer)
                                               : -ENOMEM;
        if (r >= 0 && curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "") != CURLE_OK)
                r = -ENOMEM;
        if (r >= 0)
                r = error_of(easy, curl_easy_perform(easy), &status);
        curl_easy_cleanup(easy);
        return r < 0 ? tell_why(&answer, verb, module, r, status, ret_why) : 0;
}

int management_ping(const char *socket, char **ret_why) {
        _cleanup_(buffer_done) Buffer answer = {.max_bytes = ANSWER_BYTES};
        CURL *easy = curl_easy_init();
        long status = 0;
        int r;

        r = easy ? set_up(easy, socket, "http://localhost/modules?api-version=" API_VERSION, PING_TIME,
                           &answer)
                 : -ENOMEM;
        if (r >= 0)
                r = error_of(easy, curl_easy_perform(easy), &status);
        curl_easy_cleanup(easy);
        if (status > 0)
                return 0;
        return because(ret_why, r, "the runtime does not answer on %s: %s", socket, strerror(-r));
}
