#include "lib/base/toml-write.h"

#include "lib/base/toml.h"
#include "tests/unit/unit.h"

static const char *const documents[] = {
        "",
        "hostname = \"device\"\nport = 5\nratio = 1.5\non = true\n",
        "[a]\nx = 1\n[a.b]\ny = \"quote \\\" and \\\\ and \\n\"\n[c]\n",
        ("[agent.config.createOptions]\n"
         "HostConfig = { Binds = [\"/a:/b\"], Ports = { \"443/tcp\" = [{ HostPort = \"1\" }] } }\n"),
        "\"odd key\" = 1\n[\"a.b\"]\n\"\" = 2\n",
        "[[p]]\nname = \"x\"\n[[p]]\nname = \"y\"\nlist = [[1, 2], []]\n",
        "a.b.c = \"\xc3\xa4\"\na.d = -3\n",
};

START_TEST(what_is_written_reads_the_same) {
        json_t *value, *again;
        Buffer b = {};
        TomlError error = {};

        ck_assert_int_eq(toml_parse(text_of(documents[_i]), &value, &error), 0);
        ck_assert_int_eq(toml_write(value, &b), 0);
        ck_assert_msg(toml_parse(buffer_text(&b), &again, &error) == 0, "%u:%u: %s in\n%s", error.line,
                error.column, error.text, buffer_text(&b).data);
        ck_assert_msg(json_equal(value, again), "%s", buffer_text(&b).data);
        json_decref(value);
        json_decref(again);
        buffer_done(&b);
}
END_TEST

START_TEST(null_cannot_be_written) {
        json_t *value = json_pack("{s:n}", "a");
        Buffer b = {};

        ck_assert_int_eq(toml_write(value, &b), -EINVAL);
        json_decref(value);
        buffer_done(&b);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("toml-write");
        TCase *tcase = tcase_create("toml-write");

        tcase_add_loop_test(tcase, what_is_written_reads_the_same, 0, ELEMENTSOF(documents));
        tcase_add_test(tcase, null_cannot_be_written);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
