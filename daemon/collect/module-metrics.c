/* One HTTP GET a module, never through a proxy: the address is one of this device. */

#include "daemon/collect/module-metrics.h"

#include <curl/curl.h>
#include <stdio.h>

#define METRICS_PORT    9600
#define METRICS_TIME_MS 3000L

static size_t on_metrics(char *data, size_t size, size_t n, void *userdata) {
        return buffer_append(userdata, data, size * n) < 0 ? 0 : size * n;
}

static bool ask_metrics(const char *address, Buffer *b) {
        CURL *easy = curl_easy_init();
        char url[128];
        long status = 0;
        bool ok;

        if (!easy)
                return false;
        (void) snprintf(url, sizeof(url), "http://%s:%d/metrics", address, METRICS_PORT);
        (void) curl_easy_setopt(easy, CURLOPT_URL, url);
        (void) curl_easy_setopt(easy, CURLOPT_PROXY, "");
        (void) curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        (void) curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, METRICS_TIME_MS);
        (void) curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_metrics);
        (void) curl_easy_setopt(easy, CURLOPT_WRITEDATA, b);
        ok = curl_easy_perform(easy) == CURLE_OK &&
                curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status == 200;
        curl_easy_cleanup(easy);
        return ok;
}

int module_metrics_read(const Container *c, Buffer *b) {
        for (size_t i = 0; i < c->n_networks; i++) {
                buffer_clear(b); /* of what came from the address before, which was no answer */
                if (c->addresses[i] && ask_metrics(c->addresses[i], b))
                        return 1;
        }
        return 0;
}
