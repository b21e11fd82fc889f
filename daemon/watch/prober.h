#pragma once

/* Asks the privileged prober, a program of its own, one question: firewall, listeners, runtime-config,
 * tcp-info:…, resolve:…, connect:…, tls:…, path-mtu:… (lib/world/world.h lists them). Answers come later,
 * through the loop. */

#include <jansson.h>

#include "lib/base/time.h"

/* value is borrowed and NULL when the question could not be answered; `why` then says so. */
typedef void (*prober_reply_t)(void *userdata, const char *key, const json_t *value, const char *why);

typedef struct Prober Prober;

struct Prober {
        /* Whether it answers questions of this key at all. */
        bool (*knows)(const Prober *p, const char *key);
        /* Calls reply exactly once, never before ask() has returned; not at all when ask() failed. `object`
         * is what the World knows about the container that the key names ({"id": …}), or NULL. */
        int (*ask)(Prober *p, const char *key, const json_t *object, usec_t timeout, prober_reply_t reply,
                void *userdata);
        Prober *(*free)(Prober *p);
};
