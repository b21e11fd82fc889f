#pragma once

/* Answers the World's questions on the live device: files it reads itself, everything privileged goes to the
 * prober, the rest to the source that knows (Docker: engine-info; metrics). What nobody answers is unknown.
 */

#include "lib/config/config.h"
#include "daemon/watch/prober.h"
#include "lib/world/world.h"

#define WORLD_FILE_MAX_BYTES ((size_t) 256 * 1024)
#define WORLD_PROBE_TIMEOUT  (5 * USEC_PER_SEC)

typedef struct WorldLive WorldLive;

typedef struct WorldLiveHandler {
        /* -ENOENT: none knows the key. */
        int (*fetch_from_source)(void *userdata, const char *key, usec_t now);
        void (*facts_arrived)(void *userdata);
        usec_t (*clock)(void *userdata);
        void *userdata;
} WorldLiveHandler;

/* prober may be NULL. It and config are borrowed. */
int world_live_new(WorldLive **ret, const Config *config, Prober *prober, WorldLiveHandler handler);
WorldLive *world_live_free(WorldLive *l);
DEFINE_CLEANUP(WorldLive, world_live_free);

WorldOps world_live_ops(WorldLive *l);
void world_live_set_config(WorldLive *l, const Config *config);

/* Whether file:PATH may be read: a closed list, so that a fact named by a rule or derived from a log never
 * opens anything else. For tests. */
bool world_live_may_read(const char *path);
