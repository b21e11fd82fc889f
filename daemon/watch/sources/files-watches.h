#pragma once

/* The directories that are watched with inotify, and for which names in them. */

#include <sys/inotify.h>

#include "lib/base/text.h"

#define FILE_WATCHES_MAX ((size_t) 256)

typedef struct FileWatch {
        int wd;
        char *name; /* that matters in the directory; empty: all names do */
        bool is_current;
} FileWatch;

typedef struct FileWatches {
        int fd; /* of inotify, borrowed */
        FileWatch *items;
        size_t n_items, n_allocated;
} FileWatches;

void file_watches_done(FileWatches *w);

/* Between begin and end all paths are named; what is on none of them any more is let go at the end. */
void file_watches_begin(FileWatches *w);
/* Watches every directory of an absolute path from the root on, as far as there are any, for the next
 * component; behind a slash at its end for all names. -ENOSPC and other errors of inotify_add_watch(2),
 * -ENOBUFS past the cap, -ENOMEM. */
int file_watches_add(FileWatches *w, const char *path);
/* Likewise for the file that a path leads to, when that is another one. */
int file_watches_add_target(FileWatches *w, const char *path);
void file_watches_end(FileWatches *w);

/* Whether what happened can concern one of the paths. */
bool file_watches_match(const FileWatches *w, const struct inotify_event *event);
