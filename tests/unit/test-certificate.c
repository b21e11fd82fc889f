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

int main(void) {
        Suite *suite = suite_create("certificate");
        TCase *tcase = tcase_create("certificate");

        tcase_add_test(tcase, validity_is_read);
        tcase_add_loop_test(tcase, what_is_none_is_refused, 0, ELEMENTSOF(bad));
        tcase_add_test(tcase, every_cut_is_safe);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
