#include "lib/base/certificate.h"

#include "tests/unit/unit.h"

#define BODY                                                                                                \
        "MIIBbTCCAROgAwIBAgIUJ/FLRW4aEPj5SSprfmNEZfg+k1cwCgYIKoZIzj0EAwIw\n"                                \
        "DDEKMAgGA1UEAwwBeDAeFw0yNjExMjIyMzI2NTRaFw0zNjExMTkyMzI2NTRaMAwx\n"                                \
        "CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARuScvLJB/C1FvN\n"                                \
        "UHrIV6V4iApHZtyL+YT4BMUqpXK2DlZrDvnr15UhxBct22qOrfVOT0w18OhNLHx8\n"                                \
        "SNjy/q78o1MwUTAdBgNVHQ4EFgQU8CuSErhgUPZZGKB1n3F32V6OKvMwHwYDVR0j\n"                                \
        "BBgwFoAU8CuSErhgUPZZGKB1n3F32V6OKvMwDwYDVR0TAQH/BAUwAwEB/zAKBggq\n"                                \
        "hkjOPQQDAgNIADBFAiBEl2SmyaJtQ2rXBoVzBvTWiNX+WRyPJJdSveEhG0YHqgIh\n"                                \
        "AItN8K2eu85Qi3pTAt9Rp+tE2xHT+QAbcEwGVg13BC2F\n"
#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END   "-----END CERTIFICATE-----\n"

START_TEST(validity_is_read) {
        usec_t from, until;

        ck_assert_int_eq(certificate_validity(
                                 TEXT_LITERAL("Subject: x\n" BEGIN BODY END BEGIN "x" END), &from, &until),
                0);
        ck_assert_uint_eq(from, 1795390014 * USEC_PER_SEC);
        ck_assert_uint_eq(until, 2110750014 * USEC_PER_SEC);
}
END_TEST

static const struct {
        const char *pem;
        int error;
} bad[] = {
        {"", -ENOENT},
        {"-----BEGIN PRIVATE KEY-----\n" BODY, -ENOENT},
        {BEGIN BODY, -EBADMSG},
        {BEGIN END, -EBADMSG},
        {BEGIN "MI!" END, -EBADMSG},
        {BEGIN "MIIBbTCCAROgAwIBAgIU" END, -EBADMSG},
        {BEGIN "MIQAAAAA" END, -EBADMSG},
        {BEGIN "MIA=" END, -EBADMSG},
};

START_TEST(what_is_none_is_refused) {
        usec_t from = 1, until = 2;

        ck_assert_int_eq(certificate_validity(text_of(bad[_i].pem), &from, &until), bad[_i].error);
        ck_assert_uint_eq(from, 1);
        ck_assert_uint_eq(until, 2);
}
END_TEST

/* Cut anywhere, it is refused, and no byte beyond is touched (as ASan sees). */
START_TEST(every_cut_is_safe) {
        static const char pem[] = BEGIN BODY;

        for (size_t n = strlen(BEGIN); n < strlen(pem) - 1; n++) {
                _cleanup_(freep) char *cut = NULL;
                usec_t from, until;
                size_t len = n + strlen(END);

                cut = malloc(len);
                ck_assert_ptr_nonnull(cut);
                memcpy(cut, pem, n);
                memcpy(cut + n, END, strlen(END));
                ck_assert_int_lt(certificate_validity((Text){cut, len}, &from, &until), 0);
        }
}
END_TEST

static const char ec_certificate[] = "-----BEGIN CERTIFICATE-----\n"
                                     "MIIBazCCAROgAwIBAgIUFjcqBtGYzQ6VwiMLOlQpu4fTVQgwCgYIKoZIzj0EAwIw\n"
                                     "DDEKMAgGA1UEAwwBeDAeFw0yNjExMjUyMzQyNThaFw0zNjExMjIyMzQyNThaMAwx\n"
                                     "CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQk6TT7qarYfkTb\n"
                                     "vzTCUJXLwWGDraWADwJezSJZxE2e7dv2/B5PcO8R1B9k5kvIu9/52INcXxWw2ErK\n"
                                     "nyuEoeQMo1MwUTAdBgNVHQ4EFgQUkH7P0ekZ5O7p3d6Xj5rwZcFTCUMwHwYDVR0j\n"
                                     "BBgwFoAUkH7P0ekZ5O7p3d6Xj5rwZcFTCUMwDwYDVR0TAQH/BAUwAwEB/zAKBggq\n"
                                     "hkjOPQQDAgNGADBDAh8sZbiVlngaOsfsLYiLrjNCZ6orsbfTaZv6EHA78ZMnAiAI\n"
                                     "Z74YStyUcZsEqiBzXZcg0B9WP+TSgxF6yCMM0DhHEQ==\n"
                                     "-----END CERTIFICATE-----\n";
static const char ec_key[] = "-----BEGIN PRIVATE KEY-----\n"
                             "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/x2fvaxnvrRjuqBV\n"
                             "hqRWGARiGrf8iZf0FuCveEU/ZxihRANCAAQk6TT7qarYfkTbvzTCUJXLwWGDraWA\n"
                             "DwJezSJZxE2e7dv2/B5PcO8R1B9k5kvIu9/52INcXxWw2ErKnyuEoeQM\n"
                             "-----END PRIVATE KEY-----\n";
static const char ec_key_sec1[] = "-----BEGIN EC PRIVATE KEY-----\n"
                                  "MHcCAQEEIP8dn72sZ760Y7qgVYakVhgEYhq3/ImX9Bbgr3hFP2cYoAoGCCqGSM49\n"
                                  "AwEHoUQDQgAEJOk0+6mq2H5E2780wlCVy8Fhg62lgA8CXs0iWcRNnu3b9vweT3Dv\n"
                                  "EdQfZOZLyLvf+diDXF8VsNhKyp8rhKHkDA==\n"
                                  "-----END EC PRIVATE KEY-----\n";
static const char ec_key_without_public[] =
        "-----BEGIN EC PRIVATE KEY-----\n"
        "MDECAQEEIP8dn72sZ760Y7qgVYakVhgEYhq3/ImX9Bbgr3hFP2cYoAoGCCqGSM49\n"
        "AwEH\n"
        "-----END EC PRIVATE KEY-----\n";
static const char ec_key_of_another[] = "-----BEGIN PRIVATE KEY-----\n"
                                        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHRhQesWUo5xYtwB9\n"
                                        "PvGYXsJdaEPSHgWhONDwOYjQZguhRANCAAQwsCnwTE3OaDDxfX8IiFotCFd3WVt4\n"
                                        "ogxEgms+PGsykoo9197boD4jwhMEspEhee0zaIhvkh1GG6oM3hlRl/SU\n"
                                        "-----END PRIVATE KEY-----\n";

static const struct {
        const char *certificate, *key;
        int expected;
} pairs[] = {
        {ec_certificate, ec_key, 1},
        {ec_certificate, ec_key_sec1, 1},
        {ec_certificate, ec_key_of_another, 0},
        {ec_certificate, ec_key_without_public, -ENODATA},
        {ec_certificate,
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIA=\n-----END ENCRYPTED PRIVATE KEY-----\n",
                -ENODATA},
        {ec_certificate, "", -ENODATA},
        {"", ec_key, -ENOENT},
        {BEGIN "MIA=" END, ec_key, -EBADMSG},
        {BEGIN BODY END, ec_key, 0},
};

START_TEST(key_is_compared) {
        ck_assert_int_eq(certificate_matches_key(text_of(pairs[_i].certificate), text_of(pairs[_i].key)),
                pairs[_i].expected);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("certificate");
        TCase *tcase = tcase_create("certificate");

        tcase_add_test(tcase, validity_is_read);
        tcase_add_loop_test(tcase, what_is_none_is_refused, 0, ELEMENTSOF(bad));
        tcase_add_test(tcase, every_cut_is_safe);
        tcase_add_loop_test(tcase, key_is_compared, 0, ELEMENTSOF(pairs));
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
