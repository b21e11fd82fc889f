#include "lib/base/toml.h"

#include "tests/unit/unit.h"

static const struct {
        const char *toml;
        const char *json;
} documents[] = {
        {"", "{}"},
        {"# only a comment", "{}"},
        {"a = 1\nb = -17\nc = 1_000\nd = 0xff\ne = true\nf = false\n",
                "{\"a\":1,\"b\":-17,\"c\":1000,\"d\":255,\"e\":true,\"f\":false}"},
        {"a = 1.5\r\nb = 1e3\r\n", "{\"a\":1.5,\"b\":1000.0}"},
        {"at = 2024-05-23T07:50:52Z\ntime = 07:50:52\n",
                "{\"at\":\"2024-05-23T07:50:52Z\",\"time\":\"07:50:52\"}"},
        {"a = \"x\\ty\\u00e9\\\"\"\nb = 'c:\\d'\n", "{\"a\":\"x\\ty\\u00e9\\\"\",\"b\":\"c:\\\\d\"}"},
        {"a = \"\"\"\none\ntwo \\\n   three\"\"\"\nb = '''\nx'y'''\n",
                "{\"a\":\"one\\ntwo three\",\"b\":\"x'y\"}"},
        {"[a]\nx = 1\n[a.b]\ny = 2\n[c.d]\nz = 3\n[c]\nw = 4\n",
                "{\"a\":{\"x\":1,\"b\":{\"y\":2}},\"c\":{\"d\":{\"z\":3},\"w\":4}}"},
        {"a.b.c = 1\na.b.d = 2\n\"e f\".'g.h' = 3\n",
                "{\"a\":{\"b\":{\"c\":1,\"d\":2}},\"e f\":{\"g.h\":3}}"},
        {"[[p]]\nn = 1\n[[p]]\nn = 2\n[p.q]\nm = 3\n", "{\"p\":[{\"n\":1},{\"n\":2,\"q\":{\"m\":3}}]}"},
        {"a = [1, # one\n 2,\n]\nb = [[1], ['x']]\n", "{\"a\":[1,2],\"b\":[[1],[\"x\"]]}"},
        {"a = {b = 1, c = {d = 'x'}}\ne = {}\n", "{\"a\":{\"b\":1,\"c\":{\"d\":\"x\"}},\"e\":{}}"},
        {"device_id_pk = { value = \"REDACTED\" }\n", "{\"device_id_pk\":{\"value\":\"REDACTED\"}}"},
};

START_TEST(document_is_read) {
        TomlError error = {};
        json_t *read = NULL, *expected = json_loads(documents[_i].json, 0, NULL);
        int r = toml_parse(text_of(documents[_i].toml), &read, &error);

        ck_assert_msg(r == 0, "%u:%u: %s", error.line, error.column, error.text);
        ck_assert(expected);
        ck_assert_msg(json_equal(read, expected), "%s", documents[_i].toml);
        json_decref(read);
        json_decref(expected);
}
END_TEST

static const struct {
        const char *toml;
        unsigned line, column;
} mistakes[] = {
        {"a = \n", 1, 5},
        {"a\n", 1, 2},
        {"a = b\n", 1, 6},
        {"a = 1 2\n", 1, 7},
        {"x = 1\na = \"no end\n", 2, 12},
        {"a = \"\\q\"\n", 1, 7},
        {"a = \"\\ud800\"\n", 1, 12},
        {"a = 1\na = 2\n", 2, 3},
        {"[a]\n[a]\n", 2, 4},
        {"a = 1\n[a.b]\n", 2, 4},
        {"a = {b = 1}\n[a]\n", 2, 4},
        {"a = [1]\n[[a]]\n", 2, 6},
        {"[[a]]\n[a]\n", 2, 4},
        {"[a\n", 1, 3},
        {"a = [1 2]\n", 1, 8},
        {"a = {b = 1\n}\n", 1, 11},
        {"= 1\n", 1, 1},
        {"a = 0x\n", 1, 7},
        {"a = 99999999999999999999\n", 0, 0},
};

START_TEST(mistake_is_located) {
        TomlError error = {};
        json_t *read = NULL;
        int r = toml_parse(text_of(mistakes[_i].toml), &read, &error);

        if (mistakes[_i].line == 0) { /* only that it does no harm */
                json_decref(read);
                return;
        }
        ck_assert_msg(r == -EINVAL, "accepted: %s", mistakes[_i].toml);
        ck_assert(!read);
        ck_assert_msg(error.line == mistakes[_i].line && error.column == mistakes[_i].column,
                "%u:%u: %s, expected %u:%u", error.line, error.column, error.text, mistakes[_i].line,
                mistakes[_i].column);
}
END_TEST

/* Depth costs stack: hostile nesting ends as an error. */
START_TEST(depth_is_bounded) {
        static const char *const openers[] = {"[", "{a=", "a."};

        FOREACH_ARRAY (opener, openers, ELEMENTSOF(openers)) {
                char text[4096] = "x = ";
                json_t *read = NULL;

                for (size_t n = 0; n < 1000; n++)
                        (void) strncat(text, *opener, sizeof(text) - strlen(text) - 1);
                ck_assert_int_eq(
                        toml_parse(text_of(text + (**opener == 'a' ? 4 : 0)), &read, NULL), -EINVAL);
                ck_assert(!read);
        }
}
END_TEST

START_TEST(size_is_bounded) {
        char *text = calloc(1, TOML_BYTES_MAX + 1);
        json_t *read = NULL;

        ck_assert(text);
        ck_assert_int_eq(toml_parse((Text){text, TOML_BYTES_MAX + 1}, &read, NULL), -EFBIG);
        free(text);
}
END_TEST

/* A string, and the text as it is with another in its place; NULL: there is none. */
static const struct {
        const char *toml, *replaced;
} strings[] = {
        {"[t] # a\nk = \"v\" # b\n", "[t] # a\nk = @ # b\n"},
        {"t.k = 'v'\nt.j = 1\n", "t.k = @\nt.j = 1\n"},
        {"k = \"v\"\nt = {j = \"v\", k = \"v\"}\n", "k = \"v\"\nt = {j = \"v\", k = @}\n"},
        {"[t]\r\n\"k\"=\"\"\"\r\na\"\"\"\r\n", "[t]\r\n\"k\"=@\r\n"},
        {"[u]\nk = \"v\"\n[t]\nk = \"v\\\"\"", "[u]\nk = \"v\"\n[t]\nk = @"},
        {"[u.t]\nk = \"v\"\n", NULL},
        {"[t]\nk = true\n", NULL},
        {"[t]\nk = [\"v\"]\n", NULL},
        {"[[t]]\nk = \"v\"\n", NULL},
        {"t = \"k\"\n", NULL},
        {"", NULL},
};

START_TEST(string_is_found) {
        Text text = text_of(strings[_i].toml), place = {};
        char replaced[256];
        int r = toml_find_string(text, "t", "k", &place, NULL);

        ck_assert_int_eq(r, strings[_i].replaced != NULL);
        if (r == 0)
                return;
        (void) snprintf(replaced, sizeof(replaced), "%.*s@%s", (int) (place.data - text.data), text.data,
                place.data + place.len);
        ck_assert_str_eq(replaced, strings[_i].replaced);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("toml");
        TCase *test = tcase_create("toml");

        tcase_add_loop_test(test, document_is_read, 0, ELEMENTSOF(documents));
        tcase_add_loop_test(test, mistake_is_located, 0, ELEMENTSOF(mistakes));
        tcase_add_loop_test(test, string_is_found, 0, ELEMENTSOF(strings));
        tcase_add_test(test, depth_is_bounded);
        tcase_add_test(test, size_is_bounded);
        suite_add_tcase(suite, test);
        return run_suite(suite);
}
