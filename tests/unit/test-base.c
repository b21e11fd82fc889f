#include "lib/base/buffer.h"
#include "lib/base/time.h"
#include "lib/base/word.h"

#include "tests/unit/unit.h"

static const struct {
        const char *text;
        uint64_t nsec;
        size_t len;
        int r;
} timestamps[] = {
        {"2024-05-23T07:50:52Z", 1716450652000000000, 20, 0},
        {"2024-05-23T07:50:52.598Z rest", 1716450652598000000, 24, 0},
        {"2024-05-23T07:50:52.123456789Z", 1716450652123456789, 30, 0},
        {"2024-05-23T07:50:52.1234567899Z", 1716450652123456789, 31, 0},
        {"2024-05-23T09:50:52+02:00", 1716450652000000000, 25, 0},
        {"2024-05-23 00:50:52.5 -07:00 x", 1716450652500000000, 28, 0},
        {"1970-01-01T00:00:00Z", 0, 20, 0},
        {"2024-13-23T07:50:52Z", 0, 0, -EINVAL},
        {"2024-05-23T07:50:52", 0, 0, -EINVAL},
        {"2024-05-23T07:50:52.Z", 0, 0, -EINVAL},
        {"1969-12-31T23:59:59Z", 0, 0, -EINVAL},
        {"", 0, 0, -EINVAL},
        {"2024-05-2", 0, 0, -EINVAL},
};

START_TEST(timestamp_is_parsed) {
        uint64_t nsec = 0;
        size_t len = 0;

        ck_assert_int_eq(timestamp_parse(text_of(timestamps[_i].text), &nsec, &len), timestamps[_i].r);
        ck_assert_uint_eq(nsec, timestamps[_i].nsec);
        ck_assert_uint_eq(len, timestamps[_i].len);
}
END_TEST

START_TEST(timestamp_is_formatted) {
        char buffer[TIMESTAMP_MAX];

        ck_assert_str_eq(timestamp_format(1716450652598123, buffer), "2024-05-23T07:50:52.598123Z");
        ck_assert_str_eq(timestamp_format(USEC_INFINITY, buffer), "");
}
END_TEST

static const struct {
        const char *text;
        usec_t usec;
        int r;
} durations[] = {
        {"90s", 90 * USEC_PER_SEC, 0},
        {"3min", 3 * USEC_PER_MIN, 0},
        {"15 min", 15 * USEC_PER_MIN, 0},
        {"1h", USEC_PER_HOUR, 0},
        {"250ms", 250 * USEC_PER_MSEC, 0},
        {"2d", 48 * USEC_PER_HOUR, 0},
        {"10", 0, -EINVAL},
        {"min", 0, -EINVAL},
        {"-1s", 0, -EINVAL},
        {"1s2", 0, -EINVAL},
        {"18446744073709551615h", 0, -EINVAL},
};

START_TEST(duration_is_parsed) {
        usec_t usec = 0;

        ck_assert_int_eq(duration_parse(text_of(durations[_i].text), &usec), durations[_i].r);
        ck_assert_uint_eq(usec, durations[_i].usec);
}
END_TEST

static const struct {
        const char *bytes;
        size_t len;
        size_t max;
        const char *utf8;
} texts[] = {
        {"plain", 5, 100, "plain"},
        {"gr\xc3\xbc\xc3\x9f", 6, 100, "gr\xc3\xbc\xc3\x9f"},
        {"cut \xc3\xbc", 6, 5, "cut "},
        {"a\0b", 3, 100, "ab"},
        {"\xff\xfe", 2, 100, "??"},
        {"\xc0\xaf overlong", 11, 100, "?? overlong"},
        {"\xed\xa0\x80 surrogate", 13, 100, "??? surrogate"},
        {"\xf4\x90\x80\x80", 4, 100, "????"},
        {"\xe2\x82", 2, 100, "??"},
        {"", 0, 100, ""},
};

/* What stands before the commas, each in brackets. */
static const struct {
        const char *text, *parts;
} lists[] = {
        {"", ""},
        {"a", "[a]"},
        {"a,b", "[a][b]"},
        {"a,,b", "[a][][b]"},
        {",a", "[][a]"},
        {"a,", "[a]"},
};

START_TEST(text_is_cut) {
        _cleanup_(buffer_done) Buffer parts = {};
        Text rest = text_of(lists[_i].text);

        while (!text_is_empty(rest)) {
                (void) buffer_append_string(&parts, "[");
                (void) buffer_append_text(&parts, text_cut(&rest, ','));
                (void) buffer_append_string(&parts, "]");
        }
        ck_assert_text_eq(buffer_text(&parts), lists[_i].parts);
        rest = TEXT_NONE;
        ck_assert(text_is_empty(text_cut(&rest, ',')));
}
END_TEST

START_TEST(text_becomes_utf8) {
        _cleanup_(freep) char *utf8 = text_to_utf8((Text){texts[_i].bytes, texts[_i].len}, texts[_i].max);

        ck_assert_str_eq(utf8, texts[_i].utf8);
}
END_TEST

START_TEST(buffer_keeps_its_cap) {
        Buffer b = {.max_bytes = 8};

        ck_assert_int_eq(buffer_append_string(&b, "12345678"), 0);
        ck_assert_int_eq(buffer_append_string(&b, "9"), -EFBIG);
        ck_assert_int_eq(buffer_append_string(&b, ""), -EFBIG);
        ck_assert_ptr_null(buffer_take(&b));
        buffer_clear(&b);
        ck_assert_int_eq(buffer_append_format(&b, "%d-%s", 12, "ab"), 0);
        buffer_consume(&b, 2);
        ck_assert_text_eq(buffer_text(&b), "-ab");
        buffer_done(&b);
}
END_TEST

START_TEST(words_are_found_whole) {
        static const char *const words[] = {"auto", NULL, "always", ""};

        ck_assert_int_eq(word_find(words, ELEMENTSOF(words), TEXT_LITERAL("auto")), 0);
        ck_assert_int_eq(word_find(words, ELEMENTSOF(words), TEXT_LITERAL("always")), 2);
        ck_assert_int_eq(word_find(words, ELEMENTSOF(words), TEXT_LITERAL("")), 3);
        ck_assert_int_eq(word_find(words, ELEMENTSOF(words), TEXT_LITERAL("alway")), -EINVAL);
        ck_assert_int_eq(word_find(words, ELEMENTSOF(words), TEXT_LITERAL("Auto")), -EINVAL);
        ck_assert_int_eq(word_find(words, 2, TEXT_LITERAL("always")), -EINVAL);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("base");
        TCase *tc = tcase_create("base");

        tcase_add_loop_test(tc, timestamp_is_parsed, 0, ELEMENTSOF(timestamps));
        tcase_add_test(tc, timestamp_is_formatted);
        tcase_add_loop_test(tc, duration_is_parsed, 0, ELEMENTSOF(durations));
        tcase_add_loop_test(tc, text_is_cut, 0, ELEMENTSOF(lists));
        tcase_add_loop_test(tc, text_becomes_utf8, 0, ELEMENTSOF(texts));
        tcase_add_test(tc, buffer_keeps_its_cap);
        tcase_add_test(tc, words_are_found_whole);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
