/* record: writes what this device says and what state it is in, for `replay` here or elsewhere.
 *
 * The order matters: files and the network are read first, because what changes while the recording goes on
 * is told by events; containers, listeners and units last, because a failed start is told by no event. */

#include <string.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/ctl/output.h"
#include "daemon/ctl/record/recorder.h"
#include "lib/config/config.h"

#define DEFAULT_SINCE USEC_PER_HOUR
#define FORMAT        1

typedef struct Session {
        Recorder recorder;
        Device device;
        DockerApi *api;
        NetworkReader *reader;
        usec_t state_time;
} Session;

static void session_done(Session *s) {
        device_done(&s->device);
        docker_api_free(s->api);
        network_reader_free(s->reader);
        recorder_done(&s->recorder);
}

static int parse_times(const Arguments *a, Recorder *r) {
        usec_t now = realtime_now(), duration = 0;

        if (arguments_time(a->since, now, usec_sub(now, DEFAULT_SINCE), &r->since) < 0) {
                (void) fail(0, "--since=%s is no " TIME_WORDS, a->since);
                return -EINVAL;
        }
        if (a->duration && duration_parse(text_of(a->duration), &duration) < 0) {
                (void) fail(0, "\"%s\" is no duration (90s, 10min)", a->duration);
                return -EINVAL;
        }
        r->until = usec_add(now, duration);
        return 0;
}

static void open_sources(Session *s) {
        int r;

        r = docker_api_new(&s->api, docker_api_socket());
        for (DevicePart part = DEVICE_CONTAINERS; part <= DEVICE_ENGINE_VERSION; part++)
                s->device.errors[part] = r;
        if (r < 0)
                (void) fail(r, "The Docker engine cannot be asked at %s", docker_api_socket());
        r = network_reader_new(&s->reader);
        for (DevicePart part = DEVICE_LINKS; part <= DEVICE_ADDRESSES; part++)
                s->device.errors[part] = r;
        if (geteuid() != 0)
                (void) fail(0, "Not root: what only root may read is left out");
}

static int write_description(Session *s) {
        char start[TIMESTAMP_MAX], end[TIMESTAMP_MAX], state_time[TIMESTAMP_MAX], host[256] = "";
        json_t *object;
        int r;

        (void) gethostname(host, sizeof(host) - 1);
        object = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s}", "format", FORMAT, "hostname", host, "start",
                timestamp_format(s->recorder.since, start), "end", timestamp_format(s->recorder.until, end),
                "edgewatch", EDGEWATCH_VERSION, "state_time", timestamp_format(s->state_time, state_time));
        if (!object)
                return -ENOMEM;
        r = recorder_write_json(&s->recorder, "recording.json", object);
        json_decref(object);
        return r;
}

/* As the daemon is configured. What is wrong with its configuration is for the daemon to say. */
static bool may_ask_network(const Arguments *a) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(config_freep) Config *config = NULL;

        if (!a->passive && config_load(&config, EDGEWATCH_CONFIG_DIR "/edgewatch.yaml", &problems) >= 0 &&
                !config->active_probes)
                (void) fail(0, "probes.jsonl left out: active probes are switched off (probes: active)");
        return !a->passive && (!config || config->active_probes);
}

static int write_all(Session *s, const Arguments *a) {
        Recorder *r = &s->recorder;
        int error;

        if (s->reader)
                device_read_network(&s->device, s->reader);
        error = record_root(r);
        if (error >= 0)
                error = record_events(r, s->api, a->duration ? s->reader : NULL);
        if (error < 0)
                return error;

        /* What was said while we read is part of it, up to the moment of the snapshot. */
        if (s->api)
                device_read_docker(&s->device, s->api);
        device_read_listeners(&s->device);
        device_read_units(&s->device);
        s->state_time = r->until = realtime_now();
        error = record_state(r, &s->device);
        if (error >= 0)
                error = record_journal(r, a->directory);
        if (error >= 0 && s->api)
                error = record_container_logs(r, s->api, &s->device);
        if (error >= 0)
                error = record_metrics(r, &s->device);
        if (error >= 0)
                error = record_probes(r, &s->device, may_ask_network(a));
        if (error < 0)
                return error;
        return r->n_files > 0 ? write_description(s) : -ENODATA;
}

static ExitCode run(const Arguments *a) {
        _cleanup_(session_done) Session s = {.recorder = {.fd = -EBADF}};
        int r;

        if (parse_times(a, &s.recorder) < 0)
                return EXIT_TROUBLE;
        r = recorder_open(&s.recorder, a->words[0]);
        if (r < 0)
                return fail(r, "Failed to record into \"%s\"", a->words[0]);
        open_sources(&s);
        r = write_all(&s, a);
        if (r < 0)
                return fail(r, "Failed to record into \"%s\"", a->words[0]);
        if (a->json) {
                json_t *object = json_pack("{s:i, s:s, s:i}", "format", FORMAT, "recording", a->words[0],
                        "files", (int) s.recorder.n_files);
                bool printed = object && print_json(object);

                json_decref(object);
                return printed ? EXIT_FINE : fail(ENOMEM, "Failed to print");
        }
        printf("%zu files in %s. Secrets are redacted; look through it before you give it away.\n",
                s.recorder.n_files, a->words[0]);
        return EXIT_FINE;
}

const Verb verb_record = {
        .name = "record",
        .arguments = "DIR",
        .help = "write what this device says and how it is into DIR, for replay",
        .options = "directory for passive since",
        .min_words = 1,
        .max_words = 1,
        .run = run,
};
