/* Examples of rules, and replays, through the whole of the diagnosis. */

#include "lib/diagnosis/example.h"

#include "lib/diagnosis/replay.h"
#include "tests/unit/recording-folder.h"
#include "tests/unit/unit.h"

#define RULE                                                                                                \
        "id: port\ntitle: A port is taken\nseverity: error\n"                                               \
        "message-id: 0123456789abcdef0123456789abcdef\ndocumentation: https://example.org/\n"               \
        "layer: port\nsubject: \"${module:-edgeHub}\"\nkey: [module]\nmessage: m\nexplanation: e\n"         \
        "signals:\n"                                                                                        \
        "  refused: {log: {from: [runtime, agent], match: 'Bind for .*:(?<port>\\d+)'}}\n"                  \
        "  killed: {container: {name: {match: '(?<module>.+)'}, action: die, exit-code: 137, "              \
        "oom-killed: true}}\n"                                                                              \
        "  narrow: {link: {name: eth0, mtu: 1400}}\n"                                                       \
        "  down: {unit: {name: docker.socket, active-state: failed, n-restarts: 3}}\n"                      \
        "  off: {forwarding: {family: inet, ifname: all, enabled: false}}\n"                                \
        "  stopped: {log: {from: systemd, unit: docker.service, match: 'Stopped Docker'}}\n"                \
        "  oom: {log: {from: kernel, match: 'Out of memory'}}\n"                                            \
        "  caused: {log: {from: runtime, head: 'Could not start', match: 'no space left'}}\n"               \
        "  started: {container: {name: {match: '(?<module>.+)'}, action: start, status: running}}\n"        \
        "when: [{any: [refused, killed, narrow, down, off, stopped, oom, caused]}]\n"                       \
        "clear: [{any: [started]}]\nconfirm: {conclusive: true}\n"                                          \
        "remedy: {where: device, text: r}\nexamples:\n"

static const struct {
        const char *example;
        const char *why; /* part of it; NULL: the example holds */
} cases[] = {
        {"[{log: {from: runtime, text: 'Bind for 0.0.0.0:443'}}]\n    raises: edgeHub", NULL},
        {"[{log: {from: runtime, text: '2024-05-23T07:50:52Z [ERR!] - Bind for 0.0.0.0:443'}}]\n    raises: "
         "true",
                NULL},
        {"[{log: {from: agent, text: '<4> 2024-11-19 14:10:41.162 +00:00 [WRN] - Bind for 0.0.0.0:443'}}]\n"
         "    raises: edgeHub",
                NULL},
        {"[{log: {from: module, text: 'Bind for 0.0.0.0:443'}}]\n    quiet: true", NULL},
        {"[{log: {from: docker, text: 'time=\"2024-11-19T14:10:41Z\" level=error msg=\"Bind for "
         "0.0.0.0:443\"'}}]\n"
         "    quiet: true",
                NULL},
        {"[{log: {from: systemd, unit: docker.service, text: 'Stopped Docker Application Container "
         "Engine.'}}]\n"
         "    raises: edgeHub",
                NULL},
        {"[{log: {from: kernel, text: 'Out of memory: Killed process 7 (dotnet)'}}]\n    raises: edgeHub",
                NULL},
        {"[{log: {from: runtime, text: \"2024-05-23T07:50:52Z [ERR!] - Could not start\\ncaused by: no "
         "space "
         "left\"}}]\n    raises: edgeHub",
                NULL},
        {"[{container: {action: die, name: edgeHub, exit-code: 137, oom-killed: true}}]\n    raises: "
         "edgeHub",
                NULL},
        {"[{container: {action: die, name: edgeHub, exit-code: '137', oom-killed: false}}]\n    quiet: true",
                NULL},
        {"[{link: {name: eth0, mtu: 1400}}]\n    raises: edgeHub", NULL},
        {"[{link: {name: eth0, mtu: 1500}}]\n    quiet: true", NULL},
        {"[{unit: {name: docker.socket, active-state: failed, n-restarts: 3}}]\n    raises: edgeHub", NULL},
        {"[{forwarding: {family: inet, ifname: all, enabled: false}}]\n    raises: edgeHub", NULL},
        {"[{forwarding: {family: inet, ifname: all, enabled: true}}]\n    quiet: true", NULL},
        {"[{log: {from: runtime, text: 'Bind for 0.0.0.0:443'}}, "
         "{container: {action: start, name: edgeHub, status: running}, after: 5s}]\n    clears: edgeHub",
                NULL},
        {"[{log: {from: runtime, text: 'Bind for 0.0.0.0:443'}}]\n    raises: edgeAgent",
                "raised for \"edgeHub\", expected for \"edgeAgent\""},
        {"[{log: {from: runtime, text: 'fine'}}]\n    raises: true", "nothing was raised"},
        {"[{log: {from: runtime, text: 'Bind for 0.0.0.0:443'}}]\n    quiet: true",
                "expected to stay quiet"},
        {"[{log: {from: runtime, text: 'Bind for 0.0.0.0:443'}}]\n    clears: true",
                "still active at the end"},
        {"[{log: {from: runtime, text: 'fine'}}]\n    clears: true", "nothing was raised"},
        {"[{link: {name: an-interface-of-too-long-a-name, mtu: 1400}}]\n    quiet: true",
                "\"name\" cannot have this value"},
        {"[{link: {name: eth0, mtu: large}}]\n    quiet: true", "\"mtu\" cannot have this value"},
};

START_TEST(examples_are_judged) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(freep) char *yaml = NULL, *why = NULL;
        _cleanup_(rule_freep) Rule *rule = NULL;
        int r;

        ck_assert_int_gt(asprintf(&yaml, RULE "  - name: n\n    events: %s\n", cases[_i].example), 0);
        r = rule_parse("port.yaml", text_of(yaml), &problems, &rule);
        ck_assert_msg(r == 0, "%s", problems.n_items > 0 ? problems.items[0].text : "");
        r = example_run(rule, &rule->examples[0], &why);
        if (!cases[_i].why) {
                ck_assert_msg(r == 1, "%s: %d %s", cases[_i].example, r, why ? why : "");
                return;
        }
        ck_assert_msg(r == 0, "%s: %d", cases[_i].example, r);
        ck_assert_msg(strstr(why, cases[_i].why), "%s", why);
}
END_TEST

#define LAST (1716450652 * USEC_PER_SEC)
#define ENTRY                                                                                               \
        "__REALTIME_TIMESTAMP=1716450652000000\n_TRANSPORT=stdout\n_SYSTEMD_UNIT=aziot-edged.service\n"     \
        "MESSAGE=hello\n\n"

static const struct {
        const char *title;
        const char *journal, *recording; /* contents of the two files, NULL: there is none */
        usec_t end;
} recordings[] = {
        {"half an hour after the last event", ENTRY, NULL, LAST + REPLAY_RUN_ON},
        {"as it says", ENTRY, "{\"format\": 1, \"end\": \"2024-05-23T09:00:00Z\"}",
                1716454800 * USEC_PER_SEC},
        {"not before its last event", ENTRY, "{\"format\": 1, \"end\": \"2024-05-23T07:00:00Z\"}", LAST},
        {"without any event", NULL, "{\"format\": 1, \"end\": \"2024-05-23T09:00:00Z\"}",
                1716454800 * USEC_PER_SEC},
        {"without any time", NULL, "{\"format\": 1}", 0},
};

static void ignore_change(void *userdata, const Incident *incident, IncidentChange change) {
}

START_TEST(a_replay_ends_in_time) {
        RuleSet rules = {};
        _cleanup_(test_folder_done) TestFolder folder = test_folder_new();
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(recording_freep) Recording *recording = NULL;
        _cleanup_(matcher_freep) Matcher *matcher = NULL;
        _cleanup_(world_freep) World *world = NULL;
        _cleanup_(diagnosis_freep) Diagnosis *d = NULL;
        ReplayResult result;

        if (recordings[_i].journal)
                test_folder_write(
                        &folder, "journal.export", recordings[_i].journal, strlen(recordings[_i].journal));
        if (recordings[_i].recording)
                test_folder_write(&folder, "recording.json", recordings[_i].recording,
                        strlen(recordings[_i].recording));

        ck_assert_int_eq(recording_open(&recording, folder.path, &problems), 0);
        ck_assert_int_eq(matcher_new(&matcher, &rules, &problems), 0);
        ck_assert_int_eq(world_new(&world, recording_world_ops(recording)), 0);
        ck_assert_int_eq(
                diagnosis_new(&d, &rules, matcher, world, (DiagnosisOps){.changed = ignore_change}), 0);
        ck_assert_int_eq(replay_run(d, world, recording, &result), 0);
        ck_assert_msg(result.end == recordings[_i].end, "%s: %" PRIu64, recordings[_i].title, result.end);
        ck_assert_uint_eq(result.n_events, recordings[_i].journal ? 1 : 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("example");
        TCase *tcase = tcase_create("example");

        tcase_add_loop_test(tcase, examples_are_judged, 0, ELEMENTSOF(cases));
        tcase_add_loop_test(tcase, a_replay_ends_in_time, 0, ELEMENTSOF(recordings));
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
