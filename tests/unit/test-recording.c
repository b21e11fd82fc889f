#include "lib/base/buffer.h"
#include "lib/world/recording.h"

#include <sys/wait.h>

#include "tests/unit/recording-folder.h"
#include "tests/unit/unit.h"

#define ID_HUB   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_AGENT "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define ENTRY(seconds, unit, text)                                                                          \
        "__CURSOR=c" #seconds "\n__REALTIME_TIMESTAMP=" #seconds "000000\n_SYSTEMD_UNIT=" unit              \
        "\nMESSAGE=" text "\n\n"
#define EDGED(seconds, text) ENTRY(seconds, "aziot-edged.service", text)
#define STAMP(seconds)       "1970-01-01T00:00:" #seconds "Z"
#define LINE(seconds, text)  STAMP(seconds) " " text "\n"
#define DOCKER(seconds, action, id, name)                                                                   \
        "{\"Type\":\"container\",\"Action\":\"" action "\",\"Actor\":{\"ID\":\"" id                         \
        "\",\"Attributes\":{\"name\":\"" name "\",\"exitCode\":\"137\"}},\"time\":" #seconds                \
        ",\"timeNano\":" #seconds "000000000}\n"
#define LINK(seconds, name, mtu)                                                                            \
        "{\"time\":\"" STAMP(seconds) "\",\"type\":\"link\",\"ifname\":\"" name                             \
                                      "\",\"ifindex\":2,\"mtu\":" #mtu ",\"operstate\":\"UP\"}\n"
#define CONTAINER(id, name, status, driver)                                                                 \
        "{\"Id\":\"" id "\",\"Name\":\"/" name "\",\"State\":{\"Status\":\"" status                         \
        "\",\"Error\":\"\",\"ExitCode\":0},\"Config\":{\"Image\":\"image\",\"Labels\":{"                    \
        "\"net.azure-devices.edge.owner\":\"Microsoft.Azure.Devices.Edge.Agent\"}},"                        \
        "\"HostConfig\":{\"LogConfig\":{\"Type\":\"" driver "\"}}}"
#define STATE_TIME(seconds) "{\"format\":1,\"state_time\":\"" STAMP(seconds) "\"}"

typedef struct RecordedPart {
        const char *name;
        const char *content;
} RecordedPart;

/* What the recording's files are, which events they become, and which problems are listed. */
static const struct {
        const char *title;
        RecordedPart parts[8];
        const char *events;
        const char *problems;
} recordings[] = {
        {
                .title = "ties go by the kind of part",
                .parts = {{"net/events.jsonl", LINK(10, "eth0", 1400)},
                        {"docker/logs/edgeHub.log", LINE(10, "from the log")},
                        {"docker/events.jsonl", DOCKER(10, "die", ID_HUB, "edgeHub")},
                        {"journal.export", EDGED(10, "from the journal")}},
                .events = "10 journal log from the journal\n"
                          "10 docker-events container edgeHub die\n"
                          "10 docker-logs log from the log\n"
                          "10 network link eth0 1400\n",
        },
        {
                .title = "parts are merged by time",
                .parts = {{"docker/logs/edgeHub.log", LINE(11, "b") LINE(13, "d")},
                        {"docker/logs/edgeAgent.log", LINE(12, "c") LINE(14, "e")},
                        {"journal.export", EDGED(10, "a") EDGED(15, "f")}},
                .events = "10 journal log a\n11 docker-logs log b\n12 docker-logs log c\n"
                          "13 docker-logs log d\n14 docker-logs log e\n15 journal log f\n",
        },
        {
                .title = "inside a part time never goes back",
                .parts = {{"docker/logs/edgeHub.log", LINE(20, "a") LINE(15, "b") LINE(30, "c")}},
                .events = "20 docker-logs log a\n20 docker-logs log b\n30 docker-logs log c\n",
        },
        {
                .title = "the snapshot without a time is of the first entry",
                .parts = {{"journal.export", EDGED(10, "a") EDGED(11, "b")},
                        {"docker/api/containers.json",
                                "[" CONTAINER(ID_HUB, "edgeHub", "running", "json-file") "]"},
                        {"net/links.json",
                                "[{\"ifindex\":2,\"ifname\":\"eth0\",\"mtu\":1500,\"operstate\":\"UP\"}]"},
                        {"units.json", "{\"docker.service\":{\"ActiveState\":\"active\"}}"},
                        {"root/proc/sys/net/ipv4/ip_forward", "0\n"}},
                .events = "10 journal log a\n"
                          "10 docker-state initial container edgeHub running\n"
                          "10 network initial link eth0 1500\n"
                          "10 network initial forwarding inet all 0\n"
                          "10 units initial unit docker.service active\n"
                          "10 files initial file /proc/sys/net/ipv4/ip_forward\n"
                          "11 journal log b\n",
        },
        {
                .title = "a snapshot alone is of its own time",
                .parts = {{"recording.json", STATE_TIME(40)},
                        {"root/proc/sys/net/ipv6/conf/all/forwarding", "1\n"}},
                .events = "40 network initial forwarding inet6 all 1\n"
                          "40 files initial file /proc/sys/net/ipv6/conf/all/forwarding\n",
        },
        {
                .title = "what events said stands against a later snapshot",
                .parts = {{"recording.json", STATE_TIME(40)},
                        {"docker/events.jsonl",
                                DOCKER(10, "die", ID_HUB, "edgeHub")
                                        DOCKER(11, "start", ID_AGENT, "edgeAgent")},
                        {"net/events.jsonl", LINK(12, "eth0", 1400)},
                        {"docker/api/containers.json",
                                "[" CONTAINER(ID_HUB, "edgeHub", "running", "json-file") "," CONTAINER(
                                        ID_AGENT, "edgeAgent", "running", "json-file") "]"},
                        {"net/links.json",
                                "[{\"ifindex\":2,\"ifname\":\"eth0\",\"mtu\":1500},{\"ifindex\":3,"
                                "\"ifname\":\"lo\",\"mtu\":65536}]"}},
                .events = "10 docker-events container edgeHub die\n"
                          "11 docker-events container edgeAgent start\n"
                          "12 network link eth0 1400\n"
                          "40 docker-state initial container edgeAgent running\n"
                          "40 network initial link lo 65536\n",
        },
        {
                .title = "an event of the snapshot's own moment overtakes it",
                .parts = {{"docker/events.jsonl", DOCKER(10, "destroy", ID_HUB, "edgeHub")},
                        {"docker/api/containers.json",
                                "[" CONTAINER(ID_HUB, "edgeHub", "running", "json-file") "]"}},
                .events = "10 docker-events container edgeHub destroy\n",
        },
        {
                .title = "a log that the journal carries is not read twice",
                .parts = {{"docker/api/containers.json",
                                  "[" CONTAINER(ID_HUB, "edgeHub", "running", "journald") "]"},
                        {"recording.json", STATE_TIME(50)}, {"docker/logs/edgeHub.log", LINE(10, "a")},
                        {"journal.export",
                                "__REALTIME_TIMESTAMP=10000000\n_SYSTEMD_UNIT=docker.service\nCONTAINER_"
                                "NAME=edgeHub\n"
                                "CONTAINER_ID_FULL=" ID_HUB "\nMESSAGE=a\n\n"}},
                .events = "10 journal log a\n50 docker-state initial container edgeHub running\n",
        },
        {
                .title = "bad lines are passed over and named",
                .parts = {{"docker/events.jsonl",
                                  "{\"Type\":\n" DOCKER(
                                          10, "die", ID_HUB, "edgeHub") "[]\n{\"a\":1}\n\n" DOCKER(11,
                                          "start", ID_HUB, "edgeHub")},
                        {"docker/logs/edgeHub.log", "no time\n" LINE(10, "a")},
                        {"net/events.jsonl", "{\"time\":\"" STAMP(10) "\",\"type\":\"moon\"}\n"},
                        {"units.json", "[]"}},
                .events = "10 docker-events container edgeHub die\n10 docker-logs log a\n"
                          "11 docker-events container edgeHub start\n",
                .problems = "units.json:1\ndocker/events.jsonl:1\ndocker/logs/edgeHub.log:1\nnet/"
                            "events.jsonl:1\n"
                            "docker/events.jsonl:3\ndocker/events.jsonl:4\n",
        },
        {
                .title = "a damaged journal export goes on with the next entry",
                .parts = {{"journal.export", EDGED(10, "a") "no field at all\n\n" EDGED(11, "b")}},
                .events = "10 journal log a\n11 journal log b\n",
                .problems = "journal.export:6\n",
        },
        {
                .title = "the last entry counts without an empty line",
                .parts = {{"journal.export",
                        "__REALTIME_TIMESTAMP=10000000\n_SYSTEMD_UNIT=aziot-edged.service\nMESSAGE=a"}},
                .events = "10 journal log a\n",
        },
        {
                .title = "network changes of all types",
                .parts = {{"net/events.jsonl",
                        "{\"time\":\"" STAMP(
                                10) "\",\"type\":\"forwarding\",\"family\":\"inet\",\"ifname\":\"all\","
                                    "\"forwarding\":false}\n"
                                    "{\"time\":\"" STAMP(
                                            11) "\",\"type\":\"route\",\"dst\":\"default\",\"dev\":"
                                                "\"wwan0\",\"metric\":700,\"family\":\"inet\",\"deleted\":"
                                                "true}\n"
                                                "{\"time\":\"" STAMP(
                                                        12) "\",\"type\":\"address\",\"ifname\":\"eth0\","
                                                            "\"address\":\"192.0.2.7/24\"}\n"}},
                .events = "10 network forwarding inet all 0\n11 network deleted route default wwan0\n"
                          "12 network address eth0 192.0.2.7\n",
        },
        {
                .title = "a series of metrics",
                .parts = {{"metrics/edgeHub/20.prom", "m 2\n"}, {"metrics/edgeHub/10.prom", "m 1\n"},
                        {"metrics/edgeHub/late.prom", "m 3\n"}, {"metrics/edgeAgent.prom", "m 0\n"}},
                .events = "10 metrics initial metrics edgeAgent m 0\n10 metrics metrics edgeHub m 1\n"
                          "20 metrics metrics edgeHub m 2\n",
                .problems = "metrics/edgeHub/late.prom:0\n",
        },
};

static Recording *open_recording(const TestFolder *f, const RecordedPart *parts, ProblemList *problems) {
        Recording *recording = NULL;

        for (; parts->name; parts++)
                test_folder_write(f, parts->name, parts->content, strlen(parts->content));
        ck_assert_int_eq(recording_open(&recording, f->path, problems), 0);
        return recording;
}

static void describe(const Event *e, Buffer *b) {
        buffer_append_format(b, "%" PRIu64 " %s %s%s%s ", e->time / USEC_PER_SEC,
                source_kind_to_string(e->source), e->initial ? "initial " : "", e->deleted ? "deleted " : "",
                event_kind_to_string(e->kind));
        switch (e->kind) {
        case EVENT_LOG:
                buffer_append_text(b, e->log.message);
                break;
        case EVENT_CONTAINER:
                buffer_append_text(b, e->container.name);
                buffer_append_string(b, " ");
                buffer_append_text(b, e->container.action);
                break;
        case EVENT_LINK:
                buffer_append_format(b, "%s %d", e->link.name, e->link.mtu);
                break;
        case EVENT_ROUTE:
                buffer_append_format(b, "%s %s", e->route.destination, e->route.dev);
                break;
        case EVENT_ADDRESS:
                buffer_append_format(b, "%s %s", e->address.ifname, e->address.address);
                break;
        case EVENT_FORWARDING:
                buffer_append_format(b, "%s %s %d", family_to_string(e->forwarding.family),
                        e->forwarding.ifname, e->forwarding.enabled);
                break;
        case EVENT_UNIT:
                buffer_append_format(b, "%s %s", e->unit.name, e->unit.active_state);
                break;
        case EVENT_FILE:
                buffer_append_text(b, e->file.path);
                break;
        case EVENT_METRICS:
                buffer_append_text(b, e->metrics.module);
                buffer_append_string(b, " ");
                buffer_append_text(b, text_strip(e->metrics.exposition));
                break;
        default:
                break;
        }
        buffer_append_string(b, "\n");
}

static void read_all_events(Recording *recording, Buffer *ret) {
        Event event;
        int r;

        while ((r = recording_next(recording, &event)) > 0)
                describe(&event, ret);
        ck_assert_int_eq(r, 0);
        ck_assert_int_eq(recording_next(recording, &event), 0);
}

static void list_problems(const TestFolder *f, const ProblemList *problems, Buffer *ret) {
        FOREACH_ARRAY (p, problems->items, problems->n_items)
                buffer_append_format(ret, "%s:%u\n", p->path + strlen(f->path) + 1, p->line);
}

START_TEST(recording_becomes_events) {
        TestFolder f = test_folder_new();
        ProblemList problems = {};
        Recording *recording = open_recording(&f, recordings[_i].parts, &problems);
        Buffer events = {}, listed = {};

        read_all_events(recording, &events);
        ck_assert_msg(strcmp(buffer_text(&events).data, recordings[_i].events) == 0, "%s: got\n%swanted\n%s",
                recordings[_i].title, buffer_text(&events).data, recordings[_i].events);
        list_problems(&f, &problems, &listed);
        ck_assert_msg(strcmp(buffer_text(&listed).data, recordings[_i].problems ?: "") == 0,
                "%s: got problems\n%swanted\n%s", recordings[_i].title, buffer_text(&listed).data,
                recordings[_i].problems ?: "none");

        (void) recording_free(recording);
        buffer_done(&events);
        buffer_done(&listed);
        problem_list_done(&problems);
        test_folder_done(&f);
}
END_TEST

START_TEST(no_recording_is_refused) {
        TestFolder f = test_folder_new();
        ProblemList problems = {};
        Recording *recording = NULL;
        char path[PATH_MAX];

        ck_assert_int_eq(recording_open(&recording, f.path, &problems), -EINVAL);
        ck_assert_uint_eq(problems.n_items, 1);
        test_folder_write(&f, "notes.txt", "", 0);
        ck_assert_int_eq(recording_open(&recording, f.path, &problems), -EINVAL);
        ck_assert_int_eq(
                recording_open(&recording, test_folder_path(&f, "notes.txt", path), &problems), -ENOTDIR);
        ck_assert_int_eq(
                recording_open(&recording, test_folder_path(&f, "absent", path), &problems), -ENOENT);
        ck_assert_ptr_null(recording);
        problem_list_done(&problems);
        test_folder_done(&f);
}
END_TEST

START_TEST(links_are_not_followed) {
        static const RecordedPart parts[] = {
                {"journal.export", EDGED(10, "a")}, {"root/etc/hostname", "device\n"}, {}};
        TestFolder f = test_folder_new(), outside = test_folder_new();
        char target[PATH_MAX], link[PATH_MAX];
        ProblemList problems = {};
        Buffer events = {};
        Recording *recording;

        test_folder_write(&outside, "logs/edgeHub.log", LINE(10, "stolen"), strlen(LINE(10, "stolen")));
        test_folder_path(&f, "docker/logs", link);
        ck_assert_int_eq(symlink(test_folder_path(&outside, "logs", target), link), 0);
        test_folder_path(&f, "root/etc/shadow", link);
        ck_assert_int_eq(symlink("/etc/shadow", link), 0);
        test_folder_path(&f, "net/events.jsonl", link);
        ck_assert_int_eq(mkfifo(link, 0600), 0);

        recording = open_recording(&f, parts, &problems);
        read_all_events(recording, &events);
        ck_assert_text_eq(buffer_text(&events), "10 journal log a\n10 files initial file /etc/hostname\n");
        ck_assert_uint_eq(problems.n_items, 3);

        (void) recording_free(recording);
        buffer_done(&events);
        problem_list_done(&problems);
        test_folder_done(&f);
        test_folder_done(&outside);
}
END_TEST

START_TEST(long_lines_are_cut) {
        TestFolder f = test_folder_new();
        ProblemList problems = {};
        Buffer log = {};
        Recording *recording = NULL;
        Event event;

        buffer_append_string(&log, STAMP(10) " ");
        for (size_t i = 0; i < 3 * RECORDING_LINE_MAX; i += 64)
                buffer_append_string(
                        &log, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        buffer_append_string(&log, "\n" LINE(11, "next"));
        test_folder_write(&f, "docker/logs/edgeHub.log", log.data, log.len);

        ck_assert_int_eq(recording_open(&recording, f.path, &problems), 0);
        ck_assert_int_eq(recording_next(recording, &event), 1);
        ck_assert(event.log.truncated);
        ck_assert_uint_le(event.log.message.len, RECORDING_LINE_MAX);
        ck_assert_int_eq(recording_next(recording, &event), 1);
        ck_assert_text_eq(event.log.message, "next");
        ck_assert(!event.log.truncated);
        ck_assert_int_eq(recording_next(recording, &event), 0);
        ck_assert_uint_eq(problems.n_items, 1);
        ck_assert_uint_eq(problems.items[0].line, 1);

        (void) recording_free(recording);
        buffer_done(&log);
        problem_list_done(&problems);
        test_folder_done(&f);
}
END_TEST

/* The engine prints the timestamp before each 16 KiB piece of one line. */
START_TEST(pieces_of_a_log_line_are_joined) {
        TestFolder f = test_folder_new();
        char piece[16 * 1024];
        ProblemList problems = {};
        Recording *recording = NULL;
        Buffer log = {};
        Event event;

        memset(piece, 'x', sizeof(piece));
        for (unsigned i = 0; i < 3; i++) {
                buffer_append_string(&log, STAMP(10) " ");
                buffer_append(&log, piece, sizeof(piece));
        }
        buffer_append_string(&log, STAMP(10) " end\n");
        test_folder_write(&f, "docker/logs/module.log", log.data, log.len);

        ck_assert_int_eq(recording_open(&recording, f.path, &problems), 0);
        ck_assert_int_eq(recording_next(recording, &event), 1);
        ck_assert_uint_eq(event.log.message.len, 3 * sizeof(piece) + 3);
        ck_assert(!memchr(event.log.message.data, 'Z', event.log.message.len));
        ck_assert_int_eq(recording_next(recording, &event), 0);

        (void) recording_free(recording);
        buffer_done(&log);
        problem_list_done(&problems);
        test_folder_done(&f);
}
END_TEST

/* Writes a journal file from the export format, as journald itself would have it. */
static void write_journal_file(const TestFolder *f, const char *name, const char *export) {
        char from[PATH_MAX], output[PATH_MAX + 16] = "--output=";
        int status;
        pid_t pid;

        test_folder_write(f, "in.export", export, strlen(export));
        test_folder_path(f, "in.export", from);
        test_folder_path(f, name, output + strlen(output));
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                (void) close(STDERR_FILENO);
                (void) execl(
                        "/lib/systemd/systemd-journal-remote", "systemd-journal-remote", output, from, NULL);
                _exit(127);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "systemd-journal-remote is needed");
        ck_assert_int_eq(unlink(from), 0);
}

#define BOOT "__MONOTONIC_TIMESTAMP=1\n_BOOT_ID=cccccccccccccccccccccccccccccccc\n"

START_TEST(journal_files_are_read) {
        TestFolder f = test_folder_new();
        ProblemList problems = {};
        Buffer events = {}, listed = {};
        Recording *recording = NULL;

        write_journal_file(&f, "journal/system.journal",
                BOOT EDGED(10, "one") BOOT
                "_SYSTEMD_UNIT=docker.service\nCONTAINER_NAME=edgeHub\nCONTAINER_ID_FULL=" ID_HUB
                "\n__REALTIME_TIMESTAMP=11000000\nMESSAGE=two\n\n");
        test_folder_write(&f, "journal/damaged.journal", "LPKSHHRH", 8);
        test_folder_write(&f, "journal/more.export", EDGED(10, "zero"), strlen(EDGED(10, "zero")));
        test_folder_write(&f, "docker/logs/edgeHub.log", LINE(11, "two"), strlen(LINE(11, "two")));

        ck_assert_int_eq(recording_open(&recording, f.path, &problems), 0);
        read_all_events(recording, &events);
        ck_assert_text_eq(
                buffer_text(&events), "10 journal log zero\n10 journal log one\n11 journal log two\n");
        list_problems(&f, &problems, &listed);
        ck_assert_text_eq(buffer_text(&listed), "journal/damaged.journal:0\n");

        (void) recording_free(recording);
        buffer_done(&events);
        buffer_done(&listed);
        problem_list_done(&problems);
        test_folder_done(&f);
}
END_TEST

static const RecordedPart world_parts[] = {
        {"recording.json",
                "{\"format\":1,\"state_time\":\"" STAMP(50) "\",\"end\":\"1970-01-01T00:10:00Z\"}"},
        {"journal.export", EDGED(10, "a")},
        {"docker/api/containers.json", "[" CONTAINER(ID_HUB, "edgeHub", "running", "json-file") "]"},
        {"docker/api/version.json", "{\"Client\":{\"Version\":\"1\"},\"Server\":{\"Version\":\"24.0.9\"}}"},
        {"root/etc/hostname", "device\n"},
        {"metrics/edgeHub/20.prom", "m 1\n"},
        {"metrics/edgeHub/30.prom", "m 2\n"},
        {"probes.jsonl",
                "{\"time\":\"" STAMP(
                        10) "\",\"probe\":\"resolve\",\"from\":\"edgeHub\",\"target\":\"hub.example\","
                            "\"result\":\"timeout\"}\n"
                            "{\"time\":\"" STAMP(
                                    30) "\",\"probe\":\"resolve\",\"from\":\"edgeHub\",\"target\":\"hub."
                                        "example\",\"result\":\"ok\"}\n"
                                        "{\"time\":\"" STAMP(
                                                10) "\",\"probe\":\"connect\",\"from\":\"host\",\"target\":"
                                                    "\"hub.example\",\"port\":5671,\"result\":\"refused\"}\n"
                                                    "{\"time\":\"" STAMP(
                                                            10) "\",\"probe\":\"connect\",\"from\":\"host\","
                                                                "\"target\":\"hub.example\",\"result\":"
                                                                "\"refused\"}\n"},
        {},
};

static const struct {
        const char *key;
        usec_t now;        /* seconds */
        const char *value; /* of `member`, or of the fact itself; NULL: unknown */
        const char *member;
} questions[] = {
        {"resolve:edgeHub:hub.example", 0, "timeout", "result"},
        {"resolve:edgeHub:hub.example", 19, "timeout", "result"},
        {"resolve:edgeHub:hub.example", 20, "ok", "result"}, /* equally near: the later */
        {"resolve:edgeHub:hub.example", 900, "ok", "result"},
        {"resolve:" ID_HUB ":hub.example", 20, "ok", "result"},
        {"resolve:host:hub.example", 20, NULL, NULL},
        {"connect:host:hub.example:5671", 20, "refused", "result"},
        {"connect:host:hub.example:443", 20, NULL, NULL},
        {"metrics:edgeHub", 10, "m 1\n", NULL},
        {"metrics:edgeHub", 29, "m 1\n", NULL},
        {"metrics:edgeHub", 30, "m 2\n", NULL},
        {"metrics:other", 30, NULL, NULL},
        {"file:/etc/hostname", 20, "device\n", NULL},
        {"file:/etc/absent", 20, NULL, NULL},
        {"file:/etc/../etc/hostname", 20, NULL, NULL},
        {"engine-version", 20, "24.0.9", "Version"},
        {"engine-info", 20, NULL, NULL},
        {"listeners", 20, NULL, NULL},
        {"nat", 20, NULL, NULL},
};

START_TEST(question_is_answered) {
        TestFolder f = test_folder_new();
        ProblemList problems = {};
        Recording *recording = open_recording(&f, world_parts, &problems);
        _cleanup_(world_freep) World *w = NULL;
        usec_t now = questions[_i].now * USEC_PER_SEC;
        const json_t *value;
        const Fact *fact;

        ck_assert_uint_eq(problems.n_items, 1);
        ck_assert_uint_eq(problems.items[0].line, 4);
        ck_assert_uint_eq(recording_end(recording), 600 * USEC_PER_SEC);
        ck_assert_int_eq(world_new(&w, recording_world_ops(recording)), 0);
        ck_assert_int_eq(recording_load_state(recording, w), 0);

        fact = world_fact(w, now, now, "%s", questions[_i].key);
        ck_assert_ptr_nonnull(fact);
        ck_assert_int_eq(fact->state, questions[_i].value ? FACT_KNOWN : FACT_UNKNOWN);
        if (questions[_i].value) {
                value = questions[_i].member ? json_object_get(fact->value, questions[_i].member)
                                             : fact->value;
                ck_assert_str_eq(json_string_value(value), questions[_i].value);
        }

        (void) recording_free(recording);
        problem_list_done(&problems);
        test_folder_done(&f);
}
END_TEST

/* Who a container is can be told from the start, whether it runs only from the snapshot on. */
START_TEST(containers_are_known_before_their_status) {
        TestFolder f = test_folder_new();
        ProblemList problems = {};
        Recording *recording = open_recording(&f, world_parts, &problems);
        _cleanup_(world_freep) World *w = NULL;
        Event event;

        ck_assert_int_eq(world_new(&w, recording_world_ops(recording)), 0);
        ck_assert_int_eq(recording_load_state(recording, w), 0);
        ck_assert_str_eq(world_container_name(w, TEXT_LITERAL(ID_HUB)), "edgeHub");
        ck_assert_int_eq(
                world_vouch_for_container(w, TEXT_LITERAL("edgeHub"), TEXT_LITERAL(ID_HUB)), ORIGIN_HUB);
        ck_assert_ptr_null(world_container_status(w, "edgeHub"));
        ck_assert(world_knows(w, EVENT_CONTAINER));
        ck_assert(!world_knows(w, EVENT_LINK));

        while (recording_next(recording, &event) > 0)
                ck_assert_int_eq(world_apply(w, &event), 0);
        ck_assert_str_eq(world_container_status(w, "edgeHub"), "running");

        (void) recording_free(recording);
        problem_list_done(&problems);
        test_folder_done(&f);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("recording");
        TCase *tc = tcase_create("recording");

        tcase_add_loop_test(tc, recording_becomes_events, 0, ELEMENTSOF(recordings));
        tcase_add_test(tc, no_recording_is_refused);
        tcase_add_test(tc, links_are_not_followed);
        tcase_add_test(tc, long_lines_are_cut);
        tcase_add_test(tc, journal_files_are_read);
        tcase_add_test(tc, pieces_of_a_log_line_are_joined);
        tcase_add_loop_test(tc, question_is_answered, 0, ELEMENTSOF(questions));
        tcase_add_test(tc, containers_are_known_before_their_status);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
