#include "lib/event/log-prefix.h"

#include "tests/unit/unit.h"

static const struct {
        const char *line;
        Level level;
        const char *message;
} prefixes[] = {
        /* aziot-edged and iotedged, as a file and as journald shows it */
        {"<6>2024-11-19T14:10:41Z [INFO] - Starting Azure IoT Edge Daemon", LEVEL_INFO,
                "Starting Azure IoT Edge Daemon"},
        {"2024-11-19T14:10:41Z [WARN] - container runtime error", LEVEL_WARNING, "container runtime error"},
        {"2020-01-07T09:09:09Z [ERR!] - (-> 404) Module not found", LEVEL_ERROR,
                "(-> 404) Module not found"},
        {"<7>2024-11-19T14:10:41Z [DBUG] - [aziot_edged::watchdog] tick", LEVEL_DEBUG, "tick"},
        {"<7>2024-11-19T14:10:41Z [TRCE] - [hyper::proto] read", LEVEL_TRACE, "read"},
        {"2024-11-19T14:10:41Z [INFO] - [mgmt] - - - [2024-11-19 14:10:41.162 UTC] \"GET /modules\" 200",
                LEVEL_INFO, "[mgmt] - - - [2024-11-19 14:10:41.162 UTC] \"GET /modules\" 200"},
        /* edgeAgent and edgeHub: 1.0.8 and later, before, debug level */
        {"<6> 2024-11-19 14:10:41.162 +00:00 [INF] - Edge agent attempting to connect", LEVEL_INFO,
                "Edge agent attempting to connect"},
        {"2018-07-02 09:20:51.123 -07:00 [WRN] - Empty edge agent config was received", LEVEL_WARNING,
                "Empty edge agent config was received"},
        {"<3> 2024-11-19 14:10:41.162 +00:00 [ERR] [Microsoft.Azure.Devices.Edge.Hub] - failed", LEVEL_ERROR,
                "failed"},
        {"<0> 2024-11-19 14:10:41.162 +00:00 [FTL] - Fatal error starting Agent.", LEVEL_FATAL,
                "Fatal error starting Agent."},
        {"<7> 2024-11-19 14:10:41.162 +00:00 [VRB] - v", LEVEL_TRACE, "v"},
        {"<7> 2024-11-19 14:10:41.162 +00:00 [DBG] - d", LEVEL_DEBUG, "d"},
        {"<6> 2024-11-19 14:10:41.162 +00:00 [INF] -", LEVEL_INFO, ""},
        /* start scripts: a time, no level */
        {"2022-09-12 13:56:21.750 +00:00 Edge Agent Main()", LEVEL_UNKNOWN, "Edge Agent Main()"},
        {"2022-09-12 13:56:21 [NOTE] odd level", LEVEL_UNKNOWN, "[NOTE] odd level"},
        {"2022-09-12T13:56:21Z", LEVEL_UNKNOWN, ""},
        /* none */
        {"    HTTP 500 Internal Server Error: no", LEVEL_UNKNOWN, "    HTTP 500 Internal Server Error: no"},
        {"<6>hello", LEVEL_UNKNOWN, "<6>hello"},
        {"<6", LEVEL_UNKNOWN, "<6"},
        {"2022-09-12x13:56:21Z [INFO] - x", LEVEL_UNKNOWN, "2022-09-12x13:56:21Z [INFO] - x"},
        {"", LEVEL_UNKNOWN, ""},
};

START_TEST(prefix_is_taken_off) {
        Text line = text_of(prefixes[_i].line);
        LogPrefix prefix = log_prefix_parse(line);

        ck_assert_int_eq(prefix.level, prefixes[_i].level);
        ck_assert_text_eq(text_skip(line, prefix.bytes), prefixes[_i].message);
}
END_TEST

static const struct {
        const char *line;
        int r;
        Level level;
        const char *message;
} engine_lines[] = {
        {"time=\"2023-10-25T11:10:21.742171007-07:00\" level=error msg=\"Handler for POST "
         "/v1.41/images/create returned error: denied\"",
                1, LEVEL_ERROR, "Handler for POST /v1.41/images/create returned error: denied"},
        {"time=\"2024-02-01T10:00:00Z\" level=error msg=\"[resolver] failed to query external DNS server\" "
         "dns-server=\"udp:10.0.0.1:53\" error=\"i/o timeout\"",
                1, LEVEL_ERROR,
                "[resolver] failed to query external DNS server dns-server=\"udp:10.0.0.1:53\" "
                "error=\"i/o timeout\""},
        {"time=\"t\" level=warning msg=\"say \\\"hi\\\"\\tand \\u00e4\\x41 \\\\ \\q\"", 1, LEVEL_WARNING,
                "say \"hi\"\tand \xc3\xa4"
                "A \\ q"},
        {"time=\"t\" level=info msg=Started", 1, LEVEL_INFO, "Started"},
        {"time=\"t\" level=fatal msg=\"\"", 1, LEVEL_FATAL, ""},
        {"time=\"t\" level=info msg=\"open", 0, LEVEL_UNKNOWN, ""},
        {"time=\"t\" msg=\"no level\"", 0, LEVEL_UNKNOWN, ""},
        {"plain", 0, LEVEL_UNKNOWN, ""},
};

START_TEST(engine_line_is_unquoted) {
        _cleanup_(buffer_done) Buffer b = {};
        Level level = LEVEL_UNKNOWN;

        ck_assert_int_eq(logrus_parse(text_of(engine_lines[_i].line), &level, &b), engine_lines[_i].r);
        ck_assert_int_eq(level, engine_lines[_i].level);
        ck_assert_text_eq(buffer_text(&b), engine_lines[_i].message);
}
END_TEST

static const struct {
        uint64_t key;
        usec_t second;
        const char *line;
        Level level;
        const char *head, *message;
} stream[] = {
        {1, 0, "orphan", LEVEL_UNKNOWN, "", "orphan"},
        {1, 1, "2023-01-01T00:00:00Z [WARN] - container runtime error", LEVEL_WARNING, "",
                "container runtime error"},
        {2, 1, "<4> 2023-01-01 00:00:00.000 +00:00 [WRN] - Non retryable exception occurred", LEVEL_WARNING,
                "", "Non retryable exception occurred"},
        {1, 1, "", LEVEL_WARNING, "container runtime error", ""},
        {1, 2, "Caused by:", LEVEL_WARNING, "container runtime error", "Caused by:"},
        {2, 2, "System.FormatException: String 'x' was not recognized as a valid DateTime.\r\n",
                LEVEL_WARNING, "Non retryable exception occurred",
                "System.FormatException: String 'x' was not recognized as a valid DateTime."},
        {1, 2, "    HTTP 500 Internal Server Error: port is already allocated", LEVEL_WARNING,
                "container runtime error", "    HTTP 500 Internal Server Error: port is already allocated"},
        /* 1.0 to 1.2 write the cause with a prefix of its own */
        {1, 3, "2023-01-01T00:00:01Z [ERR!] - \tcaused by: registry operation failed", LEVEL_WARNING,
                "container runtime error", "\tcaused by: registry operation failed"},
        {1, 4, "2023-01-01T00:00:02Z [INFO] - next", LEVEL_INFO, "", "next"},
        {1, 60, "late", LEVEL_UNKNOWN, "", "late"},
        {3, 60, "2023-01-01T00:00:01Z [ERR!] - caused by: nothing before it", LEVEL_ERROR, "",
                "caused by: nothing before it"},
};

START_TEST(lines_of_a_record_are_joined) {
        _cleanup_(log_joiner_freep) LogJoiner *j = NULL;

        ck_assert_int_eq(log_joiner_new(&j), 0);
        FOREACH_ARRAY (s, stream, ELEMENTSOF(stream)) {
                LogLine line = {};

                ck_assert_int_eq(log_joiner_decode(j, s->key, ORIGIN_RUNTIME, s->second * USEC_PER_SEC,
                                         text_of(s->line), &line),
                        0);
                ck_assert_text_eq(line.message, s->message);
                ck_assert_text_eq(line.head, s->head);
                ck_assert_int_eq(line.level, s->level);
        }
}
END_TEST

START_TEST(oldest_stream_is_forgotten) {
        _cleanup_(log_joiner_freep) LogJoiner *j = NULL;
        Text head = TEXT_LITERAL("2023-01-01T00:00:00Z [WARN] - head"), more = TEXT_LITERAL("more");
        LogLine line = {};

        ck_assert_int_eq(log_joiner_new(&j), 0);
        for (uint64_t key = 1; key <= 257; key++)
                ck_assert_int_eq(log_joiner_decode(j, key, ORIGIN_RUNTIME, 0, head, &line), 0);
        ck_assert_int_eq(log_joiner_decode(j, 1, ORIGIN_RUNTIME, 0, more, &line), 0);
        ck_assert_text_eq(line.head, "");
        ck_assert_int_eq(log_joiner_decode(j, 2, ORIGIN_RUNTIME, 0, more, &line), 0);
        ck_assert_text_eq(line.head, "head");
}
END_TEST

START_TEST(head_and_line_are_cut) {
        _cleanup_(log_joiner_freep) LogJoiner *j = NULL;
        static char text[128 * 1024];
        LogLine line = {};

        memset(text, 'x', sizeof(text));
        memcpy(text, "2023-01-01T00:00:00Z [WARN] - ", 30);
        ck_assert_int_eq(log_joiner_new(&j), 0);
        ck_assert_int_eq(log_joiner_decode(j, 1, ORIGIN_RUNTIME, 0, (Text){text, sizeof(text)}, &line), 0);
        ck_assert(line.truncated);
        ck_assert_uint_eq(line.message.len, 64 * 1024 - 30);
        line = (LogLine){};
        ck_assert_int_eq(log_joiner_decode(j, 1, ORIGIN_RUNTIME, 0, TEXT_LITERAL("more"), &line), 0);
        ck_assert_uint_eq(line.head.len, 1024);
        ck_assert(!line.truncated);
}
END_TEST

START_TEST(kernel_lines_stay_as_they_are) {
        _cleanup_(log_joiner_freep) LogJoiner *j = NULL;
        LogLine line = {};

        ck_assert_int_eq(log_joiner_new(&j), 0);
        ck_assert_int_eq(log_joiner_decode(j, 1, ORIGIN_KERNEL, 0,
                                 TEXT_LITERAL("2023-01-01T00:00:00Z [WARN] - forged"), &line),
                0);
        ck_assert_text_eq(line.message, "2023-01-01T00:00:00Z [WARN] - forged");
        ck_assert_int_eq(line.level, LEVEL_UNKNOWN);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("log-prefix");
        TCase *tc = tcase_create("log-prefix");

        tcase_add_loop_test(tc, prefix_is_taken_off, 0, ELEMENTSOF(prefixes));
        tcase_add_loop_test(tc, engine_line_is_unquoted, 0, ELEMENTSOF(engine_lines));
        tcase_add_test(tc, lines_of_a_record_are_joined);
        tcase_add_test(tc, oldest_stream_is_forgotten);
        tcase_add_test(tc, head_and_line_are_cut);
        tcase_add_test(tc, kernel_lines_stay_as_they_are);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
