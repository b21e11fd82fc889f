/* Reads the journals of many senders side by side.
 *
 * Who sent an entry is told by its file alone: systemd-journal-remote names it after the peer, and each
 * field in it is the peer's word. sd-journal does not tell an entry's file, so each sender's files are a
 * journal of their own here, and this file merges them.
 *
 * The traps: a journal's own order holds, also where a sender's clock went back. And systemd-journal-upload
 * sends again what was not acknowledged when it ended, so entries come twice. */

#include "daemon/ctl/journal-set.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "daemon/ctl/output.h"
#include "lib/base/fnv.h"

#define FILES_MAX 65536

typedef struct JournalFile {
        char *path, *sender;
} JournalFile;

typedef struct JournalFiles {
        JournalFile *files;
        size_t n_files, allocated;
} JournalFiles;

static void files_done(JournalFiles *f) {
        FOREACH_ARRAY (file, f->files, f->n_files) {
                free(file->path);
                free(file->sender);
        }
        free(f->files);
}

static int add_file(JournalFiles *f, const char *path, const char *folder, const char *name) {
        size_t len = folder ? strlen(folder) : strcspn(name, "@");
        JournalFile file;

        if (!folder && name[len] == '\0')
                len = (size_t) (strstr(name, ".journal") - name);
        if (!GROW_ARRAY(f->files, f->allocated, f->n_files, FILES_MAX))
                return f->n_files >= FILES_MAX ? -E2BIG : -ENOMEM;
        file = (JournalFile){strdup(path), strndup(folder ? folder : name, len)};
        f->files[f->n_files++] = file;
        return file.path && file.sender ? 0 : -ENOMEM;
}

static bool is_journal(const char *name) {
        return text_ends_with(text_of(name), ".journal") || text_ends_with(text_of(name), ".journal~");
}

static int find_files(JournalFiles *f, const char *directory, const char *folder) {
        DIR *dir = opendir(directory);
        struct dirent *entry;
        int r = 0;

        if (!dir)
                return -errno;
        while (r >= 0 && (errno = 0, entry = readdir(dir))) {
                _cleanup_(freep) char *path = NULL;
                struct stat st;

                if (entry->d_name[0] == '.')
                        continue;
                if (asprintf(&path, "%s/%s", directory, entry->d_name) < 0) {
                        path = NULL;
                        r = -ENOMEM;
                } else if (stat(path, &st) < 0)
                        r = errno == ENOENT ? 0 : -errno; /* rotated away just now */
                else if (S_ISREG(st.st_mode) && is_journal(entry->d_name))
                        r = add_file(f, path, folder, entry->d_name);
                else if (S_ISDIR(st.st_mode) && !folder)
                        r = find_files(f, path, entry->d_name);
        }
        if (r >= 0 && errno != 0)
                r = -errno;
        (void) closedir(dir);
        return r;
}

static int compare_files(const void *a, const void *b) {
        const JournalFile *x = a, *y = b;
        int order = strcmp(x->sender, y->sender);

        return order != 0 ? order : strcmp(x->path, y->path);
}

static int add_source(JournalSet *set, sd_journal *journal, const char *name) {
        JournalSource source = {.journal = journal};

        if (name) {
                source.name = strdup(name);
                source.recent = calloc(JOURNAL_RECENT_MAX, sizeof(*source.recent));
        }
        if (name && !(source.name && source.recent)) {
                free(source.name);
                free(source.recent);
                return -ENOMEM;
        }
        if (!GROW_ARRAY(set->sources, set->allocated, set->n_sources, JOURNAL_SOURCES_MAX)) {
                free(source.name);
                free(source.recent);
                return set->n_sources >= JOURNAL_SOURCES_MAX ? -E2BIG : -ENOMEM;
        }
        set->sources[set->n_sources++] = source;
        return 0;
}

static int open_files(JournalSet *set, const JournalFile *files, size_t n) {
        _cleanup_(freep) const char **paths = calloc(n + 1, sizeof(*paths));
        sd_journal *journal;
        int r;

        if (!paths)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                paths[i] = files[i].path;
        r = sd_journal_open_files(&journal, paths, 0);
        if (r < 0)
                return r;
        r = add_source(set, journal, files[0].sender);
        if (r < 0)
                sd_journal_close(journal);
        return r;
}

/* Those of one sender, which stand together. One that cannot be read must not hide the others. */
static int open_sender(JournalSet *set, const JournalFile *files, size_t n) {
        int r;

        r = open_files(set, files, n);
        if (r >= 0 || r == -ENOMEM || r == -E2BIG)
                return r;
        for (size_t i = 0; i < n; i++) {
                r = open_files(set, files + i, 1);
                if (r == -ENOMEM || r == -E2BIG)
                        return r;
                if (r < 0) {
                        (void) fail(r, "Failed to read %s, leaving it out", files[i].path);
                        set->n_unreadable++;
                }
        }
        return 0;
}

/* Each file that is open is a descriptor, and the usual soft limit is 1024. */
static void allow_many_files(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
                limit.rlim_cur = limit.rlim_max;
                (void) setrlimit(RLIMIT_NOFILE, &limit);
        }
}

int journal_set_open_senders(JournalSet *ret, const char *directory) {
        _cleanup_(journal_set_done) JournalSet set = {};
        _cleanup_(files_done) JournalFiles found = {};
        size_t n;
        int r;

        r = find_files(&found, directory, NULL);
        if (r < 0)
                return r;
        if (found.n_files > 0)
                qsort(found.files, found.n_files, sizeof(found.files[0]), compare_files);
        allow_many_files();
        for (size_t i = 0; i < found.n_files; i += n) {
                for (n = 1; i + n < found.n_files; n++)
                        if (strcmp(found.files[i + n].sender, found.files[i].sender) != 0)
                                break;
                r = open_sender(&set, found.files + i, n);
                if (r < 0)
                        return r;
        }
        *ret = set;
        set = (JournalSet){};
        return 0;
}

int journal_set_open(JournalSet *ret, const char *directory) {
        JournalSet set = {};
        sd_journal *journal;
        int r;

        r = directory ? sd_journal_open_directory(&journal, directory, 0)
                      : sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY);
        if (r < 0)
                return r;
        r = add_source(&set, journal, NULL);
        if (r < 0) {
                sd_journal_close(journal);
                return r;
        }
        *ret = set;
        return 0;
}

void journal_set_done(JournalSet *set) {
        FOREACH_ARRAY (source, set->sources, set->n_sources) {
                sd_journal_close(source->journal);
                free(source->name);
                free(source->recent);
        }
        free(set->sources);
        *set = (JournalSet){};
}

/* A hash over what of an entry's cursor the sender gave it (boot, times, content), not its place in a file.
 */
static int identity(sd_journal *journal, uint64_t *ret) {
        _cleanup_(freep) char *cursor = NULL;
        const char *own;
        int r;

        r = sd_journal_get_cursor(journal, &cursor);
        if (r < 0)
                return r;
        own = strstr(cursor, ";b=");
        own = own ? own : cursor;
        *ret = fnv_add(FNV_BASIS, own, strlen(own));
        return 0;
}

/* Returns 1 when the entry came before, else remembers it and returns 0. */
static int came_before(JournalSource *s) {
        uint64_t hash;
        int r;

        if (!s->recent)
                return 0;
        r = identity(s->journal, &hash);
        if (r < 0)
                return r;
        for (size_t i = 0; i < s->n_recent && i < JOURNAL_RECENT_MAX; i++)
                if (s->recent[i] == hash)
                        return 1;
        s->recent[s->n_recent++ % JOURNAL_RECENT_MAX] = hash;
        return 0;
}

static int step(JournalSource *s) {
        int r;

        do {
                r = sd_journal_next(s->journal);
                if (r <= 0) {
                        s->is_over = true;
                        return r;
                }
                r = came_before(s);
        } while (r > 0);
        return r < 0 ? r : sd_journal_get_realtime_usec(s->journal, &s->time);
}

int journal_set_seek(JournalSet *set, usec_t since) {
        int r;

        set->current = NULL;
        FOREACH_ARRAY (source, set->sources, set->n_sources) {
                source->is_over = false;
                source->n_recent = 0;
                r = sd_journal_seek_realtime_usec(source->journal, since);
                if (r >= 0)
                        r = step(source);
                if (r < 0)
                        return r;
        }
        return 0;
}

int journal_set_next(JournalSet *set) {
        JournalSource *oldest = NULL;
        int r;

        if (set->current) {
                r = step(set->current);
                if (r < 0)
                        return r;
        }
        FOREACH_ARRAY (source, set->sources, set->n_sources) {
                if (!source->is_over && (!oldest || source->time < oldest->time))
                        oldest = source;
        }
        set->current = oldest;
        return oldest ? 1 : 0;
}
