/* The certificates that certd holds: preloaded ones are files that its configuration names, issued ones lie
 * in its home under the letters and digits of their id and a hash. */

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "daemon/ctl/check/facts.h"
#include "daemon/collect/device-file.h"
#include "lib/base/certificate.h"

#define FILE_SCHEME   "file://"
#define PRELOADED_MAX 64

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

static int add(json_t *certificates, const char *id, const char *path, bool is_preloaded) {
        json_t *certificate;
        int r;

        r = describe(path, is_preloaded, &certificate);
        if (r < 0)
                return r;
        return json_object_set_new(certificates, id, certificate) < 0 ? -ENOMEM : 0;
}

static int add_issued(json_t *certificates, const char *id) {
        char pattern[256] = "/var/lib/aziot/certd/certs/";
        size_t n = strlen(pattern);
        glob_t found = {};
        int r = 0;

        for (const char *c = id; *c && n < sizeof(pattern) - sizeof("-*.cer"); c++)
                if (*c != '-')
                        pattern[n++] = *c;
        (void) snprintf(pattern + n, sizeof(pattern) - n, "-*.cer");
        if (glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc > 0)
                r = add(certificates, id, found.gl_pathv[0], false);
        globfree(&found);
        return r;
}

int check_collect_certificates(CheckFacts *f) {
        static const char *const issued[] = {
                "aziot-edged-ca", "device-id", "est-bootstrap-id", "est-id", "local-ca"};
        json_t *preloaded = (json_t *) check_member(
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
        return r;
}
