/* The certificates that certd holds: preloaded ones are files that its configuration names, issued ones lie
 * in its home under the letters and digits of their id and a hash. And the preloaded key pairs of keyd.
 * Whether the two services hand them out is asked of the services themselves. */

#include <curl/curl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "daemon/collect/device-file.h"
#include "daemon/ctl/check/facts.h"
#include "lib/base/certificate.h"
#include "lib/event/json-field.h"

#define FILE_SCHEME   "file://"
#define PRELOADED_MAX 64
#define CERTD_SOCKET  "/run/aziot/certd.sock"
#define KEYD_SOCKET   "/run/aziot/keyd.sock"
#define API_VERSION   "2020-09-01"
#define ASK_TIME_MS   5000L

static int describe(const char *path, bool is_preloaded, json_t **ret) {
        _cleanup_(freep) char *pem = NULL;
        usec_t from = 0, until = 0;
        size_t len = 0;
        int r;

        r = device_file_read(path, &pem, &len);
        if (r >= 0)
                r = certificate_validity((Text){pem, len}, &from, &until);
        if (r == -ENOMEM)
                return r;
        *ret = r < 0 ? json_pack("{s:s, s:b, s:s}", "path", path, "preloaded", is_preloaded, "error",
                               r == -EBADMSG ? "it is no certificate that can be read" : strerror(-r))
                     : json_pack("{s:s, s:b, s:I, s:I}", "path", path, "preloaded", is_preloaded, "from",
                               (json_int_t) from, "until", (json_int_t) until);
        return *ret ? 0 : -ENOMEM;
}

static size_t discard(char *data, size_t size, size_t n, void *userdata) {
        return size * n;
}

/* Whether a service hands out a thing: "ok", or why not. Returns NULL when memory is out. */
static json_t *ask_service(const char *socket, const char *collection, const char *id) {
        CURL *curl = curl_easy_init();
        char *escaped = curl ? curl_easy_escape(curl, id, 0) : NULL, url[1024], why[64] = "ok";
        long status = 0;
        CURLcode code;

        if (!escaped) {
                curl_easy_cleanup(curl);
                return NULL;
        }
        (void) snprintf(
                url, sizeof(url), "http://localhost/%s/%s?api-version=" API_VERSION, collection, escaped);
        (void) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
        (void) curl_easy_setopt(curl, CURLOPT_URL, url);
        (void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        (void) curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ASK_TIME_MS);
        (void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
        code = curl_easy_perform(curl);
        (void) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        if (code != CURLE_OK)
                (void) snprintf(why, sizeof(why), "%s", curl_easy_strerror(code));
        else if (status != 200)
                (void) snprintf(why, sizeof(why), "HTTP status %ld", status);
        curl_free(escaped);
        curl_easy_cleanup(curl);
        return json_string(why);
}

/* Whether the key is that of the certificate with the same id; nothing is set when that cannot be told. */
static int match(const json_t *certificate, const char *key_path, json_t *key) {
        const char *path = json_string_value(json_object_get(certificate, "path"));
        _cleanup_(freep) char *pem = NULL, *key_pem = NULL;
        size_t len = 0, key_len = 0;
        int r;

        if (!path || device_file_read(path, &pem, &len) < 0 ||
                device_file_read(key_path, &key_pem, &key_len) < 0)
                return 0;
        r = certificate_matches_key((Text){pem, len}, (Text){key_pem, key_len});
        explicit_bzero(key_pem, key_len);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        return json_object_set_new(key, "matches", json_boolean(r > 0)) < 0 ? -ENOMEM : 0;
}

static int add_key(CheckFacts *f, const char *id, const char *uri) {
        json_t *key =
                json_pack("{s:s, s:o}", "path", uri, "served", ask_service(KEYD_SOCKET, "keypair", id));
        int r = 0;

        if (!key || json_object_set_new(f->keys, id, key) < 0)
                return -ENOMEM;
        if (text_starts_with(text_of(uri), FILE_SCHEME))
                r = match(json_object_get(f->certificates, id), uri + strlen(FILE_SCHEME), key);
        return r;
}

static int add_keys(CheckFacts *f) {
        json_t *preloaded = (json_t *) json_field_at(
                check_document(f, "/etc/aziot/keyd/config.d/00-super.toml"), "preloaded_keys");
        const char *id;
        json_t *uri;
        int r = 0;

        f->keys = json_object();
        if (!f->keys)
                return -ENOMEM;
        json_object_foreach (preloaded, id, uri)
                if (r >= 0 && json_is_string(uri) && json_object_size(f->keys) < PRELOADED_MAX)
                        r = add_key(f, id, json_string_value(uri));
        return r;
}

static int add(json_t *certificates, const char *id, const char *path, bool is_preloaded) {
        json_t *certificate;
        int r;

        r = describe(path, is_preloaded, &certificate);
        if (r < 0)
                return r;
        if (is_preloaded &&
                json_object_set_new(certificate, "served", ask_service(CERTD_SOCKET, "certificates", id)) <
                        0) {
                json_decref(certificate);
                return -ENOMEM;
        }
        return json_object_set_new(certificates, id, certificate) < 0 ? -ENOMEM : 0;
}

static int add_issued(json_t *certificates, const char *id) {
        char pattern[256] = "/var/lib/aziot/certd/certs/";
        size_t n = strlen(pattern);
        glob_t found = {};
        int r;

        for (const char *c = id; *c && n < sizeof(pattern) - sizeof("-*.cer"); c++)
                if (*c != '-')
                        pattern[n++] = *c;
        (void) snprintf(pattern + n, sizeof(pattern) - n, "-*.cer");
        r = glob(pattern, 0, NULL, &found) == GLOB_NOSPACE ? -ENOMEM : 0;
        if (r >= 0 && found.gl_pathc > 0)
                r = add(certificates, id, found.gl_pathv[0], false);
        globfree(&found);
        return r;
}

int check_collect_certificates(CheckFacts *f) {
        static const char *const issued[] = {
                "aziot-edged-ca", "device-id", "est-bootstrap-id", "est-id", "local-ca"};
        json_t *preloaded = (json_t *) json_field_at(
                check_document(f, "/etc/aziot/certd/config.d/00-super.toml"), "preloaded_certs");
        const char *id;
        json_t *uri;
        int r = 0;

        f->certificates = json_object();
        if (!f->certificates)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(issued); i++)
                r = add_issued(f->certificates, issued[i]);
        json_object_foreach (preloaded, id, uri) {
                const char *text = json_string_value(uri);

                if (r >= 0 && text && text_starts_with(text_of(text), FILE_SCHEME) &&
                        json_object_size(f->certificates) < PRELOADED_MAX)
                        r = add(f->certificates, id, text + strlen(FILE_SCHEME), true);
        }
        return r < 0 ? r : add_keys(f);
}
