#pragma once

/* The logs of an IoT Edge support bundle, turned into those of a recording. Pure. */

#include "lib/base/buffer.h"
#include "lib/base/time.h"

/* `journalctl -u UNIT` as people read it, to the journal export format. `reference` is a time near those of
 * the log, for the year that its lines leave out. Raises *latest to the last time seen. Returns 0 or
 * -ENOMEM. */
int bundle_unit_log_convert(Text log, const char *unit, usec_t reference, Buffer *ret, usec_t *latest);

/* A container's log, to lines with a timestamp in front. One that has them is taken over as it is; else the
 * component's own stamp says when. Returns the number of lines that no time was found for, or -ENOMEM. */
int bundle_container_log_convert(Text log, Buffer *ret, usec_t *latest);
