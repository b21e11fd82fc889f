#include "daemon/ctl/bundle.h"
#include "daemon/ctl/bundle-log.h"

#include <zip.h>

#include "tests/unit/recording-folder.h"
#include "tests/unit/unit.h"

#define REFERENCE (1732030000 * USEC_PER_SEC) /* 2024-11-19T15:26:40Z */

static const struct {
        const char *title;
        const char *unit;
        const char *log;
        const char *entries; /* time and message of each */
} unit_logs[] = {
        {"the zone is learnt from a line that tells the time twice, also for those before it",
                "aziot-edged.service",
                "-- Logs begin at Tue 2024-11-19 09:00:00 EST. --\n"
                "Nov 19 09:10:40 device systemd[1]: Started Azure IoT Edge daemon.\n"
                "Nov 19 09:10:41 device aziot-edged[812]: 2024-11-19T14:10:41Z [INFO] - Starting\n"
                "Nov 19 09:10:42 device aziot-edged[812]: container runtime error\n",
                "1732025440 Started Azure IoT Edge daemon.\n"
                "1732025441 2024-11-19T14:10:41Z [INFO] - Starting\n"
                "1732025442 container runtime error\n"},
        {"half-hour zones east of Greenwich", "aziot-keyd.service",
                "Nov 19 19:40:42 device aziot-keyd[7]: 2024-11-19T14:10:41Z [INFO] - x\n",
                "1732025442 2024-11-19T14:10:41Z [INFO] - x\n"},
        {"the year turns", "aziot-edged.service",
                "Dec 31 23:59:59 d aziot-edged[1]: 2023-12-31T23:59:59Z [INFO] - a\n"
                "Jan  1 00:00:01 d aziot-edged[1]: b\n",
                "1704067199 2023-12-31T23:59:59Z [INFO] - a\n1704067201 b\n"},
        {"without a stamp of its own it is the reference's year in UTC", "aziot-edged.service",
                "Nov 19 14:10:41 d aziot-edged[1]: x\n", "1732025441 x\n"},
        {"a stamp of another day is a quotation", "aziot-edged.service",
                "Nov 19 14:10:41 d aziot-edged[1]: 2023-01-01T00:00:00Z quoted\n",
                "1732025441 2023-01-01T00:00:00Z quoted\n"},
        {"of the engine's unit only its own lines", "docker.service",
                "Nov 19 14:10:41 d dockerd[1]: time=\"2024-11-19T14:10:41.5Z\" level=error msg=\"m\"\n"
                "Nov 19 14:10:42 d 0123456789ab[1]: <6> from a container\n",
                "1732025441 time=\"2024-11-19T14:10:41.5Z\" level=error msg=\"m\"\n"},
        {"an entry of several lines", "aziot-edged.service",
                "Nov 19 14:10:41 d aziot-edged[1]: first\n                                 second\n",
                "1732025441 first\n1732025441 second\n"},
        {"what is no log", "aziot-edged.service", "Nov\n\n-- No entries --\nNov 99 14:10:41 d e[1]: x\n",
                ""},
};

/* The line that starts with `name` and what is left after it. */
static Text field_of(Text entry, const char *name) {
        const char *found = memmem(entry.data, entry.len, name, strlen(name)), *end;

        ck_assert_ptr_nonnull(found);
        entry = text_skip(entry, (size_t) (found - entry.data) + strlen(name));
        end = memchr(entry.data, '\n', entry.len);
        ck_assert_ptr_nonnull(end);
        return text_clip(entry, (size_t) (end - entry.data));
}

START_TEST(unit_log_is_converted) {
        Buffer out = {}, seen = {};
        usec_t latest = 0;
        Text rest;

        ck_assert_int_eq(bundle_unit_log_convert(
                                 text_of(unit_logs[_i].log), unit_logs[_i].unit, REFERENCE, &out, &latest),
                0);
        rest = buffer_text(&out);
        while (rest.len > 0) {
                const char *end = memmem(rest.data, rest.len, "\n\n", 2);
                Text entry, time;

                ck_assert_ptr_nonnull(end);
                entry = text_clip(rest, (size_t) (end - rest.data) + 1);
                time = field_of(entry, "__REALTIME_TIMESTAMP=");
                buffer_append_text(&seen, text_clip(time, time.len - 6));
                buffer_append_string(&seen, " ");
                buffer_append_text(&seen, field_of(entry, "\nMESSAGE="));
                buffer_append_string(&seen, "\n");
                rest = text_skip(rest, entry.len + 1);
        }
        ck_assert_msg(strcmp(buffer_text(&seen).data, unit_logs[_i].entries) == 0, "%s: got\n%swanted\n%s",
                unit_logs[_i].title, buffer_text(&seen).data, unit_logs[_i].entries);
        buffer_done(&out);
        buffer_done(&seen);
}
END_TEST

START_TEST(managers_lines_name_the_unit) {
        Buffer out = {};
        usec_t latest = 0;

        ck_assert_int_eq(bundle_unit_log_convert(TEXT_LITERAL("Nov 19 14:10:41 d systemd[1]: Started x.\n"),
                                 "aziot-edged.service", REFERENCE, &out, &latest),
                0);
        ck_assert_text_eq(field_of(buffer_text(&out), "_SYSTEMD_UNIT="), "init.scope");
        ck_assert_text_eq(field_of(buffer_text(&out), "\nUNIT="), "aziot-edged.service");
        ck_assert_text_eq(field_of(buffer_text(&out), "\n_PID="), "1");
        ck_assert_uint_eq(latest, 1732025441 * USEC_PER_SEC);
        buffer_done(&out);
}
END_TEST

static const struct {
        const char *log;
        const char *converted;
        int n_lost;
} container_logs[] = {
        {"2024-11-19T14:10:41.123456789Z <6> 2024-11-19 14:10:41.100 +00:00 [INF] - a\n",
                "2024-11-19T14:10:41.123456789Z <6> 2024-11-19 14:10:41.100 +00:00 [INF] - a\n", 0},
        {"<6> 2024-11-19 15:10:41.100 +01:00 [INF] - a\nSystem.Exception\r\n\n",
                "2024-11-19T14:10:41.100000Z <6> 2024-11-19 15:10:41.100 +01:00 [INF] - a\n"
                "2024-11-19T14:10:41.100000Z System.Exception\n",
                0},
        {"early\n2022-09-12 13:56:21.750 +00:00 Edge Agent Main()\n",
                "2022-09-12T13:56:21.750000Z 2022-09-12 13:56:21.750 +00:00 Edge Agent Main()\n", 1},
        {"", "", 0},
};

START_TEST(container_log_is_converted) {
        Buffer out = {};
        usec_t latest = 0;

        ck_assert_int_eq(bundle_container_log_convert(text_of(container_logs[_i].log), &out, &latest),
                container_logs[_i].n_lost);
        ck_assert_text_eq(buffer_text(&out), container_logs[_i].converted);
        buffer_done(&out);
}
END_TEST

typedef struct Entry {
        const char *name;
        const char *content;
        mode_t type; /* S_IFLNK, else a file */
} Entry;

static void make_archive(const char *path, const Entry *entries) {
        zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);

        ck_assert_ptr_nonnull(archive);
        for (; entries->name; entries++) {
                zip_source_t *source =
                        zip_source_buffer(archive, entries->content, strlen(entries->content), 0);
                zip_int64_t index = zip_file_add(archive, entries->name, source, ZIP_FL_ENC_UTF_8);

                ck_assert_int_ge(index, 0);
                if (entries->type)
                        ck_assert_int_eq(
                                zip_file_set_external_attributes(archive, (zip_uint64_t) index, 0,
                                        ZIP_OPSYS_UNIX, (zip_uint32_t) (entries->type | 0777) << 16),
                                0);
        }
        ck_assert_int_eq(zip_close(archive), 0);
}

static bool exists(const char *directory, const char *name) {
        char path[PATH_MAX];

        (void) snprintf(path, sizeof(path), "%s/%s", directory, name);
        return access(path, F_OK) == 0;
}

START_TEST(bundle_becomes_a_recording) {
        static const Entry entries[] = {
                {"logs/edgeAgent_log.txt", "2024-11-19T14:10:41Z x\n"},
                {"logs/aziot-edged.txt",
                        "Nov 19 14:10:41 d aziot-edged[1]: 2024-11-19T14:10:41Z [INFO] - x\n"},
                {"inspect/edgeAgent.json", "[{\"Id\":\"a\"}]"},
                {"inspect/edgeHub_err.json", "no such object"},
                {"network/azure-iot-edge.json", "[{\"Id\":\"n\"}]"},
                {"check.json", "{\"additional_info\":{\"now\":\"2024-11-19T15:00:00Z\"}} trailing"},
                {"unknown.txt", ""},
                {},
        };
        TestFolder f = test_folder_new();
        _cleanup_(bundle_removep) char *directory = NULL;
        ProblemList problems = {};
        struct stat st;
        char path[PATH_MAX];

        make_archive(test_folder_path(&f, "b.zip", path), entries);
        ck_assert_int_eq(bundle_is_archive(path), 1);
        ck_assert_int_eq(bundle_is_archive(f.path), 0);
        ck_assert_int_eq(bundle_unpack(path, &problems, &directory), 0);
        ck_assert_uint_eq(problems.n_items, 0);
        ck_assert(exists(directory, "docker/logs/edgeAgent.log"));
        ck_assert(exists(directory, "journal/aziot-edged.service.export"));
        ck_assert(exists(directory, "docker/api/containers.json"));
        ck_assert(exists(directory, "docker/api/networks.json"));
        ck_assert(exists(directory, "recording.json"));
        ck_assert_int_eq(stat(directory, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0700);
        problem_list_done(&problems);
        test_folder_done(&f);
}
END_TEST

/* Each entry is refused, the good one beside it is read. */
static const Entry hostile[] = {
        {"../logs/x_log.txt", "2024-11-19T14:10:41Z x\n"},
        {"/logs/x_log.txt", "2024-11-19T14:10:41Z x\n"},
        {"logs/..\\x_log.txt", "2024-11-19T14:10:41Z x\n"},
        {"logs/link_log.txt", "/etc/passwd", S_IFLNK},
        {"inspect/edgeHub.json", "{not json"},
};

START_TEST(hostile_entry_is_refused) {
        const Entry entries[] = {hostile[_i], {"logs/edgeAgent_log.txt", "2024-11-19T14:10:41Z x\n"}, {}};
        TestFolder f = test_folder_new();
        _cleanup_(bundle_removep) char *directory = NULL;
        ProblemList problems = {};
        char path[PATH_MAX];

        make_archive(test_folder_path(&f, "b.zip", path), entries);
        ck_assert_int_eq(bundle_unpack(path, &problems, &directory), 0);
        ck_assert_uint_eq(problems.n_items, 1);
        ck_assert(exists(directory, "docker/logs/edgeAgent.log"));
        ck_assert(!exists(directory, "docker/logs/x.log") && !exists(directory, "docker/logs/link.log") &&
                !exists(directory, "docker/api/containers.json") && !exists(f.path, "logs"));
        problem_list_done(&problems);
        test_folder_done(&f);
}
END_TEST

START_TEST(bomb_is_refused) {
        static char zeros[8 * 1024 * 1024];
        const Entry entries[] = {{"logs/edgeAgent_log.txt", zeros}, {"check.json", "{}"}, {}};
        TestFolder f = test_folder_new();
        _cleanup_(bundle_removep) char *directory = NULL;
        ProblemList problems = {};
        char path[PATH_MAX];

        memset(zeros, '0', sizeof(zeros) - 1);
        make_archive(test_folder_path(&f, "b.zip", path), entries);
        ck_assert_int_eq(bundle_unpack(path, &problems, &directory), 0);
        ck_assert_uint_eq(problems.n_items, 1);
        ck_assert(!exists(directory, "docker/logs/edgeAgent.log"));
        problem_list_done(&problems);
        test_folder_done(&f);
}
END_TEST

START_TEST(other_archives_are_refused) {
        static const Entry entries[] = {{"holiday.jpg", ""}, {}};
        TestFolder f = test_folder_new();
        ProblemList problems = {};
        char *directory = NULL, path[PATH_MAX];

        make_archive(test_folder_path(&f, "b.zip", path), entries);
        ck_assert_int_eq(bundle_unpack(path, &problems, &directory), -EINVAL);
        test_folder_write(&f, "c.zip", "PK\3\4 and nothing else", 22);
        ck_assert_int_eq(bundle_unpack(test_folder_path(&f, "c.zip", path), &problems, &directory), -EINVAL);
        ck_assert_uint_eq(problems.n_items, 2);
        ck_assert_ptr_null(directory);
        problem_list_done(&problems);
        test_folder_done(&f);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("bundle");
        TCase *tc = tcase_create("bundle");

        tcase_add_loop_test(tc, unit_log_is_converted, 0, ELEMENTSOF(unit_logs));
        tcase_add_test(tc, managers_lines_name_the_unit);
        tcase_add_loop_test(tc, container_log_is_converted, 0, ELEMENTSOF(container_logs));
        tcase_add_test(tc, bundle_becomes_a_recording);
        tcase_add_loop_test(tc, hostile_entry_is_refused, 0, ELEMENTSOF(hostile));
        tcase_add_test(tc, bomb_is_refused);
        tcase_add_test(tc, other_archives_are_refused);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
