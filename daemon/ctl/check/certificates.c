/* Are the certificates that certd holds there, and valid for a while? */

#include <string.h>

#include "daemon/ctl/check/check.h"

#define USEC_PER_DAY (24 * USEC_PER_HOUR)
#define NEAR_DAYS    7

static int judge(const CheckFacts *f, const char *id, CheckAnswer *a) {
        const json_t *certificate = json_object_get(f->certificates, id);
        const char *path = check_text(certificate, "path"), *error = check_text(certificate, "error");
        usec_t from = (usec_t) json_integer_value(json_object_get(certificate, "from"));
        usec_t until = (usec_t) json_integer_value(json_object_get(certificate, "until"));
        char time[TIMESTAMP_MAX];

        if (!certificate)
                return 0;
        if (error)
                return check_skipped(a, "the certificate %s (%s): %s", id, path, error);
        if (f->now < from)
                return check_error(a,
                        "the certificate %s (%s) is valid only from %s on: is the clock right?", id, path,
                        timestamp_format(from, time));
        if (f->now > until)
                return check_error(a, "the certificate %s (%s) has expired at %s", id, path,
                        timestamp_format(until, time));
        if (until - f->now < NEAR_DAYS * USEC_PER_DAY)
                return check_warning(
                        a, "the certificate %s (%s) expires at %s", id, path, timestamp_format(until, time));
        return check_ok(a, "the certificate %s is valid until %s", id, timestamp_format(until, time));
}

/* The ids separated by blanks in check->argument. */
static int check_expiry(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        Text rest = text_of(check->argument);
        int r = 0;

        while (r >= 0 && !text_is_empty(rest)) {
                _cleanup_(freep) char *id = text_dup(text_cut(&rest, ' '));

                if (!id)
                        return -ENOMEM;
                r = judge(f, id, a);
        }
        if (r < 0 || a->because)
                return r;
        return check_skipped(a, "there is no such certificate on this device, or it may not be read");
}

static int check_preloaded(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const char *id;
        json_t *certificate;
        int r = 0;

        json_object_foreach (f->certificates, id, certificate) {
                const char *error = check_text(certificate, "error");

                if (r < 0 || !json_is_true(json_object_get(certificate, "preloaded")) || !error)
                        continue;
                if (strcmp(error, strerror(EACCES)) == 0)
                        r = check_skipped(a, "the preloaded certificate %s may not be read: not root", id);
                else
                        r = check_error(a, "the preloaded certificate %s (%s): %s", id,
                                check_text(certificate, "path"), error);
        }
        return r;
}

static int check_certificates_served(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const char *id;
        json_t *certificate;
        size_t n = 0;
        int r = 0;

        json_object_foreach (f->certificates, id, certificate) {
                const char *served = check_text(certificate, "served");

                if (r < 0 || !served)
                        continue;
                n++;
                if (strcmp(served, "ok") != 0)
                        r = check_error(
                                a, "certd does not hand out the preloaded certificate %s: %s", id, served);
        }
        if (r < 0 || a->because)
                return r;
        return check_ok(a, "certd hands out each of %zu preloaded certificates", n);
}

/* keyd says the same of a key pair that it cannot load and of a key that is none: only a file that holds a
 * private key is known to be one. */
static int check_keys_served(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const char *id;
        json_t *key;
        size_t n = 0;
        int r = 0;

        json_object_foreach (f->keys, id, key) {
                const char *served = check_text(key, "served");

                if (r < 0 || !served)
                        continue;
                n += strcmp(served, "ok") == 0;
                if (strcmp(served, "ok") != 0 && json_object_get(key, "matches"))
                        r = check_error(a, "keyd does not load the preloaded key pair %s: %s", id, served);
        }
        if (r < 0 || a->because)
                return r;
        return check_ok(a, "keyd loads %zu preloaded key pairs", n);
}

static int check_match(const CheckFacts *f, const Check *check, CheckAnswer *a) {
        const char *id;
        json_t *key;
        size_t n = 0;
        int r = 0;

        json_object_foreach (f->keys, id, key) {
                const json_t *matches = json_object_get(key, "matches");

                n += json_is_true(matches);
                if (r >= 0 && json_is_false(matches))
                        r = check_error(a, "the preloaded key %s is not that of the certificate %s", id, id);
        }
        if (r < 0 || a->because)
                return r;
        return n > 0
                ? check_ok(a, "%zu preloaded certificates match their keys", n)
                : check_skipped(a, "no preloaded certificate has a key of the same id that could be read");
}

static const Check checks[] = {
        {"certs-preloaded", "preloaded certificates are valid", NULL, NULL, 0, check_preloaded},
        {"certs-read", "read all preloaded certificates from the Certificates Service", "certd-running",
                NULL, 0, check_certificates_served},
        {"key-pairs-read", "read all preloaded key pairs from the Keys Service", "keyd-running", NULL, 0,
                check_keys_served},
        {"certs-match-private-keys",
                "ensure all preloaded certificates match preloaded private keys with the same ID", NULL,
                NULL, 0, check_match},
        {"identity-certificate-expiry", "production readiness: identity certificates expiry", NULL,
                "device-id", 0, check_expiry},
        {"est-identity-and-bootstrap-certificate-expiry",
                "production readiness: EST identity and bootstrap certificates expiry", NULL,
                "est-id est-bootstrap-id", 0, check_expiry},
        {"local-ca-certificate-expiry", "production readiness: local CA certificates expiry", NULL,
                "local-ca", 0, check_expiry},
        {"edge-ca-certificate-expiry", "production readiness: Edge CA certificate expiry", NULL,
                "aziot-edged-ca", 0, check_expiry},
};

const CheckGroup check_group_certificates = {"Certificates", checks, ELEMENTSOF(checks)};
