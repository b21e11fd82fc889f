#include "lib/event/redact-json.h"

#include "lib/base/macro.h"
#include "tests/unit/unit.h"

/* Every form in which a secret comes. "hunter" is in each of them and in nothing else. */
static const struct {
        const char *title;
        const char *json;
        const char *wanted; /* NULL: only that the secret is gone */
} cases[] = {
        {"an environment keeps its names",
                "{\"Env\":[\"PASSWORD=hunter2\",\"Mystery=hunter2\",\"UpstreamProtocol=AmqpWs\",\"EMPTY=\","
                "\"BARE\"]}",
                "{\"Env\":[\"PASSWORD=REDACTED\",\"Mystery=REDACTED\",\"UpstreamProtocol=AmqpWs\",\"EMPTY="
                "\",\"BARE\"]}"},
        {"a value with '=' in it", "{\"Env\":[\"A=b=hunter2==\"]}", "{\"Env\":[\"A=REDACTED\"]}"},
        {"a proxy without its user",
                "{\"Env\":[\"https_proxy=http://me:hunter2@proxy:3128\",\"HTTP_PROXY=me:hunter/"
                "2@proxy:3128\"]}",
                "{\"Env\":[\"https_proxy=http://REDACTED@proxy:3128\",\"HTTP_PROXY=REDACTED@proxy:3128\"]}"},
        {"a proxy whose password is odd",
                "{\"proxies\":{\"http-proxy\":\"http://me:hun/ter#h@unter@proxy:1\",\"no-proxy\":\"a,b\"}}",
                "{\"proxies\":{\"http-proxy\":\"http://REDACTED@proxy:1\",\"no-proxy\":\"a,b\"}}"},
        {"the agent's environment in a label",
                "{\"Labels\":{\"net.azure-devices.edge.env\":\"{\\\"X\\\":{\\\"value\\\":\\\"hunter2\\\"},"
                "\\\"NetworkId\\\":\\\"azure-iot-edge\\\"}\"}}",
                "{\"Labels\":{\"net.azure-devices.edge.env\":\"{\\\"X\\\":{\\\"value\\\":\\\"REDACTED\\\"},"
                "\\\"NetworkId\\\":\\\"azure-iot-edge\\\"}\"}}"},
        {"create options in a label",
                "{\"Labels\":{\"net.azure-devices.edge.create-options\":\"{\\\"Env\\\":[\\\"A=hunter2\\\"],"
                "\\\"HostConfig\\\":{\\\"Memory\\\":5}}\"}}",
                "{\"Labels\":{\"net.azure-devices.edge.create-options\":\"{\\\"Env\\\":[\\\"A=REDACTED\\\"],"
                "\\\"HostConfig\\\":{\\\"Memory\\\":5}}\"}}"},
        {"an environment in a label that is no JSON", "{\"net.azure-devices.edge.env\":\"{hunter2\"}",
                "{\"net.azure-devices.edge.env\":\"REDACTED\"}"},
        {"options and the words after them",
                "{\"Cmd\":[\"serve\",\"--password\",\"hunter2\",\"--api-key=hunter2\",\"--port\",\"80\"]}",
                "{\"Cmd\":[\"serve\",\"--password\",\"REDACTED\",\"--api-key=REDACTED\",\"--port\",\"80\"]"
                "}"},
        {"a shell's line",
                "{\"Cmd\":[\"sh\",\"-c\",\"x --token hunter2 --password 'hunter2' && TOKEN=hunter2 y\"]}",
                "{\"Cmd\":[\"sh\",\"-c\",\"x --token REDACTED --password 'REDACTED' && TOKEN=REDACTED "
                "y\"]}"},
        {"registry auth",
                "{\"agent\":{\"config\":{\"auth\":{\"serveraddress\":\"x\",\"password\":\"hunter2\"}}}}",
                NULL},
        {"registry auth as one word", "{\"auths\":{\"acr.io\":{\"auth\":\"aHVudGVyhunter\"}}}", NULL},
        {"a symmetric key in a table",
                "{\"device_id_pk\":{\"value\":\"hunter2\"},\"attestation\":{\"symmetric_key\":{\"value\":"
                "\"hunter2\"}}}",
                NULL},
        {"where a key is kept may be told",
                "{\"identity_pk\":\"file:///var/secrets/x.pem\",\"est_pk\":\"hunter2\",\"pkcs11_pin\":1234}",
                "{\"identity_pk\":\"file:///var/secrets/"
                "x.pem\",\"est_pk\":\"REDACTED\",\"pkcs11_pin\":\"REDACTED\"}"},
        {"a PIN in a URI", "{\"identity_pk\":\"pkcs11:object=t?pin-value=hunter2\"}",
                "{\"identity_pk\":\"pkcs11:object=t?pin-value=REDACTED\"}"},
        {"a connection string", "{\"x\":\"HostName=h;DeviceId=d;SharedAccessKey=hunter2=\"}",
                "{\"x\":\"HostName=h;DeviceId=d;SharedAccessKey=REDACTED\"}"},
        {"a connection string by its name", "{\"connection_string\":\"hunter2\"}", NULL},
        {"a SAS token", "{\"x\":\"SharedAccessSignature sr=h&sig=hunter2%3D&se=1\"}", NULL},
        {"a bearer token", "{\"x\":\"authorization: Bearer hunterhunterhunter\"}", NULL},
        {"a private key", "{\"x\":\"-----BEGIN RSA PRIVATE KEY-----\\nhunter2\\n-----END\"}", NULL},
        {"a mount's options", "{\"DriverOpts\":{\"o\":\"addr=1.2.3.4,username=u,password=hunter2\"}}", NULL},
        {"a log driver's options",
                "{\"LogConfig\":{\"Config\":{\"splunk-token\":\"hunter2\",\"max-size\":\"10m\"}}}", NULL},
        {"secrets in lists and numbers", "{\"tokens\":1,\"token\":[\"hunter2\",{\"a\":\"hunter2\"}]}",
                "{\"tokens\":1,\"token\":[\"REDACTED\",{\"a\":\"REDACTED\"}]}"},
        {"environment as a table", "{\"agent\":{\"env\":{\"A\":\"hunter2\",\"UpstreamProtocol\":\"Mqtt\"}}}",
                "{\"agent\":{\"env\":{\"A\":\"REDACTED\",\"UpstreamProtocol\":\"Mqtt\"}}}"},
        {"a URL's user info", "{\"x\":\"see https://u:hunter2@acr.io/v2\"}", NULL},
        {"what is no secret stays",
                "{\"Id\":\"abc\",\"State\":{\"Running\":true,\"ExitCode\":137},\"Mounts\":[],\"n\":null}",
                "{\"Id\":\"abc\",\"State\":{\"Running\":true,\"ExitCode\":137},\"Mounts\":[],\"n\":null}"},
};

START_TEST(secret_is_redacted) {
        json_t *value = json_loads(cases[_i].json, 0, NULL), *redacted;
        char *text;

        ck_assert_msg(value != NULL, "%s", cases[_i].title);
        redacted = redact_json(value);
        ck_assert_ptr_nonnull(redacted);
        text = json_dumps(redacted, JSON_COMPACT);
        ck_assert_msg(!strstr(text, "hunter"), "%s: %s", cases[_i].title, text);
        if (cases[_i].wanted)
                ck_assert_msg(strcmp(text, cases[_i].wanted) == 0, "%s: got\n%s\nwanted\n%s",
                        cases[_i].title, text, cases[_i].wanted);
        free(text);
        json_decref(redacted);
        json_decref(value);
}
END_TEST

START_TEST(depth_is_bounded) {
        json_t *value = json_pack("{s:s}", "name", "hunter2"), *redacted;
        char *text;

        for (unsigned i = 0; i < 200; i++)
                value = json_pack("[o]", value);
        redacted = redact_json(value);
        text = json_dumps(redacted, JSON_COMPACT);
        ck_assert(!strstr(text, "hunter"));
        free(text);
        json_decref(redacted);
        json_decref(value);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("redact-json");
        TCase *tcase = tcase_create("redact-json");

        tcase_add_loop_test(tcase, secret_is_redacted, 0, ELEMENTSOF(cases));
        tcase_add_test(tcase, depth_is_bounded);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
