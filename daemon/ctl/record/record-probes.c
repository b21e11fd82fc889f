/* net/firewall.rules and probes.jsonl: what edgewatch-probe answers about the way to the hub. Without these
 * answers a replay could only suspect what the daemon has confirmed. */

#include "daemon/base/clock.h"
#include "daemon/collect/upstream-questions.h"
#include "daemon/ctl/output.h"
#include "daemon/ctl/record/recorder.h"
#include "lib/base/redact.h"
#include "lib/world/fact-key.h"

#define FIREWALL_PART "net/firewall.rules"
#define ANSWERS_PART  "probes.jsonl"

static const char *why_of(const Fact *f) {
        return f && f->why ? f->why : "nobody could ask";
}

static void say_left_out(const char *part, const char *why) {
        (void) fail(0, "%s left out: %s", part, why);
}

static int write_firewall(Recorder *r, const World *w) {
        const Fact *f = world_peek(w, "firewall");
        _cleanup_(freep) char *redacted = NULL;

        if (!f || f->state != FACT_KNOWN) {
                say_left_out(FIREWALL_PART, why_of(f));
                return 0;
        }
        redacted = redact_text((Text){json_string_value(f->value), json_string_length(f->value)});
        return redacted ? recorder_write(r, FIREWALL_PART, text_of(redacted)) : -ENOMEM;
}

/* "connect:FROM:HOST:PORT" or "tcp-info:FROM" and its answer as one object of probes.jsonl. */
static json_t *describe_answer(const char *key, const Fact *f) {
        FactKey k = fact_key_parse(key);
        char time[TIMESTAMP_MAX];
        json_t *object = json_pack("{s:s, s:s%, s:s%}", "time", timestamp_format(f->time, time), "probe",
                k.question.data, k.question.len, "from", k.from.data, k.from.len);
        int r = 0;

        if (!text_is_empty(k.host))
                r = json_object_set_new(object, "target", json_stringn(k.host.data, k.host.len));
        if (r >= 0 && k.port > 0)
                r = json_object_set_new(object, "port", json_integer((json_int_t) k.port));
        if (r >= 0 && json_object_update(object, f->value) >= 0)
                return object;
        json_decref(object);
        return NULL;
}

static int write_answers(Recorder *r, const World *w, const UpstreamQuestions *q) {
        _cleanup_(buffer_done) Buffer lines = {};
        const char *why = "the name of the hub or parent is not known";

        for (size_t i = 0; i < q->n_keys; i++) {
                const Fact *f = world_peek(w, q->keys[i]);
                _cleanup_(freep) char *line = NULL;
                json_t *object;

                if (!strchr(q->keys[i], ':'))
                        continue;
                if (!f || f->state != FACT_KNOWN) {
                        why = why_of(f);
                        continue;
                }
                object = describe_answer(q->keys[i], f);
                line = object ? json_dumps(object, JSON_COMPACT) : NULL;
                json_decref(object);
                if (!line || buffer_append_format(&lines, "%s\n", line) < 0)
                        return -ENOMEM;
        }
        if (lines.len > 0)
                return recorder_write(r, ANSWERS_PART, buffer_text(&lines));
        say_left_out(ANSWERS_PART, why);
        return 0;
}

int record_probes(Recorder *r, const Device *device, bool active) {
        _cleanup_(upstream_questions_done) UpstreamQuestions q = {};
        DeviceWorld w;
        usec_t now = realtime_now();
        int error;

        error = device_world_init(&w, device, now);
        if (error < 0)
                return error;
        error = upstream_questions_ask(&q, &w, active, now);
        if (error >= 0)
                error = write_firewall(r, w.world);
        if (error >= 0 && active)
                error = write_answers(r, w.world, &q);
        device_world_done(&w);
        return error;
}
