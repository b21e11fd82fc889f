/* The list of silences. Promise: one that is over is as if it had never been, whether or not it is still in
 * the list; what is over makes room first. */

#include "daemon/watch/silence.h"

typedef struct Entry {
        char what[SILENCE_NAME_MAX];
        usec_t until;
} Entry;

struct Silence {
        Entry entries[SILENCES_MAX];
        size_t n_entries;
};

int silence_new(Silence **ret) {
        Silence *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        *ret = s;
        return 0;
}

Silence *silence_free(Silence *s) {
        free(s);
        return NULL;
}

/* Takes out what is over, and `what`. */
static void sweep(Silence *s, const char *what, usec_t now) {
        size_t kept = 0;

        for (size_t i = 0; i < s->n_entries; i++)
                if (s->entries[i].until > now && strcmp(s->entries[i].what, what) != 0)
                        s->entries[kept++] = s->entries[i];
        s->n_entries = kept;
}

int silence_set(Silence *s, const char *what, usec_t until, usec_t now) {
        size_t len = strlen(what);
        Entry *entry;

        if (len == 0 || len >= SILENCE_NAME_MAX)
                return -EINVAL;
        sweep(s, what, now);
        if (until <= now)
                return 0;
        if (s->n_entries >= SILENCES_MAX)
                return -ENOBUFS;

        entry = &s->entries[s->n_entries++];
        memcpy(entry->what, what, len + 1);
        entry->until = until;
        return 0;
}

bool silence_covers(const Silence *s, const Incident *incident, usec_t now) {
        for (size_t i = 0; i < s->n_entries; i++) {
                const Entry *entry = &s->entries[i];

                if (entry->until > now &&
                        (strcmp(entry->what, incident->symptom) == 0 ||
                                strcmp(entry->what, incident->id) == 0))
                        return true;
        }
        return false;
}

json_t *silence_save(const Silence *s, usec_t now) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < s->n_entries; i++) {
                const Entry *entry = &s->entries[i];
                char until[TIMESTAMP_MAX];

                if (entry->until <= now)
                        continue;
                if (json_array_append_new(list,
                            json_pack("{s:s, s:s}", "what", entry->what, "until",
                                    timestamp_format(entry->until, until))) < 0) {
                        json_decref(list);
                        return NULL;
                }
        }
        return list;
}

int silence_restore(Silence *s, const json_t *state, usec_t now) {
        json_t *object;
        size_t i;

        s->n_entries = 0;
        json_array_foreach (state, i, object) {
                const char *what = json_string_value(json_object_get(object, "what")),
                           *until = json_string_value(json_object_get(object, "until"));
                uint64_t nsec;
                int r;

                if (!what || timestamp_parse(text_of(until), &nsec, NULL) < 0)
                        continue;
                r = silence_set(s, what, nsec / NSEC_PER_USEC, now);
                if (r == -ENOBUFS)
                        return r;
        }
        return 0;
}
