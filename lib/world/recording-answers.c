/* Answers of active probes. A question of a replay is answered by what the device answered closest to that
 * moment: the replay asks when its own rules want to know, which is seldom the very instant of the
 * recording. */

#include "lib/world/recording-answers.h"

#include <stdio.h>

#include "lib/world/recording-stream.h"

void recording_answers_done(RecordingAnswers *a) {
        FOREACH_ARRAY (item, a->items, a->n_items) {
                free(item->key);
                json_decref(item->value);
        }
        free(a->items);
        *a = (RecordingAnswers){};
}

/* Returns 0, -EINVAL when the line is not an answer, or -ENOMEM. */
static int answer_key(const json_t *object, char **ret) {
        const char *probe = json_string_value(json_object_get(object, "probe"));
        const char *from = json_string_value(json_object_get(object, "from"));
        const char *target = json_string_value(json_object_get(object, "target"));
        const json_t *port = json_object_get(object, "port");
        char *key;
        int n;

        if (!probe || !from || !json_is_string(json_object_get(object, "result")))
                return -EINVAL;
        if (strcmp(probe, "tcp-info") == 0)
                n = asprintf(&key, "%s:%s", probe, from);
        else if (!target)
                return -EINVAL;
        else if (strcmp(probe, "resolve") == 0)
                n = asprintf(&key, "%s:%s:%s", probe, from, target);
        else if (strcmp(probe, "connect") == 0 || strcmp(probe, "tls") == 0 ||
                strcmp(probe, "path-mtu") == 0) {
                if (!json_is_integer(port) || json_integer_value(port) < 1 ||
                        json_integer_value(port) > 65535)
                        return -EINVAL;
                n = asprintf(&key, "%s:%s:%s:%d", probe, from, target, (int) json_integer_value(port));
        } else
                return -EINVAL;
        if (n < 0)
                return -ENOMEM;
        *ret = key;
        return 0;
}

static int add_answer(RecordingAnswers *a, json_t *object) {
        _cleanup_(freep) char *key = NULL;
        usec_t time;
        int r;

        r = recording_time(object, "time", &time);
        if (r < 0)
                return r;
        r = answer_key(object, &key);
        if (r < 0)
                return r;
        if (a->n_items >= RECORDING_ANSWERS_MAX)
                return -ENOBUFS;
        if (!GROW_ARRAY(a->items, a->allocated, a->n_items, RECORDING_ANSWERS_MAX))
                return -ENOMEM;
        a->items[a->n_items++] =
                (RecordedAnswer){.key = TAKE_PTR(key), .time = time, .value = json_incref(object)};
        return 0;
}

int recording_answers_load(RecordingAnswers *a, const RecordingFolder *f) {
        _cleanup_(recording_stream_done) RecordingStream s = {};
        json_t *object;
        int r;

        r = recording_stream_open(&s, f, "probes.jsonl");
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        while ((r = recording_stream_json(&s, &object)) > 0) {
                r = add_answer(a, object);
                json_decref(object);
                if (r == -ENOMEM)
                        return r;
                if (r == -ENOBUFS)
                        return recording_stream_problem(
                                &s, 0, "more than %d answers, the rest is skipped", RECORDING_ANSWERS_MAX);
                if (r < 0) {
                        r = recording_stream_problem(&s, 0,
                                "expected an object with \"time\", \"probe\" (resolve, connect, tls, "
                                "path-mtu, tcp-info), \"from\", \"target\", \"result\", and \"port\" for "
                                "connect, tls and path-mtu");
                        if (r < 0)
                                return r;
                }
        }
        return r;
}

json_t *recording_answers_at(const RecordingAnswers *a, const char *key, usec_t now) {
        const RecordedAnswer *best = NULL;
        usec_t best_distance = 0;

        FOREACH_ARRAY (item, a->items, a->n_items) {
                usec_t distance = item->time > now ? item->time - now : now - item->time;

                if (strcmp(item->key, key) != 0)
                        continue;
                if (!best || distance < best_distance ||
                        (distance == best_distance && item->time >= best->time)) {
                        best = item;
                        best_distance = distance;
                }
        }
        return best ? best->value : NULL;
}
