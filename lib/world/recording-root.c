/* root/: copies of the device's files at their own path, and what the kernel's files say about forwarding.
 */

#include <limits.h>
#include <stdio.h>

#include "lib/world/recording-state-load.h"
#include "lib/world/recording.h"

#define ROOT_DEPTH_MAX 16
#define ROOT           "root"

static int add_file(RecordingState *s, const RecordingFolder *f, const char *name) {
        _cleanup_(freep) char *content = NULL, *path = NULL;
        size_t len;
        int r;

        if (s->n_files >= RECORDING_ROOT_FILES || s->file_bytes >= RECORDING_FILE_MAX)
                return recording_problem(f, name, 0, 0, "too many or too large files in root/, skipped");
        r = recording_folder_read(f, name, RECORDING_ROOT_FILE_MAX, &content, &len);
        if (r <= 0)
                return r;
        path = strdup(name + strlen(ROOT));
        if (!path || !GROW_ARRAY(s->files, s->allocated_files, s->n_files, RECORDING_ROOT_FILES))
                return -ENOMEM;
        s->files[s->n_files++] =
                (RecordedFile){.path = TAKE_PTR(path), .content = TAKE_PTR(content), .len = len};
        s->file_bytes += len;
        return 0;
}

static int walk(RecordingState *s, const RecordingFolder *f, const char *directory, unsigned depth) {
        _cleanup_(name_list_done) NameList list = {};
        int r;

        if (depth > ROOT_DEPTH_MAX)
                return recording_problem(
                        f, directory, 0, 0, "nested deeper than %d, skipped", ROOT_DEPTH_MAX);
        r = recording_folder_list(f, directory, "", &list);
        if (r < 0)
                return r;
        for (size_t i = 0; i < list.n_names; i++) {
                _cleanup_(freep) char *name = NULL;

                if (asprintf(&name, "%s/%s", directory, list.names[i]) < 0) {
                        name = NULL;
                        return -ENOMEM;
                }
                if (recording_folder_has_directory(f, name))
                        r = walk(s, f, name, depth + 1);
                else
                        r = add_file(s, f, name);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const RecordedFile *find_file(const RecordingState *s, const char *path) {
        FOREACH_ARRAY (file, s->files, s->n_files)
                if (strcmp(file->path, path) == 0)
                        return file;
        return NULL;
}

/* Which link's forwarding the file holds; false when it is no such file. ip_forward is the one of all in
 * IPv4 and shows the same bit as conf/all/forwarding. */
static bool is_forwarding_file(const RecordingState *s, const char *path, Forwarding *ret) {
        static const struct {
                const char *prefix;
                Family family;
        } trees[] = {
                {"/proc/sys/net/ipv4/conf/", FAMILY_INET},
                {"/proc/sys/net/ipv6/conf/", FAMILY_INET6},
        };

        if (strcmp(path, "/proc/sys/net/ipv4/ip_forward") == 0) {
                *ret = (Forwarding){.family = FAMILY_INET, .ifname = "all"};
                return true;
        }
        FOREACH_ARRAY (tree, trees, ELEMENTSOF(trees)) {
                Text link = text_of(path);

                if (!text_starts_with(link, tree->prefix) || !text_ends_with(link, "/forwarding"))
                        continue;
                link = text_skip(link, strlen(tree->prefix));
                link.len -= strlen("/forwarding");
                if (link.len == 0 || link.len >= IFNAMSIZ || memchr(link.data, '/', link.len))
                        return false;
                if (tree->family == FAMILY_INET && text_is(link, "all") &&
                        find_file(s, "/proc/sys/net/ipv4/ip_forward"))
                        return false;
                *ret = (Forwarding){.family = tree->family};
                memcpy(ret->ifname, link.data, link.len);
                return true;
        }
        return false;
}

static int add_events(RecordingState *s, const RecordedFile *file) {
        Text value = text_strip((Text){file->content, file->len});
        Event event = {.kind = EVENT_FORWARDING,
                .source = SOURCE_NETWORK,
                .origin = ORIGIN_DEVICE,
                .initial = true};
        int r;

        if (is_forwarding_file(s, file->path, &event.forwarding) &&
                (text_is(value, "0") || text_is(value, "1"))) {
                event.forwarding.enabled = text_is(value, "1");
                s->has[EVENT_FORWARDING] = true;
                r = recording_state_add(s, &event);
                if (r < 0)
                        return r;
        }
        event = (Event){
                .kind = EVENT_FILE, .source = SOURCE_FILES, .origin = ORIGIN_DEVICE, .initial = true};
        event.file = (FileChange){text_of(file->path), true, {file->content, file->len}};
        return recording_state_add(s, &event);
}

int recording_root_load(RecordingState *s, const RecordingFolder *f) {
        int r;

        r = walk(s, f, ROOT, 0);
        if (r < 0)
                return r;
        for (size_t i = 0; i < s->n_files; i++) {
                r = add_events(s, &s->files[i]);
                if (r == -ENOBUFS)
                        return recording_problem(
                                f, ROOT, 0, 0, "more than %d objects in the recording", RECORDING_STATE_MAX);
                if (r < 0)
                        return r;
        }
        return 0;
}
