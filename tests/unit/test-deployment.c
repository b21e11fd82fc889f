#include "lib/fix/deployment.h"

#include <stdio.h>

#include "lib/fix/json-patch.h"
#include "lib/rules/rule-set.h"
#include "tests/unit/unit.h"

#define AGENT "/modulesContent/$edgeAgent/properties.desired/"
#define HUB   AGENT "systemModules/edgeHub/"

static const char batch[] =
        "[{'op':'add','path':'" HUB "env/Max','value':{'value':'20'},'only-if':{'below':'20'}}]";
static const char interval[] =
        "[{'op':'add','path':'" HUB "env/Secs','value':{'value':'60'},'only-if':{'above':'60'}}]";
static const char performance[] = "[{'op':'add','path':'" HUB "env/Perf','value':{'value':'false'}}]";
static const char port[] =
        "[{'op':'remove','path':'" HUB "settings/createOptions/HostConfig/PortBindings/*/*',"
        "'only-if':{'is':{'HostPort':'443'}}}]";
static const char dns[] = "[{'op':'add','path':'" AGENT
                          "modules/m/settings/createOptions/HostConfig/Dns/0','value':'10.0.0.1'}]";
static const char unknown_dns[] =
        "[{'op':'add','path':'" AGENT "modules/m/settings/createOptions/HostConfig/Dns/0','value':'<dns>'}]";
static const char image[] = "[{'op':'replace','path':'" AGENT "modules/*/settings/image','value':'good',"
                            "'only-if':{'is':'bad'}}]";
static const char registry[] = "[{'op':'add','path':'" AGENT "runtime/settings/registryCredentials/*',"
                               "'value':{'address':'cr.io','password':'<password>'}}]";

#define HUB_OF(x)     "{'$edgeAgent':{'properties.desired':{'systemModules':{'edgeHub':{" x "}}}}}"
#define MODULES_OF(x) "{'$edgeAgent':{'properties.desired':{'modules':{" x "}}}}"
#define RUNTIME_OF(x) "{'$edgeAgent':{'properties.desired':{'runtime':{'settings':{" x "}}}}}"

/* Quotes are single; a double quote inside a string is written ^. */
static const struct {
        const char *template, *manifest;
        const char *expected; /* the corrected manifest, the same when nothing changes; NULL: it fails */
        int r;
        const char *error;
} cases[] = {
        {batch, HUB_OF("'a':1"), HUB_OF("'a':1,'env':{'Max':{'value':'20'}}"), 0, NULL},
        {batch, HUB_OF("'env':{'B':{'value':'x'}}"),
                HUB_OF("'env':{'B':{'value':'x'},'Max':{'value':'20'}}"), 0, NULL},
        {batch, HUB_OF("'env':{'Max':{'value':'10'}},'z':0.1"),
                HUB_OF("'env':{'Max':{'value':'20'}},'z':0.1"), 0, NULL},
        {batch, HUB_OF("'env':{'Max':{'value':50}}"), HUB_OF("'env':{'Max':{'value':50}}"), 0, NULL},
        {batch, HUB_OF("'env':{'Max':{'value':'ten'}}"), HUB_OF("'env':{'Max':{'value':'20'}}"), 0, NULL},
        {batch, HUB_OF("'env':{'Max':{'value':20}}"), HUB_OF("'env':{'Max':{'value':20}}"), 0, NULL},
        {interval, HUB_OF("'env':{'Secs':{'value':'1800'}}"), HUB_OF("'env':{'Secs':{'value':'60'}}"), 0,
                NULL},
        {interval, HUB_OF("'env':{'Secs':{'value':'30'}}"), HUB_OF("'env':{'Secs':{'value':'30'}}"), 0,
                NULL},
        {performance, HUB_OF("'env':{'Perf':{'value':'False'}}"), HUB_OF("'env':{'Perf':{'value':'False'}}"),
                0, NULL},
        {performance, HUB_OF("'env':{'Perf':{'value':false}}"), HUB_OF("'env':{'Perf':{'value':false}}"), 0,
                NULL},
        {performance, HUB_OF("'env':{'Perf':{'value':true}}"), HUB_OF("'env':{'Perf':{'value':'false'}}"), 0,
                NULL},
        /* wrappers */
        {batch, "{'modulesContent':" HUB_OF("") "}",
                "{'modulesContent':" HUB_OF("'env':{'Max':{'value':'20'}}") "}", 0, NULL},
        {batch, "{'id':'d','content':{'modulesContent':" HUB_OF("") "},'priority':3}",
                "{'id':'d','content':{'modulesContent':" HUB_OF(
                        "'env':{'Max':{'value':'20'}}") "},'priority':3}",
                0, NULL},
        {batch, "{'content':" HUB_OF("") "}", "{'content':" HUB_OF("'env':{'Max':{'value':'20'}}") "}", 0,
                NULL},
        /* createOptions */
        {port,
                HUB_OF("'settings':{'createOptions':'{^HostConfig^: "
                       "{^PortBindings^:{^443/tcp^:[{^HostPort^:^443^}],"
                       "^5671/tcp^:[{^HostPort^:^5671^}]}, ^Cpu^:0.1}}'}"),
                HUB_OF("'settings':{'createOptions':'{^HostConfig^:{^PortBindings^:{"
                       "^5671/tcp^:[{^HostPort^:^5671^}]},^Cpu^:0.1}}'}"),
                0, NULL},
        {port,
                HUB_OF("'settings':{'createOptions':'{^HostConfig^:{^PortBindings^:{^443/"
                       "tcp^:[{^HostPort^:^443^},"
                       "{^HostPort^:^8443^}]}}}'}"),
                HUB_OF("'settings':{'createOptions':'{^HostConfig^:{^PortBindings^:{^443/tcp^:["
                       "{^HostPort^:^8443^}]}}}'}"),
                0, NULL},
        {port, HUB_OF("'settings':{'createOptions':'{^HostConfig^: {^PortBindings^:{^53/udp^:[]}}}'}"),
                HUB_OF("'settings':{'createOptions':'{^HostConfig^: {^PortBindings^:{^53/udp^:[]}}}'}"), 0,
                NULL},
        {port, HUB_OF("'settings':{'createOptions':' {  }'}"),
                HUB_OF("'settings':{'createOptions':' {  }'}"), 0, NULL},
        {port,
                HUB_OF("'settings':{'createOptions':{'HostConfig':{'PortBindings':{'443/"
                       "tcp':[{'HostPort':'443'}]}}}}"),
                HUB_OF("'settings':{'createOptions':{'HostConfig':{'PortBindings':{}}}}"), 0, NULL},
        {port,
                HUB_OF("'settings':{'createOptions':'{^HostConfig^:{^PortBindings','createOptions01':'^:{^"
                       "443/tcp^:"
                       "[{^HostPort^:^443^}]}}}'}"),
                HUB_OF("'settings':{'createOptions':'{^HostConfig^:{^PortBindings^:{}}}'}"), 0, NULL},
        {dns, MODULES_OF("'m':{'settings':{'image':'ä'}}"),
                MODULES_OF("'m':{'settings':{'image':'ä','createOptions':'{^HostConfig^:{^Dns^:[^10.0.0.1^]}"
                           "}'}}"),
                0, NULL},
        {dns, MODULES_OF("'m':{'settings':{'createOptions':''}}"),
                MODULES_OF("'m':{'settings':{'createOptions':'{^HostConfig^:{^Dns^:[^10.0.0.1^]}}'}}"), 0,
                NULL},
        {dns, MODULES_OF("'m':{'settings':{'createOptions':'{^n^:^ü^,^HostConfig^:{^Dns^:[^1.1.1.1^]}}'}}"),
                MODULES_OF("'m':{'settings':{'createOptions':'{^n^:^ü^,^HostConfig^:{^Dns^:[^10.0.0.1^,^1.1."
                           "1.1^]}}'}}"),
                0, NULL},
        {dns, MODULES_OF("'m':{'settings':{'createOptions':'{^HostConfig^:{^Dns^ : [^10.0.0.1^]}}'}}"),
                MODULES_OF("'m':{'settings':{'createOptions':'{^HostConfig^:{^Dns^ : [^10.0.0.1^]}}'}}"), 0,
                NULL},
        {unknown_dns, MODULES_OF("'m':{'settings':{'createOptions':'{^HostConfig^:{^Dns^:[^1.1.1.1^]}}'}}"),
                MODULES_OF("'m':{'settings':{'createOptions':'{^HostConfig^:{^Dns^:[^1.1.1.1^]}}'}}"), 0,
                NULL},
        {dns, MODULES_OF("'m':{'settings':{'createOptions':'{'}}"), NULL, -EINVAL,
                "module m: createOptions is no JSON object: 1:"},
        {dns, MODULES_OF("'m':{'settings':{'createOptions':'[]'}}"), NULL, -EINVAL, "expected {"},
        {dns, MODULES_OF("'m':{'settings':{'createOptions':'{}','createOptions02':' '}}"), NULL, -EINVAL,
                "createOptions02 stands without the piece before it"},
        {dns, MODULES_OF("'m':{'settings':{'createOptions':'{^HostConfig^:7}'}}"), NULL, -EINVAL, "neither"},
        {dns, MODULES_OF("'other':{}"), NULL, -ENOENT, "has no module m among its modules"},
        /* images, registries */
        {image, MODULES_OF("'a':{'settings':{'image':'bad'}},'b':{'settings':{'image':'fine'}}"),
                MODULES_OF("'a':{'settings':{'image':'good'}},'b':{'settings':{'image':'fine'}}"), 0, NULL},
        /* once walked for ever */
        {image, MODULES_OF("'*':{'settings':{'image':'bad'}},'createOptions':{'settings':{'image':'bad'}}"),
                MODULES_OF(
                        "'*':{'settings':{'image':'good'}},'createOptions':{'settings':{'image':'good'}}"),
                0, NULL},
        {registry, RUNTIME_OF(""),
                RUNTIME_OF("'registryCredentials':{'crio':{'address':'cr.io','password':'<password>'}}"), 0,
                NULL},
        {registry,
                RUNTIME_OF("'registryCredentials':{'x':{'address':'cr.io','username':'u','password':'p'}}"),
                RUNTIME_OF("'registryCredentials':{'x':{'address':'cr.io','username':'u','password':'p'}}"),
                0, NULL},
        {registry, RUNTIME_OF("'registryCredentials':{'crio':{'address':'other'}}"),
                RUNTIME_OF("'registryCredentials':{'crio':{'address':'other'},'criox':{'address':'cr.io','"
                           "password':'<password>'}}"),
                0, NULL},
        /* layered */
        {dns, "{'$edgeAgent':{'properties.desired.modules.m':{'settings':{}}}}",
                "{'$edgeAgent':{'properties.desired.modules.m':{'settings':{'createOptions':"
                "'{^HostConfig^:{^Dns^:[^10.0.0.1^]}}'}}}}",
                0, NULL},
        {batch, "{'$edgeAgent':{'properties.desired.modules.m':{}}}",
                "{'$edgeAgent':{'properties.desired.modules.m':{},"
                "'properties.desired.systemModules.edgeHub.env.Max':{'value':'20'}}}",
                0, NULL},
        {image, "{'$edgeAgent':{'properties.desired.modules.m':{'settings':{'image':'bad'}}}}",
                "{'$edgeAgent':{'properties.desired.modules.m':{'settings':{'image':'good'}}}}", 0, NULL},
        {port, "{'$edgeAgent':{'properties.desired.modules.m':{}}}", NULL, -ENOENT,
                "this layered deployment has nothing of module edgeHub"},
        {dns, "{'$edgeAgent':{'properties.desired.modules.other':{}}}", NULL, -ENOENT,
                "nothing of module m"},
        /* none */
        {batch, "{'a':1}", NULL, -EINVAL, "no deployment manifest, expected"},
        {batch, "[]", NULL, -EINVAL, "no deployment manifest"},
        {batch, "{'$edgeAgent':[]}", NULL, -EINVAL, "no deployment manifest"},
        {batch, "{'$edgeAgent':{'x':1}}", NULL, -ENOENT, "no module edgeHub"},
        {"[{'op':'remove','path':'" AGENT "modules/<module>/env'}]", MODULES_OF(""), NULL, -ENODATA,
                "<module> is not known"},
        {"[{'op':'replace','path':'" AGENT "modules/*/x','value':'a','only-if':{'is':{'v':'<image>'}}}]",
                MODULES_OF(""), NULL, -ENODATA, "<image> is not known"},
        {"[{'op':'add','path':'/other','value':1}]", MODULES_OF(""), NULL, -EINVAL, "no path into"},
        {"[{'op':'add','path':'" HUB "env'}]", HUB_OF(""), NULL, -EINVAL, "has no value"},
};

static json_t *json_of(const char *single_quoted) {
        char text[4096], *to = text;
        json_t *value;

        for (const char *c = single_quoted; *c; c++)
                if (*c == '^')
                        to = stpcpy(to, "\\\"");
                else
                        *to++ = *c == '\'' ? '"' : *c;
        *to = '\0';
        value = json_loads(text, 0, NULL);
        ck_assert_msg(value, "%s", text);
        return value;
}

static void assert_same(const json_t *a, const json_t *b) {
        _cleanup_(freep) char *x = json_dumps(a, JSON_COMPACT), *y = json_dumps(b, JSON_COMPACT);

        ck_assert_str_eq(x, y); /* order too */
}

START_TEST(changes) {
        json_t *template = json_of(cases[_i].template), *manifest = json_of(cases[_i].manifest),
               *before = json_deep_copy(manifest), *expected, *patched = NULL;
        _cleanup_(deployment_change_done) DeploymentChange change = {};
        char error[DEPLOYMENT_ERROR_MAX] = "";
        size_t failed;

        ck_assert_int_eq(deployment_change(manifest, template, &change, error), cases[_i].r);
        assert_same(manifest, before);
        if (cases[_i].expected) {
                expected = json_of(cases[_i].expected);
                assert_same(change.corrected, expected);
                ck_assert_int_eq(json_patch_apply(manifest, change.patch, &patched, &failed), 0);
                assert_same(patched, expected);
                ck_assert_int_eq(json_array_size(change.patch) == 0, json_equal(expected, manifest));
                json_decref(expected);
        } else
                ck_assert_msg(strstr(error, cases[_i].error), "\"%s\" in \"%s\"", cases[_i].error, error);
        json_decref(patched);
        json_decref(before);
        json_decref(manifest);
        json_decref(template);
}
END_TEST

/* Done once, there is nothing more to do. */
START_TEST(twice_is_once) {
        json_t *template = json_of(cases[_i].template), *manifest = json_of(cases[_i].manifest);
        _cleanup_(deployment_change_done) DeploymentChange first = {}, second = {};
        char error[DEPLOYMENT_ERROR_MAX];

        if (deployment_change(manifest, template, &first, error) == 0) {
                ck_assert_int_eq(deployment_change(first.corrected, template, &second, error), 0);
                ck_assert_uint_eq(json_array_size(second.patch), 0);
        }
        json_decref(manifest);
        json_decref(template);
}
END_TEST

/* Pieces are cut between characters, and there are at most 8. One string that was long already stays one. */
static const struct {
        size_t first, second; /* how many two-byte characters in each piece; none: there is no such piece */
        size_t lengths[3];    /* of the pieces afterwards: what stands around them is 9 and 37 bytes */
        int r;
} long_ones[] = {
        {100, 0, {246}, 0},
        {240, 0, {512, 14}, 0},
        {240, 240, {511, 495}, 0},
        {400, 0, {846}, 0},
        {400, 300, {511, 512, 423}, 0},
        {2030, 0, {0}, -EFBIG},
};

START_TEST(long_create_options) {
        _cleanup_(deployment_change_done) DeploymentChange change = {};
        json_t *template = json_of(dns), *settings = json_object(), *manifest, *after;
        char text[8192] = "{\"Env\":[\"", error[DEPLOYMENT_ERROR_MAX], name[24];
        size_t cut;

        for (size_t i = 0; i < long_ones[_i].first; i++)
                (void) strcat(text, "ü");
        cut = strlen(text);
        for (size_t i = 0; i < long_ones[_i].second; i++)
                (void) strcat(text, "ü");
        (void) strcat(text, "\"]}");
        if (long_ones[_i].second == 0)
                cut = strlen(text);
        (void) json_object_set_new(settings, "createOptions", json_stringn(text, cut));
        if (text[cut])
                (void) json_object_set_new(settings, "createOptions01", json_string(text + cut));
        manifest = json_pack("{s:{s:{s:{s:{s:o}}}}}", "$edgeAgent", "properties.desired", "modules", "m",
                "settings", settings);
        ck_assert_int_eq(deployment_change(manifest, template, &change, error), long_ones[_i].r);
        after = json_object_get(change.corrected, "$edgeAgent");
        after = json_object_get(json_object_get(after, "properties.desired"), "modules");
        after = json_object_get(json_object_get(after, "m"), "settings");
        for (size_t i = 0; i < ELEMENTSOF(long_ones[_i].lengths); i++) {
                (void) snprintf(name, sizeof(name), i > 0 ? "createOptions%02zu" : "createOptions", i);
                ck_assert_uint_eq(
                        json_string_length(json_object_get(after, name)), long_ones[_i].lengths[i]);
        }
        json_decref(manifest);
        json_decref(template);
}
END_TEST

/* "Nothing to change" alone would hide that the incident is of another deployment than this. */
START_TEST(says_what_was_not_found) {
        json_t *template = json_of(port), *manifest = json_of(HUB_OF("'settings':{'createOptions':'{}'}"));
        _cleanup_(deployment_change_done) DeploymentChange change = {};
        char error[DEPLOYMENT_ERROR_MAX];
        const char *text;

        ck_assert_int_eq(deployment_change(manifest, template, &change, error), 0);
        text = json_string_value(json_array_get(change.notes, 0));
        ck_assert_ptr_nonnull(text);
        ck_assert_ptr_nonnull(strstr(text, "PortBindings/*/* is {\"HostPort\":\"443\"}"));
        json_decref(manifest);
        json_decref(template);
}
END_TEST

static const struct {
        const char *text, *error;
} unreadable[] = {
        {"{\"a\": 1,\n \"a\": 2}", "2:"},
        {"{\n  \"a\": }", "2:"},
        {"", "1:"},
        {"{\"a\": 123456789012345678901234567890}", "too big integer"},
};

START_TEST(says_where_it_is_no_json) {
        char error[DEPLOYMENT_ERROR_MAX] = "";
        json_t *manifest = NULL;

        ck_assert_int_eq(deployment_read(text_of(unreadable[_i].text), &manifest, error), -EINVAL);
        ck_assert_ptr_null(manifest);
        ck_assert_msg(strstr(error, unreadable[_i].error), "%s", error);
        ck_assert_ptr_nonnull(strstr(error, "expected a deployment manifest"));
}
END_TEST

START_TEST(what_is_too_large_is_refused) {
        char deep[2 * (DEPLOYMENT_DEPTH_MAX + 1) + 1], error[DEPLOYMENT_ERROR_MAX] = "";
        json_t *manifest = NULL;

        memset(deep, '[', DEPLOYMENT_DEPTH_MAX + 1);
        memset(deep + DEPLOYMENT_DEPTH_MAX + 1, ']', DEPLOYMENT_DEPTH_MAX + 1);
        deep[sizeof(deep) - 1] = '\0';
        ck_assert_int_eq(deployment_read(text_of(deep), &manifest, error), -EINVAL);
        ck_assert_ptr_nonnull(strstr(error, "deeper"));
        ck_assert_int_eq(deployment_read((Text){deep, DEPLOYMENT_MAX + 1}, &manifest, error), -EFBIG);
        ck_assert_ptr_null(manifest);
}
END_TEST

/* 0.1 came back as 0.10000000000000001. */
START_TEST(numbers_stay) {
        json_t *value = json_loads("{\"b\":0.1,\"a\":[1,2.5,-3,1e300,0.30000000000000004]}", 0, NULL);
        _cleanup_(freep) char *text = deployment_write(value, JSON_COMPACT), *one = NULL;
        json_t *number = json_real(0.1);

        one = deployment_write(number, 0);
        ck_assert_str_eq(one, "0.1");
        ck_assert_ptr_nonnull(strstr(text, "0.30000000000000004"));
        json_decref(number);
        json_decref(value);
}
END_TEST

static char *read_all(const char *path) {
        char *text = calloc(1, 64 * 1024);
        FILE *f = fopen(path, "re");

        ck_assert_ptr_nonnull(f);
        ck_assert_uint_gt(fread(text, 1, 64 * 1024 - 1, f), 0);
        ck_assert_int_eq(fclose(f), 0);
        return text;
}

static const struct {
        const char *symptom;
        Variable variables[2];
        const char *then; /* stands in the corrected sample */
} remedies[] = {
        {"agent-empty-config-dns",
                {{(char *) "dns_server", (char *) "10.9.9.9"}, {(char *) "module", (char *) "sensor"}},
                "\\\"Dns\\\":[\\\"10.9.9.9\\\"]"},
        {"excessive-identity-calls", {{(char *) "failing_image", (char *) "plant.example.org/sensor:2.3"}},
                "<image that can be pulled>"},
        {"hub-oom-small-device", {}, "\"OptimizeForPerformance\":{\"value\":\"false\"}"},
        {"hub-port-conflict", {{(char *) "port", (char *) "443"}},
                "{\\\"5671/tcp\\\":[{\\\"HostPort\\\":\\\"5671\\\"}],\\\"8883/"
                "tcp\\\":[{\\\"HostPort\\\":\\\"8883\\\"}]}"},
        {"image-pull-403", {{(char *) "registry", (char *) "other.example.org"}},
                "\"otherexampleorg\":{\"address\""},
        {"low-upstream-throughput", {}, "\"MaxUpstreamBatchSize\":{\"value\":\"20\"}"},
        {"queue-cleanup-slow", {{(char *) "suggested_interval", (char *) "30"}},
                "\"MessageCleanupIntervalSecs\":{\"value\":\"30\"}"},
};

/* Every symptom whose remedy is in the deployment has a patch, and it fits a manifest as people have it. */
START_TEST(remedies_fit_the_sample) {
        _cleanup_(freep) char *sample = read_all(SOURCE_DIR "/tests/unit/deployment.json"), *path = NULL,
                              *text = NULL, *after = NULL;
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(deployment_change_done) DeploymentChange change = {};
        _cleanup_(rule_freep) Rule *rule = NULL;
        json_t *manifest, *template, *snippet = NULL;
        char error[DEPLOYMENT_ERROR_MAX] = "";

        ck_assert_int_gt(asprintf(&path, SOURCE_DIR "/conf/rules.d/%s.yaml", remedies[_i].symptom), 0);
        text = read_all(path);
        ck_assert_int_eq(rule_parse(path, text_of(text), &problems, &rule), 0);
        ck_assert_ptr_nonnull(rule->remedy.deployment_patch);
        template = rule_expand_json(rule, rule->remedy.deployment_patch, remedies[_i].variables,
                ELEMENTSOF(remedies[_i].variables));
        ck_assert_int_eq(deployment_read(text_of(sample), &manifest, error), 0);
        ck_assert_msg(deployment_change(manifest, template, &change, error) == 0, "%s", error);
        after = deployment_write(change.corrected, JSON_COMPACT);
        ck_assert_msg(strstr(after, remedies[_i].then), "no %s in %s", remedies[_i].then, after);
        ck_assert_ptr_nonnull(strstr(after, "${PLANT_PASSWORD}"));
        ck_assert_ptr_nonnull(strstr(after, "\"Factor\":{\"value\":0.1}"));
        ck_assert_int_eq(deployment_snippet(template, &snippet), 0);
        json_decref(snippet);
        json_decref(template);
        json_decref(manifest);
}
END_TEST

START_TEST(snippets) {
        json_t *template = json_of(dns), *snippet = NULL, *expected;

        ck_assert_int_eq(deployment_snippet(template, &snippet), 0);
        expected =
                json_of("{'$edgeAgent':{'properties.desired':{'modules':{'m':{'settings':{'createOptions':"
                        "'{^HostConfig^:{^Dns^:[^10.0.0.1^]}}'}}}}}}");
        assert_same(snippet, expected);
        json_decref(expected);
        json_decref(snippet);
        json_decref(template);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("deployment");
        TCase *tcase = tcase_create("deployment");

        tcase_add_loop_test(tcase, changes, 0, ELEMENTSOF(cases));
        tcase_add_loop_test(tcase, twice_is_once, 0, ELEMENTSOF(cases));
        tcase_add_loop_test(tcase, long_create_options, 0, ELEMENTSOF(long_ones));
        tcase_add_test(tcase, says_what_was_not_found);
        tcase_add_loop_test(tcase, says_where_it_is_no_json, 0, ELEMENTSOF(unreadable));
        tcase_add_test(tcase, what_is_too_large_is_refused);
        tcase_add_test(tcase, numbers_stay);
        tcase_add_loop_test(tcase, remedies_fit_the_sample, 0, ELEMENTSOF(remedies));
        tcase_add_test(tcase, snippets);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
