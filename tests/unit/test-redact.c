#include "lib/base/printable.h"
#include "lib/base/redact.h"

#include "tests/unit/unit.h"

static const struct {
        const char *text, *redacted;
} texts[] = {
        {"HostName=h.azure-devices.net;DeviceId=d;SharedAccessKey=AbC+/9=;GatewayHostName=g",
                "HostName=h.azure-devices.net;DeviceId=d;SharedAccessKey=REDACTED;GatewayHostName=g"},
        {"SharedAccessSignature sr=h%2fdevices%2fd&sig=abc%3d&se=17000",
                "SharedAccessSignature sr=h%2fdevices%2fd&sig=REDACTED&se=17000"},
        {"Authorization: Bearer eyJhbGciOi.abc-def_ghi", "Authorization: Bearer REDACTED"},
        {"authorization: Basic dXNlcjpwYXNzd29yZA==", "authorization: Basic REDACTED"},
        {"DefaultEndpointsProtocol=https;AccountName=a;AccountKey=Zm9v==;EndpointSuffix=core",
                "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=REDACTED;EndpointSuffix=core"},
        {"{\"username\":\"u\",\"password\":\"p w;x\",\"serveraddress\":\"r\"}",
                "{\"username\":\"u\",\"password\":\"REDACTED\",\"serveraddress\":\"r\"}"},
        {"{\\\"password\\\": \\\"secret\\\"}", "{\\\"password\\\": \\\"REDACTED\\\"}"},
        {"device_id_pk = { value = \"x\" }; identity_token=abc def",
                "device_id_pk = REDACTED; identity_token=REDACTED def"},
        {"proxy http://user:pa@ss@proxy:3128/x failed", "proxy http://REDACTED@proxy:3128/x failed"},
        {"see https://example.com/a@b", "see https://example.com/a@b"},
        {"PASSWORD='p' next", "PASSWORD='REDACTED' next"},
        {"sig=", "sig="},
        /* words that are not secrets */
        {"the basic idea: token expired", "the basic idea: token expired"},
        {"Module key vault: started", "Module key vault: started"},
        {"monkey=3 design=4 tokens: 5", "monkey=3 design=4 tokens: 5"},
        {"Bearer of news", "Bearer of news"},
        {"", ""},
};

START_TEST(secrets_are_hidden) {
        _cleanup_(freep) char *redacted = redact_text(text_of(texts[_i].text));

        ck_assert_str_eq(redacted, texts[_i].redacted);
}
END_TEST

START_TEST(redacting_twice_changes_nothing) {
        _cleanup_(freep) char *again = redact_text(text_of(texts[_i].redacted));

        ck_assert_str_eq(again, texts[_i].redacted);
}
END_TEST

static const struct {
        const char *name;
        bool is_secret;
} names[] = {
        {"SharedAccessKey", true},
        {"EdgeHubConnectionString", true},
        {"DB_PASSWORD", true},
        {"api-key", true},
        {"ACCESS_TOKEN", true},
        {"storageKey", true},
        {"UpstreamProtocol", false},
        {"MaxUpstreamBatchSize", false},
        {"IOTEDGE_DEVICEID", false},
        {"", false},
};

START_TEST(names_of_secrets_are_known) {
        ck_assert_int_eq(redact_is_secret_name(text_of(names[_i].name)), names[_i].is_secret);
}
END_TEST

static const struct {
        const char *bytes;
        size_t len, max;
        const char *printable;
} printables[] = {
        {"plain\ttext", 10, 100, "plain\ttext"},
        {"\033[31mred\033[0m", 12, 100, "\\x1b[31mred\\x1b[0m"},
        {"two\r\nlines\n", 11, 100, "two  lines "},
        {"a\0b\x7f", 4, 100, "ab\\x7f"},
        {"\xc2\x9b"
         "31m",
                5, 100, "\\x9b31m"},
        {"\xe2\x80\xae"
         "evil",
                7, 100, "\\u{202e}evil"},
        {"line\xe2\x80\xa8sep", 10, 100, "line sep"},
        {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\xa5", 11, 100, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\xa5"},
        {"bad \xff", 5, 100, "bad ?"},
        {"abc\033def", 7, 6, "abc"},
        {"", 0, 100, ""},
};

START_TEST(text_is_made_printable) {
        _cleanup_(freep) char *printable =
                printable_text((Text){printables[_i].bytes, printables[_i].len}, printables[_i].max);

        ck_assert_str_eq(printable, printables[_i].printable);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("redact");
        TCase *tc = tcase_create("redact");

        tcase_add_loop_test(tc, secrets_are_hidden, 0, ELEMENTSOF(texts));
        tcase_add_loop_test(tc, redacting_twice_changes_nothing, 0, ELEMENTSOF(texts));
        tcase_add_loop_test(tc, names_of_secrets_are_known, 0, ELEMENTSOF(names));
        tcase_add_loop_test(tc, text_is_made_printable, 0, ELEMENTSOF(printables));
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
