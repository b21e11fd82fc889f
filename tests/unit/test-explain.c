#include "lib/report/report.h"

#include "tests/unit/unit.h"

static const char whole[] =
        "{\"id\": \"0123456789abcdef\", \"symptom\": \"hub-port-conflict\", \"subject\": \"edgeHub\","
        " \"state\": \"confirmed\", \"consequence_of\": null, \"severity\": \"error\", \"fix_state\": null,"
        " \"first_seen\": \"2024-05-23T07:50:52.598123Z\", \"confirmed_at\": "
        "\"2024-05-23T07:50:53.000000Z\","
        " \"last_seen\": \"2024-05-23T07:51:52.598123Z\", \"cleared_at\": null, \"count\": 3,"
        " \"message\": \"Port 443 is taken by nginx.\", \"variables\": {\"port\": \"443\"},"
        " \"evidence\": [{\"kind\": \"log\", \"source\": \"runtime\", \"time\": "
        "\"2024-05-23T07:50:52.598123Z\","
        " \"text\": \"Bind for 0.0.0.0:443 failed\"}],"
        " \"ruled_out\": [{\"symptom\": \"agent-lte-mtu\", \"because\": \"the MTU fits\"}],"
        " \"remedy\": {\"where\": \"device\", \"text\": \"Stop nginx.\\nOr move it.\", \"fix\": "
        "\"docker-dns\","
        " \"plan\": [], \"deployment_patch\": [{\"op\": \"add\", \"path\": "
        "\"/modulesContent/$edgeAgent/properties.desired/"
        "modules/edgeHub/env/A\", \"value\": {\"value\": \"20\"}}]},"
        " \"state_file\": {\"unknown\": \"whether nginx is needed\", \"ending\": null}}";

static const char *const parts[] = {
        "hub-port-conflict of edgeHub: confirmed\n\n  Port 443 is taken by nginx.\n",
        "  Incident     0123456789abcdef\n",
        "  Confirmed    2024-05-23T07:50:53.000000Z\n",
        "  Count        3\n",
        "\nWhat could not be checked\n  whether nginx is needed\n",
        "\nValues\n  port = 443\n",
        "\nEvidence\n  2024-05-23T07:50:52.598123Z  log runtime:\n    Bind for 0.0.0.0:443 failed\n",
        "\nWhat it is not\n  agent-lte-mtu: the MTU fits\n",
        "\nWhat to do on the device\n  Stop nginx.\n  Or move it.\n",
        "\nChange of the deployment manifest\n  [\n    {\n      \"op\": \"add\",\n",
        "\nTo be put into the deployment\n  {\n    \"$edgeAgent\": {\n      \"properties.desired\": {\n     "
        "   "
        "\"systemModules\": {\n          \"edgeHub\": {\n            \"env\": {\n              \"A\": {\n",
};

static char *explained(const char *text) {
        json_t *incident = json_loads(text, 0, NULL);
        char *explanation;

        ck_assert_ptr_nonnull(incident);
        explanation = report_explain(incident);
        json_decref(incident);
        ck_assert_ptr_nonnull(explanation);
        return explanation;
}

START_TEST(tells_all) {
        _cleanup_(freep) char *explanation = explained(whole);

        ck_assert_msg(strstr(explanation, parts[_i]), "no \"%s\" in:\n%s", parts[_i], explanation);
        ck_assert_ptr_null(strstr(explanation, "Cleared"));
        ck_assert_ptr_null(strstr(explanation, "Consequence"));
}
END_TEST

/* An object of another version, or none at all, is no reason to crash. */
static const char *const odd[] = {
        "{}",
        "[]",
        "{\"symptom\": 7, \"evidence\": {}, \"remedy\": [], \"ruled_out\": \"x\", \"variables\": []}",
        "{\"evidence\": [1, {}], \"ruled_out\": [null], \"remedy\": {\"where\": \"moon\"}}",
        "{\"variables\": {\"a\": 1}}",
};

START_TEST(survives_odd_objects) {
        _cleanup_(freep) char *explanation = explained(odd[_i]);

        ck_assert_ptr_nonnull(strstr(explanation, " of "));
}
END_TEST

/* What a container prints can be seen, and does nothing. */
START_TEST(escapes_what_logs_say) {
        _cleanup_(freep) char *explanation = explained(
                "{\"subject\": \"\\u001b]0;title\\u0007\", \"message\": \"a\\u001b[2Jb\\nc\\u202ed\","
                " \"evidence\": [{\"text\": \"\\u009b31m\", \"source\": \"\\r\"}],"
                " \"variables\": {\"\\u001bc\": \"\\b\"},"
                " \"remedy\": {\"where\": \"device\", \"text\": \"x\\u001by\"}}");

        for (const char *c = explanation; *c; c++)
                ck_assert_msg((unsigned char) *c >= 0x20 || *c == '\n', "raw \\x%02x", (unsigned) *c);
        ck_assert_ptr_null(strstr(explanation, "\xc2\x9b"));
        ck_assert_ptr_null(strstr(explanation, "\xe2\x80\xae"));
        ck_assert_ptr_nonnull(strstr(explanation, "x\\x1by"));
}
END_TEST

/* It printed "Port ${port}", in one line of 400 columns. */
START_TEST(tells_of_a_symptom_in_general) {
        const Rule rule = {
                .id = (char *) "port-taken",
                .title = (char *) "A port is taken",
                .explanation = (char *) "Port ${port} is taken by ${holder:-another process}.",
                .remedy.text = (char *) "End ${holder}.",
        };
        _cleanup_(freep) char *text = report_explain_rule(&rule);

        ck_assert_ptr_nonnull(text);
        ck_assert_str_eq(text,
                "port-taken: A port is taken\n\nCause\n  Port PORT is taken by HOLDER.\n"
                "\nWhat to do\n  End HOLDER.\n");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("explain");
        TCase *tcase = tcase_create("explain");

        tcase_add_loop_test(tcase, tells_all, 0, ELEMENTSOF(parts));
        tcase_add_loop_test(tcase, survives_odd_objects, 0, ELEMENTSOF(odd));
        tcase_add_test(tcase, escapes_what_logs_say);
        tcase_add_test(tcase, tells_of_a_symptom_in_general);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
