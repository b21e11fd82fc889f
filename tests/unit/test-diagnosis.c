/* An incident's life: verdicts, time, causes and consequences, restarts. Rules are small YAML texts, the
 * device is a World that the test fills. */

#include <stdio.h>

#include "lib/diagnosis/diagnosis.h"

#include "tests/unit/unit.h"

#define COMMON                                                                                              \
        "title: t\nseverity: error\ndocumentation: https://example.org/\nexplanation: e\n"                  \
        "remedy: {where: device, text: r}\n"

/* Lowest layer: confirmed by the forwarding bits, cleared by them. */
static const char forwarding_rule[] =
        "id: forwarding\nmessage-id: 00000000000000000000000000000001\nlayer: forwarding\nsubject: host\n"
        "message: forwarding is off\n" COMMON
        "signals:\n  off: {forwarding: {ifname: all, enabled: 'false'}}\n"
        "when: [{any: [off]}]\nclear: [{refuted: true}]\nconfirm: {require: [forwarding-off]}\n";

/* Above it: the text proves it. */
static const char line_rule[] =
        "id: line\nmessage-id: 00000000000000000000000000000002\nlayer: application\nsubject: ${who}\n"
        "message: '${who} failed'\nkey: [who]\n" COMMON
        "signals:\n  failed: {log: {from: [runtime], match: '^module (?<who>\\w+) failed'}}\n"
        "  fine: {log: {from: [runtime], match: '^module (?<who>\\w+) is fine'}}\n"
        "when: [{any: [failed]}]\nclear: [{any: [fine]}, {quiet: 1h}]\nconfirm: {conclusive: true}\n"
        "explained-by: [forwarding]\n";

/* Needs the MTU to be proven. */
static const char mtu_rule[] =
        "id: mtu\nmessage-id: 00000000000000000000000000000003\nlayer: mtu\nsubject: azure-iot-edge\n"
        "variables: {network_mtu: unknown, uplink_mtu: unknown}\n"
        "message: the MTU ${network_mtu} is higher than ${uplink_mtu}\n" COMMON
        "signals:\n  lost: {log: {from: [runtime], match: '^packets are lost'}}\n"
        "  back: {log: {from: [runtime], match: '^packets are back'}}\n"
        "when: [{any: [lost]}]\nclear: [{any: [back], refuted: true}]\nconfirm: {require: [network-mtu]}\n"
        "explained-by: [forwarding]\n";

typedef struct Device {
        RuleSet set;
        Rule *rules[3];
        Matcher *matcher;
        World *world;
        Diagnosis *diagnosis;
        char changes[1024];
        usec_t now;
} Device;

#define START (2000 * USEC_PER_HOUR)

static void on_changed(void *userdata, const Incident *i, IncidentChange change) {
        Device *d = userdata;
        size_t n = strlen(d->changes);

        (void) snprintf(d->changes + n, sizeof(d->changes) - n, "%s%s/%s:%s@%u%s", n > 0 ? " " : "",
                i->symptom, i->subject, incident_change_to_string(change),
                (unsigned) ((d->now - START) / USEC_PER_SEC), i->consequence_of[0] ? "(consequence)" : "");
}

static int fetch(void *userdata, World *w, const char *key, usec_t now) {
        (void) userdata;
        return world_set_unknown(w, key, "this is a test", now);
}

static void device_open(Device *d, const char *const *texts, size_t n) {
        ProblemList problems = {};

        *d = (Device){.now = START};
        for (size_t i = 0; i < n; i++) {
                char path[32];

                (void) snprintf(
                        path, sizeof(path), "%.*s.yaml", (int) strcspn(texts[i] + 4, "\n"), texts[i] + 4);
                if (rule_parse(path, text_of(texts[i]), &problems, d->rules + i) < 0)
                        ck_abort_msg("%s", problem_format(problems.items));
        }
        d->set = (RuleSet){.rules = d->rules, .n_rules = n};
        ck_assert_int_eq(world_new(&d->world, (WorldOps){.fetch = fetch}), 0);
        ck_assert_int_eq(matcher_new(&d->matcher, &d->set, &problems), 0);
        ck_assert_uint_eq(problems.n_items, 0);
        ck_assert_int_eq(diagnosis_new(&d->diagnosis, &d->set, d->matcher, d->world,
                                 (DiagnosisOps){.changed = on_changed, .userdata = d}),
                0);
}

static void device_close(Device *d) {
        (void) diagnosis_free(d->diagnosis);
        (void) matcher_free(d->matcher);
        (void) world_free(d->world);
        for (size_t i = 0; i < d->set.n_rules; i++)
                (void) rule_free(d->rules[i]);
}

/* As the daemon does it: the clock goes on in steps, so that each change is noted at its own second. */
static void wait_until(Device *d, unsigned second) {
        usec_t end = START + second * USEC_PER_SEC;

        for (;;) {
                usec_t deadline = diagnosis_next_deadline(d->diagnosis);

                if (deadline > end)
                        break;
                if (deadline > d->now)
                        d->now = deadline;
                ck_assert_int_eq(diagnosis_advance(d->diagnosis, d->now), 0);
        }
        d->now = end;
        ck_assert_int_eq(diagnosis_advance(d->diagnosis, end), 0);
}

static void feed(Device *d, unsigned second, Event event) {
        wait_until(d, second);
        event.time = d->now;
        ck_assert_int_eq(diagnosis_feed(d->diagnosis, &event), 0);
}

static const Incident *incident_of(const Device *d, const char *symptom) {
        size_t n;
        const Incident *const *list = diagnosis_incidents(d->diagnosis, &n);

        for (size_t i = 0; i < n; i++)
                if (strcmp(list[i]->symptom, symptom) == 0)
                        return list[i];
        ck_abort_msg("no incident %s", symptom);
}

static void say(Device *d, unsigned second, const char *message) {
        feed(d, second,
                (Event){.kind = EVENT_LOG,
                        .origin = ORIGIN_RUNTIME,
                        .position = text_of(message),
                        .log.message = text_of(message)});
}

static void set_forwarding(Device *d, unsigned second, bool enabled) {
        Event event = {.kind = EVENT_FORWARDING, .source = SOURCE_NETWORK, .origin = ORIGIN_DEVICE};

        event.forwarding = (Forwarding){.family = FAMILY_INET, .ifname = "all", .enabled = enabled};
        feed(d, second, event);
}

static void set_uplink(Device *d, unsigned second, int mtu) {
        Event link = {.kind = EVENT_LINK,
                .source = SOURCE_NETWORK,
                .origin = ORIGIN_DEVICE,
                .link = {.ifindex = 2, .name = "wwan0", .mtu = mtu}};
        Event route = {.kind = EVENT_ROUTE,
                .source = SOURCE_NETWORK,
                .origin = ORIGIN_DEVICE,
                .route = {.family = FAMILY_INET, .destination = "default", .dev = "wwan0", .table = 254}};

        feed(d, second, link);
        feed(d, second, route);
}

static void add_network(Device *d) {
        json_t *json = json_pack("{s:s, s:s, s:s}", "Id",
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "Name", "azure-iot-edge",
                "Driver", "bridge");
        Event event = {.kind = EVENT_DOCKER_NETWORK, .source = SOURCE_DOCKER_STATE, .origin = ORIGIN_DEVICE};
        _cleanup_(network_unrefp) Network *n = NULL;

        ck_assert_int_eq(network_from_json(json, &n), 0);
        event.network = (NetworkChange){.action = TEXT_LITERAL("state"),
                .id = text_of(n->id),
                .name = text_of(n->name),
                .object = n};
        feed(d, 0, event);
        json_decref(json);
}

static void add_module(Device *d) {
        json_t *json = json_pack("{s:s, s:s, s:{s:s}, s:{s:{s:s}}}", "Id",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "Name", "/edgeAgent",
                "State", "Status", "running", "Config", "Labels", "net.azure-devices.edge.owner",
                "Microsoft.Azure.Devices.Edge.Agent");
        Event event = {.kind = EVENT_CONTAINER, .source = SOURCE_DOCKER_STATE, .origin = ORIGIN_DEVICE};
        _cleanup_(container_unrefp) Container *c = NULL;

        ck_assert_int_eq(container_from_json(json, &c), 0);
        event.container = (ContainerChange){.action = TEXT_LITERAL("running"),
                .id = text_of(c->id),
                .name = text_of(c->name),
                .owned = true,
                .exit_code = -1,
                .signal = -1,
                .object = c};
        feed(d, 0, event);
        json_decref(json);
}

static const char *const all_rules[] = {forwarding_rule, line_rule, mtu_rule};

#define DEVICE(d)                                                                                           \
        Device d;                                                                                           \
        device_open(&d, all_rules, ELEMENTSOF(all_rules))

START_TEST(conclusive_line_is_confirmed_and_clears) {
        DEVICE(d);

        say(&d, 1, "module a failed");
        say(&d, 2, "module b failed");
        say(&d, 3, "module a failed");
        say(&d, 5, "module a is fine");
        wait_until(&d, 4000);
        ck_assert_str_eq(
                d.changes, "line/a:confirmed@1 line/b:confirmed@2 line/a:cleared@5 line/b:cleared@3602");
        device_close(&d);
}
END_TEST

START_TEST(repeats_are_counted_not_repeated) {
        const Incident *const *list;
        size_t n;

        DEVICE(d);
        for (unsigned i = 1; i <= 100; i++)
                say(&d, i, "module a failed");
        ck_assert_str_eq(d.changes, "line/a:confirmed@1 line/a:updated@10 line/a:updated@100");
        list = diagnosis_incidents(d.diagnosis, &n);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(list[0]->count, 100);
        ck_assert_uint_eq(list[0]->n_evidence, 1);
        device_close(&d);
}
END_TEST

START_TEST(state_confirms) {
        const Incident *const *list;
        size_t n;

        DEVICE(d);
        add_network(&d);
        set_uplink(&d, 0, 1430);
        say(&d, 1, "packets are lost");
        ck_assert_str_eq(d.changes, "mtu/azure-iot-edge:confirmed@1");
        list = diagnosis_incidents(d.diagnosis, &n);
        ck_assert_uint_eq(n, 1);
        ck_assert_str_eq(list[0]->evidence[0].source, "network-mtu");
        _cleanup_(freep) char *message = incident_message(list[0]);
        ck_assert_str_eq(message, "the MTU 1500 is higher than 1430");
        device_close(&d);
}
END_TEST

START_TEST(state_refutes_and_is_asked_again) {
        const Incident *const *list;
        size_t n;

        DEVICE(d);
        add_network(&d);
        set_uplink(&d, 0, 1500);
        say(&d, 1, "packets are lost");
        ck_assert_str_eq(d.changes, "");
        list = diagnosis_incidents(d.diagnosis, &n);
        ck_assert_uint_eq(n, 1);
        ck_assert_int_eq(list[0]->state, INCIDENT_REFUTED);
        ck_assert_str_eq(list[0]->ruled_out[0].symptom, "mtu");
        set_uplink(&d, 10, 1400);
        say(&d, 20, "packets are lost");
        ck_assert_str_eq(d.changes, "mtu/azure-iot-edge:confirmed@20");
        (void) diagnosis_incidents(d.diagnosis, &n);
        ck_assert_uint_eq(n, 1);
        device_close(&d);
}
END_TEST

START_TEST(unknown_stays_suspected_and_is_told_after_a_minute) {
        const Incident *const *list;
        size_t n;

        DEVICE(d);
        say(&d, 1, "packets are lost");
        wait_until(&d, 60);
        ck_assert_str_eq(d.changes, "");
        wait_until(&d, 2000);
        ck_assert_str_eq(d.changes, "mtu/azure-iot-edge:suspected@61");
        list = diagnosis_incidents(d.diagnosis, &n);
        ck_assert_uint_eq(list[0]->n_asked, 4); /* at once, and after 1, 5 and 15 minutes */
        ck_assert_ptr_nonnull(strstr(list[0]->unknown, "the MTU of the Docker network azure-iot-edge"));
        add_network(&d);
        set_uplink(&d, 2000, 1430);
        wait_until(&d, 2010);
        ck_assert_ptr_nonnull(strstr(d.changes, "mtu/azure-iot-edge:confirmed@20"));
        device_close(&d);
}
END_TEST

START_TEST(clears_when_signal_and_state_agree) {
        DEVICE(d);

        add_network(&d);
        set_uplink(&d, 0, 1430);
        say(&d, 1, "packets are lost");
        say(&d, 10, "packets are back");
        ck_assert_str_eq(d.changes, "mtu/azure-iot-edge:confirmed@1");
        set_uplink(&d, 20, 1500);
        wait_until(&d, 30);
        ck_assert_str_eq(d.changes, "mtu/azure-iot-edge:confirmed@1 mtu/azure-iot-edge:cleared@20");
        device_close(&d);
}
END_TEST

/* Nobody was told of it, so nobody has to be told that it is over. */
START_TEST(suspicion_that_passes_is_no_incident) {
        const Incident *const *list;
        size_t n;

        DEVICE(d);
        say(&d, 1, "packets are lost");
        say(&d, 30, "packets are back");
        wait_until(&d, 2000);
        ck_assert_str_eq(d.changes, "");
        list = diagnosis_incidents(d.diagnosis, &n);
        ck_assert_uint_eq(n, 1);
        ck_assert_int_eq(list[0]->state, INCIDENT_REFUTED);
        device_close(&d);
}
END_TEST

/* Its recovery also asks the probes, which cannot tell: that must not leave it open for ever. */
START_TEST(unproven_suspicion_ends_with_its_signals) {
        DEVICE(d);

        say(&d, 1, "packets are lost");
        say(&d, 100, "packets are back");
        wait_until(&d, 2000);
        ck_assert_str_eq(d.changes, "mtu/azure-iot-edge:suspected@61 mtu/azure-iot-edge:cleared@100");
        device_close(&d);
}
END_TEST

static const char quiet_rule[] =
        "id: quiet\nmessage-id: 00000000000000000000000000000006\nlayer: mtu\nsubject: azure-iot-edge\n"
        "message: m\n" COMMON
        "signals:\n  lost: {log: {from: [runtime], match: '^packets are lost(?: by (?<by>\\w+))?'}}\n"
        "when: [{any: [lost]}]\nclear: [{quiet: 1h, refuted: true}]\nconfirm: {require: [network-mtu]}\n";

/* What is told once and lasts is not over because nothing is said of it any more. */
START_TEST(silence_ends_only_what_its_probes_refute) {
        static const char *const rules[] = {quiet_rule};
        Device d;

        device_open(&d, rules, ELEMENTSOF(rules));
        add_network(&d);
        set_uplink(&d, 0, 1430);
        say(&d, 1, "packets are lost");
        wait_until(&d, 8000);
        ck_assert_str_eq(d.changes, "quiet/azure-iot-edge:confirmed@1");
        set_uplink(&d, 8000, 1500);
        wait_until(&d, 8100);
        ck_assert_str_eq(d.changes, "quiet/azure-iot-edge:confirmed@1 quiet/azure-iot-edge:cleared@8000");
        device_close(&d);
}
END_TEST

/* Without a battery a clock is set forward by hours: nothing was silent for so long. */
START_TEST(a_clock_set_forward_is_no_silence) {
        DEVICE(d);

        say(&d, 1, "module a failed");
        diagnosis_shift(d.diagnosis, 5 * USEC_PER_HOUR);
        wait_until(&d, 5 * 3600 + 1800);
        ck_assert_str_eq(d.changes, "line/a:confirmed@1");
        wait_until(&d, 7 * 3600);
        ck_assert_str_eq(d.changes, "line/a:confirmed@1 line/a:cleared@21601");
        device_close(&d);
}
END_TEST

START_TEST(what_was_refuted_is_judged_anew) {
        static const char *const rules[] = {quiet_rule};
        Device d;

        device_open(&d, rules, ELEMENTSOF(rules));
        add_network(&d);
        set_uplink(&d, 0, 1500);
        say(&d, 1, "packets are lost by cable");
        ck_assert_str_eq(incident_variable(incident_of(&d, "quiet"), "by"), "cable");
        say(&d, 4000, "packets are lost");
        ck_assert_ptr_null(incident_variable(incident_of(&d, "quiet"), "by"));
        device_close(&d);
}
END_TEST

static const char suspicion_rule[] =
        "id: suspicion\nmessage-id: 00000000000000000000000000000004\nlayer: mtu\nsubject: azure-iot-edge\n"
        "message: m\n" COMMON "signals:\n  lost: {log: {from: [runtime], match: '^packets are lost'}}\n"
        "when: [{any: [lost]}]\nclear: [{quiet: 1h}]\nconfirm: {require: [network-mtu]}\n"
        "explained-by: [line]\n";

/* A mere suspicion gives way to what was proven in a higher layer; once proven itself it stands alone. */
START_TEST(higher_layer_explains_only_suspicions) {
        static const char *const rules[] = {line_rule, suspicion_rule};
        Device d;

        device_open(&d, rules, ELEMENTSOF(rules));
        say(&d, 1, "packets are lost");
        say(&d, 2, "module a failed");
        wait_until(&d, 3);
        ck_assert_str_eq(d.changes, "line/a:confirmed@2 suspicion/azure-iot-edge:updated@2(consequence)");
        d.changes[0] = '\0';
        add_network(&d);
        set_uplink(&d, 10, 1430);
        wait_until(&d, 20);
        ck_assert_ptr_nonnull(strstr(d.changes, "suspicion/azure-iot-edge:confirmed@10"));
        ck_assert_str_eq(incident_of(&d, "suspicion")->consequence_of, "");
        device_close(&d);
}
END_TEST

static const char named_rule[] =
        "id: named\nmessage-id: 00000000000000000000000000000005\nlayer: uplink\nsubject: "
        "'${parent:-unknown}'\n"
        "message: m\n" COMMON "signals:\n  lost: {log: {from: [runtime], match: '^packets are lost'}}\n"
        "  hint: {log: {from: [runtime], match: '^it is the (?<what>\\w+)'}}\n"
        "when: [{any: [lost]}]\nclear: [{quiet: 1h}]\nevidence: {signals: [hint], within: 1h}\n"
        "confirm: {conclusive: true}\n";

static int fetch_parent(void *userdata, World *w, const char *key, usec_t now) {
        const bool *has_parent = userdata;

        if (strcmp(key, "runtime-config") != 0 || !*has_parent)
                return world_set_unknown(w, key, "this is a test", now);
        return world_set_fact(w, key, json_pack("{s:s}", "parent_hostname", "gw"), now);
}

/* The subject is what the device's parent is called; without one there is nobody it could be about. */
START_TEST(subject_may_be_a_name_of_the_device) {
        static const char *const rules[] = {named_rule};
        bool has_parent = _i > 0;
        Device d;

        device_open(&d, rules, ELEMENTSOF(rules));
        (void) diagnosis_free(d.diagnosis);
        (void) world_free(d.world);
        ck_assert_int_eq(world_new(&d.world, (WorldOps){.fetch = fetch_parent, .userdata = &has_parent}), 0);
        ck_assert_int_eq(diagnosis_new(&d.diagnosis, &d.set, d.matcher, d.world,
                                 (DiagnosisOps){.changed = on_changed, .userdata = &d}),
                0);
        say(&d, 1, "it is the cable");
        say(&d, 2, "packets are lost");
        ck_assert_str_eq(d.changes, has_parent ? "named/gw:confirmed@2" : "");
        if (has_parent) /* what evidence captured is known too */
                ck_assert_str_eq(incident_variable(incident_of(&d, "named"), "what"), "cable");
        device_close(&d);
}
END_TEST

START_TEST(lower_layer_is_the_cause) {
        DEVICE(d);

        add_module(&d);
        set_forwarding(&d, 1, true);
        say(&d, 2, "module a failed");
        set_forwarding(&d, 5, false);
        say(&d, 6, "module b failed");
        ck_assert_str_eq(d.changes,
                "line/a:confirmed@2 forwarding/host:confirmed@5 line/a:updated@5(consequence) "
                "line/b:confirmed@6(consequence)");
        d.changes[0] = '\0';
        set_forwarding(&d, 10, true);
        wait_until(&d, 70);
        ck_assert_str_eq(d.changes, "forwarding/host:cleared@10 line/a:updated@10 line/b:updated@10");
        device_close(&d);
}
END_TEST

/* Its cause is gone before it: in between nothing proved it without that. */
START_TEST(what_went_with_its_cause_is_told_as_its_consequence) {
        DEVICE(d);
        add_module(&d);
        set_forwarding(&d, 5, false);
        say(&d, 6, "packets are lost");
        wait_until(&d, 69);
        set_forwarding(&d, 70, true);
        say(&d, 75, "packets are back");
        ck_assert_str_eq(d.changes,
                "forwarding/host:confirmed@5 mtu/azure-iot-edge:updated@6(consequence) "
                "mtu/azure-iot-edge:suspected@66(consequence) "
                "forwarding/host:cleared@70 mtu/azure-iot-edge:updated@70 "
                "mtu/azure-iot-edge:cleared@75(consequence)");
        ck_assert_str_eq(incident_of(&d, "mtu")->consequence_of, incident_of(&d, "forwarding")->id);
        device_close(&d);
}
END_TEST

START_TEST(lower_layer_is_looked_at_though_nobody_raised_it) {
        const Incident *const *list;
        size_t n;

        DEVICE(d);
        add_module(&d);
        add_network(&d);
        set_uplink(&d, 0, 1430);
        set_forwarding(&d, 0, true);
        say(&d, 1, "packets are lost");
        wait_until(&d, 5);
        ck_assert_str_eq(d.changes, "mtu/azure-iot-edge:confirmed@1");
        list = diagnosis_incidents(d.diagnosis, &n);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(list[0]->n_ruled_out, 1);
        ck_assert_str_eq(list[0]->ruled_out[0].symptom, "forwarding");
        ck_assert_ptr_nonnull(strstr(list[0]->ruled_out[0].because, "ip_forward is 1"));
        device_close(&d);
}
END_TEST

START_TEST(nothing_is_lost_or_doubled_over_a_restart) {
        json_t *state;

        DEVICE(d);
        add_module(&d);
        set_forwarding(&d, 1, false);
        say(&d, 2, "module a failed");
        state = diagnosis_save(d.diagnosis);
        ck_assert_ptr_nonnull(state);

        (void) diagnosis_free(d.diagnosis);
        d.changes[0] = '\0';
        ck_assert_int_eq(diagnosis_new(&d.diagnosis, &d.set, d.matcher, d.world,
                                 (DiagnosisOps){.changed = on_changed, .userdata = &d}),
                0);
        ck_assert_int_eq(diagnosis_restore(d.diagnosis, state), 0);
        json_decref(state);
        say(&d, 3, "module a failed");
        ck_assert_str_eq(d.changes, "");

        /* forwarding was switched on while nobody watched */
        Event event = {
                .kind = EVENT_FORWARDING, .time = d.now, .forwarding = {.ifname = "all", .enabled = true}};
        ck_assert_int_eq(world_apply(d.world, &event), 0);
        ck_assert_int_eq(diagnosis_probe_all(d.diagnosis, d.now), 0);
        ck_assert_str_eq(d.changes, "forwarding/host:cleared@3 line/a:updated@3");
        device_close(&d);
}
END_TEST

/* Killed between the journal and the state file, with the fault back at the next start: the journal's last
 * word was its end. */
START_TEST(end_that_was_not_saved_is_not_the_last_word) {
        json_t *state;

        DEVICE(d);
        add_module(&d);
        set_forwarding(&d, 1, false);
        state = diagnosis_save(d.diagnosis);
        set_forwarding(&d, 2, true);
        wait_until(&d, 3);
        ck_assert_str_eq(d.changes, "forwarding/host:confirmed@1 forwarding/host:cleared@2");

        for (int is_back = 0; is_back < 2; is_back++) {
                (void) diagnosis_free(d.diagnosis);
                d.changes[0] = '\0';
                ck_assert_int_eq(diagnosis_new(&d.diagnosis, &d.set, d.matcher, d.world,
                                         (DiagnosisOps){.changed = on_changed, .userdata = &d}),
                        0);
                ck_assert_int_eq(diagnosis_set_held(d.diagnosis, true), 0);
                ck_assert_int_eq(diagnosis_restore(d.diagnosis, state), 0);
                diagnosis_note_ended(d.diagnosis, incident_of(&d, "forwarding")->id, 2);
                set_forwarding(&d, 4, !is_back);
                ck_assert_int_eq(diagnosis_set_held(d.diagnosis, false), 0);
                ck_assert_str_eq(
                        d.changes, is_back ? "forwarding/host:confirmed@4" : "forwarding/host:cleared@4");
                ck_assert_uint_eq(incident_of(&d, "forwarding")->seq, is_back ? 3 : 2);
        }
        json_decref(state);
        device_close(&d);
}
END_TEST

/* Within a second, equal lines are one occurrence; its first position made two incidents with one id, of
 * which the second was told with numbers that the journal had already. */
START_TEST(begins_again_under_another_id) {
        const Incident *const *list;
        size_t n;

        DEVICE(d);
        for (int time = 0; time < 3; time++) {
                say(&d, 1, "module a failed");
                say(&d, 1, "module a is fine");
        }
        ck_assert_str_eq(d.changes,
                "line/a:confirmed@1 line/a:cleared@1 line/a:confirmed@1 line/a:cleared@1 line/a:confirmed@1 "
                "line/a:cleared@1");
        list = diagnosis_incidents(d.diagnosis, &n);
        ck_assert_uint_eq(n, 3);
        for (size_t i = 0; i < n; i++)
                ck_assert_ptr_eq(diagnosis_find(d.diagnosis, list[i]->id), list[i]);
        device_close(&d);
}
END_TEST

/* A clock a month ahead was set right, or was behind after a restart: nothing was alerted, and facts of
 * today were too old for the probes, until the month was over. */
START_TEST(time_set_back_does_not_stop_it) {
        DEVICE(d);
        say(&d, 3600, "packets are lost");
        (void) world_set_unknown(d.world, "some fact", "a test", d.now);
        d.now = START;
        world_set_back(d.world, d.now);
        diagnosis_set_back(d.diagnosis, d.now);
        ck_assert_uint_eq(incident_of(&d, "mtu")->last_seen, START);
        ck_assert_int_eq(world_fact(d.world, START, START, "some fact")->state, FACT_UNKNOWN);
        ck_assert_uint_eq(world_peek(d.world, "some fact")->time, START);
        wait_until(&d, 59);
        ck_assert_str_eq(d.changes, "");
        wait_until(&d, 70);
        ck_assert_str_eq(d.changes, "mtu/azure-iot-edge:suspected@60");
        add_network(&d);
        set_uplink(&d, 80, 1430);
        wait_until(&d, 90);
        ck_assert_ptr_nonnull(strstr(d.changes, "mtu/azure-iot-edge:confirmed@8"));
        diagnosis_set_back(d.diagnosis, START + USEC_PER_HOUR); /* forward: as it was */
        ck_assert_uint_eq(incident_of(&d, "mtu")->last_seen, START);
        device_close(&d);
}
END_TEST

START_TEST(what_an_enumeration_tells_again_is_not_counted) {
        Event event = {.kind = EVENT_FORWARDING,
                .source = SOURCE_NETWORK,
                .origin = ORIGIN_DEVICE,
                .initial = true};
        const Incident *const *list;
        size_t n;

        DEVICE(d);
        add_module(&d);
        event.forwarding = (Forwarding){.family = FAMILY_INET, .ifname = "all", .enabled = false};
        for (unsigned second = 1; second < 20; second += 5)
                feed(&d, second, event);
        list = diagnosis_incidents(d.diagnosis, &n);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(list[0]->count, 1);
        set_forwarding(&d, 30, false);
        ck_assert_uint_eq(list[0]->count, 2);
        ck_assert_str_eq(d.changes, "forwarding/host:confirmed@1");
        device_close(&d);
}
END_TEST

/* Names of subjects can come from outside: whoever invents them must not hide what else is wrong. */
START_TEST(flood_of_subjects_pushes_out_its_own) {
        const char *const texts[] = {forwarding_rule, line_rule};
        Device d;
        size_t n;

        device_open(&d, texts, ELEMENTSOF(texts));
        add_network(&d);
        add_module(&d);
        set_forwarding(&d, 1, false);
        for (unsigned i = 0; i < 2 * DIAGNOSIS_INCIDENTS_MAX; i++) {
                char message[64];

                (void) snprintf(message, sizeof(message), "module m%u failed", i);
                say(&d, 2, message);
        }
        (void) diagnosis_incidents(d.diagnosis, &n);
        ck_assert_uint_eq(n, DIAGNOSIS_INCIDENTS_MAX);
        ck_assert_int_eq(incident_of(&d, "forwarding")->state, INCIDENT_CONFIRMED);
        ck_assert_uint_eq(diagnosis_dropped(d.diagnosis), DIAGNOSIS_INCIDENTS_MAX + 1);
        device_close(&d);
}
END_TEST

/* What is looked at below a suspicion must not take its place. */
START_TEST(a_full_list_keeps_what_is_asked) {
        DEVICE(d);

        add_module(&d);
        add_network(&d);
        set_uplink(&d, 0, 1500);
        for (unsigned i = 0; i < DIAGNOSIS_INCIDENTS_MAX; i++) {
                char message[64];

                (void) snprintf(message, sizeof(message), "module m%u failed", i);
                say(&d, 2, message);
        }
        say(&d, 3, "packets are lost");
        ck_assert_int_eq(incident_of(&d, "mtu")->state, INCIDENT_REFUTED);
        device_close(&d);
}
END_TEST

START_TEST(nothing_is_proven_by_half_of_the_state) {
        DEVICE(d);

        add_module(&d);
        ck_assert_int_eq(diagnosis_set_held(d.diagnosis, true), 0);
        set_forwarding(&d, 1, false);
        say(&d, 2, "module a failed");
        wait_until(&d, 200);
        ck_assert_str_eq(d.changes, "line/a:confirmed@2");
        set_forwarding(&d, 201, true);
        ck_assert_int_eq(diagnosis_set_held(d.diagnosis, false), 0);
        wait_until(&d, 400);
        ck_assert_str_eq(d.changes, "line/a:confirmed@2");
        device_close(&d);
}
END_TEST

START_TEST(forged_line_raises_nothing) {
        Event event = {.kind = EVENT_LOG,
                .origin = ORIGIN_MODULE,
                .log = {.message = TEXT_LITERAL("module a failed"), .container = TEXT_LITERAL("evil")}};
        size_t n;

        DEVICE(d);
        feed(&d, 1, event);
        event.origin = ORIGIN_RUNTIME; /* even if a source were mistaken: the container is nobody's */
        feed(&d, 2, event);
        (void) diagnosis_incidents(d.diagnosis, &n);
        ck_assert_uint_eq(n, 0);
        device_close(&d);
}
END_TEST

START_TEST(incident_survives_json) {
        const Incident *const *list;
        _cleanup_(incident_freep) Incident *copy = NULL;
        json_t *first, *second;
        size_t n;

        DEVICE(d);
        add_network(&d);
        set_uplink(&d, 0, 1430);
        say(&d, 1, "packets are lost");
        list = diagnosis_incidents(d.diagnosis, &n);
        first = incident_to_json(list[0], true);
        ck_assert_int_eq(incident_from_json(first, &d.set, &copy), 0);
        second = incident_to_json(copy, true);
        ck_assert(json_equal(first, second));
        json_decref(first);
        json_decref(second);
        device_close(&d);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("diagnosis");
        TCase *tc = tcase_create("diagnosis");

        tcase_add_test(tc, conclusive_line_is_confirmed_and_clears);
        tcase_add_test(tc, repeats_are_counted_not_repeated);
        tcase_add_test(tc, state_confirms);
        tcase_add_test(tc, state_refutes_and_is_asked_again);
        tcase_add_test(tc, unknown_stays_suspected_and_is_told_after_a_minute);
        tcase_add_test(tc, clears_when_signal_and_state_agree);
        tcase_add_test(tc, suspicion_that_passes_is_no_incident);
        tcase_add_test(tc, unproven_suspicion_ends_with_its_signals);
        tcase_add_test(tc, silence_ends_only_what_its_probes_refute);
        tcase_add_test(tc, a_clock_set_forward_is_no_silence);
        tcase_add_test(tc, what_was_refuted_is_judged_anew);
        tcase_add_test(tc, higher_layer_explains_only_suspicions);
        tcase_add_loop_test(tc, subject_may_be_a_name_of_the_device, 0, 2);
        tcase_add_test(tc, lower_layer_is_the_cause);
        tcase_add_test(tc, what_went_with_its_cause_is_told_as_its_consequence);
        tcase_add_test(tc, lower_layer_is_looked_at_though_nobody_raised_it);
        tcase_add_test(tc, nothing_is_lost_or_doubled_over_a_restart);
        tcase_add_test(tc, end_that_was_not_saved_is_not_the_last_word);
        tcase_add_test(tc, begins_again_under_another_id);
        tcase_add_test(tc, time_set_back_does_not_stop_it);
        tcase_add_test(tc, what_an_enumeration_tells_again_is_not_counted);
        tcase_add_test(tc, flood_of_subjects_pushes_out_its_own);
        tcase_add_test(tc, a_full_list_keeps_what_is_asked);
        tcase_add_test(tc, nothing_is_proven_by_half_of_the_state);
        tcase_add_test(tc, forged_line_raises_nothing);
        tcase_add_test(tc, incident_survives_json);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
