#include "lib/fix/json-patch.h"

#include "tests/unit/unit.h"

/* The examples of RFC 6902, appendix A, then what its text demands. */
static const struct {
        const char *document, *patch;
        const char *expected; /* NULL: it fails with r */
        int r;
} cases[] = {
        {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
                "{\"baz\":\"qux\",\"foo\":\"bar\"}", 0},
        {"{\"foo\":[\"bar\",\"baz\"]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
                "{\"foo\":[\"bar\",\"qux\",\"baz\"]}", 0},
        {"{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]", "{\"foo\":\"bar\"}",
                0},
        {"{\"foo\":[\"bar\",\"qux\",\"baz\"]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]",
                "{\"foo\":[\"bar\",\"baz\"]}", 0},
        {"{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":\"boo\"}]",
                "{\"baz\":\"boo\",\"foo\":\"bar\"}", 0},
        {"{\"foo\":{\"bar\":\"baz\",\"waldo\":\"fred\"},\"qux\":{\"corge\":\"grault\"}}",
                "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
                "{\"foo\":{\"bar\":\"baz\"},\"qux\":{\"corge\":\"grault\",\"thud\":\"fred\"}}", 0},
        {"{\"foo\":[\"all\",\"grass\",\"cows\",\"eat\"]}",
                "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
                "{\"foo\":[\"all\",\"cows\",\"eat\",\"grass\"]}", 0},
        {"{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}",
                "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"qux\"},"
                "{\"op\":\"test\",\"path\":\"/foo/1\",\"value\":2}]",
                "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}", 0},
        {"{\"baz\":\"qux\"}", "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"bar\"}]", NULL, -EBADMSG},
        {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/child\",\"value\":{\"grandchild\":{}}}]",
                "{\"foo\":\"bar\",\"child\":{\"grandchild\":{}}}", 0},
        {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"xyz\":123}]",
                "{\"foo\":\"bar\",\"baz\":\"qux\"}", 0},
        {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz/bat\",\"value\":\"qux\"}]", NULL, -ENOENT},
        {"{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":10}]", "{\"/\":9,\"~1\":10}",
                0},
        {"{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":\"10\"}]", NULL, -EBADMSG},
        {"{\"foo\":[\"bar\"]}", "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[\"abc\",\"def\"]}]",
                "{\"foo\":[\"bar\",[\"abc\",\"def\"]]}", 0},
        /* beyond the appendix */
        {"[1]", "[{\"op\":\"add\",\"path\":\"/2\",\"value\":2}]", NULL, -ENOENT},
        {"[1]", "[{\"op\":\"add\",\"path\":\"/00\",\"value\":2}]", NULL, -ENOENT},
        {"[1]", "[{\"op\":\"replace\",\"path\":\"/-\",\"value\":2}]", NULL, -ENOENT},
        {"{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", NULL, -EINVAL},
        {"{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}]", "{\"a\":1,\"b\":1}", 0},
        {"{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"/x\",\"path\":\"/b\"}]", NULL, -ENOENT},
        {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":[]}]", "[]", 0},
        {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"\"}]", NULL, -EINVAL},
        {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/b\"}]", NULL, -ENOENT},
        {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":1}]", NULL, -ENOENT},
        {"{\"a\":[1]}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":[1.0]}]", "{\"a\":[1]}", 0},
        {"{\"a\":{\"x\":1,\"y\":2}}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":{\"y\":2,\"x\":1}}]",
                "{\"a\":{\"x\":1,\"y\":2}}", 0},
        {"{\"a\":null}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":null}]", "{\"a\":null}", 0},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\"}]", NULL, -EINVAL},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"b\",\"value\":1}]", NULL, -EINVAL},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/~2\",\"value\":1}]", NULL, -EINVAL},
        {"{\"a\":1}", "[{\"op\":\"spam\",\"path\":\"/a\",\"value\":1}]", NULL, -EINVAL},
        {"{\"a\":1}", "{}", NULL, -EINVAL},
        {"{\"a\":1}", "[7]", NULL, -EINVAL},
};

START_TEST(patches) {
        json_t *document = json_loads(cases[_i].document, 0, NULL),
               *patch = json_loads(cases[_i].patch, 0, NULL), *before = json_deep_copy(document),
               *after = NULL, *expected;
        size_t failed;

        ck_assert_int_eq(json_patch_apply(document, patch, &after, &failed), cases[_i].r);
        ck_assert(json_equal(document, before));
        if (cases[_i].expected) {
                expected = json_loads(cases[_i].expected, 0, NULL);
                ck_assert_msg(json_equal(after, expected), "%s", json_dumps(after, 0));
                json_decref(expected);
        }
        json_decref(after);
        json_decref(before);
        json_decref(patch);
        json_decref(document);
}
END_TEST

START_TEST(says_which_one_failed) {
        json_t *document = json_loads("{\"a\":1}", 0, NULL), *after = NULL,
               *patch = json_loads(
                       "[{\"op\":\"add\",\"path\":\"/b\",\"value\":1},{\"op\":\"remove\",\"path\":\"/c\"}]",
                       0, NULL);
        size_t failed = 9;

        ck_assert_int_eq(json_patch_apply(document, patch, &after, &failed), -ENOENT);
        ck_assert_uint_eq(failed, 1);
        ck_assert_ptr_null(after);
        json_decref(document);
        json_decref(patch);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("json-patch");
        TCase *tcase = tcase_create("json-patch");

        tcase_add_loop_test(tcase, patches, 0, ELEMENTSOF(cases));
        tcase_add_test(tcase, says_which_one_failed);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
