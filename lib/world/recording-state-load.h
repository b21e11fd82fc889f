#pragma once

/* Between recording-state.c and the readers of its files. */

#include "lib/world/recording-state.h"

/* -ENOBUFS when there are too many, or -ENOMEM. */
int recording_state_add(RecordingState *s, const Event *event);

/* Reads root/ and adds what it says: files, forwarding. */
int recording_root_load(RecordingState *s, const RecordingFolder *f);
