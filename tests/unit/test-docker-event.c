#include "lib/event/docker-event.h"

#include "tests/unit/unit.h"

#define OWNED "\"net.azure-devices.edge.owner\":\"Microsoft.Azure.Devices.Edge.Agent\""

static const struct {
        const char *json;
        int r;
        EventKind kind;
        const char *action, *id, *name, *image, *container_id;
        bool owned;
        int exit_code, signal;
        uint64_t nsec;
} events[] = {
        /* as docker 20.10 to 28 write it */
        {"{\"status\":\"die\",\"id\":\"0b1c\",\"from\":\"mcr.microsoft.com/"
         "azureiotedge-hub:1.5\",\"Type\":\"container\","
         "\"Action\":\"die\",\"Actor\":{\"ID\":\"0b1c\",\"Attributes\":{\"exitCode\":\"137\",\"image\":"
         "\"mcr.microsoft.com/azureiotedge-hub:1.5\",\"name\":\"edgeHub\"," OWNED
         "}},\"scope\":\"local\",\"time\":1716450652,\"timeNano\":1716450652598123456}",
                1, EVENT_CONTAINER, "die", "0b1c", "edgeHub", "mcr.microsoft.com/azureiotedge-hub:1.5", "",
                true, 137, -1, 1716450652598123456},
        {"{\"Type\":\"container\",\"Action\":\"kill\",\"Actor\":{\"ID\":\"0b1c\",\"Attributes\":{\"signal\":"
         "\"15\","
         "\"name\":\"m\",\"exitCode\":\"1\"}},\"time\":2}",
                1, EVENT_CONTAINER, "kill", "0b1c", "m", "", "", false, -1, 15, 2000000000},
        /* as engines before 1.10 wrote it */
        {"{\"status\":\"start\",\"id\":\"0b1c\",\"from\":\"img\",\"time\":3}", 1, EVENT_CONTAINER, "start",
                "0b1c", "", "img", "", false, -1, -1, 3000000000},
        {"{\"Type\":\"container\",\"Action\":\"create\",\"Actor\":{\"ID\":\"0b1c\",\"Attributes\":{"
         "\"net.azure-devices.edge.owner\":\"me\"}},\"timeNano\":5}",
                1, EVENT_CONTAINER, "create", "0b1c", "", "", "", false, -1, -1, 5},
        {"{\"Type\":\"network\",\"Action\":\"disconnect\",\"Actor\":{\"ID\":\"9a\",\"Attributes\":{"
         "\"container\":"
         "\"0b1c\",\"name\":\"azure-iot-edge\",\"type\":\"bridge\"}},\"timeNano\":7}",
                1, EVENT_DOCKER_NETWORK, "disconnect", "9a", "azure-iot-edge", "", "0b1c", false, -1, -1, 7},
        {"{\"Type\":\"image\",\"Action\":\"pull\",\"Actor\":{\"ID\":\"x\"},\"timeNano\":7}", 0},
        {"{\"Type\":\"container\",\"Action\":\"exec_start: "
         "/bin/sh\",\"Actor\":{\"ID\":\"x\"},\"timeNano\":7}",
                0},
        {"{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"x\"}}", -EBADMSG},
        {"{\"Type\":\"container\",\"Actor\":{\"ID\":\"x\"},\"timeNano\":7}", -EBADMSG},
        {"{\"Type\":\"container\",\"Action\":\"die\",\"timeNano\":7}", -EBADMSG},
        {"{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":[],\"timeNano\":7}", -EBADMSG},
        {"{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"x\"},\"timeNano\":-7}", -EBADMSG},
        {"{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"x\"},\"time\":9223372036854775807}",
                -EBADMSG},
        {"[]", -EBADMSG},
};

START_TEST(event_is_decoded) {
        json_t *object = json_loads(events[_i].json, 0, NULL);
        uint64_t nsec = 0;
        Event e = {};

        ck_assert_ptr_nonnull(object);
        ck_assert_int_eq(docker_event_decode(object, &e, &nsec), events[_i].r);
        ck_assert_uint_eq(nsec, events[_i].nsec);
        if (events[_i].r > 0) {
                ck_assert_int_eq(e.kind, events[_i].kind);
                ck_assert_uint_eq(e.time, nsec / 1000);
        }
        if (events[_i].r > 0 && e.kind == EVENT_CONTAINER) {
                ck_assert_text_eq(e.container.action, events[_i].action);
                ck_assert_text_eq(e.container.id, events[_i].id);
                ck_assert_text_eq(e.container.name, events[_i].name);
                ck_assert_text_eq(e.container.image, events[_i].image);
                ck_assert_int_eq(e.container.owned, events[_i].owned);
                ck_assert_int_eq(e.container.exit_code, events[_i].exit_code);
                ck_assert_int_eq(e.container.signal, events[_i].signal);
        } else if (events[_i].r > 0) {
                ck_assert_text_eq(e.network.action, events[_i].action);
                ck_assert_text_eq(e.network.id, events[_i].id);
                ck_assert_text_eq(e.network.name, events[_i].name);
                ck_assert_text_eq(e.network.container_id, events[_i].container_id);
        }
        json_decref(object);
}
END_TEST

#define T1 "2024-05-23T07:50:52.000000001Z "
#define T2 "2024-05-23T07:50:52.000000002Z "
#define N1 1716450652000000001
#define N2 1716450652000000002

/* Frames are written as "1text", "2text": stream and payload. NULL ends. */
static const struct {
        const char *frames[8];
        DockerLogPosition skip;
        const char *lines;
        DockerLogPosition position;
} logs[] = {
        {{"1" T1 "one\n", "2" T1 "two\n", "1" T2 "three\n"}, {}, "one|two|three|", {N2, 1}},
        {{"1" T1 "piece ", "1" T1 "and ", "1" T1 "end\n"}, {}, "piece and end|", {N1, 3}},
        {{"1" T1 "out ", "2" T1 "err\n", "1" T1 "end\n"}, {}, "err|out end|", {N1, 3}},
        {{"1" T1 "one\n", "1" T2 "open"}, {}, "one|", {N1, 1}},
        {{"1" T1 "crlf\r\n", "1" T1 "\n"}, {}, "crlf||", {N1, 2}},
        /* `since=` sends the whole nanosecond again */
        {{"1" T1 "one\n", "1" T1 "two\n", "1" T2 "three\n"}, {N1, 1}, "two|three|", {N2, 1}},
        {{"1" T1 "one\n", "1" T1 "two\n"}, {N1, 2}, "", {N1, 2}},
        {{"1" T1 "one\n", "1" T2 "two\n"}, {N2, 1}, "", {N2, 1}},
        {{"1" T1 "one\n"}, {}, "one|", {N1, 1}},
};

static int collect(void *userdata, Text line, uint64_t nsec, bool truncated) {
        Buffer *b = userdata;

        (void) buffer_append_text(b, line);
        return buffer_append_string(b, truncated ? "!|" : "|");
}

static void append_frame(Buffer *b, const char *frame) {
        size_t len = strlen(frame) - 1;
        const unsigned char header[8] = {(unsigned char) (frame[0] - '0'), 0, 0, 0, 0, 0,
                (unsigned char) (len >> 8), (unsigned char) len};

        ck_assert_int_eq(buffer_append(b, header, sizeof(header)), 0);
        ck_assert_int_eq(buffer_append(b, frame + 1, len), 0);
}

START_TEST(frames_become_lines) {
        _cleanup_(buffer_done) Buffer stream = {};

        for (size_t i = 0; logs[_i].frames[i]; i++)
                append_frame(&stream, logs[_i].frames[i]);
        /* cut everywhere */
        for (size_t step = 1; step <= stream.len; step++) {
                _cleanup_(docker_log_decoder_freep) DockerLogDecoder *d = NULL;
                _cleanup_(buffer_done) Buffer lines = {};

                ck_assert_int_eq(docker_log_decoder_new(&d, false, logs[_i].skip), 0);
                for (size_t at = 0; at < stream.len; at += step) {
                        size_t n = stream.len - at < step ? stream.len - at : step;
                        ck_assert_int_eq(
                                docker_log_decoder_feed(d, stream.data + at, n, collect, &lines), 0);
                }
                ck_assert_text_eq(buffer_text(&lines), logs[_i].lines);
                ck_assert_uint_eq(docker_log_decoder_position(d).nsec, logs[_i].position.nsec);
                ck_assert_uint_eq(docker_log_decoder_position(d).frames, logs[_i].position.frames);
        }
}
END_TEST

START_TEST(last_words_are_delivered) {
        _cleanup_(docker_log_decoder_freep) DockerLogDecoder *d = NULL;
        _cleanup_(buffer_done) Buffer stream = {}, lines = {};

        append_frame(&stream, "2" T1 "panic: no newline");
        ck_assert_int_eq(docker_log_decoder_new(&d, false, (DockerLogPosition){}), 0);
        ck_assert_int_eq(docker_log_decoder_feed(d, stream.data, stream.len, collect, &lines), 0);
        ck_assert_uint_eq(lines.len, 0);
        ck_assert_int_eq(docker_log_decoder_finish(d, collect, &lines), 0);
        ck_assert_text_eq(buffer_text(&lines), "panic: no newline|");
        ck_assert_uint_eq(docker_log_decoder_position(d).frames, 1);
        ck_assert_int_eq(docker_log_decoder_finish(d, collect, &lines), 0);
        ck_assert_text_eq(buffer_text(&lines), "panic: no newline|");
}
END_TEST

START_TEST(long_line_is_cut) {
        _cleanup_(docker_log_decoder_freep) DockerLogDecoder *d = NULL;
        _cleanup_(buffer_done) Buffer stream = {}, lines = {};
        static char piece[1 + sizeof(T1) - 1 + 16384 + 1];

        memset(piece, 'x', sizeof(piece) - 1);
        memcpy(piece, "1" T1, sizeof(T1));
        for (int i = 0; i < 10; i++)
                append_frame(&stream, piece);
        append_frame(&stream, "1" T1 "\n");
        append_frame(&stream, "1" T2 "next\n");
        ck_assert_int_eq(docker_log_decoder_new(&d, false, (DockerLogPosition){}), 0);
        ck_assert_int_eq(docker_log_decoder_feed(d, stream.data, stream.len, collect, &lines), 0);
        ck_assert_uint_eq(lines.len, DOCKER_LINE_MAX + strlen("!|next|"));
        ck_assert_uint_eq(docker_log_decoder_truncated(d), 1);
}
END_TEST

START_TEST(terminal_has_no_frames) {
        static const char text[] = T1 "one\r\n" T1 "two\r\n" T2 "three\r\n";

        for (size_t step = 1; step < sizeof(text); step++) {
                _cleanup_(docker_log_decoder_freep) DockerLogDecoder *d = NULL;
                _cleanup_(buffer_done) Buffer lines = {};

                ck_assert_int_eq(docker_log_decoder_new(&d, true, (DockerLogPosition){N1, 1}), 0);
                for (size_t at = 0; at < sizeof(text) - 1; at += step) {
                        size_t n = sizeof(text) - 1 - at < step ? sizeof(text) - 1 - at : step;
                        ck_assert_int_eq(docker_log_decoder_feed(d, text + at, n, collect, &lines), 0);
                }
                ck_assert_text_eq(buffer_text(&lines), "two|three|");
                ck_assert_uint_eq(docker_log_decoder_position(d).nsec, N2);
        }
}
END_TEST

START_TEST(terminal_repeats_the_stamp_in_long_lines) {
        _cleanup_(docker_log_decoder_freep) DockerLogDecoder *d = NULL;
        _cleanup_(buffer_done) Buffer stream = {}, lines = {};
        static char piece[16384];

        memset(piece, 'x', sizeof(piece));
        for (int i = 0; i < 3; i++) {
                ck_assert_int_eq(buffer_append_string(&stream, T1), 0);
                ck_assert_int_eq(buffer_append(&stream, piece, sizeof(piece)), 0);
        }
        ck_assert_int_eq(buffer_append_string(&stream, T1 "end\r\n"), 0);
        ck_assert_int_eq(docker_log_decoder_new(&d, true, (DockerLogPosition){}), 0);
        ck_assert_int_eq(docker_log_decoder_feed(d, stream.data, stream.len, collect, &lines), 0);
        ck_assert_uint_eq(lines.len, 3 * sizeof(piece) + strlen("end|"));
        ck_assert_ptr_null(memmem(lines.data, lines.len, "2024", 4));
}
END_TEST

#define BYTES(s)                                                                                            \
        { (s), sizeof(s) - 1 }

static const struct {
        Text bytes;
        int r;
} malformed[] = {
        {BYTES("\4\0\0\0\0\0\0\1x"), -EBADMSG},
        {BYTES("\1\1\0\0\0\0\0\1x"), -EBADMSG},
        {BYTES("\3\0\0\0\0\0\0\1x"), -EIO},
        {BYTES("\1\0\0\0\0\0\0\2x\n"), -EBADMSG},
        {BYTES("\1\0\0\0\0\0\0\5abc d"), -EBADMSG},
        {BYTES("\1\0\0\0\377\0\0\0xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), -EBADMSG},
        {BYTES("\1\0\0\0\0\0\0\0"), 0},
        {BYTES("\1\0\0"), 0},
};

START_TEST(nonsense_is_refused) {
        _cleanup_(docker_log_decoder_freep) DockerLogDecoder *d = NULL;
        _cleanup_(buffer_done) Buffer lines = {};

        ck_assert_int_eq(docker_log_decoder_new(&d, false, (DockerLogPosition){}), 0);
        ck_assert_int_eq(docker_log_decoder_feed(
                                 d, malformed[_i].bytes.data, malformed[_i].bytes.len, collect, &lines),
                malformed[_i].r);
        ck_assert_uint_eq(lines.len, 0);
}
END_TEST

static const struct {
        const char *state, *action, *description;
} states[] = {
        {"{\"Status\":\"running\",\"Running\":true,\"Error\":\"\"}", "running",
                "container edgeHub: running"},
        {"{\"Status\":\"exited\",\"ExitCode\":1}", "state", "container edgeHub: exited, exit code 1"},
        {"{\"Status\":\"created\",\"ExitCode\":128,\"Error\":\"port is already allocated\"}", "error",
                "container edgeHub: error: port is already allocated"},
};

START_TEST(state_is_an_event) {
        json_t *object = json_pack("{s:s,s:s,s:o,s:{s:{s:s}}}", "Id", "0b1c", "Name", "/edgeHub", "State",
                json_loads(states[_i].state, 0, NULL), "Config", "Labels", CONTAINER_OWNER_LABEL,
                CONTAINER_OWNER);
        _cleanup_(container_unrefp) Container *c = NULL;
        _cleanup_(freep) char *description = NULL;
        Event e;

        ck_assert_int_eq(container_from_json(object, &c), 0);
        container_state_event(c, 5, &e);
        ck_assert_text_eq(e.container.action, states[_i].action);
        ck_assert_text_eq(e.container.name, "edgeHub");
        ck_assert(e.container.owned);
        ck_assert_int_eq(e.container.exit_code, -1);
        ck_assert_uint_eq(e.time, 5);
        description = event_describe(&e);
        ck_assert_str_eq(description, states[_i].description);
        json_decref(object);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("docker-event");
        TCase *tc = tcase_create("docker-event");

        tcase_add_loop_test(tc, event_is_decoded, 0, ELEMENTSOF(events));
        tcase_add_loop_test(tc, frames_become_lines, 0, ELEMENTSOF(logs));
        tcase_add_test(tc, last_words_are_delivered);
        tcase_add_test(tc, long_line_is_cut);
        tcase_add_test(tc, terminal_has_no_frames);
        tcase_add_test(tc, terminal_repeats_the_stamp_in_long_lines);
        tcase_add_loop_test(tc, nonsense_is_refused, 0, ELEMENTSOF(malformed));
        tcase_add_loop_test(tc, state_is_an_event, 0, ELEMENTSOF(states));
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
