/* What a replay borrows, freed in the order in which it has to be: the directory of a bundle last, because
 * the recording reads from it. */

#include "daemon/ctl/replay-session.h"

#include "daemon/ctl/bundle.h"
#include "daemon/ctl/output.h"
#include "daemon/ctl/rule-directories.h"
#include "lib/report/report.h"

static void ignore_change(void *userdata, const Incident *incident, IncidentChange change) {
}

void replay_session_done(ReplaySession *s) {
        diagnosis_free(s->diagnosis);
        world_free(s->world);
        recording_free(s->recording);
        matcher_free(s->matcher);
        rule_set_free(s->rules);
        bundle_removep(&s->unpacked);
        *s = (ReplaySession){};
}

static int start(ReplaySession *s) {
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

static int open_recording(ReplaySession *s, const char *path, ProblemList *problems) {
        int r;

        r = bundle_is_archive(path);
        if (r < 0)
                return r;
        if (r == 0)
                return recording_open(&s->recording, path, problems);
        r = bundle_unpack(path, problems, &s->unpacked);
        if (r < 0)
                return r;
        return recording_open(&s->recording, s->unpacked, problems);
}

int replay_session_run(ReplaySession *s, const char *path, const Arguments *a) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        int r;

        r = open_recording(s, path, &problems);
        if (r < 0) {
                problems_print(&problems);
                if (r == -ENOTDIR)
                        (void) fail(0, "\"%s\" is neither a directory nor a zip archive", path);
                else
                        (void) fail(r, "Failed to open the recording \"%s\"", path);
                return r;
        }
        r = rules_load(a, false, &s->rules, NULL);
        if (r < 0)
                return r;

        r = start(s);
        if (r < 0) {
                (void) fail(r, "Failed to start the replay");
                return r;
        }
        r = replay_run(s->diagnosis, s->world, s->recording, NULL);
        problems_print(&problems);
        if (r < 0)
                (void) fail(r, "Failed to replay \"%s\"", path);
        return r < 0 ? r : 0;
}

json_t *replay_session_report(const ReplaySession *s) {
        size_t n;
        const Incident *const *incidents = diagnosis_incidents(s->diagnosis, &n);

        return report_incidents(incidents, n, diagnosis_dropped(s->diagnosis));
}
