/* One file of a recording: the first byte chooses which, the rest is its content. */

#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/world/recording.h"

static const char *const names[] = {
        "journal.export",
        "docker/events.jsonl",
        "docker/logs/edgeHub.log",
        "docker/api/containers.json",
        "docker/api/networks.json",
        "docker/api/version.json",
        "net/links.json",
        "net/routes.json",
        "net/addresses.json",
        "net/events.jsonl",
        "net/listeners.json",
        "units.json",
        "root/proc/sys/net/ipv4/ip_forward",
        "metrics/edgeHub.prom",
        "probes.jsonl",
        "recording.json",
};

static char folder[] = "/tmp/edgewatch-fuzz-XXXXXX";

static int remove_visited(const char *path, const struct stat *st, int type, struct FTW *where) {
        return remove(path);
}

static void folder_remove(void) {
        (void) nftw(folder, remove_visited, 16, FTW_DEPTH | FTW_PHYS);
}

static void folder_prepare(void) {
        static const char *const directories[] = {"docker", "docker/api", "docker/logs", "net", "metrics",
                "root", "root/proc", "root/proc/sys", "root/proc/sys/net", "root/proc/sys/net/ipv4"};
        static bool prepared;
        char path[256];

        if (prepared)
                return;
        if (!mkdtemp(folder) || atexit(folder_remove) != 0)
                abort();
        FOREACH_ARRAY (d, directories, ELEMENTSOF(directories)) {
                (void) snprintf(path, sizeof(path), "%s/%s", folder, *d);
                if (mkdir(path, 0700) < 0)
                        abort();
        }
        prepared = true;
}

static void replay(void) {
        static const char *const keys[] = {"listeners", "engine-version", "metrics:edgeHub",
                "resolve:host:a", "file:/proc/sys/net/ipv4/ip_forward"};
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(recording_freep) Recording *recording = NULL;
        _cleanup_(world_freep) World *w = NULL;
        usec_t before = 0;
        Event event;

        if (recording_open(&recording, folder, &problems) < 0)
                return;
        if (world_new(&w, recording_world_ops(recording)) < 0 || recording_load_state(recording, w) < 0)
                return;
        while (recording_next(recording, &event) > 0) {
                free(event_describe(&event));
                (void) world_apply(w, &event);
                if (event.time < before)
                        abort();
                before = event.time;
        }
        FOREACH_ARRAY (key, keys, ELEMENTSOF(keys))
                (void) world_fact(w, before, before, "%s", *key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char path[256];
        FILE *file;

        folder_prepare();
        if (size == 0 || data[0] < 'a' || data[0] >= 'a' + ELEMENTSOF(names))
                return 0;
        (void) snprintf(path, sizeof(path), "%s/%s", folder, names[data[0] - 'a']);
        file = fopen(path, "w");
        if (!file || fwrite(data + 1, 1, size - 1, file) != size - 1 || fclose(file) != 0)
                abort();
        replay();
        (void) unlink(path);
        return 0;
}
