/* Does a TLS handshake complete? Its large packets are what a too narrow path swallows: connect works, this
 * times out. A certificate that cannot be verified is told apart from a network that does not carry it, and
 * told with its validity and this device's clock: one of both may be why. */

#include "daemon/probe/lookup.h"
#include "daemon/probe/questions.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>

#include "daemon/base/clock.h"
#include "lib/base/certificate.h"

static const char *word(CURLcode code, long os_error) {
        switch (code) {
        case CURLE_OK:
                return "ok";
        case CURLE_OPERATION_TIMEDOUT:
                return "timeout";
        case CURLE_COULDNT_RESOLVE_HOST:
                return "no-such-host";
        case CURLE_COULDNT_CONNECT:
                return connect_result_word(os_error != 0 ? (int) os_error : ECONNREFUSED);
        default:
                return "error";
        }
}

static bool pin_address(const Request *request, const Lookup *l, char *pin, size_t size) {
        const struct sockaddr_storage *a = l->addresses;
        const void *bytes = a->ss_family == AF_INET
                ? (const void *) &((const struct sockaddr_in *) a)->sin_addr
                : (const void *) &((const struct sockaddr_in6 *) a)->sin6_addr;
        char address[INET6_ADDRSTRLEN];

        return inet_ntop(a->ss_family, bytes, address, sizeof(address)) &&
                snprintf(pin, size, "%s:%u:%s", request->host, (unsigned) request->port, address) <
                (int) size;
}

static CURL *prepare(const Request *request, struct curl_slist *pins, usec_t until) {
        char url[sizeof(request->host) + 32];
        CURL *curl = curl_easy_init();

        if (!curl)
                return NULL;
        (void) snprintf(url, sizeof(url), "https://%s:%u/", request->host, (unsigned) request->port);
        (void) curl_easy_setopt(curl, CURLOPT_URL, url);
        (void) curl_easy_setopt(curl, CURLOPT_RESOLVE, pins);
        (void) curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
        (void) curl_easy_setopt(curl, CURLOPT_PROXY, "");
        (void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        (void) curl_easy_setopt(
                curl, CURLOPT_TIMEOUT_MS, (long) (usec_sub(until, monotonic_now()) / USEC_PER_MSEC) + 1);
        return curl;
}

/* The server's own certificate is the first of the chain. */
static int read_validity(CURL *curl, json_t *value) {
        char from_text[TIMESTAMP_MAX], until_text[TIMESTAMP_MAX], clock[TIMESTAMP_MAX];
        struct curl_certinfo *chain = NULL;
        usec_t from, until;

        if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain ||
                chain->num_of_certs < 1)
                return 0;
        for (const struct curl_slist *line = chain->certinfo[0]; line; line = line->next) {
                json_t *times;
                int r;

                if (!text_starts_with(text_of(line->data), "Cert:") ||
                        certificate_validity(text_of(line->data), &from, &until) < 0)
                        continue;
                times = json_pack("{s:s, s:s, s:s}", "not_before", timestamp_format(from, from_text),
                        "not_after", timestamp_format(until, until_text), "clock",
                        timestamp_format(realtime_now(), clock));
                r = times ? json_object_update(value, times) : -1;
                json_decref(times);
                return r < 0 ? -ENOMEM : 0;
        }
        return 0;
}

/* Once more, without looking at who answers: a certificate that is refused is not shown. */
static int add_validity(const Request *request, struct curl_slist *pins, usec_t until, json_t *value) {
        CURL *curl = prepare(request, pins, until);
        int r = 0;

        if (!curl)
                return -ENOMEM;
        (void) curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        (void) curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
        (void) curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
        if (curl_easy_perform(curl) == CURLE_OK)
                r = read_validity(curl, value);
        curl_easy_cleanup(curl);
        return r;
}

static json_t *handshake(const Request *request, const char *pin, const char **ret_why) {
        usec_t until = usec_add(monotonic_now(), (usec_t) request->timeout_ms * USEC_PER_MSEC);
        struct curl_slist *pins = curl_slist_append(NULL, pin);
        CURL *curl = pins ? prepare(request, pins, until) : NULL;
        char detail[CURL_ERROR_SIZE] = "";
        json_t *value = NULL;
        long os_error = 0;
        CURLcode code;

        if (curl) {
                (void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
                code = curl_easy_perform(curl);
                (void) curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
                value = network_result(word(code, os_error), code == CURLE_OK ? "" : detail);
                if (value && code == CURLE_PEER_FAILED_VERIFICATION &&
                        add_validity(request, pins, until, value) < 0) {
                        json_decref(value);
                        value = NULL;
                }
        }
        if (!value)
                *ret_why = "memory is out";
        curl_easy_cleanup(curl);
        curl_slist_free_all(pins);
        return value;
}

static json_t *ask(const Request *request, const char **ret_why) {
        char pin[sizeof(request->host) + INET6_ADDRSTRLEN + 16];
        Lookup l;

        lookup_run(request, &l);
        if (l.n_addresses == 0)
                return lookup_answer(&l, ret_why);
        if (!pin_address(request, &l, pin, sizeof(pin)))
                return network_result("error", "the address cannot be written");
        return handshake(request, pin, ret_why);
}

const Question question_tls = {
        .name = "tls", .on_network = true, .needs_host = true, .needs_port = true, .ask = ask};
