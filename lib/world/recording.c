/* A recording: opens its parts, merges what they deliver by time, answers what a replay's World asks.
 *
 * Owns the order of events (time, then the order of the parts in docs/recording.md, then each part's own)
 * and the moment of the snapshot. The trap: a part's next event is fetched before its turn comes, and by
 * then another event may have made it untrue; RecordingPartOps.is_overtaken tells. */

#include "lib/world/recording.h"

#include <stdio.h>

#include "lib/world/recording-answers.h"
#include "lib/world/recording-metrics.h"
#include "lib/world/recording-part.h"
#include "lib/world/recording-state.h"
#include "lib/world/runtime-config.h"

#define RECORDING_LOGS_MAX    256
#define RECORDING_EXPORTS_MAX 64
#define RECORDING_PARTS_MAX   (RECORDING_LOGS_MAX + RECORDING_EXPORTS_MAX + 16)

struct Recording {
        RecordingFolder folder;
        RecordingState state;
        RecordingMetrics metrics;
        RecordingAnswers answers;
        RecordingPart **parts; /* in the order of ties */
        size_t n_parts, allocated;
        RecordingPart *lent;  /* its event is with the caller */
        bool has_description; /* recording.json was there */
        usec_t start, end, state_time;
};

Recording *recording_free(Recording *r) {
        if (!r)
                return NULL;
        for (size_t i = 0; i < r->n_parts; i++)
                r->parts[i]->ops->done(r->parts[i]);
        free(r->parts);
        recording_answers_done(&r->answers);
        recording_metrics_done(&r->metrics);
        recording_state_done(&r->state);
        recording_folder_done(&r->folder);
        free(r);
        return NULL;
}

/* Fetches the part's next event. */
static int part_advance(RecordingPart *p) {
        int r;

        p->has_head = false;
        r = p->ops->next(p, &p->head);
        if (r <= 0)
                return r;
        if (p->head.time < p->latest)
                p->head.time = p->latest;
        p->latest = p->head.time;
        p->has_head = true;
        return 1;
}

/* Takes over the part that opening returned, if there is one. */
static int add_part(Recording *rec, int opened, RecordingPart *p) {
        if (opened == -ENOENT)
                return 0;
        if (opened < 0)
                return opened;
        if (!GROW_ARRAY(rec->parts, rec->allocated, rec->n_parts, RECORDING_PARTS_MAX)) {
                p->ops->done(p);
                return -ENOMEM;
        }
        rec->parts[rec->n_parts++] = p;
        opened = part_advance(p);
        return opened < 0 ? opened : 0;
}

static int read_time(Recording *rec, const json_t *object, const char *key, usec_t *ret) {
        if (!json_object_get(object, key) || recording_time(object, key, ret) >= 0)
                return 0;
        return recording_problem(
                &rec->folder, "recording.json", 0, 0, "%s: expected an RFC 3339 timestamp", key);
}

static int read_description(Recording *rec) {
        json_t *object, *format;
        int r;

        r = recording_folder_read_json(&rec->folder, "recording.json", JSON_OBJECT, &object);
        if (r <= 0)
                return r;
        rec->has_description = true;
        format = json_object_get(object, "format");
        if (format && json_integer_value(format) != 1)
                r = recording_problem(&rec->folder, "recording.json", 0, 0,
                        "format: expected 1; newer parts of the recording are not read");
        if (r >= 0)
                r = read_time(rec, object, "start", &rec->start);
        if (r >= 0)
                r = read_time(rec, object, "end", &rec->end);
        if (r >= 0)
                r = read_time(rec, object, "state_time", &rec->state_time);
        json_decref(object);
        return r < 0 ? r : 0;
}

/* A container's log is in the journal as well when its driver is journald: it is read from one of them only.
 */
static int is_log_in_journal(Recording *rec, const char *container, const Container *c) {
        if (c && c->log_driver && strcmp(c->log_driver, "journald") != 0)
                return 0;
        return recording_journal_has_container(&rec->folder, container);
}

static int open_log(Recording *rec, const char *file) {
        _cleanup_(freep) char *container = text_dup(text_clip(text_of(file), strlen(file) - strlen(".log")));
        const Container *c;
        RecordingPart *p = NULL;
        int r;

        if (!container)
                return -ENOMEM;
        c = recording_state_container(&rec->state, container);
        r = is_log_in_journal(rec, container, c);
        if (r < 0)
                return r;
        if (r > 0)
                return 0;
        r = recording_docker_log_open(&rec->folder, container, c ? c->id : NULL, &p);
        return add_part(rec, r, p);
}

static int open_logs(Recording *rec) {
        _cleanup_(name_list_done) NameList list = {};
        int r;

        r = recording_folder_list(&rec->folder, "docker/logs", ".log", &list);
        if (r < 0)
                return r;
        for (size_t i = 0; i < list.n_names; i++) {
                if (i == RECORDING_LOGS_MAX)
                        return recording_problem(&rec->folder, "docker/logs", 0, 0,
                                "more than %d logs, the rest is skipped", RECORDING_LOGS_MAX);
                r = open_log(rec, list.names[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int open_exports(Recording *rec) {
        _cleanup_(name_list_done) NameList list = {};
        int r;

        r = recording_journal_exports(&rec->folder, &list);
        if (r < 0)
                return r;
        for (size_t i = 0; i < list.n_names; i++) {
                RecordingPart *p = NULL;

                if (i == RECORDING_EXPORTS_MAX)
                        return recording_problem(&rec->folder, "journal", 0, 0,
                                "more than %d journal exports, the rest is skipped", RECORDING_EXPORTS_MAX);
                r = recording_journal_export_open(&rec->folder, list.names[i], &p);
                r = add_part(rec, r, p);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The parts that bring their own times. */
static int open_streams(Recording *rec) {
        RecordingPart *p = NULL;
        int r;

        r = open_exports(rec);
        if (r < 0)
                return r;
        r = recording_journal_files_open(&rec->folder, &p);
        r = add_part(rec, r, p);
        if (r < 0)
                return r;
        r = recording_docker_events_open(&rec->folder, &p);
        r = add_part(rec, r, p);
        if (r < 0)
                return r;
        r = open_logs(rec);
        if (r < 0)
                return r;
        r = recording_network_events_open(&rec->folder, &p);
        return add_part(rec, r, p);
}

static usec_t first_entry(const Recording *rec) {
        usec_t first = recording_metrics_first(&rec->metrics);

        for (size_t i = 0; i < rec->n_parts; i++)
                if (rec->parts[i]->has_head && rec->parts[i]->head.time < first)
                        first = rec->parts[i]->head.time;
        return first;
}

/* The parts that hold at the snapshot's time, and metrics. */
static int open_state(Recording *rec) {
        RecordingPart *p = NULL;
        usec_t first = first_entry(rec);
        int r;

        if (rec->state_time == 0)
                rec->state_time = first != USEC_INFINITY ? first : rec->start > 0 ? rec->start : rec->end;
        rec->start = first < rec->state_time ? first : rec->state_time;
        rec->state.time = rec->state_time;
        recording_metrics_set_state_time(&rec->metrics, rec->state_time);

        for (SourceKind kind = 0; kind < SOURCE_X_MAX; kind++) {
                r = recording_state_open(&rec->state, kind, &p);
                r = add_part(rec, r, p);
                if (r < 0)
                        return r;
        }
        r = recording_metrics_open(&rec->metrics, &p);
        return add_part(rec, r, p);
}

static int compare_parts(const void *a, const void *b) {
        const RecordingPart *x = *(RecordingPart *const *) a, *y = *(RecordingPart *const *) b;

        if (x->kind != y->kind)
                return x->kind < y->kind ? -1 : 1;
        return x->index < y->index ? -1 : x->index > y->index;
}

/* Brings the parts into the order of ties. */
static void sort_parts(Recording *rec) {
        for (size_t i = 0; i < rec->n_parts; i++)
                rec->parts[i]->index = i;
        if (rec->n_parts > 0)
                qsort(rec->parts, rec->n_parts, sizeof(*rec->parts), compare_parts);
}

static int recording_load(Recording *rec) {
        int r;

        r = read_description(rec);
        if (r < 0)
                return r;
        r = recording_state_load(&rec->state, &rec->folder);
        if (r < 0)
                return r;
        r = recording_metrics_load(&rec->metrics, &rec->folder);
        if (r < 0)
                return r;
        r = recording_answers_load(&rec->answers, &rec->folder);
        if (r < 0)
                return r;
        r = open_streams(rec);
        if (r < 0)
                return r;
        r = open_state(rec);
        if (r < 0)
                return r;
        sort_parts(rec);
        if (rec->n_parts > 0 || rec->has_description || rec->answers.n_items > 0 ||
                !recording_state_is_empty(&rec->state))
                return 0;
        r = recording_problem(&rec->folder, "", 0, 0,
                "nothing of a recording in here: expected journal.export, journal/, docker/, net/, "
                "units.json, root/, metrics/ or probes.jsonl");
        return r < 0 ? r : -EINVAL;
}

int recording_open(Recording **ret, const char *path, ProblemList *problems) {
        _cleanup_(recording_freep) Recording *rec = calloc(1, sizeof(*rec));
        int r;

        if (!rec)
                return -ENOMEM;
        rec->folder.fd = -EBADF;
        r = recording_folder_open(&rec->folder, path, problems);
        if (r < 0)
                return r;
        r = recording_load(rec);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(rec);
        return 0;
}

/* The oldest event that waits; NULL at the end. */
static RecordingPart *oldest_part(const Recording *rec) {
        RecordingPart *oldest = NULL;

        for (size_t i = 0; i < rec->n_parts; i++) {
                RecordingPart *p = rec->parts[i];

                if (p->has_head && (!oldest || p->head.time < oldest->head.time))
                        oldest = p;
        }
        return oldest;
}

int recording_next(Recording *rec, Event *ret) {
        int r;

        for (;;) {
                RecordingPart *p;

                if (rec->lent) {
                        r = part_advance(TAKE_PTR(rec->lent));
                        if (r < 0)
                                return r;
                }
                p = oldest_part(rec);
                if (!p)
                        return 0;
                rec->lent = p;
                if (p->ops->is_overtaken && p->ops->is_overtaken(p))
                        continue;
                recording_state_note(&rec->state, &p->head);
                *ret = p->head;
                return 1;
        }
}

usec_t recording_end(const Recording *rec) {
        return rec->end;
}

int recording_load_state(Recording *rec, World *w) {
        return recording_state_apply(&rec->state, w, rec->start);
}

/* The key with the name of the container that it is asked from in place of its id, as recordings have it.
 * NULL when memory is out. */
static char *key_by_name(const Recording *rec, const char *key) {
        const char *from = strchr(key, ':'), *rest = from ? strchr(from + 1, ':') : NULL;
        _cleanup_(freep) char *id = NULL;
        const Container *c;
        char *by_name;

        if (!rest)
                return strdup(key);
        id = text_dup((Text){from + 1, (size_t) (rest - from - 1)});
        if (!id)
                return NULL;
        c = recording_state_container(&rec->state, id);
        if (!c || !c->name)
                return strdup(key);
        return asprintf(&by_name, "%.*s:%s%s", (int) (from - key), key, c->name, rest) < 0 ? NULL : by_name;
}

/* Returns 1 and a value that the caller owns, 0 when the recording does not hold it, or a negative errno. */
static int recording_fact(const Recording *rec, const char *key, usec_t now, json_t **ret) {
        _cleanup_(freep) char *text = NULL, *utf8 = NULL, *by_name = NULL;
        json_t *value;
        size_t len;
        int r;

        if (text_starts_with(text_of(key), "metrics:")) {
                r = recording_metrics_at(&rec->metrics, key + strlen("metrics:"), now, &text, &len);
                if (r <= 0)
                        return r;
                utf8 = text_to_utf8((Text){text, len}, len);
                value = utf8 ? json_string(utf8) : NULL;
                if (!value)
                        return -ENOMEM;
                *ret = value;
                return 1;
        }
        r = recording_state_fact(&rec->state, key, ret);
        if (r != 0)
                return r;
        by_name = key_by_name(rec, key);
        if (!by_name)
                return -ENOMEM;
        value = recording_answers_at(&rec->answers, by_name, now);
        if (!value)
                return 0;
        *ret = json_incref(value);
        return 1;
}

static int recording_fetch(void *userdata, World *w, const char *key, usec_t now) {
        json_t *value = NULL;
        int r;

        if (strcmp(key, "runtime-config") == 0)
                r = runtime_config_from_world(w, &value);
        else
                r = recording_fact(userdata, key, now, &value);
        if (r < 0)
                return r;
        if (r == 0)
                return world_set_unknown(w, key, "the recording does not hold it", now);
        return world_set_fact(w, key, value, now);
}

WorldOps recording_world_ops(Recording *rec) {
        return (WorldOps){.fetch = recording_fetch, .userdata = rec};
}
