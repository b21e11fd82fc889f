/* replay: the daemon's own engine over a recording or a support bundle. */

#include "daemon/ctl/incidents-text.h"
#include "daemon/ctl/replay-session.h"

static ExitCode report(const ReplaySession *s, const Arguments *a) {
        Arguments everything = *a;
        json_t *object = replay_session_report(s);
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

static ExitCode run(const Arguments *a) {
        _cleanup_(replay_session_done) ReplaySession s = {};

        return replay_session_run(&s, a->words[0], a) < 0 ? EXIT_TROUBLE : report(&s, a);
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
