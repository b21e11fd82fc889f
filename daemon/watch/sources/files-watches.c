/* One directory has one watch, however many paths lead through it; a path is a row of entries.
 *
 * The trap: a watch is of the directory that was there, not of its name. So the paths are walked anew after
 * each change, from the root, each directory watched before the next is looked for: what is put in place in
 * between is then seen either by the walk or by the watch. */

#include "daemon/watch/sources/files-watches.h"

#include <limits.h>

static const uint32_t mask = IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_DELETE_SELF |
        IN_MOVED_FROM | IN_MOVED_TO | IN_MOVE_SELF | IN_ONLYDIR;

void file_watches_done(FileWatches *w) {
        FOREACH_ARRAY (item, w->items, w->n_items)
                free(item->name);
        free(w->items);
        *w = (FileWatches){.fd = -EBADF};
}

void file_watches_begin(FileWatches *w) {
        FOREACH_ARRAY (item, w->items, w->n_items)
                item->is_current = false;
}

static int add(FileWatches *w, int wd, Text name) {
        char *copy;

        FOREACH_ARRAY (item, w->items, w->n_items)
                if (item->wd == wd && text_is(name, item->name)) {
                        item->is_current = true;
                        return 0;
                }
        if (w->n_items >= FILE_WATCHES_MAX)
                return -ENOBUFS;
        if (!GROW_ARRAY(w->items, w->n_allocated, w->n_items, FILE_WATCHES_MAX))
                return -ENOMEM;
        copy = text_dup(name);
        if (!copy)
                return -ENOMEM;
        w->items[w->n_items++] = (FileWatch){.wd = wd, .name = copy, .is_current = true};
        return 0;
}

/* What keeps us from going further down a path, and is no failure: the rest is not there, or not for us. */
static bool is_end_of_way(int error) {
        return error == ENOENT || error == ENOTDIR || error == EACCES || error == ELOOP ||
                error == ENAMETOOLONG;
}

int file_watches_add(FileWatches *w, const char *path) {
        char directory[PATH_MAX];
        size_t len = strlen(path), n;
        int r, wd;

        if (len >= sizeof(directory))
                return -ENAMETOOLONG;
        for (size_t at = 0; at < len; at += 1 + n) {
                n = strcspn(path + at + 1, "/");
                memcpy(directory, path, at + 1);
                directory[at > 0 ? at : 1] = '\0';
                wd = inotify_add_watch(w->fd, directory, mask);
                if (wd < 0)
                        return is_end_of_way(errno) ? 0 : -errno;
                r = add(w, wd, (Text){path + at + 1, n});
                if (r < 0)
                        return r;
        }
        return 0;
}

int file_watches_add_target(FileWatches *w, const char *path) {
        _cleanup_(freep) char *target = realpath(path, NULL);

        if (!target)
                return is_end_of_way(errno) ? 0 : -errno;
        return strcmp(target, path) == 0 ? 0 : file_watches_add(w, target);
}

static bool is_watched(const FileWatches *w, int wd) {
        FOREACH_ARRAY (item, w->items, w->n_items)
                if (item->wd == wd)
                        return true;
        return false;
}

void file_watches_end(FileWatches *w) {
        size_t i = 0;

        while (i < w->n_items) {
                FileWatch old = w->items[i];

                if (old.is_current) {
                        i++;
                        continue;
                }
                free(old.name);
                w->items[i] = w->items[--w->n_items];
                /* Fails for a directory that is gone, whose watch went with it. */
                if (!is_watched(w, old.wd))
                        (void) inotify_rm_watch(w->fd, old.wd);
        }
}

bool file_watches_match(const FileWatches *w, const struct inotify_event *event) {
        FOREACH_ARRAY (item, w->items, w->n_items)
                if (item->wd == event->wd &&
                        (event->len == 0 || item->name[0] == '\0' || strcmp(item->name, event->name) == 0))
                        return true;
        return false;
}
