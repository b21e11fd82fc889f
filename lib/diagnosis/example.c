/* Runs examples. An example states what a rule must do with given events; this file plays them and compares.
 *
 * The rule is alone with its example: no other symptom explains it, and the World knows only what the events
 * told, so every probe that needs more answers unknown. `raises` and `quiet` therefore speak of suspicions
 * too; one that was refuted does not count as raised. */

#include "lib/diagnosis/example.h"

#include "lib/base/printable.h"
#include "lib/diagnosis/example-event.h"
#include "lib/world/runtime-config.h"

/* 2024-01-01T00:00:00Z: any time will do, but always the same. */
#define EXAMPLE_START (1704067200 * USEC_PER_SEC)

static int know_nothing(void *userdata, World *world, const char *key, usec_t now) {
        json_t *config;

        if (strcmp(key, "runtime-config") == 0 && runtime_config_from_world(world, &config) > 0)
                return world_set_fact(world, key, config, now);
        return world_set_unknown(world, key, "an example knows only its events", now);
}

static void ignore_change(void *userdata, const Incident *incident, IncidentChange change) {
}

static int feed(void *userdata, const Event *event) {
        return diagnosis_feed(userdata, event);
}

static int play(Diagnosis *d, const Example *example, char **ret_why) {
        _cleanup_(example_decoder_freep) ExampleDecoder *decoder = NULL;
        usec_t now = EXAMPLE_START;
        int r;

        r = example_decoder_new(&decoder);
        if (r < 0)
                return r;

        for (size_t i = 0; i < example->n_events; i++) {
                const ExampleEvent *step = &example->events[i];

                now = usec_add(now, step->after);
                r = diagnosis_advance(d, now);
                if (r < 0)
                        return r;
                r = example_decode(decoder, step, now, feed, d, ret_why);
                if (r <= 0)
                        return r;
        }

        r = diagnosis_advance(d, usec_add(now, example->wait));
        return r < 0 ? r : 1;
}

typedef struct Outcome {
        size_t n_raised, n_active, n_cleared; /* for the subject asked for */
        const Incident *other;                /* raised for another subject */
} Outcome;

static Outcome outcome_of(const Diagnosis *d, const Rule *rule, const char *subject) {
        size_t n;
        const Incident *const *incidents = diagnosis_incidents(d, &n);
        Outcome outcome = {};

        FOREACH_ARRAY (i, incidents, n) {
                if (strcmp((*i)->symptom, rule->id) != 0 || (*i)->state == INCIDENT_REFUTED)
                        continue;
                if (subject && strcmp((*i)->subject, subject) != 0) {
                        outcome.other = *i;
                        continue;
                }
                outcome.n_raised++;
                outcome.n_active += incident_is_active(*i);
                outcome.n_cleared += (*i)->state == INCIDENT_CLEARED;
        }
        return outcome;
}

static _printf_(2, 3) int fails(char **ret_why, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(ret_why, format, ap);
        va_end(ap);
        return r < 0 ? -ENOMEM : 0;
}

static int fails_for_subject(char **ret_why, const Example *example, const Outcome *outcome) {
        _cleanup_(freep) char *other = NULL;

        if (!outcome->other)
                return fails(ret_why, "nothing was raised");
        other = printable_text(text_of(outcome->other->subject), 256);
        if (!other)
                return -ENOMEM;
        return fails(ret_why, "raised for \"%s\", expected for \"%s\"", other, example->subject);
}

static int judge(const Diagnosis *d, const Rule *rule, const Example *example, char **ret_why) {
        Outcome outcome = outcome_of(d, rule, example->subject);

        switch (example->expectation) {
        case EXPECT_RAISES:
                return outcome.n_raised > 0 ? 1 : fails_for_subject(ret_why, example, &outcome);
        case EXPECT_QUIET:
                if (outcome.n_raised == 0)
                        return 1;
                return fails(ret_why, "raised, expected to stay quiet");
        case EXPECT_CLEARS:
                if (outcome.n_raised == 0)
                        return fails_for_subject(ret_why, example, &outcome);
                if (outcome.n_active > 0)
                        return fails(ret_why, "still active at the end, expected to clear");
                return outcome.n_cleared > 0 ? 1 : fails(ret_why, "was not cleared");
        default:
                return -EINVAL;
        }
}

int example_run(const Rule *rule, const Example *example, char **ret_why) {
        Rule *alone[] = {(Rule *) rule};
        RuleSet rules = {.rules = alone, .n_rules = 1}; /* before, so that it outlives, what borrows it */
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(matcher_freep) Matcher *matcher = NULL;
        _cleanup_(world_freep) World *world = NULL;
        _cleanup_(diagnosis_freep) Diagnosis *d = NULL;
        int r;

        r = matcher_new(&matcher, &rules, &problems);
        if (r < 0)
                return r;
        r = world_new(&world, (WorldOps){.fetch = know_nothing});
        if (r < 0)
                return r;
        r = diagnosis_new(&d, &rules, matcher, world, (DiagnosisOps){.changed = ignore_change});
        if (r < 0)
                return r;

        r = play(d, example, ret_why);
        if (r <= 0)
                return r;
        return judge(d, rule, example, ret_why);
}
