/* How fast the daemon catches up on a journal, as a ratio to a bare reader of the same five fields in the
 * same run: bench-journal JOURNAL-DIRECTORY RULES-DIRECTORY… Absolute figures are the machine's, ratios are
 * ours. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/watch/sources/journal-reader.h"
#include "lib/diagnosis/diagnosis.h"

#define ROUNDS 3

typedef struct Tally {
        uint64_t n_entries, n_wanted;
        double seconds;
} Tally;

static double now_seconds(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}

static int unknown(void *userdata, World *world, const char *key, usec_t now) {
        return world_set_unknown(world, key, "a bench", now);
}

static void changed(void *userdata, const Incident *incident, IncidentChange change) {
}

/* What any reader has to do that looks at five fields: the floor. */
static int run_bare(const char *directory, Tally *ret) {
        static const char *const fields[] = {
                "MESSAGE=", "_SYSTEMD_UNIT=", "PRIORITY=", "CONTAINER_NAME=", "_TRANSPORT="};
        uint64_t realtime, n_kept = 0;
        sd_journal *j = NULL;
        const void *data;
        size_t len;
        int r;

        r = sd_journal_open_directory(&j, directory, 0);
        if (r < 0)
                return r;
        (void) sd_journal_set_data_threshold(j, JOURNAL_FIELD_MAX_BYTES);
        (void) sd_journal_seek_head(j);
        while ((r = sd_journal_next(j)) > 0) {
                sd_journal_restart_data(j);
                while (sd_journal_enumerate_available_data(j, &data, &len) > 0)
                        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                                if (text_starts_with((Text){data, len}, fields[i]))
                                        n_kept++;
                (void) sd_journal_get_realtime_usec(j, &realtime);
                ret->n_entries++;
        }
        sd_journal_close(j);
        ret->n_wanted = n_kept;
        return r;
}

static int read_all(JournalReader *reader, JournalDecoder *decoder, Diagnosis *diagnosis, Tally *ret) {
        _cleanup_(freep) char *cursor = NULL;
        JournalEntry entry;
        Event event;
        int r;

        r = journal_reader_select(reader);
        if (r >= 0)
                r = journal_reader_seek_time(reader, 0);
        while (r >= 0 && (r = journal_reader_next(reader, &entry)) > 0) {
                ret->n_entries++;
                if (journal_decoder_decode(decoder, &entry, &event) <= 0 ||
                        !diagnosis_wants(diagnosis, &event))
                        continue;
                ret->n_wanted++;
                free(cursor);
                cursor = NULL;
                r = journal_reader_cursor(reader, &cursor);
                event.position = text_of(cursor);
                if (r >= 0)
                        r = diagnosis_feed(diagnosis, &event);
        }
        return r;
}

static int run_ours(const char *directory, const char *rules_directory, Tally *ret, size_t *ret_rules) {
        const char *directories[] = {rules_directory, NULL};
        _cleanup_(rule_set_freep) RuleSet *rules = NULL;
        _cleanup_(matcher_freep) Matcher *matcher = NULL;
        _cleanup_(world_freep) World *world = NULL;
        _cleanup_(diagnosis_freep) Diagnosis *diagnosis = NULL;
        _cleanup_(journal_decoder_freep) JournalDecoder *decoder = NULL;
        ProblemList problems = {};
        JournalReader reader;
        double start;
        int r;

        r = rule_set_load(&rules, directories, false, &problems);
        if (r >= 0)
                r = matcher_new(&matcher, rules, &problems);
        if (r >= 0 && problems.n_items > 0)
                r = -EINVAL;
        problem_list_done(&problems);
        if (r >= 0)
                r = world_new(&world, (WorldOps){.fetch = unknown});
        if (r >= 0)
                r = diagnosis_new(&diagnosis, rules, matcher, world, (DiagnosisOps){.changed = changed});
        if (r >= 0)
                r = journal_decoder_new(&decoder);
        if (r < 0)
                return r;

        *ret_rules = rules->n_rules;
        start = now_seconds();
        r = journal_reader_open(&reader, directory, NULL);
        if (r >= 0)
                r = read_all(&reader, decoder, diagnosis, ret);
        ret->seconds = now_seconds() - start;
        journal_reader_close(&reader);
        return r;
}

static int compare_seconds(const void *a, const void *b) {
        double x = ((const Tally *) a)->seconds, y = ((const Tally *) b)->seconds;

        return x < y ? -1 : x > y;
}

static Tally median(Tally *tallies) {
        qsort(tallies, ROUNDS, sizeof(*tallies), compare_seconds);
        return tallies[ROUNDS / 2];
}

static int measure(const char *directory, char *const *rules_directories, size_t n_directories) {
        Tally bare[ROUNDS] = {}, *ours = calloc(n_directories * ROUNDS, sizeof(*ours)), t, b;
        size_t *n_rules = calloc(n_directories, sizeof(*n_rules));
        double start;
        int r = ours && n_rules ? run_bare(directory, &(Tally){}) : -ENOMEM; /* warms the cache */

        for (size_t round = 0; round < ROUNDS && r >= 0; round++) {
                start = now_seconds();
                r = run_bare(directory, &bare[round]);
                bare[round].seconds = now_seconds() - start;
                for (size_t i = 0; i < n_directories && r >= 0; i++)
                        r = run_ours(
                                directory, rules_directories[i], &ours[i * ROUNDS + round], &n_rules[i]);
        }
        if (r >= 0) {
                b = median(bare);
                (void) printf(
                        "bare entries %llu seconds %.3f\n", (unsigned long long) b.n_entries, b.seconds);
                for (size_t i = 0; i < n_directories; i++) {
                        t = median(&ours[i * ROUNDS]);
                        (void) printf("rules %zu entries %llu wanted %llu seconds %.3f ratio %.3f\n",
                                n_rules[i], (unsigned long long) t.n_entries,
                                (unsigned long long) t.n_wanted, t.seconds, b.seconds / t.seconds);
                }
        }
        free(ours);
        free(n_rules);
        return r;
}

int main(int argc, char *argv[]) {
        int r;

        if (argc < 3) {
                (void) fprintf(stderr, "usage: bench-journal JOURNAL-DIRECTORY RULES-DIRECTORY...\n");
                return 2;
        }
        r = measure(argv[1], argv + 2, (size_t) argc - 2);
        if (r < 0)
                (void) fprintf(stderr, "bench-journal: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
