/* replay: the daemon's own engine over a recording or a support bundle. */

#include "daemon/ctl/bundle.h"
#include "daemon/ctl/incidents-text.h"
#include "daemon/ctl/rule-directories.h"
#include "lib/diagnosis/replay.h"
#include "lib/report/report.h"

static void ignore_change(void *userdata, const Incident *incident, IncidentChange change) {
}

/* What a diagnosis borrows, in the order in which it has to be freed. */
typedef struct Session {
        RuleSet *rules;
        Matcher *matcher;
        Recording *recording;
        World *world;
        Diagnosis *diagnosis;
} Session;

static void session_done(Session *s) {
        diagnosis_free(s->diagnosis);
        world_free(s->world);
        recording_free(s->recording);
        matcher_free(s->matcher);
        rule_set_free(s->rules);
}

static int session_start(Session *s) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        int r;

        r = matcher_new(&s->matcher, s->rules, &problems);
        problems_print(&problems);
        if (r < 0)
                return r;
        r = world_new(&s->world, recording_world_ops(s->recording));
        if (r < 0)
                return r;
        return diagnosis_new(
                &s->diagnosis, s->rules, s->matcher, s->world, (DiagnosisOps){.changed = ignore_change});
}

static ExitCode report(const Session *s, const Arguments *a) {
        Arguments everything = *a;
        size_t n;
        const Incident *const *incidents = diagnosis_incidents(s->diagnosis, &n);
        json_t *object = report_incidents(incidents, n, diagnosis_dropped(s->diagnosis));
        ExitCode code;

        if (!object)
                return fail(ENOMEM, "Failed to report incidents");
        everything.all = true;
        code = incidents_print(object, &everything);
        if (!a->json && code == EXIT_FINDINGS && incidents_explain(object) < 0)
                code = fail(ENOMEM, "Failed to explain the incidents");
        json_decref(object);
        return code;
}

/* ret_unpacked: the directory of an unpacked support bundle, to be removed after the recording was freed. */
static int open_recording(
        const char *path, ProblemList *problems, char **ret_unpacked, Recording **ret_recording) {
        int r;

        r = bundle_is_archive(path);
        if (r < 0)
                return r;
        if (r == 0)
                return recording_open(ret_recording, path, problems);
        r = bundle_unpack(path, problems, ret_unpacked);
        if (r < 0)
                return r;
        return recording_open(ret_recording, *ret_unpacked, problems);
}

static ExitCode run(const Arguments *a) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(bundle_removep) char *unpacked = NULL;
        _cleanup_(session_done) Session s = {};
        const char *path = a->words[0];
        int r;

        r = open_recording(path, &problems, &unpacked, &s.recording);
        if (r < 0) {
                problems_print(&problems);
                if (r == -ENOTDIR)
                        return fail(0, "\"%s\" is neither a directory nor a zip archive", path);
                return fail(r, "Failed to open the recording \"%s\"", path);
        }
        if (rules_load(a, false, &s.rules, NULL) < 0)
                return EXIT_TROUBLE;

        r = session_start(&s);
        if (r < 0)
                return fail(r, "Failed to start the replay");
        r = replay_run(s.diagnosis, s.world, s.recording, NULL);
        problems_print(&problems);
        if (r < 0)
                return fail(r, "Failed to replay \"%s\"", path);
        return report(&s, a);
}

const Verb verb_replay = {
        .name = "replay",
        .arguments = "DIR|BUNDLE",
        .help = "run the engine over a recording or support bundle and print its incidents",
        .options = "rules",
        .min_words = 1,
        .max_words = 1,
        .run = run,
};
