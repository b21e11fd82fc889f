#include "lib/event/journal-entry.h"

#include "tests/unit/unit.h"

#define FULL_ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
        const char *fields[8];
        int r;
        Origin origin;
        const char *message, *unit, *container, *container_id;
} entries[] = {
        {{"MESSAGE=2024-11-19T14:10:41Z [INFO] - Version - 1.5.21", "_SYSTEMD_UNIT=aziot-edged.service",
                 "_PID=812", "_HOSTNAME=edge"},
                1, ORIGIN_RUNTIME, "Version - 1.5.21", "aziot-edged.service", "", ""},
        {{"MESSAGE=2019-11-19T14:10:41Z [INFO] - hi", "_SYSTEMD_UNIT=iotedge.service"}, 1, ORIGIN_RUNTIME,
                "hi", "iotedge.service", "", ""},
        {{"MESSAGE=a", "_SYSTEMD_UNIT=snap.azure-iot-identity.keyd.service"}, 1, ORIGIN_KEYD, "a",
                "snap.azure-iot-identity.keyd.service", "", ""},
        /* the journald driver: written by the engine's unit */
        {{"MESSAGE=<6> 2024-11-19 14:10:41.162 +00:00 [INF] - from the agent", "CONTAINER_NAME=edgeAgent",
                 "CONTAINER_ID_FULL=" FULL_ID, "CONTAINER_ID=0123456789ab", "_SYSTEMD_UNIT=docker.service"},
                1, ORIGIN_AGENT, "from the agent", "", "edgeAgent", FULL_ID},
        {{"MESSAGE=x", "CONTAINER_NAME=tempSensor", "CONTAINER_ID=0123456789ab",
                 "_SYSTEMD_UNIT=snap.docker.dockerd.service"},
                1, ORIGIN_MODULE, "x", "", "tempSensor", "0123456789ab"},
        /* forged by another unit */
        {{"MESSAGE=x", "CONTAINER_NAME=edgeHub", "_SYSTEMD_UNIT=evil.service"}, 0, 0, "", "", "", ""},
        {{"MESSAGE=x", "CONTAINER_NAME=edgeHub", "_SYSTEMD_UNIT=aziot-edged.service"}, 1, ORIGIN_RUNTIME,
                "x", "aziot-edged.service", "", ""},
        /* the engine itself */
        {{"MESSAGE=time=\"2023-10-25T11:10:21Z\" level=error msg=\"denied\"",
                 "_SYSTEMD_UNIT=docker.service"},
                1, ORIGIN_DOCKER, "denied", "docker.service", "", ""},
        {{"MESSAGE=Memory cgroup out of memory: Killed process 812 (dotnet)", "_TRANSPORT=kernel"}, 1,
                ORIGIN_KERNEL, "Memory cgroup out of memory: Killed process 812 (dotnet)", "", "", ""},
        {{"MESSAGE=kernel: forged", "SYSLOG_IDENTIFIER=kernel", "_TRANSPORT=syslog"}, 0, 0, "", "", "", ""},
        {{"MESSAGE=Failed to start", "UNIT=aziot-edged.service", "_PID=1", "_SYSTEMD_UNIT=init.scope"}, 1,
                ORIGIN_SYSTEMD, "Failed to start", "aziot-edged.service", "", ""},
        {{"MESSAGE=Failed to start", "UNIT=aziot-edged.service", "_PID=4711", "_SYSTEMD_UNIT=evil.service"},
                0, 0, "", "", "", ""},
        {{"MESSAGE=Started", "UNIT=cron.service", "_PID=1"}, 0, 0, "", "", "", ""},
        {{"MESSAGE=A process of this unit has been killed by the OOM killer.",
                 "UNIT=docker-" FULL_ID ".scope", "_PID=1"},
                1, ORIGIN_SYSTEMD, "A process of this unit has been killed by the OOM killer.",
                "docker-" FULL_ID ".scope", "", ""},
        /* our own, nobody's, nothing */
        {{"MESSAGE=2024-11-19T14:10:41Z [INFO] - x", "_SYSTEMD_UNIT=edgewatchd.service"}, 0, 0, "", "", "",
                ""},
        {{"MESSAGE=x", "_SYSTEMD_UNIT=edgewatch-probe@1.service", "UNIT=aziot-edged.service"}, 0, 0, "", "",
                "", ""},
        {{"MESSAGE=x", "_SYSTEMD_UNIT=cron.service"}, 0, 0, "", "", "", ""},
        {{"MESSAGE=", "_SYSTEMD_UNIT=aziot-edged.service"}, 0, 0, "", "", "", ""},
        {{"_SYSTEMD_UNIT=aziot-edged.service"}, 0, 0, "", "", "", ""},
};

static void add(JournalEntry *e, const char *field) {
        journal_entry_add(e, field, strlen(field));
}

START_TEST(entry_is_decoded) {
        _cleanup_(journal_decoder_freep) JournalDecoder *d = NULL;
        JournalEntry e = {.realtime = 7};
        Event event = {};

        ck_assert_int_eq(journal_decoder_new(&d), 0);
        for (size_t i = 0; entries[_i].fields[i]; i++)
                add(&e, entries[_i].fields[i]);
        ck_assert_int_eq(journal_decoder_decode(d, &e, &event), entries[_i].r);
        if (entries[_i].r == 0)
                return;
        ck_assert_int_eq(event.kind, EVENT_LOG);
        ck_assert_int_eq(event.origin, entries[_i].origin);
        ck_assert_uint_eq(event.time, 7);
        ck_assert_text_eq(event.log.message, entries[_i].message);
        ck_assert_text_eq(event.log.unit, entries[_i].unit);
        ck_assert_text_eq(event.log.container, entries[_i].container);
        ck_assert_text_eq(event.log.container_id, entries[_i].container_id);
}
END_TEST

static JournalEntry part(Text message, const char *id, bool partial) {
        return (JournalEntry){
                .message = message,
                .unit = TEXT_LITERAL("docker.service"),
                .container_name = TEXT_LITERAL("m"),
                .container_id = TEXT_LITERAL(FULL_ID),
                .partial_id = text_of(id),
                .partial = partial,
        };
}

START_TEST(parts_are_joined) {
        _cleanup_(journal_decoder_freep) JournalDecoder *d = NULL;
        JournalEntry one = part(TEXT_LITERAL("one "), "a", true),
                     other = part(TEXT_LITERAL("other"), NULL, false),
                     two = part(TEXT_LITERAL("two "), "a", true),
                     end = part(TEXT_LITERAL("end"), "a", false);
        Event event;

        ck_assert_int_eq(journal_decoder_new(&d), 0);
        ck_assert_int_eq(journal_decoder_decode(d, &one, &event), 0);
        ck_assert_int_eq(journal_decoder_decode(d, &other, &event), 1);
        ck_assert_text_eq(event.log.message, "other");
        ck_assert_int_eq(journal_decoder_decode(d, &two, &event), 0);
        ck_assert_int_eq(journal_decoder_decode(d, &end, &event), 1);
        ck_assert_text_eq(event.log.message, "one two end");
        ck_assert(!event.log.truncated);
        ck_assert_int_eq(journal_decoder_decode(d, &end, &event), 1);
        ck_assert_text_eq(event.log.message, "end");
}
END_TEST

START_TEST(parts_are_capped) {
        _cleanup_(journal_decoder_freep) JournalDecoder *d = NULL;
        static char text[16 * 1024];
        Event event;

        memset(text, 'x', sizeof(text));
        ck_assert_int_eq(journal_decoder_new(&d), 0);
        for (int i = 0; i < 100; i++) {
                JournalEntry e = part((Text){text, sizeof(text)}, "a", true);
                ck_assert_int_eq(journal_decoder_decode(d, &e, &event), 0);
        }
        /* lines that never end push out the oldest */
        for (int i = 0; i < 100; i++) {
                char id[16];
                (void) snprintf(id, sizeof(id), "b%d", i);
                JournalEntry e = part(TEXT_LITERAL("begun"), id, true);
                ck_assert_int_eq(journal_decoder_decode(d, &e, &event), 0);
                if (i == 10) {
                        JournalEntry end = part(TEXT_LITERAL("end"), "a", false);
                        ck_assert_int_eq(journal_decoder_decode(d, &end, &event), 1);
                        ck_assert(event.log.truncated);
                        ck_assert_uint_eq(event.log.message.len, JOURNAL_LINE_MAX);
                }
        }
}
END_TEST

START_TEST(lines_of_one_stream_are_joined) {
        _cleanup_(journal_decoder_freep) JournalDecoder *d = NULL;
        JournalEntry e = {
                .message = TEXT_LITERAL("2024-11-19T14:10:41Z [WARN] - container runtime error"),
                .unit = TEXT_LITERAL("aziot-edged.service"),
                .pid = TEXT_LITERAL("812"),
                .stream_id = TEXT_LITERAL("5f2a"),
        };
        Event event;

        ck_assert_int_eq(journal_decoder_new(&d), 0);
        ck_assert_int_eq(journal_decoder_decode(d, &e, &event), 1);
        e.message = TEXT_LITERAL("    HTTP 404 Not Found: no such image");
        ck_assert_int_eq(journal_decoder_decode(d, &e, &event), 1);
        ck_assert_text_eq(event.log.head, "container runtime error");
        ck_assert_int_eq(event.log.level, LEVEL_WARNING);
        e.pid = TEXT_LITERAL("813");
        ck_assert_int_eq(journal_decoder_decode(d, &e, &event), 1);
        ck_assert_text_eq(event.log.head, "");
}
END_TEST

#define EXPORT(text, r, bytes, cursor, message, time)                                                       \
        { (text), sizeof(text) - 1, (r), (bytes), (cursor), (message), (time) }

static const struct {
        const char *text;
        size_t len;
        int r;
        size_t bytes;
        const char *cursor, *message;
        usec_t time;
} exports[] = {
        EXPORT("__CURSOR=s=1\n__REALTIME_TIMESTAMP=77\nMESSAGE=hi\n_PID=1\n\nNEXT=1\n", 1, 56, "s=1", "hi",
                77),
        EXPORT("\n\nMESSAGE=a=b\n\n", 1, 15, "", "a=b", 0),
        EXPORT("MESSAGE\n\5\0\0\0\0\0\0\0a\n\nb\0\n\n", 1, 23, "", "a\n\nb", 0),
        EXPORT("MESSAGE=hi\n", 0, 0, "", "", 0),
        EXPORT("MESSAGE=hi", 0, 0, "", "", 0),
        EXPORT("MESSAGE\n\5\0\0\0\0\0\0\0ab", 0, 0, "", "", 0),
        EXPORT("MESSAGE\n\5\0\0", 0, 0, "", "", 0),
        EXPORT("", 0, 0, "", "", 0),
        EXPORT("\n\n", 0, 0, "", "", 0),
        EXPORT("MESSAGE\n\377\377\377\377\377\377\377\377ab\n\nX=1\n", -EBADMSG, 20, "", "", 0),
        EXPORT("MESSAGE\n\1\0\0\0\0\0\0\0ab\n\n", -EBADMSG, 20, "", "", 0),
        EXPORT("A=1\nnot a field\nB=2\n\nC=3\n\n", -EBADMSG, 21, "", "", 0),
        EXPORT("=1\n", -EBADMSG, 3, "", "", 0),
};

START_TEST(export_is_parsed) {
        JournalEntry e = {};
        Text cursor = TEXT_NONE;
        size_t bytes = 0;

        ck_assert_int_eq(
                journal_export_parse((Text){exports[_i].text, exports[_i].len}, &e, &cursor, &bytes),
                exports[_i].r);
        ck_assert_uint_eq(bytes, exports[_i].bytes);
        ck_assert_text_eq(cursor, exports[_i].cursor);
        ck_assert_text_eq(e.message, exports[_i].message);
        ck_assert_uint_eq(e.realtime, exports[_i].time);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("journal-entry");
        TCase *tc = tcase_create("journal-entry");

        tcase_add_loop_test(tc, entry_is_decoded, 0, ELEMENTSOF(entries));
        tcase_add_test(tc, parts_are_joined);
        tcase_add_test(tc, parts_are_capped);
        tcase_add_test(tc, lines_of_one_stream_are_joined);
        tcase_add_loop_test(tc, export_is_parsed, 0, ELEMENTSOF(exports));
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
