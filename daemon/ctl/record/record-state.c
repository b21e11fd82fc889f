/* The snapshot: docker/api, net, units.json, metrics. */

#include <curl/curl.h>
#include <stdio.h>

#include "daemon/ctl/record/recorder.h"
#include "lib/base/redact.h"

#define METRICS_PORT 9600
#define METRICS_TIME (3 * USEC_PER_SEC)

int record_state(Recorder *r, const Device *device) {
        for (DevicePart part = 0; part < DEVICE_PART_MAX; part++) {
                const char *name = device_part_to_string(part);
                int error;

                if (!device->parts[part]) {
                        recorder_say(name, "left out", device->errors[part]);
                        continue;
                }
                error = recorder_write_json(r, name, device->parts[part]);
                if (error < 0)
                        return error;
        }
        return 0;
}

static size_t on_metrics(char *data, size_t size, size_t n, void *userdata) {
        return buffer_append(userdata, data, size * n) < 0 ? 0 : size * n;
}

/* Returns 1, 0 when nobody answers there, or -ENOMEM. */
static int fetch_metrics(const char *address, Buffer *b) {
        CURL *easy = curl_easy_init();
        char url[128];
        long status = 0;
        CURLcode code;

        if (!easy)
                return -ENOMEM;
        (void) snprintf(url, sizeof(url), "http://%s:%d/metrics", address, METRICS_PORT);
        (void) curl_easy_setopt(easy, CURLOPT_URL, url);
        (void) curl_easy_setopt(easy, CURLOPT_PROXY, "");
        (void) curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        (void) curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) (METRICS_TIME / USEC_PER_MSEC));
        (void) curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_metrics);
        (void) curl_easy_setopt(easy, CURLOPT_WRITEDATA, b);
        code = curl_easy_perform(easy);
        (void) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_cleanup(easy);
        return code == CURLE_OK && status == 200;
}

static int record_metrics_of(Recorder *r, const Container *c) {
        _cleanup_(buffer_done) Buffer b = {.max_bytes = RECORD_METRICS_MAX};
        _cleanup_(freep) char *name = NULL, *redacted = NULL;
        int found = 0;

        for (size_t i = 0; found == 0 && i < c->n_networks; i++)
                if (c->addresses[i])
                        found = fetch_metrics(c->addresses[i], &b);
        if (found < 0)
                return found;
        if (asprintf(&name, "metrics/%s.prom", c->name) < 0) {
                name = NULL;
                return -ENOMEM;
        }
        if (found == 0) {
                recorder_say(name, "left out: nobody answers at port 9600", 0);
                return 0;
        }
        redacted = redact_text(buffer_text(&b));
        return redacted ? recorder_write(r, name, text_of(redacted)) : -ENOMEM;
}

int record_metrics(Recorder *r, const Device *device) {
        json_t *object;
        size_t i;

        json_array_foreach (device->parts[DEVICE_CONTAINERS], i, object) {
                _cleanup_(container_unrefp) Container *c = NULL;
                int error;

                error = container_from_json(object, &c);
                if (error == -ENOMEM)
                        return error;
                if (error < 0 || !c->name || !container_is_owned(c) || !container_is_running(c) ||
                        origin_of_module(text_of(c->name)) == ORIGIN_MODULE)
                        continue;
                error = record_metrics_of(r, c);
                if (error < 0)
                        return error;
        }
        return 0;
}
