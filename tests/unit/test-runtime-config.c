#include "lib/world/runtime-config.h"

#include "tests/unit/unit.h"

typedef struct File {
        const char *path, *content;
} File;

static int read_file(void *userdata, const char *path, char **ret, size_t *ret_len) {
        for (const File *f = userdata; f->path; f++)
                if (strcmp(f->path, path) == 0) {
                        *ret = strdup(f->content);
                        *ret_len = strlen(f->content);
                        return *ret ? 1 : -ENOMEM;
                }
        return 0;
}

#define SUPER     "/etc/aziot/config.toml"
#define EDGED     "/etc/aziot/edged/config.d/00-super.toml"
#define IDENTITYD "/etc/aziot/identityd/config.d/00-super.toml"
#define OLD       "/etc/iotedge/config.yaml"

static const struct {
        File files[4];
        const char *json; /* NULL: nothing can be read */
} devices[] = {
        {{}, NULL},
        {{{SUPER, "hostname = [\n"}}, NULL},
        {{{SUPER,
                 "hostname = \"dev1\"\nparent_hostname = \"gw\"\nprefer_module_identity_cache = true\n"
                 "[provisioning]\nsource = \"manual\"\niothub_hostname = \"h\"\ndevice_id = \"d\"\n"
                 "[provisioning.authentication]\nmethod = \"sas\"\ndevice_id_pk = {value = "
                 "\"c2VjcmV0\"}\n"}},
                "{\"hostname\":\"dev1\",\"parent_hostname\":\"gw\",\"prefer_module_identity_cache\":true,"
                "\"provisioning_source\":\"manual\",\"iothub_hostname\":\"h\",\"device_id\":\"d\","
                "\"sources\":[\"" SUPER "\"]}"},
        {{{SUPER, "connection_string = \"HostName=h;SharedAccessKey=s\"\n"}},
                "{\"sources\":[\"" SUPER "\"]}"},
        {{{SUPER, "hostname = \"next\"\n"},
                 {EDGED, "hostname = \"now\"\n[listen]\nmanagement_uri = \"fd://x\"\n"}},
                "{\"hostname\":\"now\",\"listen\":{\"management_uri\":\"fd://x\"},\"sources\":[\"" EDGED
                "\",\"" SUPER "\"]}"},
        {{{IDENTITYD, "[provisioning]\nlocal_gateway_hostname = \"gw\"\n"}},
                "{\"parent_hostname\":\"gw\",\"sources\":[\"" IDENTITYD "\"]}"},
        {{{SUPER,
                 "[agent.config]\nimage = \"i:1\"\n[agent.config.auth]\npassword = \"p\"\n"
                 "[agent.env]\nUpstreamProtocol = \"AmqpWs\"\nhttps_proxy = \"http://u:p@proxy:3128\"\n"
                 "[moby_runtime.network]\nname = \"edge\"\n"}},
                "{\"agent\":{\"image\":\"i:1\",\"UpstreamProtocol\":\"AmqpWs\","
                "\"https_proxy\":\"http://"
                "proxy:3128\"},\"moby_runtime\":{\"network\":\"edge\"},\"sources\":[\"" SUPER "\"]}"},
        {{{OLD,
                 "hostname: \"dev1\"\nprovisioning:\n  source: \"manual\"\n  device_connection_string: "
                 "\"x\"\n"
                 "agent:\n  config:\n    image: \"i:1\"\nlisten:\n  management_uri: "
                 "\"unix:///run/m.sock\"\n"}},
                "{\"hostname\":\"dev1\",\"provisioning_source\":\"manual\",\"agent\":{\"image\":\"i:1\"},"
                "\"listen\":{\"management_uri\":\"unix:///run/m.sock\"},\"sources\":[\"" OLD "\"]}"},
        {{{OLD, "hostname: [\n"}}, NULL},
};

START_TEST(configuration_is_reduced) {
        RuntimeConfigFiles files = {.read = read_file, .userdata = (void *) devices[_i].files};
        json_t *config = NULL, *expected;
        char *text;
        int r = runtime_config_read(files, &config);

        if (!devices[_i].json) {
                ck_assert_int_eq(r, 0);
                return;
        }
        ck_assert_int_eq(r, 1);
        expected = json_loads(devices[_i].json, 0, NULL);
        ck_assert(expected);
        text = json_dumps(config, JSON_COMPACT);
        ck_assert_msg(json_equal(config, expected), "%s", text);
        free(text);
        json_decref(config);
        json_decref(expected);
}
END_TEST

/* The same from files that events told of. */
START_TEST(world_knows_the_files) {
        _cleanup_(world_freep) World *w = NULL;
        Event event = {.kind = EVENT_FILE,
                .time = 1,
                .file = {TEXT_LITERAL(SUPER), true, TEXT_LITERAL("hostname = \"dev1\"\n")}};
        json_t *config = NULL;

        ck_assert_int_eq(world_new(&w, (WorldOps){}), 0);
        ck_assert_int_eq(runtime_config_from_world(w, &config), 0);
        ck_assert_int_eq(world_apply(w, &event), 0);
        ck_assert_int_eq(runtime_config_from_world(w, &config), 1);
        ck_assert_str_eq(json_string_value(json_object_get(config, "hostname")), "dev1");
        json_decref(config);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("runtime-config");
        TCase *test = tcase_create("runtime-config");

        tcase_add_loop_test(test, configuration_is_reduced, 0, ELEMENTSOF(devices));
        tcase_add_test(test, world_knows_the_files);
        suite_add_tcase(suite, test);
        return run_suite(suite);
}
