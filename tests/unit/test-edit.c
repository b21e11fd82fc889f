#include "lib/fix/edit.h"

#include "tests/unit/unit.h"

#define LISTEN                                                                                              \
        "{\"kind\":\"toml-strings\",\"table\":\"listen\",\"strings\":{\"a\":\"fd://a\",\"b\":\"fd://b\"}}"

static const struct {
        const char *edit, *old;
        const char *changed; /* NULL: it is refused */
        const char *why;
} edits[] = {
        {"{\"kind\":\"content\",\"text\":\"x\"}", "old", "x", NULL},
        {"{\"kind\":\"content\"}", "old", NULL, NULL},
        {"{\"kind\":\"nonsense\"}", "old", NULL, NULL},
        {"{\"kind\":\"merge-json\",\"members\":{\"b\":2}}", "{\"a\": 1}",
                "{\n    \"a\": 1,\n    \"b\": 2\n}\n", NULL},
        {"{\"kind\":\"merge-json\",\"members\":{\"b\":2}}", "{\"a\":", NULL, "it is no valid JSON"},
        {LISTEN, "# x\n[listen]\nb = \"1\" # y\nc = 1\na = '2'\n[z]\na = \"3\"\n",
                "# x\n[listen]\nb = \"fd://b\" # y\nc = 1\na = \"fd://a\"\n[z]\na = \"3\"\n", NULL},
        {LISTEN, "listen = {a = \"1\", b = \"a = 2\"}\n", "listen = {a = \"fd://a\", b = \"fd://b\"}\n",
                NULL},
        {LISTEN, "[listen]\na = \"1\"\n", NULL, "it does not hold the string"},
        {LISTEN, "[listen]\na = \"1\nb = \"2\"\n", NULL,
                "a control character in a string (line 2, column 7)"},
        {"{\"kind\":\"toml-strings\",\"table\":\"t\",\"strings\":{\"a\":\"\\\"\"}}", "[t]\na = \"1\"\n",
                NULL, NULL},
        {"{\"kind\":\"toml-strings\",\"strings\":{\"a\":\"1\"}}", "[t]\na = \"1\"\n", NULL, NULL},
};

START_TEST(a_file_is_changed_or_refused) {
        json_t *edit = json_loads(edits[_i].edit, 0, NULL);
        _cleanup_(freep) char *changed = NULL, *why = NULL;
        int r = fix_edit(edit, text_of(edits[_i].old), &changed, &why);

        json_decref(edit);
        ck_assert_int_eq(r, edits[_i].changed ? 0 : -EINVAL);
        if (edits[_i].changed)
                ck_assert_str_eq(changed, edits[_i].changed);
        if (edits[_i].why)
                ck_assert_msg(why && strstr(why, edits[_i].why), "%s", why ? why : "no reason");
}
END_TEST

START_TEST(what_a_text_cannot_hold_is_refused) {
        json_t *edit = json_loads(LISTEN, 0, NULL);
        _cleanup_(freep) char *changed = NULL, *why = NULL;

        ck_assert_int_eq(fix_edit(edit, (Text){"# \0\n", 4}, &changed, &why), -EINVAL);
        json_decref(edit);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("edit");
        TCase *test = tcase_create("edit");

        tcase_add_loop_test(test, a_file_is_changed_or_refused, 0, ELEMENTSOF(edits));
        tcase_add_test(test, what_a_text_cannot_hold_is_refused);
        suite_add_tcase(suite, test);
        return run_suite(suite);
}
