#pragma once

/* Reads everything that the checks judge. */

#include "daemon/ctl/check/check.h"
#include "daemon/collect/device-world.h"

typedef struct CheckSession {
        Device device;
        DeviceWorld world;
        CheckFacts facts;
} CheckSession;

/* Negative only when memory is out: what cannot be read is missing from the facts. The session must stay
 * where it is. */
int check_session_init(CheckSession *s);
void check_session_done(CheckSession *s);

/* Fills f->certificates and f->keys; f->files are there already. */
int check_collect_certificates(CheckFacts *f);
