#include "daemon/ctl/record/recorder.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/unit/recording-folder.h"
#include "tests/unit/unit.h"

/* "hunter" is the secret in each. */
static const struct {
        const char *title, *path, *content;
        const char *kept; /* must still be there; NULL when nothing may be written */
} files[] = {
        {"manual provisioning", "/etc/aziot/config.toml",
                "hostname = \"device\"\n[provisioning]\nconnection_string = "
                "\"HostName=h;SharedAccessKey=hunter2\"\n",
                "hostname = \"device\""},
        {"a key in an inline table", "/etc/aziot/config.toml",
                "x = 1\ndevice_id_pk = { value = \"hunter2\" }\n", "x = 1"},
        {"a key in a table of its own", "/etc/aziot/config.toml",
                "[provisioning.attestation.symmetric_key]\nvalue = \"hunter2\"\n",
                "[provisioning.attestation.symmetric_key]"},
        {"a key by a dotted name", "/etc/aziot/config.toml",
                "symmetric_key.value = \"hunter2\"\nid_scope = \"0ne\"\n", "id_scope = \"0ne\""},
        {"several lines", "/etc/aziot/config.toml", "password = \"\"\"\nhunter2\nhunter3\"\"\"\na = 2\n",
                "a = 2"},
        {"a comment", "/etc/aziot/config.toml", "a = 2 # the old one was hunter2\n", "a = 2"},
        {"the agent's environment", "/etc/aziot/config.toml",
                "[agent.env]\nX = \"hunter2\"\nUpstreamProtocol = \"Mqtt\"\n",
                "UpstreamProtocol = \"Mqtt\""},
        {"create options", "/etc/aziot/config.toml",
                "[agent.config]\nimage = \"i\"\ncreateOptions = { Env = [\"X=hunter2\"] }\n",
                "image = \"i\""},
        {"registry auth", "/etc/aziot/config.toml",
                "a = 1\n[agent.config.auth]\nusername = \"u\"\npassword = \"hunter2\"\n", "a = 1"},
        {"TOML that is none", "/etc/aziot/config.toml", "device_id_pk = { value = \"hunter2\"\n", NULL},
        {"1.1", "/etc/iotedge/config.yaml",
                "hostname: device\nprovisioning:\n  source: manual\n  device_connection_string: "
                "'HostName=h;SharedAccessKey=hunter2'\n"
                "agent:\n  env:\n    X: hunter2\n  config:\n    auth: {password: hunter2}\n",
                "\"device\""},
        {"YAML that is none", "/etc/iotedge/config.yaml", "a: [hunter2\n", NULL},
        {"the engine's proxies", "/etc/docker/daemon.json",
                "{\"proxies\":{\"https-proxy\":\"http://u:hunter2@p:1\"},\"dns\":[\"192.0.2.1\"]}",
                "192.0.2.1"},
        {"JSON that is none", "/etc/docker/daemon.json", "{\"password\": hunter2", NULL},
        {"plain text", "/etc/sysctl.conf", "net.ipv4.ip_forward=0\n# password=hunter2\n",
                "net.ipv4.ip_forward=0"},
};

START_TEST(file_is_redacted) {
        char *redacted = NULL;
        int r = record_redact_file(files[_i].path, text_of(files[_i].content), &redacted);

        if (!files[_i].kept) {
                ck_assert_msg(r == -EINVAL, "%s: %d", files[_i].title, r);
                return;
        }
        ck_assert_msg(r == 0, "%s: %d", files[_i].title, r);
        ck_assert_msg(!strstr(redacted, "hunter"), "%s: %s", files[_i].title, redacted);
        ck_assert_msg(strstr(redacted, files[_i].kept) != NULL, "%s: %s", files[_i].title, redacted);
        free(redacted);
}
END_TEST

START_TEST(directory_is_new_or_empty) {
        TestFolder folder = test_folder_new();
        Recorder r = {.fd = -EBADF}, again = {.fd = -EBADF};

        ck_assert_int_eq(recorder_open(&r, folder.path), 0);
        ck_assert_int_eq(recorder_write(&r, "docker/logs/a.log", TEXT_LITERAL("x")), 0);
        ck_assert_int_eq(recorder_write(&r, "docker/logs/a.log", TEXT_LITERAL("y")), -EEXIST);
        ck_assert_uint_eq(r.n_files, 1);
        ck_assert_int_eq(recorder_open(&again, folder.path), -ENOTEMPTY);
        recorder_done(&r);
        test_folder_done(&folder);
}
END_TEST

START_TEST(a_link_is_not_followed) {
        TestFolder folder = test_folder_new(), other = test_folder_new();
        char path[PATH_MAX];
        Recorder r = {.fd = -EBADF};

        ck_assert_int_eq(recorder_open(&r, folder.path), 0);
        ck_assert_int_eq(symlink(other.path, test_folder_path(&folder, "net", path)), 0);
        ck_assert_int_lt(recorder_write(&r, "net/links.json", TEXT_LITERAL("[]")), 0);
        recorder_done(&r);
        test_folder_done(&folder);
        test_folder_done(&other);
}
END_TEST

START_TEST(what_is_too_long_is_cut) {
        TestFolder folder = test_folder_new();
        RecordFile f;
        Recorder r = {.fd = -EBADF};

        ck_assert_int_eq(recorder_open(&r, folder.path), 0);
        ck_assert_int_eq(record_file_open(&f, &r, "a", 5), 0);
        ck_assert_int_eq(record_file_append(&f, TEXT_LITERAL("abc")), 1);
        ck_assert_int_eq(record_file_append(&f, TEXT_LITERAL("def")), 0);
        ck_assert_int_eq(record_file_append(&f, TEXT_LITERAL("g")), 0);
        ck_assert_uint_eq(f.bytes, 3);
        ck_assert_int_eq(record_file_close(&f), 0);
        recorder_done(&r);
        test_folder_done(&folder);
}
END_TEST

#define LONG_EVENT ((size_t) 2 * 1024 * 1024)
#define HEAD       "HTTP/1.0 200 OK\r\n\r\n"
#define EVENT      "{\"Type\":\"container\",\"Action\":\"die\"}\n"

/* An engine that answers everything with an event that is too long and two that are not, in two pieces of
 * which one ends within an event. */
static void answer_all(int listener) {
        static char answer[sizeof(HEAD) + LONG_EVENT + sizeof(EVENT EVENT)];
        size_t len = strlen(HEAD);

        memcpy(answer, HEAD, len);
        memset(answer + len, 'x', LONG_EVENT);
        answer[len + LONG_EVENT - 1] = '\n';
        len += LONG_EVENT;
        memcpy(answer + len, EVENT EVENT, strlen(EVENT EVENT));
        len += strlen(EVENT EVENT);
        for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; (void) close(fd)) {
                char request[4096];
                ssize_t n = recv(fd, request, sizeof(request) - 1, 0);
                bool is_ping;

                if (n <= 0)
                        continue;
                request[n] = '\0';
                is_ping = strstr(request, "/_ping") != NULL;
                (void) send(fd, answer, is_ping ? strlen(HEAD) : len - 10, MSG_NOSIGNAL);
                (void) send(fd, answer + len - 10, is_ping ? 0 : 10, MSG_NOSIGNAL);
        }
}

static pid_t start_engine(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        pid_t pid;

        ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
        memcpy(address.sun_path, path, strlen(path) + 1);
        ck_assert_int_eq(bind(listener, (const struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(listen(listener, 4), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                answer_all(listener);
                _exit(EXIT_FAILURE);
        }
        (void) close(listener);
        return pid;
}

/* It ended the recording. */
START_TEST(an_event_that_is_too_long_costs_itself) {
        TestFolder folder = test_folder_new();
        char path[PATH_MAX], content[256] = "";
        Recorder r = {.fd = -EBADF};
        DockerApi *api = NULL;
        FILE *events;
        pid_t engine;

        ck_assert_int_eq(recorder_open(&r, folder.path), 0);
        engine = start_engine(test_folder_path(&folder, "docker.sock", path));
        ck_assert_int_eq(docker_api_new(&api, path), 0);
        ck_assert_int_eq(record_events(&r, api, NULL), 0);
        events = fopen(test_folder_path(&folder, "docker/events.jsonl", path), "re");
        ck_assert_ptr_nonnull(events);
        ck_assert_uint_gt(fread(content, 1, sizeof(content) - 1, events), 0);
        ck_assert_str_eq(content, EVENT EVENT);

        (void) fclose(events);
        docker_api_free(api);
        ck_assert_int_eq(kill(engine, SIGKILL), 0);
        ck_assert_int_eq(waitpid(engine, NULL, 0), engine);
        recorder_done(&r);
        test_folder_done(&folder);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("record");
        TCase *tcase = tcase_create("record");

        tcase_add_loop_test(tcase, file_is_redacted, 0, ELEMENTSOF(files));
        tcase_add_test(tcase, directory_is_new_or_empty);
        tcase_add_test(tcase, a_link_is_not_followed);
        tcase_add_test(tcase, what_is_too_long_is_cut);
        tcase_add_test(tcase, an_event_that_is_too_long_costs_itself);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
