/* The loop of a replay: state first, then every event in order, then the time that is left.
 *
 * It promises that a recording gives the same incidents on every machine and at every hour: no clock is
 * read. The trap: a recording may end long after its last event, and what must *not* happen for some minutes
 * (absences, quiet clearing) is decided only by running the time out. */

#include "lib/diagnosis/replay.h"

int replay_run(Diagnosis *d, World *world, Recording *recording, ReplayResult *ret) {
        usec_t last = 0, end;
        uint64_t n = 0;
        int r;

        r = recording_load_state(recording, world);
        if (r < 0)
                return r;

        for (;;) {
                Event event;

                r = recording_next(recording, &event);
                if (r < 0)
                        return r;
                if (r == 0)
                        break;

                r = diagnosis_feed(d, &event);
                if (r < 0)
                        return r;
                if (event.time > last)
                        last = event.time;
                n++;
        }

        end = recording_end(recording);
        if (end == 0)
                end = n > 0 ? usec_add(last, REPLAY_RUN_ON) : 0;
        if (end < last)
                end = last;
        if (end > 0) {
                r = diagnosis_advance(d, end);
                if (r < 0)
                        return r;
        }

        if (ret)
                *ret = (ReplayResult){.n_events = n, .end = end};
        return 0;
}
