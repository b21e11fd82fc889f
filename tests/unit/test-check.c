#include "daemon/ctl/check/check.h"

#include "lib/base/buffer.h"
#include "lib/event/docker-event.h"
#include "tests/unit/unit.h"

#define NOW (1732030000 * USEC_PER_SEC)

/* What a check finds in files, sockets, disks, listeners and events alone. */
static const struct {
        const char *title;
        const char *facts; /* JSON: members of CheckFacts, "containers", "listeners", "networks",
                              "engine-info" */
        const char *id;
        CheckResult result;
        const char *because; /* a part of it; NULL when it does not matter */
} cases[] = {
        {"a generated file that is missing",
                "{'files':{'/etc/aziot/config.toml':{'mtime':1,'document':{}}}}", "keyd-config-well-formed",
                CHECK_ERROR, "iotedge config apply"},
        {"1.1 has none", "{'files':{'/etc/iotedge/config.yaml':{'mtime':1,'document':{}}}}",
                "keyd-config-well-formed", CHECK_SKIPPED, "1.0 and 1.1"},
        {"a file that may not be read",
                "{'files':{'/etc/aziot/keyd/config.d/00-super.toml':{'error':'Permission denied'}}}",
                "keyd-config-well-formed", CHECK_SKIPPED, "Permission denied"},
        {"a file with a mistake",
                "{'files':{'/etc/aziot/keyd/config.d/00-super.toml':{'mtime':1,'problem':'3:5: no'}}}",
                "keyd-config-well-formed", CHECK_ERROR, "00-super.toml:3:5: no"},
        {"no TPM", "{'files':{}}", "tpmd-config-well-formed", CHECK_SKIPPED, "no TPM"},
        {"not applied",
                "{'files':{'/etc/aziot/config.toml':{'mtime':9,'document':{}},'/etc/aziot/edged/config.d/"
                "00-super.toml':{'mtime':5}}}",
                "config-up-to-date", CHECK_WARNING, "iotedge config apply"},
        {"edged's file is not of the identity service",
                "{'files':{'/etc/aziot/config.toml':{'mtime':9,'document':{}},'/etc/aziot/edged/config.d/"
                "00-super.toml':{'mtime':5}}}",
                "configs-up-to-date", CHECK_OK, NULL},
        {"a parent with an underscore",
                "{'files':{'/etc/aziot/config.toml':{'mtime':1,'document':{'parent_hostname':'a_b'}}}}",
                "parent_hostname", CHECK_WARNING, "no valid host name"},
        {"a parent by address",
                "{'files':{'/etc/aziot/"
                "config.toml':{'mtime':1,'document':{'parent_hostname':'192.0.2.1'}}}}",
                "parent_hostname", CHECK_OK, NULL},
        {"a parent that is too long",
                "{'files':{'/etc/aziot/config.toml':{'mtime':1,'document':{'parent_hostname':"
                "'aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd.eeeeeeeeeeffffffffffgggggggggg'}}}}",
                "parent_hostname", CHECK_WARNING, "71 characters"},
        {"a clock that nobody keeps", "{'clock':{'synchronized':false}}", "host-local-time", CHECK_WARNING,
                "nothing keeps the clock right"},
        {"a clock that is kept", "{'clock':{'synchronized':true}}", "host-local-time", CHECK_OK, NULL},
        {"a certificate that certd does not hand out",
                "{'certificates':{'ca':{'path':'/p','preloaded':true,'served':'HTTP status 500'}}}",
                "certs-read", CHECK_ERROR, "ca: HTTP status 500"},
        {"a key pair that keyd does not load",
                "{'keys':{'ca':{'path':'file:///k','served':'HTTP status 500','matches':true}}}",
                "key-pairs-read", CHECK_ERROR, "ca: HTTP status 500"},
        {"a symmetric key is no key pair",
                "{'keys':{'device-id':{'path':'file:///k','served':'HTTP status 404'}}}", "key-pairs-read",
                CHECK_OK, NULL},
        {"a key of another certificate",
                "{'keys':{'ca':{'path':'file:///k','served':'ok','matches':false}}}",
                "certs-match-private-keys", CHECK_ERROR, "ca"},
        {"an EST server by http",
                "{'files':{'/etc/aziot/"
                "config.toml':{'mtime':1,'document':{'cert_issuance':{'est':{'urls':{'default':'http://"
                "x'}}}}}}}",
                "est-server-https", CHECK_ERROR, "\"default\""},
        {"URIs that do not fit",
                "{'files':{'/etc/aziot/edged/config.d/"
                "00-super.toml':{'mtime':1,'document':{'listen':{'management_uri':'fd://x'},"
                "'connect':{'management_uri':'http://y'}}}}}",
                "connect-management-uri", CHECK_ERROR, "management_uri"},
        {"proxies that differ, without their passwords",
                "{'files':{'/etc/aziot/"
                "config.toml':{'mtime':1,'document':{'agent':{'env':{'https_proxy':'http://u:p@a:1'}}}}},"
                "'unit_environment':{'docker.service':'HTTPS_PROXY=http://u:p@b:1 '}}",
                "proxy-settings", CHECK_WARNING, "is none, that of edgeAgent ([agent.env]) is a:1"},
        {"proxies that agree",
                "{'files':{'/etc/aziot/"
                "config.toml':{'mtime':1,'document':{'agent':{'env':{'https_proxy':'http://a:1'}}}}},"
                "'unit_environment':{'docker.service':'https_proxy=http://a:1 "
                "','aziot-edged.service':'https_proxy=http://a:1',"
                "'aziot-identityd.service':'x=y https_proxy=http://a:1 '}}",
                "proxy-settings", CHECK_OK, NULL},
        {"a service that answers", "{'files':{},'sockets':{'/run/aziot/keyd.sock':0}}", "keyd-running",
                CHECK_OK, NULL},
        {"a service that does not", "{'files':{},'sockets':{'/run/aziot/keyd.sock':111}}", "keyd-running",
                CHECK_ERROR, "Connection refused"},
        /* it was told by its text, which is another one in another language */
        {"a service that is not ours to ask", "{'files':{},'sockets':{'/run/aziot/keyd.sock':13}}",
                "keyd-running", CHECK_SKIPPED, "not root"},
        {"the engine is not ours to ask", "{'engine_error':13}", "container-engine-uri", CHECK_SKIPPED,
                "not root"},
        {"no engine", "{'engine_error':111}", "container-engine-uri", CHECK_ERROR, "Connection refused"},
        {"what needs the engine", "{'engine_error':111}", "oom", CHECK_SKIPPED,
                "needs container-engine-uri, which failed"},
        {"DNS servers are named",
                "{'files':{'/etc/docker/daemon.json':{'mtime':1,'document':{'dns':['192.0.2.1']}}}}",
                "container-engine-dns", CHECK_OK, "1 DNS"},
        {"a daemon.json that is none",
                "{'files':{'/etc/docker/daemon.json':{'problem':'1:2: a name is expected'}}}",
                "engine-config-well-formed", CHECK_ERROR, "/etc/docker/daemon.json:1:2: a name"},
        {"the snap's daemon.json is none",
                "{'files':{'/var/snap/docker/current/config/daemon.json':{'problem':'1:2: a name is "
                "expected'}}}",
                "engine-config-well-formed", CHECK_ERROR, "/var/snap/docker/current/config/daemon.json:1:2"},
        {"no daemon.json", "{'files':{}}", "engine-config-well-formed", CHECK_SKIPPED, "none"},
        {"the snap's daemon.json",
                "{'files':{'/var/snap/docker/current/config/"
                "daemon.json':{'mtime':1,'document':{'log-driver':'local'}}}}",
                "container-engine-logrotate", CHECK_OK, "local"},
        {"logs without end",
                "{'files':{'/etc/docker/"
                "daemon.json':{'mtime':1,'document':{'log-opts':{'max-size':'1m'}}}}}",
                "container-engine-logrotate", CHECK_WARNING, "max-file"},
        {"IPv6 on one side only",
                "{'files':{'/etc/docker/daemon.json':{'mtime':1,'document':{'ipv6':true}}}}",
                "container-engine-ipv6", CHECK_WARNING, NULL},
        {"storage outside",
                "{'containers':[{'Id':'a1a1a1a1a1a1a1a1','Name':'/edgeHub','Config':{'Env':['storageFolder=/"
                "s']},"
                "'Mounts':[{'Destination':'/s'}]}]}",
                "edge-hub-storage-mounted-from-host", CHECK_OK, "/s"},
        {"a mount whose name only begins alike",
                "{'containers':[{'Id':'a1a1a1a1a1a1a1a1','Name':'/edgeHub','Config':{'Env':['storageFolder=/"
                "sx']},"
                "'Mounts':[{'Destination':'/s'}]}]}",
                "edge-hub-storage-mounted-from-host", CHECK_WARNING, "lost"},
        {"no edgeHub", "{'containers':[]}", "edge-hub-storage-mounted-from-host", CHECK_ERROR,
                "no container edgeHub"},
        {"translation switched off",
                "{'files':{'/etc/docker/daemon.json':{'mtime':1,'document':{'iptables':false}}}}",
                "nat-rules", CHECK_WARNING, "iptables"},
        {"a network without translation",
                "{'networks':[{'Id':'b1b1b1b1b1b1b1b1','Name':'azure-iot-edge','Options':{'com.docker."
                "network.bridge."
                "enable_ip_masquerade':'false'}}]}",
                "nat-rules", CHECK_ERROR, "azure-iot-edge"},
        {"a port that is held",
                "{'containers':[{'Id':'a1a1a1a1a1a1a1a1','Name':'/"
                "edgeHub','State':{'Status':'created'},'Config':{'Labels':{OWNER}},"
                "'HostConfig':{'PortBindings':{'443/tcp':[{'HostPort':'443'}]}}}],"
                "'listeners':[{'port':443,'comm':'nginx','unit':'nginx.service'}]}",
                "port-owners", CHECK_ERROR, "port 443 that edgeHub wants is held by nginx (nginx.service)"},
        {"a port of its own",
                "{'containers':[{'Id':'a1a1a1a1a1a1a1a1','Name':'/"
                "edgeHub','State':{'Status':'running'},'Config':{'Labels':{OWNER}},"
                "'HostConfig':{'PortBindings':{'443/"
                "tcp':[{'HostPort':'443'}]}}}],'listeners':[{'port':443,'comm':'docker-proxy'}]}",
                "port-owners", CHECK_OK, NULL},
        {"a loop",
                "{'containers':[{'Id':'a1a1a1a1a1a1a1a1','Name':'/"
                "m','State':{'Status':'running'},'Config':{'Labels':{OWNER}}}],"
                "'activity':{'m':{'deaths':7,'exit_code':139}}}",
                "restart-loops", CHECK_ERROR, "m ended 7 times in the last hour, last with exit code 139"},
        {"a stranger's loop",
                "{'containers':[{'Id':'a1a1a1a1a1a1a1a1','Name':'/m','State':{'Status':'running'}},"
                "{'Id':'a2a2a2a2a2a2a2a2','Name':'/"
                "n','State':{'Status':'running'},'Config':{'Labels':{OWNER}}}],"
                "'activity':{'m':{'deaths':7,'exit_code':139}}}",
                "restart-loops", CHECK_OK, NULL},
        {"memory",
                "{'containers':[{'Id':'a1a1a1a1a1a1a1a1','Name':'/"
                "edgeHub','State':{'Status':'exited','OOMKilled':true},"
                "'Config':{'Labels':{OWNER}},'HostConfig':{'Memory':5}}]}",
                "oom", CHECK_ERROR, "edgeHub was out of memory: its create options limit it"},
        {"a full disk", "{'disks':[{'path':'/','size':1000,'free':40,'inodes':10,'inodes_free':9}]}",
                "disk-space", CHECK_ERROR, "/ has 4 % of its space left"},
        {"few inodes", "{'disks':[{'path':'/var','size':1000,'free':900,'inodes':100,'inodes_free':10}]}",
                "disk-space", CHECK_WARNING, "inodes"},
        {"an expired certificate",
                "{'certificates':{'device-id':{'path':'/c','from':1,'until':1732029999000000}}}",
                "identity-certificate-expiry", CHECK_ERROR,
                "device-id (/c) has expired at 2024-11-19T15:26:39"},
        {"one that expires soon",
                "{'certificates':{'est-id':{'path':'/c','from':1,'until':1732031000000000}}}",
                "est-identity-and-bootstrap-certificate-expiry", CHECK_WARNING, "expires at"},
        {"one of the future",
                "{'certificates':{'local-ca':{'path':'/"
                "c','from':1732031000000000,'until':1742031000000000}}}",
                "local-ca-certificate-expiry", CHECK_ERROR, "is the clock right?"},
        {"a preloaded certificate that is not there",
                "{'certificates':{'x':{'path':'/c','preloaded':true,'error':'No such file or directory'}}}",
                "certs-preloaded", CHECK_ERROR, "x (/c): No such file"},
        {"no upstream known", "{'files':{}}", "host-connect-iothub-https", CHECK_SKIPPED, "not known"},
        {"no DPS", "{'files':{}}", "host-connect-dps-endpoint", CHECK_SKIPPED, NULL},
};

static int no_fact(void *userdata, World *world, const char *key, usec_t now) {
        return world_set_unknown(world, key, "not told", now);
}

typedef struct Fixture {
        json_t *given;
        Device device;
        CheckFacts facts;
} Fixture;

/* ' for ", and OWNER for the label's member. */
static json_t *parse(const char *text) {
        Buffer b = {};
        json_t *value;

        for (; *text; text++)
                if (strncmp(text, "OWNER", 5) == 0) {
                        buffer_append_string(&b, "\"" CONTAINER_OWNER_LABEL "\":\"" CONTAINER_OWNER "\"");
                        text += 4;
                } else
                        buffer_append(&b, *text == '\'' ? "\"" : text, 1);
        value = json_loadb(b.data, b.len, 0, NULL);
        ck_assert_msg(value != NULL, "%s", b.data);
        buffer_done(&b);
        return value;
}

static void fixture_init(Fixture *x, const char *text) {
        json_t *containers, *element;
        size_t i;

        *x = (Fixture){.given = parse(text)};
        x->facts = (CheckFacts){.device = &x->device, .now = NOW};
        ck_assert_int_eq(world_new(&x->facts.world, (WorldOps){.fetch = no_fact}), 0);
        x->facts.files = json_object_get(x->given, "files");
        x->facts.certificates = json_object_get(x->given, "certificates");
        x->facts.sockets = json_object_get(x->given, "sockets");
        x->facts.disks = json_object_get(x->given, "disks");
        x->facts.activity = json_object_get(x->given, "activity");
        x->facts.clock = json_object_get(x->given, "clock");
        x->facts.keys = json_object_get(x->given, "keys");
        x->facts.unit_environment = json_object_get(x->given, "unit_environment");
        x->facts.engine_error = -(int) json_integer_value(json_object_get(x->given, "engine_error"));
        x->device.parts[DEVICE_LISTENERS] = json_object_get(x->given, "listeners");
        x->device.parts[DEVICE_NETWORKS] = json_object_get(x->given, "networks");
        containers = json_object_get(x->given, "containers");
        if (!containers)
                return;
        world_begin_enumeration(x->facts.world, EVENT_CONTAINER);
        json_array_foreach (containers, i, element) {
                Container *c;
                Event event;

                ck_assert_int_eq(container_from_json(element, &c), 0);
                container_state_event(c, NOW, &event);
                event.initial = true;
                ck_assert_int_ge(world_apply(x->facts.world, &event), 0);
                container_unref(c);
        }
        world_end_enumeration(x->facts.world, EVENT_CONTAINER);
}

static void fixture_done(Fixture *x) {
        world_free(x->facts.world);
        json_decref(x->given);
}

static const CheckRun *find_run(const CheckReport *report, const char *id) {
        for (size_t i = 0; i < report->n_runs; i++)
                if (strcmp(report->runs[i].check->id, id) == 0)
                        return &report->runs[i];
        ck_abort_msg("no check %s", id);
        return NULL;
}

START_TEST(a_check_finds) {
        CheckReport report;
        const CheckRun *run;
        char *unknown = NULL;
        Fixture x;

        fixture_init(&x, cases[_i].facts);
        ck_assert_int_eq(check_run_all(&x.facts, NULL, &report, &unknown), 0);
        run = find_run(&report, cases[_i].id);
        ck_assert_msg(run->answer.result == cases[_i].result, "%s: %s: %s", cases[_i].title,
                check_result_to_string(run->answer.result), run->answer.because ? run->answer.because : "");
        if (cases[_i].because)
                ck_assert_msg(run->answer.because && strstr(run->answer.because, cases[_i].because),
                        "%s: %s", cases[_i].title, run->answer.because ? run->answer.because : "");
        check_report_done(&report);
        fixture_done(&x);
}
END_TEST

START_TEST(ids_are_unique_and_needs_exist) {
        size_t n_groups, n = 0;
        const CheckGroup *const *groups = check_groups(&n_groups);

        for (size_t i = 0; i < n_groups; i++)
                for (size_t j = 0; j < groups[i]->n_checks; j++, n++) {
                        const Check *check = &groups[i]->checks[j];
                        char *copy = strdup(check->needs ? check->needs : ""), *rest = copy;

                        ck_assert_msg(check_find(check->id) == check, "%s stands twice", check->id);
                        for (char *id; (id = strsep(&rest, " "));)
                                ck_assert_msg(!*id || (check_find(id) && check_find(id) != check),
                                        "%s needs %s", check->id, id);
                        free(copy);
                }
        ck_assert_uint_le(n, CHECKS_MAX);
}
END_TEST

/* Whether `from` leads to `to` along what they need. */
static bool leads_to(const Check *from, const char *to, unsigned depth) {
        char *copy, *rest;
        bool found = false;

        ck_assert_uint_lt(depth, 16);
        copy = rest = strdup(from->needs ? from->needs : "");
        for (char *id; !found && (id = strsep(&rest, " "));)
                found = *id && (strcmp(id, to) == 0 || leads_to(check_find(id), to, depth + 1));
        free(copy);
        return found;
}

START_TEST(none_needs_itself) {
        size_t n_groups;
        const CheckGroup *const *groups = check_groups(&n_groups);

        for (size_t i = 0; i < n_groups; i++)
                for (size_t j = 0; j < groups[i]->n_checks; j++)
                        ck_assert(!leads_to(&groups[i]->checks[j], groups[i]->checks[j].id, 0));
}
END_TEST

START_TEST(some_are_not_asked_for) {
        CheckReport report;
        char *unknown = NULL;
        Fixture x;

        fixture_init(&x, "{'engine_error':111}");
        ck_assert_int_eq(check_run_all(&x.facts, "hostname, container-engine-uri", &report, &unknown), 0);
        ck_assert_int_eq(find_run(&report, "hostname")->answer.result, CHECK_SKIPPED);
        ck_assert_ptr_nonnull(strstr(find_run(&report, "hostname")->answer.because, "--dont-run"));
        /* what was not asked for did not fail: those that need it are run */
        ck_assert(!find_run(&report, "oom")->was_held_back);
        check_report_done(&report);

        ck_assert_int_eq(check_run_all(&x.facts, "hostname nothing", &report, &unknown), -EINVAL);
        ck_assert_str_eq(unknown, "nothing");
        free(unknown);
        fixture_done(&x);
}
END_TEST

START_TEST(the_worst_is_said_first) {
        CheckAnswer a = {};

        ck_assert_int_eq(check_ok(&a, "fine"), 0);
        ck_assert_int_eq(check_error(&a, "first"), 0);
        ck_assert_int_eq(check_warning(&a, "second"), 0);
        ck_assert_int_eq(a.result, CHECK_ERROR);
        ck_assert_str_eq(a.because, "first");
        ck_assert_uint_eq(a.n_details, 2);
        check_answer_done(&a);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("check");
        TCase *tcase = tcase_create("check");

        tcase_add_loop_test(tcase, a_check_finds, 0, ELEMENTSOF(cases));
        tcase_add_test(tcase, ids_are_unique_and_needs_exist);
        tcase_add_test(tcase, none_needs_itself);
        tcase_add_test(tcase, some_are_not_asked_for);
        tcase_add_test(tcase, the_worst_is_said_first);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
