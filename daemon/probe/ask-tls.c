/* Does a TLS handshake complete? Its large packets are what a too narrow path swallows: connect works, this
 * times out. A certificate that cannot be verified is told apart from a network that does not carry it. */

#include "daemon/probe/lookup.h"
#include "daemon/probe/questions.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>

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

static json_t *handshake(const Request *request, const char *pin, const char **ret_why) {
        struct curl_slist *pins = curl_slist_append(NULL, pin);
        CURL *curl = curl_easy_init();
        char url[sizeof(request->host) + 32], detail[CURL_ERROR_SIZE] = "";
        json_t *value = NULL;
        long os_error = 0;
        CURLcode code;

        if (curl && pins) {
                (void) snprintf(url, sizeof(url), "https://%s:%u/", request->host, (unsigned) request->port);
                (void) curl_easy_setopt(curl, CURLOPT_URL, url);
                (void) curl_easy_setopt(curl, CURLOPT_RESOLVE, pins);
                (void) curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
                (void) curl_easy_setopt(curl, CURLOPT_PROXY, "");
                (void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
                (void) curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) request->timeout_ms);
                (void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
                code = curl_easy_perform(curl);
                (void) curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
                value = network_result(word(code, os_error), code == CURLE_OK ? "" : detail);
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
                return network_result(l.result, l.detail);
        if (!pin_address(request, &l, pin, sizeof(pin)))
                return network_result("error", "the address cannot be written");
        return handshake(request, pin, ret_why);
}

const Question question_tls = {
        .name = "tls", .on_network = true, .needs_host = true, .needs_port = true, .ask = ask};
