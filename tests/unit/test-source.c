#include "lib/config/config.h"
#include "daemon/watch/source.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/unit/unit.h"

START_TEST(registry_is_alphabetical_and_whole) {
        const SourceOps *const *registry;
        size_t n;

        registry = source_registry(&n);
        ck_assert_uint_ge(n, 1);
        for (size_t i = 0; i < n; i++) {
                ck_assert_msg(i == 0 || strcmp(registry[i - 1]->name, registry[i]->name) < 0, "%s",
                        registry[i]->name);
                ck_assert_uint_ge(registry[i]->object_bytes, sizeof(Source));
                ck_assert_ptr_nonnull(source_kind_to_string(registry[i]->kind));
                ck_assert_ptr_nonnull(registry[i]->start);
                ck_assert_ptr_nonnull(registry[i]->stop);
        }
}
END_TEST

START_TEST(every_source_can_be_switched_off) {
        const SourceOps *const *registry;
        size_t n;

        registry = source_registry(&n);
        for (size_t i = 0; i < n; i++) {
                _cleanup_(config_freep) Config *config = NULL;
                ProblemList problems = {};
                char yaml[128];

                (void) snprintf(yaml, sizeof(yaml), "sources: {%s: no}\n", registry[i]->name);
                ck_assert_int_eq(config_new(&config), 0);
                ck_assert(config_source_is_on(config, registry[i]->name));
                ck_assert_int_eq(config_parse(config, "test", text_of(yaml), &problems), 0);
                ck_assert_msg(!config_source_is_on(config, registry[i]->name), "%s", registry[i]->name);
                problem_list_done(&problems);
        }
}
END_TEST

/* A source that fails in start() as often as it is told to. */
typedef struct Fake {
        Source source;
        unsigned n_starts, n_stops;
} Fake;

static int fake_error;
static unsigned n_changes, n_lost;

static int fake_start(Source *s) {
        Fake *f = (Fake *) s;

        f->n_starts++;
        if (fake_error == 0)
                source_set_live(s);
        return fake_error;
}

static void fake_stop(Source *s) {
        ((Fake *) s)->n_stops++;
}

static json_t *fake_save(const Source *s) {
        return NULL;
}

static const SourceOps fake_ops = {
        .name = "fake",
        .kind = SOURCE_FILES,
        .object_bytes = sizeof(Fake),
        .start = fake_start,
        .stop = fake_stop,
        .save = fake_save,
};

static void on_changed(void *userdata, const Source *s) {
        n_changes++;
}

static void on_lost(void *userdata, SourceKind kind) {
        n_lost++;
}

START_TEST(failure_degrades_and_is_tried_again) {
        SourceContext context = {.changed = on_changed, .lost = on_lost};
        Source *s;
        Fake *f;

        n_changes = n_lost = 0;
        ck_assert_int_ge(sd_event_new(&context.event), 0);
        ck_assert_int_eq(source_new(&fake_ops, &context, &s), 0);
        f = (Fake *) s;
        fake_error = -EACCES;
        source_start(s);
        ck_assert_int_eq(s->state, SOURCE_DEGRADED);
        ck_assert_str_eq(s->reason, "Permission denied");
        ck_assert_ptr_nonnull(s->retry);
        ck_assert_uint_eq(s->n_failures, 1);
        ck_assert_uint_eq(n_changes, 2); /* catching up, degraded */
        ck_assert_uint_eq(n_lost, 1);

        source_start(s);
        ck_assert_uint_eq(s->n_failures, 2);
        ck_assert_uint_eq(n_changes, 2); /* a retry that fails is no news */

        fake_error = 0;
        source_start(s);
        ck_assert_int_eq(s->state, SOURCE_LIVE);
        ck_assert_ptr_null(s->reason);
        ck_assert_ptr_null(s->retry);
        ck_assert_uint_eq(s->n_failures, 0);
        ck_assert_uint_eq(f->n_starts, 3);

        source_set_off(s, "switched off");
        ck_assert_int_eq(s->state, SOURCE_OFF);
        ck_assert_str_eq(s->reason, "switched off");
        ck_assert_uint_ge(f->n_stops, f->n_starts);
        ck_assert_ptr_null(source_free(s));
        (void) sd_event_unref(context.event);
}
END_TEST

static const SourceOps *find_ops(const char *name) {
        const SourceOps *const *registry;
        size_t n;

        registry = source_registry(&n);
        FOREACH_ARRAY (ops, registry, n)
                if (strcmp((*ops)->name, name) == 0)
                        return *ops;
        ck_abort_msg("no source %s", name);
}

/* An engine that takes connections and never answers. */
static int listen_in(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        ck_assert_int_eq(bind(fd, (const struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(listen(fd, 4), 0);
        return fd;
}

/* Each attempt once kept what all other sources had read for as long as a hung engine was given to answer.
 */
START_TEST(docker_that_failed_keeps_nobody_waiting) {
        char folder[] = "/tmp/edgewatch-source-XXXXXX", path[64];
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(merge_freep) Merge *merge = NULL;
        _cleanup_(world_freep) World *world = NULL;
        _cleanup_(matcher_freep) Matcher *matcher = NULL;
        _cleanup_(diagnosis_freep) Diagnosis *diagnosis = NULL;
        RuleSet rules = {};
        SourceContext context = {};
        Event event = {.kind = EVENT_LOG, .source = SOURCE_JOURNAL, .time = USEC_PER_HOUR};
        MergeInput *journal;
        Source *s;
        int fd;

        ck_assert_ptr_nonnull(mkdtemp(folder));
        (void) snprintf(path, sizeof(path), "%s/socket", folder);
        fd = listen_in(path);
        ck_assert_int_eq(config_new(&config), 0);
        config->docker_socket = strdup(path);
        ck_assert_int_eq(merge_new(&merge), 0);
        ck_assert_int_eq(world_new(&world, (WorldOps){}), 0);
        ck_assert_int_eq(matcher_new(&matcher, &rules, &(ProblemList){}), 0);
        ck_assert_int_eq(diagnosis_new(&diagnosis, &rules, matcher, world, (DiagnosisOps){}), 0);
        ck_assert_int_eq(intake_new(&context.intake, merge, diagnosis), 0);
        ck_assert_int_ge(sd_event_new(&context.event), 0);
        context.config = config;
        context.world = world;
        ck_assert_int_eq(source_new(find_ops("docker"), &context, &s), 0);
        ck_assert_int_eq(merge_add_input(merge, SOURCE_JOURNAL, &journal), 0);
        merge_set_live(journal);
        ck_assert_int_eq(merge_push(journal, event_dup(&event)), 0);

        source_start(s);
        ck_assert_int_eq(s->state, SOURCE_CATCHING_UP);
        ck_assert_ptr_null(merge_pop(merge));
        s->n_failures = 1;
        source_start(s);
        ck_assert_int_eq(s->state, SOURCE_CATCHING_UP);
        (void) event_free(merge_pop(merge));
        ck_assert_uint_eq(merge_position(merge), USEC_INFINITY);

        ck_assert_ptr_null(source_free(s));
        (void) intake_free(context.intake);
        (void) sd_event_unref(context.event);
        (void) close(fd);
        (void) unlink(path);
        (void) rmdir(folder);
}
END_TEST

START_TEST(states_have_names) {
        for (SourceState s = 0; s < SOURCE_STATE_X_MAX; s++)
                ck_assert_ptr_nonnull(source_state_to_string(s));
        ck_assert_ptr_null(source_state_to_string(SOURCE_STATE_X_MAX));
        ck_assert_ptr_null(source_state_to_string(SOURCE_STATE_X_INVALID));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("source");
        TCase *c = tcase_create("source");

        tcase_add_test(c, registry_is_alphabetical_and_whole);
        tcase_add_test(c, every_source_can_be_switched_off);
        tcase_add_test(c, failure_degrades_and_is_tried_again);
        tcase_add_test(c, docker_that_failed_keeps_nobody_waiting);
        tcase_add_test(c, states_have_names);
        suite_add_tcase(suite, c);
        return run_suite(suite);
}
