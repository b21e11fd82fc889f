#pragma once

/* probes.jsonl: what active questions were answered, and when. */

#include <jansson.h>

#include "lib/world/recording-folder.h"

#define RECORDING_ANSWERS_MAX 65536

typedef struct RecordedAnswer {
        char *key; /* as a fact of the World: "connect:host:hub.example.net:8883" */
        usec_t time;
        json_t *value;
} RecordedAnswer;

typedef struct RecordingAnswers {
        RecordedAnswer *items;
        size_t n_items, allocated;
} RecordingAnswers;

int recording_answers_load(RecordingAnswers *a, const RecordingFolder *f);
void recording_answers_done(RecordingAnswers *a);

/* The answer nearest to `now`, of two equally near the later one. Borrowed; NULL when it was never asked. */
json_t *recording_answers_at(const RecordingAnswers *a, const char *key, usec_t now);
