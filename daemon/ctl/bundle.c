/* Unpacks a support bundle as a recording.
 *
 * The archive may be hostile. Promise: what is written lies in a directory that only this user can enter; no
 * name of the archive becomes a path (only names of units that we know, and of containers by their strict
 * alphabet); nothing is unpacked beyond the caps in the header, which hold for the bytes that come out,
 * whatever the archive's directory claims. The bundle holds the containers' environment unredacted, so the
 * copy is removed with bundle_remove() as soon as it was replayed. */

#include "daemon/ctl/bundle.h"

#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>
#include <zip.h>

#include "daemon/ctl/bundle-log.h"
#include "daemon/ctl/output.h"
#include "lib/base/buffer.h"

#define OPEN_FOLDERS_MAX 16 /* while they are removed */

typedef struct Bundle {
        const char *path;
        ProblemList *problems;
        zip_t *archive;
        char *directory;
        json_t *containers, *networks;
        uint64_t n_bytes; /* that came out so far */
        size_t n_known;   /* entries that were understood */
        usec_t reference; /* when the bundle was made, as far as can be told */
        usec_t latest;    /* last time in its logs */
} Bundle;

int bundle_is_archive(const char *path) {
        static const unsigned char magic[4] = {'P', 'K', 3, 4};
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        unsigned char start[sizeof(magic)];
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, start, sizeof(start));
        if (n < 0)
                return errno == EISDIR ? 0 : -errno;
        return n == sizeof(start) && memcmp(start, magic, sizeof(magic)) == 0;
}

static int remove_visited(const char *path, const struct stat *st, int type, struct FTW *where) {
        return remove(path);
}

char *bundle_remove(char *directory) {
        if (directory && nftw(directory, remove_visited, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS) != 0)
                (void) fail(errno, "Failed to remove %s, in which the bundle's secrets are", directory);
        free(directory);
        return NULL;
}

/* The units whose logs a bundle holds, by the name of their file. */
static const struct {
        const char *name;
        const char *unit;
} unit_logs[] = {
        {"logs/aziot-certd.txt", "aziot-certd.service"},
        {"logs/aziot-edged.txt", "aziot-edged.service"},
        {"logs/aziot-identityd.txt", "aziot-identityd.service"},
        {"logs/aziot-keyd.txt", "aziot-keyd.service"},
        {"logs/aziot-tpmd.txt", "aziot-tpmd.service"},
        {"logs/docker.txt", "docker.service"},
        {"logs/iotedged.txt", "iotedge.service"},
};

/* Where a module's name stands in an entry's name; its alphabet is Docker's, so that it is safe in a path.
 */
static bool module_of(const char *name, const char *prefix, const char *suffix, char ret[static 256]) {
        Text module = text_of(name);

        if (!text_starts_with(module, prefix) || !text_ends_with(module, suffix) ||
                module.len <= strlen(prefix) + strlen(suffix))
                return false;
        module = text_skip(module, strlen(prefix));
        module.len -= strlen(suffix);
        if (module.len >= 240 || module.data[0] == '.')
                return false;
        for (size_t i = 0; i < module.len; i++)
                if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-",
                            module.data[i]))
                        return false;
        memcpy(ret, module.data, module.len);
        ret[module.len] = '\0';
        return true;
}

static bool is_suspicious_name(const char *name) {
        return name[0] == '/' || strstr(name, "..") || strchr(name, '\\');
}

static bool is_regular(Bundle *b, zip_uint64_t index) {
        zip_uint32_t attributes;
        zip_uint8_t system;

        if (zip_file_get_external_attributes(b->archive, index, 0, &system, &attributes) < 0)
                return false;
        if (system != ZIP_OPSYS_UNIX || (attributes >> 16 & S_IFMT) == 0)
                return true;
        return S_ISREG(attributes >> 16);
}

static void close_entry(zip_file_t **f) {
        if (*f)
                (void) zip_fclose(*f);
}

/* Reads up to the cap. Returns 1 when there was more, 0, or a negative errno. */
static int read_entry(zip_file_t *file, Buffer *content) {
        char block[32 * 1024];

        for (;;) {
                zip_int64_t n = zip_fread(file, block, sizeof(block));
                int r;

                if (n < 0)
                        return -EBADMSG;
                if (n == 0)
                        return 0;
                if (content->len + (uint64_t) n > BUNDLE_ENTRY_BYTES_MAX)
                        return 1;
                r = buffer_append(content, block, (size_t) n);
                if (r < 0)
                        return r;
        }
}

/* Returns 1 with the content, 2 when it was cut, 0 when the entry is skipped (listed as a problem), or
 * -ENOMEM. */
static int bundle_read(Bundle *b, const zip_stat_t *st, Buffer *content) {
        _cleanup_(close_entry) zip_file_t *file = NULL;
        int r, cut;

        if (!is_regular(b, st->index))
                return problem_list_add(
                        b->problems, b->path, 0, 0, "%s: not a regular file, skipped", st->name);
        if (st->size > 1024 * 1024 && st->size / BUNDLE_RATIO_MAX > st->comp_size)
                return problem_list_add(b->problems, b->path, 0, 0,
                        "%s: compressed beyond what a log can be, skipped", st->name);
        file = zip_fopen_index(b->archive, st->index, 0);
        if (!file)
                return problem_list_add(
                        b->problems, b->path, 0, 0, "%s: %s", st->name, zip_strerror(b->archive));
        cut = read_entry(file, content);
        if (cut == -ENOMEM)
                return cut;
        if (cut < 0)
                return problem_list_add(b->problems, b->path, 0, 0, "%s: damaged, skipped", st->name);
        b->n_bytes += content->len;
        if (cut == 0)
                return 1;
        r = problem_list_add(b->problems, b->path, 0, 0, "%s: cut after %" PRIu64 " bytes", st->name,
                BUNDLE_ENTRY_BYTES_MAX);
        return r < 0 ? r : 2;
}

static int write_file(const Bundle *b, const char *name, Text content) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int fd = -EBADF;

        if (asprintf(&path, "%s/%s", b->directory, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        while (content.len > 0) {
                ssize_t n = write(fd, content.data, content.len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                content = text_skip(content, (size_t) n);
        }
        return 0;
}

static int write_json(const Bundle *b, const char *name, const json_t *json) {
        _cleanup_(freep) char *text = json_dumps(json, JSON_COMPACT);

        return text ? write_file(b, name, text_of(text)) : -ENOMEM;
}

static int take_unit_log(Bundle *b, const char *unit, Text log) {
        char name[128];
        Buffer out = {};
        int r;

        r = bundle_unit_log_convert(log, unit, b->reference, &out, &b->latest);
        if (r >= 0) {
                (void) snprintf(name, sizeof(name), "journal/%s.export", unit);
                r = write_file(b, name, buffer_text(&out));
        }
        buffer_done(&out);
        return r;
}

static int take_container_log(Bundle *b, const char *entry, const char *module, Text log) {
        char name[512];
        Buffer out = {};
        int r;

        r = bundle_container_log_convert(log, &out, &b->latest);
        if (r > 0)
                r = problem_list_add(b->problems, b->path, 0, 0,
                        "%s: no time known for its first %d lines, skipped", entry, r);
        if (r >= 0) {
                (void) snprintf(name, sizeof(name), "docker/logs/%s.log", module);
                r = write_file(b, name, buffer_text(&out));
        }
        buffer_done(&out);
        return r;
}

/* An inspect document is an array of one object. */
static int take_document(Bundle *b, const char *entry, Text text, json_t *ret_array) {
        json_error_t error;
        json_t *document = json_loadb(text.data, text.len, JSON_ALLOW_NUL, &error);
        int r = 0;

        if (!json_is_array(document))
                r = problem_list_add(
                        b->problems, b->path, 0, 0, "%s: not what docker inspect prints, skipped", entry);
        else if (json_array_extend(ret_array, document) < 0)
                r = -ENOMEM;
        json_decref(document);
        return r;
}

/* `iotedge check` notes when it ran, which is when the bundle was made. */
static void take_check(Bundle *b, Text text) {
        json_error_t error;
        json_t *document = json_loadb(text.data, text.len, JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, &error);
        const json_t *now = json_object_get(json_object_get(document, "additional_info"), "now");
        uint64_t nsec;

        if (timestamp_parse(text_of(json_string_value(now)), &nsec, NULL) >= 0)
                b->reference = b->latest = nsec / NSEC_PER_USEC;
        json_decref(document);
}

/* Returns 1 when the entry is of a kind that is read, 0, or a negative errno. */
static int take_entry(Bundle *b, const char *name, Text content) {
        char module[256];
        int r;

        FOREACH_ARRAY (log, unit_logs, ELEMENTSOF(unit_logs))
                if (strcmp(log->name, name) == 0) {
                        r = take_unit_log(b, log->unit, content);
                        return r < 0 ? r : 1;
                }
        if (module_of(name, "logs/", "_log.txt", module))
                r = take_container_log(b, name, module, content);
        else if (module_of(name, "inspect/", ".json", module) && !text_ends_with(text_of(module), "_err"))
                r = take_document(b, name, content, b->containers);
        else if (module_of(name, "network/", ".json", module) && !text_ends_with(text_of(module), "_err"))
                r = take_document(b, name, content, b->networks);
        else
                return 0;
        return r < 0 ? r : 1;
}

static int bundle_take(Bundle *b, const zip_stat_t *st) {
        Buffer content = {};
        int r;

        if (is_suspicious_name(st->name))
                return problem_list_add(
                        b->problems, b->path, 0, 0, "an entry's name leaves the archive, skipped");
        if (st->name[0] != '\0' && st->name[strlen(st->name) - 1] == '/')
                return 0;
        r = bundle_read(b, st, &content);
        if (r > 0) {
                if (strcmp(st->name, "check.json") == 0)
                        take_check(b, buffer_text(&content));
                else
                        r = take_entry(b, st->name, buffer_text(&content));
                b->n_known += r > 0;
        }
        buffer_done(&content);
        if (r == -EEXIST)
                r = problem_list_add(
                        b->problems, b->path, 0, 0, "%s: twice in the archive, skipped", st->name);
        return r < 0 ? r : 0;
}

static int bundle_take_all(Bundle *b) {
        zip_int64_t n = zip_get_num_entries(b->archive, 0);
        zip_int64_t check = zip_name_locate(b->archive, "check.json", 0);
        int r;

        /* First of all, because the years of the logs are told from its time. */
        for (zip_int64_t i = -1; i < n; i++) {
                zip_uint64_t index = (zip_uint64_t) (i < 0 ? check : i);
                zip_stat_t st;

                if (i < 0 ? check < 0 : i == check)
                        continue;
                if (i >= BUNDLE_ENTRIES_MAX)
                        return problem_list_add(b->problems, b->path, 0, 0,
                                "more than %d entries, the rest is skipped", BUNDLE_ENTRIES_MAX);
                if (b->n_bytes > BUNDLE_TOTAL_BYTES_MAX)
                        return problem_list_add(b->problems, b->path, 0, 0,
                                "more than %" PRIu64 " bytes, the rest is skipped", BUNDLE_TOTAL_BYTES_MAX);
                if (zip_stat_index(b->archive, index, 0, &st) < 0 ||
                        (~st.valid & (ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE)))
                        continue;
                st.index = index;
                r = bundle_take(b, &st);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The snapshot was taken when the bundle was made: after all that its logs tell. */
static int write_description(const Bundle *b) {
        char time[TIMESTAMP_MAX];
        json_t *description;
        int r;

        (void) timestamp_format(b->latest > 0 ? b->latest : b->reference, time);
        description = json_pack("{s:i, s:s, s:s}", "format", 1, "state_time", time, "end", time);
        if (!description)
                return -ENOMEM;
        r = write_json(b, "recording.json", description);
        json_decref(description);
        return r;
}

static int make_directories(Bundle *b) {
        static const char *const names[] = {"", "/docker", "/docker/api", "/docker/logs", "/journal"};
        const char *parent = getenv("TMPDIR");

        if (asprintf(&b->directory, "%s/edgewatch-bundle-XXXXXX",
                    parent && parent[0] == '/' ? parent : "/tmp") < 0) {
                b->directory = NULL;
                return -ENOMEM;
        }
        if (!mkdtemp(b->directory)) {
                int error = -errno;

                free(TAKE_PTR(b->directory));
                return error;
        }
        for (size_t i = 1; i < ELEMENTSOF(names); i++) {
                _cleanup_(freep) char *path = NULL;

                if (asprintf(&path, "%s%s", b->directory, names[i]) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                if (mkdir(path, 0700) < 0)
                        return -errno;
        }
        return 0;
}

static int bundle_run(Bundle *b) {
        struct stat st;
        int r, error;

        b->archive = zip_open(b->path, ZIP_RDONLY, &error);
        if (!b->archive) {
                r = problem_list_add(b->problems, b->path, 0, 0,
                        "cannot be read as a zip archive (libzip error %d)", error);
                return r < 0 ? r : -EINVAL;
        }
        b->containers = json_array();
        b->networks = json_array();
        if (!b->containers || !b->networks)
                return -ENOMEM;
        if (stat(b->path, &st) >= 0 && st.st_mtime > 0)
                b->reference = (usec_t) st.st_mtime * USEC_PER_SEC;
        r = make_directories(b);
        if (r < 0)
                return r;
        r = bundle_take_all(b);
        if (r < 0)
                return r;
        if (b->n_known == 0) {
                r = problem_list_add(b->problems, b->path, 0, 0,
                        "nothing of a support bundle in it: expected logs/, inspect/, network/ or "
                        "check.json");
                return r < 0 ? r : -EINVAL;
        }
        if (json_array_size(b->containers) > 0)
                r = write_json(b, "docker/api/containers.json", b->containers);
        if (r >= 0 && json_array_size(b->networks) > 0)
                r = write_json(b, "docker/api/networks.json", b->networks);
        return r < 0 ? r : write_description(b);
}

int bundle_unpack(const char *path, ProblemList *problems, char **ret_directory) {
        Bundle b = {.path = path, .problems = problems};
        int r;

        r = bundle_run(&b);
        if (b.archive)
                zip_discard(b.archive);
        json_decref(b.containers);
        json_decref(b.networks);
        if (r < 0) {
                (void) bundle_remove(b.directory);
                return r;
        }
        *ret_directory = b.directory;
        return 0;
}
