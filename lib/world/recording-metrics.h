#pragma once

/* metrics/: scrapes of modules' Prometheus text, one each or a series over time. */

#include "lib/world/recording-part.h"

#define RECORDING_SCRAPES_MAX      65536
#define RECORDING_SCRAPE_BYTES_MAX ((size_t) 4 * 1024 * 1024)

typedef struct Scrape {
        char *module;
        char *name; /* the file, relative to the recording */
        usec_t time;
        bool has_time; /* from the file's name; the others are of the snapshot's time */
} Scrape;

typedef struct RecordingMetrics {
        const RecordingFolder *folder;
        Scrape *scrapes;
        size_t n_scrapes, allocated;
} RecordingMetrics;

int recording_metrics_load(RecordingMetrics *m, const RecordingFolder *f);
void recording_metrics_done(RecordingMetrics *m);
/* Of the first scrape whose file tells its time; USEC_INFINITY when there is none. */
usec_t recording_metrics_first(const RecordingMetrics *m);
/* Dates the scrapes that tell no time and sorts all. */
void recording_metrics_set_state_time(RecordingMetrics *m, usec_t state_time);

/* The text that was last scraped at `now`, or the first one after. Returns 1, 0 when there is none, -ENOMEM.
 */
int recording_metrics_at(
        const RecordingMetrics *m, const char *module, usec_t now, char **ret, size_t *ret_len);

/* -ENOENT when there are no scrapes. The metrics must outlive the part. */
int recording_metrics_open(RecordingMetrics *m, RecordingPart **ret);
