#pragma once

/* Which units of systemd run the IoT Edge runtime on this device: deb and rpm, snap, or 1.0 and 1.1. */

#include "lib/world/world.h"

#define RUNTIME_UNITS_MAX 3

typedef struct RuntimeUnits {
        /* As they are to be stopped: its sockets first, or a client in between would have it started again;
         * the service last. Started in the same order. */
        const char *names[RUNTIME_UNITS_MAX];
        bool runs[RUNTIME_UNITS_MAX]; /* now, or is about to */
        size_t n;
        bool is_legacy; /* 1.0 or 1.1: nothing is done to it, a person is told what to do */
} RuntimeUnits;

/* Returns 1, or 0 when no unit of a runtime is known. The newest counts where several are installed. */
int runtime_units_find(const World *w, RuntimeUnits *ret);

/* The service, and whether it runs. */
static inline const char *runtime_units_service(const RuntimeUnits *u) {
        return u->names[u->n - 1];
}

static inline bool runtime_units_is_up(const RuntimeUnits *u) {
        return u->runs[u->n - 1];
}
