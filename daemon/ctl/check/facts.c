/* Collects the facts of the checks: the device's state, files with their age, sockets, disks, Docker's last
 * hour, and the network's answers, all asked at once so that a dead network costs one time-out. */

#include "daemon/ctl/check/facts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <systemd/sd-bus.h>

#include "daemon/base/clock.h"
#include "daemon/base/request.h"
#include "daemon/collect/device-file.h"
#include "daemon/collect/upstream-questions.h"
#include "daemon/ctl/output.h"
#include "lib/base/buffer.h"
#include "lib/base/toml.h"
#include "lib/event/json-field.h"
#include "lib/rules/yaml-reader.h"

#define LOOK_BACK  USEC_PER_HOUR
#define EVENTS_MAX ((size_t) 8 * 1024 * 1024)
#define BUS_TIME   (10 * USEC_PER_SEC)

static const char *const file_paths[] = {
        "/etc/aziot/certd/config.d/00-super.toml",
        "/etc/aziot/config.toml",
        "/etc/aziot/edged/config.d/00-super.toml",
        "/etc/aziot/identityd/config.d/00-super.toml",
        "/etc/aziot/keyd/config.d/00-super.toml",
        "/etc/aziot/tpmd/config.d/00-super.toml",
        "/etc/docker/daemon.json",
        "/etc/iotedge/config.yaml",
        "/var/snap/docker/current/config/daemon.json",
};

static const char *const socket_paths[] = {
        "/run/aziot/certd.sock",
        "/run/aziot/identityd.sock",
        "/run/aziot/keyd.sock",
        "/run/aziot/tpmd.sock",
};

static const char *const disk_paths[] = {
        "/", "/var", "/var/lib/aziot", "/var/lib/iotedge", "/var/log", "/tmp"};

/* Returns the document, or NULL and what is wrong with it in `problem`. */
static json_t *parse_document(const char *path, Text content, char *problem, size_t size) {
        json_t *document = NULL;
        json_error_t json_error;
        TomlError error = {};

        if (text_ends_with(text_of(path), ".toml")) {
                if (toml_parse(content, &document, &error) < 0)
                        (void) snprintf(problem, size, "%u:%u: %s", error.line, error.column, error.text);
        } else if (text_ends_with(text_of(path), ".yaml")) {
                _cleanup_(problem_list_done) ProblemList problems = {};
                _cleanup_(yaml_node_freep) YamlNode *root = NULL;

                if (yaml_read(path, content, &problems, &root) >= 0)
                        document = yaml_to_json(root);
                if (!document && problems.n_items > 0)
                        (void) snprintf(problem, size, "%u:%u: %s", problems.items[0].line,
                                problems.items[0].column, problems.items[0].text);
        } else {
                document = json_loadb(content.data, content.len, 0, &json_error);
                if (!document)
                        (void) snprintf(problem, size, "%d:%d: %s", json_error.line, json_error.column,
                                json_error.text);
        }
        return document;
}

static int collect_file(json_t *files, const char *path) {
        _cleanup_(freep) char *content = NULL;
        char problem[512] = "cannot be read";
        json_t *object, *document;
        size_t len = 0;
        struct stat st;
        int r;

        r = stat(path, &st) < 0 ? -errno : device_file_read(path, &content, &len);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r < 0)
                return json_object_set_new(files, path, json_pack("{s:s}", "error", strerror(-r))) < 0
                        ? -ENOMEM
                        : 0;
        document = parse_document(path, (Text){content, len}, problem, sizeof(problem));
        object = document ? json_pack("{s:I, s:o}", "mtime", (json_int_t) st.st_mtime, "document", document)
                          : json_pack("{s:I, s:s}", "mtime", (json_int_t) st.st_mtime, "problem", problem);
        return json_object_set_new(files, path, object) < 0 ? -ENOMEM : 0;
}

static int collect_socket(json_t *sockets, const char *path) {
        _cleanup_(closep) int fd = socket_connect(path, SOCK_NONBLOCK);
        bool listens = fd >= 0 || fd == -EAGAIN; /* its queue is full */

        return json_object_set_new(sockets, path, json_integer(listens ? 0 : -fd)) < 0 ? -ENOMEM : 0;
}

/* Paths on one file system are told once, by the first. */
static int collect_disk(json_t *disks, const char *path) {
        struct statvfs fs;
        uint64_t size_bytes, free_bytes;
        json_t *disk, *seen;
        size_t i;

        if (statvfs(path, &fs) < 0 || fs.f_blocks == 0)
                return 0;
        json_array_foreach (disks, i, seen)
                if ((uint64_t) json_integer_value(json_object_get(seen, "id")) == fs.f_fsid)
                        return 0;
        size_bytes = (uint64_t) fs.f_blocks * fs.f_frsize;
        free_bytes = (uint64_t) fs.f_bavail * fs.f_frsize;
        disk = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "path", path, "id", (json_int_t) fs.f_fsid,
                "size", (json_int_t) size_bytes, "free", (json_int_t) free_bytes, "inodes",
                (json_int_t) fs.f_files, "inodes_free", (json_int_t) fs.f_favail);
        return json_array_append_new(disks, disk) < 0 ? -ENOMEM : 0;
}

static int append(void *userdata, Text piece) {
        return buffer_append_text(userdata, piece);
}

static int count(json_t *activity, const char *name, const char *what, const json_t *attributes) {
        json_t *of = json_object_get(activity, name);
        const char *code = json_string_value(json_object_get(attributes, "exitCode"));
        uint64_t exit_code;

        if (!of) {
                of = json_object();
                if (json_object_set_new(activity, name, of) < 0)
                        return -ENOMEM;
        }
        if (code && text_to_u64(text_of(code), &exit_code) >= 0 &&
                json_object_set_new(of, "exit_code", json_integer((json_int_t) exit_code)) < 0)
                return -ENOMEM;
        return json_object_set_new(
                       of, what, json_integer(json_integer_value(json_object_get(of, what)) + 1)) < 0
                ? -ENOMEM
                : 0;
}

static int count_event(json_t *activity, Text line) {
        json_t *event = json_loadb(line.data, line.len, 0, NULL);
        const json_t *attributes = json_field_at(event, "Actor/Attributes");
        const char *action = check_text(event, "Action"), *name = check_text(attributes, "name");
        int r = 0;

        if (action && name && strcmp(action, "die") == 0)
                r = count(activity, name, "deaths", attributes);
        else if (action && name && strcmp(action, "oom") == 0)
                r = count(activity, name, "ooms", NULL);
        json_decref(event);
        return r;
}

static int collect_activity(CheckFacts *f, DockerApi *api) {
        _cleanup_(buffer_done) Buffer b = {.max_bytes = EVENTS_MAX};
        char path[192];
        Text rest;
        int r;

        (void) snprintf(path, sizeof(path),
                "/events?since=%" PRIu64 "&until=%" PRIu64 ".%06" PRIu64
                "&filters=%%7B%%22type%%22%%3A%%5B%%22container%%22%%5D%%7D",
                usec_sub(f->now, LOOK_BACK) / USEC_PER_SEC, f->now / USEC_PER_SEC, f->now % USEC_PER_SEC);
        r = docker_api_stream(api, path, DOCKER_ASK_TIME, append, &b, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        f->activity = json_object();
        if (!f->activity)
                return -ENOMEM;
        rest = buffer_text(&b);
        while (r >= 0 && !text_is_empty(rest))
                r = count_event(f->activity, text_cut(&rest, '\n'));
        return r;
}

/* Environment= is an array of strings; joined by blanks. A unit that does not tell it has none. */
static int read_environment(sd_bus *bus, const char *unit, json_t *environments) {
        _cleanup_(freep) char *path = NULL, *joined = NULL;
        char **values = NULL;
        Buffer b = {};
        int r;

        r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path);
        if (r < 0)
                return r;
        if (sd_bus_get_property_strv(bus, "org.freedesktop.systemd1", path,
                    "org.freedesktop.systemd1.Service", "Environment", NULL, &values) < 0)
                return 0;
        for (char **value = values; value && *value; value++) {
                (void) buffer_append_format(&b, "%s ", *value);
                free(*value);
        }
        free(values);
        joined = buffer_take(&b);
        return joined && json_object_set_new(environments, unit, json_string(joined)) >= 0 ? 0 : -ENOMEM;
}

static void collect_environments(CheckFacts *f) {
        static const char *const units[] = {
                "aziot-edged.service", "aziot-identityd.service", "docker.service"};
        json_t *environments = json_object();
        sd_bus *bus = NULL;
        int r;

        r = environments ? sd_bus_open_system(&bus) : -ENOMEM;
        if (r >= 0)
                (void) sd_bus_set_method_call_timeout(bus, BUS_TIME);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(units); i++)
                r = read_environment(bus, units[i], environments);
        sd_bus_flush_close_unref(bus);
        if (r < 0 || json_object_size(environments) == 0)
                json_decref(environments);
        else
                f->unit_environment = environments;
}

/* Whoever keeps the clock right (timesyncd, chrony, ntpd) tells the kernel so. */
static int collect_clock(CheckFacts *f) {
        struct timex state = {};

        if (adjtimex(&state) < 0)
                return 0;
        f->clock = json_pack("{s:b}", "synchronized", !(state.status & STA_UNSYNC));
        return f->clock ? 0 : -ENOMEM;
}

static int collect_local(CheckFacts *f) {
        int r = collect_clock(f);

        f->files = json_object();
        f->sockets = json_object();
        f->disks = json_array();
        if (!f->files || !f->sockets || !f->disks)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(file_paths); i++)
                r = collect_file(f->files, file_paths[i]);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(socket_paths); i++)
                r = collect_socket(f->sockets, socket_paths[i]);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(disk_paths); i++)
                r = collect_disk(f->disks, disk_paths[i]);
        return r < 0 ? r : check_collect_certificates(f);
}

/* What the checks will ask, so that it is there when they do. */
static int ask_network(CheckSession *s) {
        _cleanup_(upstream_questions_done) UpstreamQuestions q = {};

        return upstream_questions_ask(&q, &s->world, true, s->facts.now);
}

static int collect_device(CheckSession *s) {
        _cleanup_(network_reader_freep) NetworkReader *reader = NULL;
        _cleanup_(docker_api_freep) DockerApi *api = NULL;
        int r;

        s->facts.engine_error = docker_api_new(&api, docker_api_socket());
        if (api) {
                device_read_docker(&s->device, api);
                r = collect_activity(&s->facts, api);
                if (r < 0)
                        return r;
        }
        if (network_reader_new(&reader) >= 0)
                device_read_network(&s->device, reader);
        device_read_listeners(&s->device);
        device_read_units(&s->device);
        return 0;
}

int check_session_init(CheckSession *s) {
        int r;

        *s = (CheckSession){.facts = {.now = realtime_now()}};
        s->facts.device = &s->device;
        r = collect_device(s);
        if (r >= 0)
                r = device_world_init(&s->world, &s->device, s->facts.now);
        s->facts.world = s->world.world;
        if (r >= 0)
                r = collect_local(&s->facts);
        if (r >= 0) {
                collect_environments(&s->facts);
                r = ask_network(s);
        }
        if (r < 0)
                check_session_done(s);
        return r;
}

void check_session_done(CheckSession *s) {
        CheckFacts *f = &s->facts;

        json_decref(f->certificates);
        json_decref(f->clock);
        json_decref(f->keys);
        json_decref(f->files);
        json_decref(f->sockets);
        json_decref(f->disks);
        json_decref(f->activity);
        json_decref(f->unit_environment);
        device_world_done(&s->world);
        device_done(&s->device);
        *s = (CheckSession){};
}
