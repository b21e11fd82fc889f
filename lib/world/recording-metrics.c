/* Scrapes are read from disk when their turn comes: a long series is never in memory as a whole. */

#include "lib/world/recording-metrics.h"

#include <stdio.h>

#define SUFFIX ".prom"

void recording_metrics_done(RecordingMetrics *m) {
        FOREACH_ARRAY (s, m->scrapes, m->n_scrapes) {
                free(s->module);
                free(s->name);
        }
        free(m->scrapes);
        *m = (RecordingMetrics){};
}

static int add_scrape(RecordingMetrics *m, Text module, const char *name, usec_t time, bool has_time) {
        Scrape *s;

        if (m->n_scrapes >= RECORDING_SCRAPES_MAX)
                return recording_problem(m->folder, name, 0, 0,
                        "more than %d scrapes in the recording, skipped", RECORDING_SCRAPES_MAX);
        if (!GROW_ARRAY(m->scrapes, m->allocated, m->n_scrapes, RECORDING_SCRAPES_MAX))
                return -ENOMEM;
        s = &m->scrapes[m->n_scrapes];
        *s = (Scrape){.module = text_dup(module), .name = strdup(name), .time = time, .has_time = has_time};
        m->n_scrapes++;
        return s->module && s->name ? 0 : -ENOMEM;
}

static int load_series(RecordingMetrics *m, const char *module) {
        _cleanup_(name_list_done) NameList list = {};
        _cleanup_(freep) char *directory = NULL;
        int r;

        if (asprintf(&directory, "metrics/%s", module) < 0) {
                directory = NULL;
                return -ENOMEM;
        }
        r = recording_folder_list(m->folder, directory, SUFFIX, &list);
        if (r < 0)
                return r;
        for (size_t i = 0; i < list.n_names; i++) {
                _cleanup_(freep) char *name = NULL;
                Text digits = text_of(list.names[i]);
                uint64_t seconds;
                usec_t time;

                if (asprintf(&name, "%s/%s", directory, list.names[i]) < 0) {
                        name = NULL;
                        return -ENOMEM;
                }
                digits.len -= strlen(SUFFIX);
                if (text_to_u64(digits, &seconds) < 0 ||
                        __builtin_mul_overflow(seconds, USEC_PER_SEC, &time))
                        r = recording_problem(m->folder, name, 0, 0,
                                "the name is not a time in seconds since 1970, skipped");
                else
                        r = add_scrape(m, text_of(module), name, time, true);
                if (r < 0)
                        return r;
        }
        return 0;
}

int recording_metrics_load(RecordingMetrics *m, const RecordingFolder *f) {
        _cleanup_(name_list_done) NameList list = {};
        int r;

        m->folder = f;
        r = recording_folder_list(f, "metrics", "", &list);
        if (r < 0)
                return r;
        for (size_t i = 0; i < list.n_names; i++) {
                _cleanup_(freep) char *name = NULL;
                Text module = text_of(list.names[i]);

                if (asprintf(&name, "metrics/%s", list.names[i]) < 0) {
                        name = NULL;
                        return -ENOMEM;
                }
                if (recording_folder_has_directory(f, name))
                        r = load_series(m, list.names[i]);
                else if (text_ends_with(module, SUFFIX))
                        r = add_scrape(m, text_clip(module, module.len - strlen(SUFFIX)), name, 0, false);
                if (r < 0)
                        return r;
        }
        return 0;
}

usec_t recording_metrics_first(const RecordingMetrics *m) {
        usec_t first = USEC_INFINITY;

        FOREACH_ARRAY (s, m->scrapes, m->n_scrapes)
                if (s->has_time && s->time < first)
                        first = s->time;
        return first;
}

static int compare_scrapes(const void *a, const void *b) {
        const Scrape *x = a, *y = b;

        if (x->time != y->time)
                return x->time < y->time ? -1 : 1;
        return strcmp(x->name, y->name);
}

void recording_metrics_set_state_time(RecordingMetrics *m, usec_t state_time) {
        FOREACH_ARRAY (s, m->scrapes, m->n_scrapes)
                if (!s->has_time)
                        s->time = state_time;
        if (m->n_scrapes > 0)
                qsort(m->scrapes, m->n_scrapes, sizeof(*m->scrapes), compare_scrapes);
}

int recording_metrics_at(
        const RecordingMetrics *m, const char *module, usec_t now, char **ret, size_t *ret_len) {
        const Scrape *best = NULL;

        FOREACH_ARRAY (s, m->scrapes, m->n_scrapes) {
                if (strcmp(s->module, module) != 0)
                        continue;
                if (best && s->time > now)
                        break;
                best = s;
        }
        if (!best)
                return 0;
        return recording_folder_read(m->folder, best->name, RECORDING_SCRAPE_BYTES_MAX, ret, ret_len);
}

typedef struct MetricsPart {
        RecordingPart part;
        const RecordingMetrics *metrics;
        size_t next;
        char *exposition;
} MetricsPart;

static int metrics_next(RecordingPart *p, Event *ret) {
        MetricsPart *mp = (MetricsPart *) p;

        while (mp->next < mp->metrics->n_scrapes) {
                const Scrape *s = &mp->metrics->scrapes[mp->next++];
                size_t len;
                int r;

                free(TAKE_PTR(mp->exposition));
                r = recording_folder_read(
                        mp->metrics->folder, s->name, RECORDING_SCRAPE_BYTES_MAX, &mp->exposition, &len);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                *ret = (Event){
                        .kind = EVENT_METRICS,
                        .source = SOURCE_METRICS,
                        .origin = origin_of_module(text_of(s->module)),
                        .time = s->time,
                        .initial = !s->has_time,
                        .metrics = {text_of(s->module), {mp->exposition, len}},
                };
                return 1;
        }
        return 0;
}

static void metrics_done(RecordingPart *p) {
        MetricsPart *mp = (MetricsPart *) p;

        free(mp->exposition);
        free(mp);
}

static const RecordingPartOps metrics_ops = {.next = metrics_next, .done = metrics_done};

int recording_metrics_open(RecordingMetrics *m, RecordingPart **ret) {
        MetricsPart *mp;

        if (m->n_scrapes == 0)
                return -ENOENT;
        mp = calloc(1, sizeof(*mp));
        if (!mp)
                return -ENOMEM;
        mp->part = (RecordingPart){.ops = &metrics_ops, .kind = SOURCE_METRICS};
        mp->metrics = m;
        *ret = &mp->part;
        return 0;
}
