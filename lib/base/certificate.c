/* Walks the DER of a certificate as far as its public key: Certificate → TBSCertificate → [version], serial,
 * algorithm, issuer, validity, subject, subjectPublicKeyInfo. Lengths are believed only as far as the bytes
 * reach.
 *
 * The trap: a time is UTCTime with two digits of a year until 2049 and GeneralizedTime after. */

#include "lib/base/certificate.h"

#include <stdio.h>

#define PEM_BEGIN        "-----BEGIN CERTIFICATE-----"
#define PEM_END          "-----END CERTIFICATE-----"

#define TAG_SEQUENCE     0x30
#define TAG_VERSION      0xA0
#define TAG_INTEGER      0x02
#define TAG_BIT_STRING   0x03
#define TAG_UTC_TIME     0x17
#define TAG_TIME         0x18
#define LENGTH_BYTES_MAX 3 /* of a long length: 16 MiB */

static int value_of_digit(char c) {
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Base64 with line breaks. ret has room for text.len bytes. */
static int decode_base64(Text text, uint8_t *ret, size_t *ret_len) {
        uint32_t bits = 0;
        unsigned n_bits = 0;
        size_t n = 0;

        for (size_t i = 0; i < text.len && text.data[i] != '='; i++) {
                int digit = value_of_digit(text.data[i]);

                if (text.data[i] == '\n' || text.data[i] == '\r' || text.data[i] == ' ')
                        continue;
                if (digit < 0)
                        return -EBADMSG;
                bits = (bits << 6 | (uint32_t) digit) & 0xFFFFFF;
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        ret[n++] = (uint8_t) (bits >> n_bits);
                }
        }
        *ret_len = n;
        return 0;
}

typedef struct Der {
        const uint8_t *data;
        size_t len;
} Der;

/* Takes one element off the front. */
static int der_next(Der *rest, uint8_t *ret_tag, Der *ret_content) {
        size_t len, head = 2;

        if (rest->len < 2)
                return -EBADMSG;
        len = rest->data[1];
        if (len & 0x80) {
                size_t n = len & 0x7F;

                if (n == 0 || n > LENGTH_BYTES_MAX || rest->len < 2 + n)
                        return -EBADMSG;
                len = 0;
                for (size_t i = 0; i < n; i++)
                        len = len << 8 | rest->data[2 + i];
                head += n;
        }
        if (len > rest->len - head)
                return -EBADMSG;
        *ret_tag = rest->data[0];
        *ret_content = (Der){rest->data + head, len};
        *rest = (Der){rest->data + head + len, rest->len - head - len};
        return 0;
}

static int der_enter(Der *rest, uint8_t wanted, Der *ret) {
        uint8_t tag;
        int r = der_next(rest, &tag, ret);

        return r < 0 ? r : tag == wanted ? 0 : -EBADMSG;
}

/* "YYMMDDhhmmssZ", or with four digits of a year, as RFC 3339. */
static int read_time(Der *rest, usec_t *ret) {
        char digits[16], text[32];
        uint64_t nsec;
        uint8_t tag;
        Der content;
        int r, year_digits;

        r = der_next(rest, &tag, &content);
        if (r < 0)
                return r;
        year_digits = tag == TAG_UTC_TIME ? 2 : tag == TAG_TIME ? 4 : 0;
        if (year_digits == 0 || content.len != (size_t) year_digits + 11 ||
                content.data[content.len - 1] != 'Z')
                return -EBADMSG;
        memcpy(digits, content.data, content.len);
        digits[content.len] = '\0';
        (void) snprintf(text, sizeof(text), "%s%.*s-%.2s-%.2sT%.2s:%.2s:%.2sZ",
                year_digits == 4          ? ""
                        : digits[0] < '5' ? "20"
                                          : "19",
                year_digits, digits, digits + year_digits, digits + year_digits + 2,
                digits + year_digits + 4, digits + year_digits + 6, digits + year_digits + 8);
        r = timestamp_parse(text_of(text), &nsec, NULL);
        if (r < 0)
                return -EBADMSG;
        *ret = nsec / NSEC_PER_USEC;
        return 0;
}

static int read_validity(Der certificate, usec_t *ret_from, usec_t *ret_until) {
        Der outer, tbs, skipped, validity;
        usec_t from, until;
        uint8_t tag;
        int r;

        if ((r = der_enter(&certificate, TAG_SEQUENCE, &outer)) < 0 ||
                (r = der_enter(&outer, TAG_SEQUENCE, &tbs)) < 0 || (r = der_next(&tbs, &tag, &skipped)) < 0)
                return r;
        if (tag == TAG_VERSION && (r = der_next(&tbs, &tag, &skipped)) < 0) /* the serial number after it */
                return r;
        if ((r = der_enter(&tbs, TAG_SEQUENCE, &skipped)) < 0 ||
                (r = der_enter(&tbs, TAG_SEQUENCE, &skipped)) < 0 ||
                (r = der_enter(&tbs, TAG_SEQUENCE, &validity)) < 0 ||
                (r = read_time(&validity, &from)) < 0 || (r = read_time(&validity, &until)) < 0)
                return r;
        *ret_from = from;
        *ret_until = until;
        return 0;
}

/* The bytes between two marks of PEM. The result belongs to the caller. */
static int decode_pem(
        Text pem, const char *begin_mark, const char *end_mark, uint8_t **ret, size_t *ret_len) {
        const char *begin = pem.len ? memmem(pem.data, pem.len, begin_mark, strlen(begin_mark)) : NULL, *end;
        _cleanup_(freep) uint8_t *der = NULL;
        Text body;
        int r;

        if (!begin)
                return -ENOENT;
        body = text_skip(pem, (size_t) (begin - pem.data) + strlen(begin_mark));
        end = body.len ? memmem(body.data, body.len, end_mark, strlen(end_mark)) : NULL;
        if (!end)
                return -EBADMSG;
        body = text_clip(body, (size_t) (end - body.data));
        if (body.len == 0 || body.len > CERTIFICATE_BYTES_MAX)
                return -EBADMSG;
        der = malloc(body.len);
        if (!der)
                return -ENOMEM;
        r = decode_base64(body, der, ret_len);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(der);
        return 0;
}

int certificate_validity(Text pem, usec_t *ret_from, usec_t *ret_until) {
        _cleanup_(freep) uint8_t *der = NULL;
        size_t len;
        int r = decode_pem(pem, PEM_BEGIN, PEM_END, &der, &len);

        return r < 0 ? r : read_validity((Der){der, len}, ret_from, ret_until);
}

/* What makes a public key this one: the modulus of RSA, the point of an elliptic curve. */
static int read_public_key(Der certificate, Der *ret) {
        Der outer, tbs, skipped, info, bits, rsa;
        uint8_t tag;
        int r;

        if ((r = der_enter(&certificate, TAG_SEQUENCE, &outer)) < 0 ||
                (r = der_enter(&outer, TAG_SEQUENCE, &tbs)) < 0 || (r = der_next(&tbs, &tag, &skipped)) < 0)
                return r;
        if (tag == TAG_VERSION && (r = der_next(&tbs, &tag, &skipped)) < 0)
                return r;
        for (unsigned i = 0; i < 4; i++) /* algorithm, issuer, validity, subject */
                if ((r = der_enter(&tbs, TAG_SEQUENCE, &skipped)) < 0)
                        return r;
        if ((r = der_enter(&tbs, TAG_SEQUENCE, &info)) < 0 ||
                (r = der_enter(&info, TAG_SEQUENCE, &skipped)) < 0 ||
                (r = der_enter(&info, TAG_BIT_STRING, &bits)) < 0)
                return r;
        if (bits.len < 2) /* the first byte counts unused bits */
                return -EBADMSG;
        bits = (Der){bits.data + 1, bits.len - 1};
        *ret = bits;
        return bits.data[0] != TAG_SEQUENCE                ? 0
                : der_enter(&bits, TAG_SEQUENCE, &rsa) < 0 ? -EBADMSG
                                                           : der_enter(&rsa, TAG_INTEGER, ret);
}

/* A private key holds the public one too, except that of an elliptic curve, which may go without: it is then
 * hardly longer than its secret. */
static int find_public_key(Der key, Der public_key) {
        if (memmem(key.data, key.len, public_key.data, public_key.len))
                return 1;
        return key.len > public_key.len + public_key.len / 2 ? 0 : -ENODATA;
}

int certificate_matches_key(Text certificate_pem, Text key_pem) {
        static const char *const kinds[] = {"", "RSA ", "EC "};
        _cleanup_(freep) uint8_t *der = NULL, *key = NULL;
        size_t len, key_len = 0;
        Der public_key;
        int r;

        r = decode_pem(certificate_pem, PEM_BEGIN, PEM_END, &der, &len);
        if (r >= 0)
                r = read_public_key((Der){der, len}, &public_key);
        if (r < 0)
                return r;
        r = -ENOENT;
        for (size_t i = 0; r == -ENOENT && i < ELEMENTSOF(kinds); i++) {
                char begin[64], end[64];

                (void) snprintf(begin, sizeof(begin), "-----BEGIN %sPRIVATE KEY-----", kinds[i]);
                (void) snprintf(end, sizeof(end), "-----END %sPRIVATE KEY-----", kinds[i]);
                r = decode_pem(key_pem, begin, end, &key, &key_len);
        }
        if (r < 0)
                return r == -ENOMEM ? r : -ENODATA;
        r = find_public_key((Der){key, key_len}, public_key);
        explicit_bzero(key, key_len);
        return r;
}
