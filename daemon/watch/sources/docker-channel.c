/* Where the Docker source's streams enter the merge, one channel each. Owns what a stream had in hand when
 * the merge had no room: it waits here, the request pauses, and both go on when the merge was drained.
 *
 * Promises: what was counted as consumed reaches the merge, also when the stream ends or the source degrades
 * meanwhile. The trap: a piece of a stream holds hundreds of lines, and a paused request offers the whole
 * piece again, so that it may only pause before a piece, never within one. */

#include "daemon/watch/sources/docker.h"

int docker_channel_open(Docker *d, DockerChannel *c, SourceKind kind, usec_t position) {
        int r;

        if (!c->input) {
                r = merge_add_input(intake_merge(d->source.context.intake), kind, &c->input);
                if (r < 0)
                        return r;
        }
        merge_set_catching_up(c->input, position);
        return 0;
}

void docker_channel_close(DockerChannel *c) {
        c->request = http_cancel(c->request);
        if (c->n_pending > 0 && c->input)
                merge_set_live(c->input);
        else if (c->input)
                c->input = merge_remove_input(c->input);
}

void docker_channel_done(Docker *d, DockerChannel *c) {
        docker_channel_close(c);
        d->source.counters.n_dropped += c->n_pending;
        for (size_t i = 0; i < c->n_pending; i++)
                (void) event_free(c->pending[i]);
        free(c->pending);
        if (c->input)
                (void) merge_remove_input(c->input);
        *c = (DockerChannel){};
}

/* Behind all that is not younger: a sweep finds ends before it finds starts. */
static bool channel_keep(DockerChannel *c, const Event *event) {
        Event *copy = event_dup(event);
        size_t at = c->n_pending;

        if (!copy || !GROW_ARRAY(c->pending, c->n_allocated, c->n_pending, DOCKER_PENDING_MAX)) {
                (void) event_free(copy);
                return false;
        }
        for (; c->is_held && at > 0 && c->pending[at - 1]->time > copy->time; at--)
                c->pending[at] = c->pending[at - 1];
        c->pending[at] = copy;
        c->n_pending++;
        return true;
}

void docker_channel_deliver(Docker *d, DockerChannel *c, const Event *event) {
        int r = -ENOBUFS;

        d->source.counters.n_read++;
        if (!c->input)
                return;
        if (c->n_pending == 0 && !c->is_held)
                r = intake_offer(d->source.context.intake, c->input, event);
        else if (!intake_wants(d->source.context.intake, event))
                return;
        if (r == -ENOBUFS && !channel_keep(c, event))
                d->source.counters.n_dropped++;
        else if (r > 0 || r == -ENOBUFS)
                d->source.counters.n_wanted++;
        else
                d->source.counters.n_errors += r < 0;
}

/* Hands over what waited. True when nothing waits any more. */
static bool channel_flush(Docker *d, DockerChannel *c) {
        size_t n = 0;

        while (n < c->n_pending && c->input) {
                int r = intake_take(d->source.context.intake, c->input, c->pending[n]);
                if (r == -ENOBUFS)
                        break;
                d->source.counters.n_dropped += r < 0;
                (void) event_free(c->pending[n++]);
        }
        if (n > 0)
                memmove(c->pending, c->pending + n, (c->n_pending - n) * sizeof(*c->pending));
        c->n_pending -= n;
        return c->n_pending == 0;
}

void docker_channel_release(Docker *d, DockerChannel *c) {
        c->is_held = false;
        if (!c->input)
                return;
        (void) channel_flush(d, c);
        merge_set_live(c->input);
}

void docker_channel_resume(Docker *d, DockerChannel *c) {
        if (c->n_pending > 0 && !c->is_held && channel_flush(d, c) && c->request)
                http_resume(c->request);
}
