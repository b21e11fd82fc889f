/* The configuration files that diagnosis rests on, and the kernel's host name.
 *
 * Watches directories, not files: whoever replaces a file renames a new one over it (files-watches.c says
 * how). After anything that matters all is looked at once more, 200 ms later, and only what is not as it was
 * told before is told: a burst of changes or an overrun costs no more than one look.
 *
 * The runtime's own configuration holds keys: of it only existence and change are told, as of any file that
 * may not be read. The trap: a directory has to be watched before what is in it is looked at. */

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/watch/source.h"
#include "daemon/watch/sources/files-watches.h"
#include "daemon/watch/sources/registry.h"
#include "lib/base/fnv.h"

#define DEBOUNCE          (200 * USEC_PER_MSEC)
#define CONTENT_BYTES_MAX ((size_t) 64 * 1024)
#define RECORDS_MAX       ((size_t) 256)
#define EVENTS_BYTES      4096 /* read a turn of the loop */
#define HOSTNAME_PATH     "/proc/sys/kernel/hostname"

/* A path that ends in a slash stands for those files in that directory that have the suffix. */
static const struct {
        const char *path;
        const char *suffix;
        bool is_secret;
} wanted[] = {
        {"/etc/aziot/config.toml", .is_secret = true},
        {"/etc/aziot/edged/config.d/", ".toml", .is_secret = true},
        {"/etc/docker/daemon.json"},
        {"/etc/hostname"},
        {"/etc/iotedge/config.yaml", .is_secret = true},
        {"/etc/resolv.conf"},
        {"/etc/sysctl.conf"},
        {"/etc/sysctl.d/", ".conf"},
        {HOSTNAME_PATH},
        {"/run/systemd/resolve/resolv.conf"},
        {"/var/snap/docker/current/config/daemon.json"},
};

typedef enum Look {
        LOOK_ABSENT,
        LOOK_READ,
        LOOK_UNREADABLE, /* it exists; a secret, not permitted, or too long */
        LOOK_HIDDEN,     /* not even whether it exists may be known */
        LOOK_X_MAX,
} Look;

static const char *const look_names[LOOK_X_MAX] = {
        [LOOK_ABSENT] = "absent",
        [LOOK_READ] = "read",
        [LOOK_UNREADABLE] = "not read",
        [LOOK_HIDDEN] = "hidden",
};

/* What was told of a file. */
typedef struct Record {
        char *path;
        Look look;
        uint64_t digest;
        bool is_told;
        bool is_seen; /* by the look around under way */
} Record;

typedef struct Files {
        Source source;
        sd_event_source *io, *hostname, *debounce;
        MergeInput *input;
        FileWatches watches; /* their inotify instance is owned by io */
        Record *records;
        size_t n_records, n_records_allocated;
        char *content;
        bool is_first, has_no_room;
} Files;

static int watch_all(Files *f) {
        int r;

        file_watches_begin(&f->watches);
        FOREACH_ARRAY (row, wanted, ELEMENTSOF(wanted)) {
                if (strcmp(row->path, HOSTNAME_PATH) == 0) /* the kernel tells of it in another way */
                        continue;
                r = file_watches_add(&f->watches, row->path);
                if (r >= 0 && !row->suffix)
                        r = file_watches_add_target(&f->watches, row->path);
                if (r < 0)
                        return r;
        }
        file_watches_end(&f->watches);
        return 0;
}

static uint64_t digest_of_stat(const struct stat *st) {
        const struct {
                uint64_t dev, ino, size, sec, nsec;
        } told = {st->st_dev, st->st_ino, (uint64_t) st->st_size, (uint64_t) st->st_mtim.tv_sec,
                (uint64_t) st->st_mtim.tv_nsec};

        return fnv_add(FNV_BASIS, &told, sizeof(told));
}

static Look look_from_outside(const char *path, uint64_t *ret_digest) {
        struct stat st;

        if (stat(path, &st) < 0)
                return errno == EACCES ? LOOK_HIDDEN : LOOK_ABSENT;
        *ret_digest = digest_of_stat(&st);
        return LOOK_UNREADABLE;
}

/* O_NONBLOCK: never wait for a FIFO. Files of /proc have no size, so read to the end. */
static Look look_inside(Files *f, const char *path, Text *ret_content, uint64_t *ret_digest) {
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat st;
        size_t len = 0;
        ssize_t n;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return look_from_outside(path, ret_digest);
        do {
                n = read(fd, f->content + len, CONTENT_BYTES_MAX + 1 - len);
                len += n > 0 ? (size_t) n : 0;
        } while (n > 0 && len <= CONTENT_BYTES_MAX);
        if (n < 0 || len > CONTENT_BYTES_MAX)
                return look_from_outside(path, ret_digest);
        *ret_content = (Text){f->content, len};
        *ret_digest = fnv_add(FNV_BASIS, f->content, len);
        return LOOK_READ;
}

static int find_record(Files *f, const char *path, Record **ret) {
        FOREACH_ARRAY (record, f->records, f->n_records)
                if (strcmp(record->path, path) == 0) {
                        *ret = record;
                        return 0;
                }
        if (f->n_records >= RECORDS_MAX)
                return -ENOBUFS;
        if (!GROW_ARRAY(f->records, f->n_records_allocated, f->n_records, RECORDS_MAX))
                return -ENOMEM;
        *ret = &f->records[f->n_records];
        **ret = (Record){.path = strdup(path)};
        if (!(*ret)->path)
                return -ENOMEM;
        f->n_records++;
        return 0;
}

/* Returns whether it was told. */
static bool tell(Files *f, const Record *record, Look look, Text content) {
        Source *s = &f->source;
        Event event = {
                .kind = EVENT_FILE,
                .source = SOURCE_FILES,
                .origin = ORIGIN_DEVICE,
                .time = source_now(&f->source, CLOCK_REALTIME),
                .initial = f->is_first,
                .deleted = look == LOOK_ABSENT && record->is_told,
                .file = {.path = text_of(record->path),
                        .exists = look != LOOK_ABSENT,
                        .is_unreadable = look == LOOK_UNREADABLE,
                        .content = content},
        };
        int r;

        if (event.initial && world_apply(s->context.world, &event) < 0)
                s->counters.n_errors++;
        r = intake_offer(s->context.intake, f->input, &event);
        if (r > 0)
                s->counters.n_wanted++;
        else if (r == -ENOBUFS)
                f->has_no_room = true;
        else if (r < 0)
                s->counters.n_errors++;
        return r >= 0;
}

static int look_at(Files *f, const char *path, bool is_secret) {
        Text content = TEXT_NONE;
        uint64_t digest = 0;
        Record *record;
        Look look;
        int r;

        r = find_record(f, path, &record);
        if (r == -ENOBUFS) {
                f->source.counters.n_dropped++;
                return 0;
        }
        if (r < 0)
                return r;
        record->is_seen = true;
        look = is_secret ? look_from_outside(path, &digest) : look_inside(f, path, &content, &digest);
        if (look == LOOK_HIDDEN) {
                record->look = look;
                return 0;
        }
        if (record->is_told && record->look == look && record->digest == digest)
                return 0;
        f->source.counters.n_read++;
        if (!tell(f, record, look, content))
                return 0;
        record->look = look;
        record->digest = digest;
        record->is_told = true;
        return 0;
}

/* A directory that may not be listed any more says nothing of what became of its files. */
static void keep_records(Files *f, const char *directory) {
        FOREACH_ARRAY (record, f->records, f->n_records)
                if (text_starts_with(text_of(record->path), directory))
                        record->is_seen = true;
}

static int look_at_directory(Files *f, const char *path, const char *suffix, bool is_secret) {
        DIR *directory = opendir(path);
        const struct dirent *entry;
        char file[PATH_MAX];
        int r = 0;

        if (!directory && errno == ENOMEM)
                return -ENOMEM;
        if (!directory) {
                if (errno == EACCES)
                        keep_records(f, path);
                return 0;
        }
        while (r >= 0 && (entry = readdir(directory))) {
                if (entry->d_name[0] == '.' || !text_ends_with(text_of(entry->d_name), suffix))
                        continue;
                if (snprintf(file, sizeof(file), "%s%s", path, entry->d_name) < (int) sizeof(file))
                        r = look_at(f, file, is_secret);
        }
        (void) closedir(directory);
        return r;
}

/* Files of a directory that are not there any more. */
static void tell_gone(Files *f) {
        for (size_t i = 0; i < f->n_records; i++) {
                Record *record = &f->records[i];

                if (record->is_seen)
                        continue;
                if (record->is_told && record->look != LOOK_ABSENT &&
                        !tell(f, record, LOOK_ABSENT, TEXT_NONE))
                        continue;
                free(record->path);
                *record = f->records[--f->n_records];
                i--;
        }
}

static int look_around(Files *f) {
        int r;

        r = watch_all(f);
        if (r < 0)
                return r;
        FOREACH_ARRAY (record, f->records, f->n_records)
                record->is_seen = false;
        FOREACH_ARRAY (row, wanted, ELEMENTSOF(wanted)) {
                if (row->suffix)
                        r = look_at_directory(f, row->path, row->suffix, row->is_secret);
                else
                        r = look_at(f, row->path, row->is_secret);
                if (r < 0)
                        return r;
        }
        tell_gone(f);
        return 0;
}

static void degrade(Files *f, int error) {
        if (error == -ENOSPC)
                source_degrade(&f->source, error,
                        "Cannot watch the configuration: fs.inotify.max_user_watches is used up");
        else if (error == -EMFILE)
                source_degrade(&f->source, error,
                        "Cannot watch the configuration: fs.inotify.max_user_instances is used up");
        else
                source_degrade(&f->source, error, "Cannot watch the configuration: %m");
}

/* A look that is due already is not put off: a file that changes all the time is told all the same. */
static void look_soon(Files *f) {
        int enabled = SD_EVENT_OFF;

        (void) sd_event_source_get_enabled(f->debounce, &enabled);
        if (enabled != SD_EVENT_OFF)
                return;
        (void) sd_event_source_set_time(
                f->debounce, usec_add(source_now(&f->source, CLOCK_MONOTONIC), DEBOUNCE));
        (void) sd_event_source_set_enabled(f->debounce, SD_EVENT_ONESHOT);
}

static int on_debounce(sd_event_source *source, uint64_t usec, void *userdata) {
        Files *f = userdata;
        int r = look_around(f);

        if (r < 0) {
                degrade(f, r);
                return 0;
        }
        if (f->is_first) {
                f->is_first = false;
                merge_set_live(f->input);
                source_set_live(&f->source);
        }
        return 0;
}

static void take_event(Files *f, const struct inotify_event *event) {
        if (event->mask & IN_Q_OVERFLOW)
                source_lost(&f->source, SOURCE_FILES,
                        "the kernel could not tell of all changes of files; looking at all of them");
        else if (!file_watches_match(&f->watches, event))
                return;
        look_soon(f);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        _Alignas(struct inotify_event) char buffer[EVENTS_BYTES];
        Files *f = userdata;
        ssize_t n = read(fd, buffer, sizeof(buffer));

        if (n < 0) {
                if (errno != EAGAIN && errno != EINTR)
                        degrade(f, -errno);
                return 0;
        }
        for (size_t at = 0; at + sizeof(struct inotify_event) <= (size_t) n;) {
                const struct inotify_event *event = (const struct inotify_event *) (buffer + at);

                take_event(f, event);
                at += sizeof(*event) + event->len;
        }
        return 0;
}

static int on_hostname(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        look_soon(userdata);
        return 0;
}

/* The file becomes exceptional whenever the name was set. A kernel without it leaves us /etc/hostname. */
static int watch_hostname(Files *f) {
        _cleanup_(closep) int fd = open(HOSTNAME_PATH, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        int r;

        if (fd < 0)
                return 0;
        r = sd_event_add_io(f->source.context.event, &f->hostname, fd, EPOLLPRI, on_hostname, f);
        if (r == -EPERM) /* it cannot be polled */
                return 0;
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(f->hostname, "files-hostname");
        (void) sd_event_source_set_priority(f->hostname, SOURCE_PRIORITY_READ);
        r = sd_event_source_set_io_fd_own(f->hostname, true);
        if (r >= 0)
                (void) TAKE_FD(fd);
        return r;
}

static int add_event_sources(Files *f) {
        _cleanup_(closep) int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        sd_event *event = f->source.context.event;
        int r;

        if (fd < 0)
                return -errno;
        r = sd_event_add_io(event, &f->io, fd, EPOLLIN, on_io, f);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(f->io, "files-io");
        (void) sd_event_source_set_priority(f->io, SOURCE_PRIORITY_READ);
        r = sd_event_source_set_io_fd_own(f->io, true);
        if (r < 0)
                return r;
        f->watches.fd = TAKE_FD(fd);
        r = sd_event_add_time(event, &f->debounce, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_debounce, f);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(f->debounce, "files-debounce");
        return sd_event_source_set_enabled(f->debounce, SD_EVENT_OFF);
}

static int begin(Files *f) {
        Source *s = &f->source;
        int r;

        if (!f->content)
                f->content = malloc(CONTENT_BYTES_MAX + 1);
        if (!f->content)
                return -ENOMEM;
        r = add_event_sources(f);
        if (r < 0)
                return r;
        r = watch_hostname(f);
        if (r < 0)
                return r;
        r = merge_add_input(intake_merge(s->context.intake), SOURCE_FILES, &f->input);
        if (r < 0)
                return r;
        merge_set_catching_up(f->input, source_now(&f->source, CLOCK_REALTIME));
        f->is_first = true; /* at once, but from the loop, so that what it tells is taken on */
        return sd_event_source_set_enabled(f->debounce, SD_EVENT_ONESHOT);
}

static int files_start(Source *s) {
        Files *f = (Files *) s;
        int r;

        r = begin(f);
        if (r < 0)
                degrade(f, r);
        return r;
}

static void files_stop(Source *s) {
        Files *f = (Files *) s;

        f->io = sd_event_source_disable_unref(f->io);
        f->hostname = sd_event_source_disable_unref(f->hostname);
        f->debounce = sd_event_source_disable_unref(f->debounce);
        file_watches_done(&f->watches);
        if (f->input)
                f->input = merge_remove_input(f->input);
        f->has_no_room = false;
}

static void files_resume(Source *s) {
        Files *f = (Files *) s;

        if (!f->has_no_room || !f->io)
                return;
        f->has_no_room = false;
        look_soon(f);
}

static void files_done(Source *s) {
        Files *f = (Files *) s;

        FOREACH_ARRAY (record, f->records, f->n_records)
                free(record->path);
        free(f->records);
        free(f->content);
}

static void files_describe(const Source *s, json_t *object) {
        const Files *f = (const Files *) s;
        json_t *files = json_object();

        FOREACH_ARRAY (record, f->records, f->n_records)
                (void) json_object_set_new(files, record->path, json_string(look_names[record->look]));
        (void) json_object_set_new(object, "files", files);
}

const SourceOps files_source_ops = {
        .name = "files",
        .kind = SOURCE_FILES,
        .object_bytes = sizeof(Files),
        .start = files_start,
        .stop = files_stop,
        .done = files_done,
        .describe = files_describe,
        .resume = files_resume,
};
