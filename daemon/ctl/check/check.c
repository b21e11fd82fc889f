/* Runs the checks. The order of the groups is that of the report; what a check needs is run before it,
 * wherever it stands. The trap: two that need each other would run for ever, so one that is under way counts
 * as done; a test says that there are none. */

#include "daemon/ctl/check/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/event/json-field.h"

static const char *const result_names[CHECK_RESULT_X_MAX] = {
        [CHECK_OK] = "ok",
        [CHECK_WARNING] = "warning",
        [CHECK_ERROR] = "error",
        [CHECK_SKIPPED] = "skipped",
};

const char *check_result_to_string(CheckResult result) {
        return result >= 0 && result < CHECK_RESULT_X_MAX ? result_names[result] : NULL;
}

#define ROW(name) &check_group_##name,
static const CheckGroup *const groups[] = {CHECK_GROUPS(ROW)};
#undef ROW

const CheckGroup *const *check_groups(size_t *ret_n) {
        *ret_n = ELEMENTSOF(groups);
        return groups;
}

const Check *check_find(const char *id) {
        for (size_t i = 0; i < ELEMENTSOF(groups); i++)
                for (size_t j = 0; j < groups[i]->n_checks; j++)
                        if (strcmp(groups[i]->checks[j].id, id) == 0)
                                return &groups[i]->checks[j];
        return NULL;
}

void check_answer_done(CheckAnswer *a) {
        free(a->because);
        for (size_t i = 0; i < a->n_details; i++)
                free(a->details[i]);
        *a = (CheckAnswer){};
}

void check_report_done(CheckReport *r) {
        for (size_t i = 0; i < r->n_runs; i++)
                check_answer_done(&r->runs[i].answer);
        *r = (CheckReport){};
}

static int say(CheckAnswer *a, CheckResult result, const char *format, va_list ap) {
        static const int weights[CHECK_RESULT_X_MAX] = {
                [CHECK_OK] = 0, [CHECK_SKIPPED] = 1, [CHECK_WARNING] = 2, [CHECK_ERROR] = 3};
        char *text;

        if (vasprintf(&text, format, ap) < 0)
                return -ENOMEM;
        if (a->because && weights[result] <= weights[a->result]) {
                if (a->n_details < CHECK_DETAILS_MAX)
                        a->details[a->n_details++] = text;
                else
                        free(text);
                return 0;
        }
        if (a->because && a->n_details < CHECK_DETAILS_MAX)
                a->details[a->n_details++] = a->because;
        else
                free(a->because);
        a->because = text;
        a->result = result;
        return 0;
}

#define DEFINE_SPEAKER(name, result)                                                                        \
        int name(CheckAnswer *a, const char *format, ...) {                                                 \
                va_list ap;                                                                                 \
                int r;                                                                                      \
                                                                                                            \
                va_start(ap, format);                                                                       \
                r = say(a, result, format, ap);                                                             \
                va_end(ap);                                                                                 \
                return r;                                                                                   \
        }

DEFINE_SPEAKER(check_ok, CHECK_OK)
DEFINE_SPEAKER(check_warning, CHECK_WARNING)
DEFINE_SPEAKER(check_error, CHECK_ERROR)
DEFINE_SPEAKER(check_skipped, CHECK_SKIPPED)

int check_detail(CheckAnswer *a, const char *format, ...) {
        va_list ap;
        int n;

        if (a->n_details >= CHECK_DETAILS_MAX)
                return 0;
        va_start(ap, format);
        n = vasprintf(&a->details[a->n_details], format, ap);
        va_end(ap);
        if (n < 0)
                return -ENOMEM;
        a->n_details++;
        return 0;
}

static int probe_to_check(const ProbeAnswer *p, const char *question, CheckAnswer *a) {
        const char *because = p->because ? p->because : question;

        switch (p->verdict) {
        case VERDICT_CONFIRMS:
                return check_error(a, "%s", because);
        case VERDICT_REFUTES:
                return check_ok(a, "%s", because);
        default:
                return check_skipped(a, "not known: %s", because);
        }
}

int check_by_probe(const CheckFacts *f, const char *probe, const char *subject, CheckAnswer *a) {
        ProbeQuestion question = {.world = f->world, .symptom = "", .subject = subject, .now = f->now};
        const Probe *p = probe_find(probe);
        ProbeAnswer answer = {};
        int r;

        if (!p)
                return check_skipped(a, "there is no probe %s", probe);
        r = p->ask(&question, &answer);
        if (r >= 0)
                r = probe_to_check(&answer, p->question, a);
        for (size_t i = 0; r >= 0 && i < answer.n_evidence; i++)
                r = check_detail(a, "%s", answer.evidence[i]);
        probe_answer_done(&answer);
        return r < 0 ? r : 0;
}

const char *check_text(const json_t *object, const char *path) {
        return json_string_value(json_field_at(object, path));
}

const json_t *check_document(const CheckFacts *f, const char *path) {
        return json_object_get(json_object_get(f->files, path), "document");
}

bool check_is_old_runtime(const CheckFacts *f) {
        return json_object_get(f->files, CHECK_YAML_CONFIG) &&
                !json_object_get(f->files, CHECK_SUPER_CONFIG);
}

const json_t *check_engine_config(const CheckFacts *f) {
        const json_t *config = check_document(f, "/etc/docker/daemon.json");

        return config ? config : check_document(f, "/var/snap/docker/current/config/daemon.json");
}

/* Takes the next id off the front of a list. */
static Text next_id(Text *list) {
        size_t skip = 0, n = 0;
        Text id;

        while (skip < list->len && (list->data[skip] == ' ' || list->data[skip] == ','))
                skip++;
        *list = text_skip(*list, skip);
        while (n < list->len && list->data[n] != ' ' && list->data[n] != ',')
                n++;
        id = text_clip(*list, n);
        *list = text_skip(*list, n);
        return id;
}

static CheckRun *find_run(CheckReport *report, Text id) {
        for (size_t i = 0; i < report->n_runs; i++)
                if (text_is(id, report->runs[i].check->id))
                        return &report->runs[i];
        return NULL;
}

static int run_one(const CheckFacts *f, CheckReport *report, CheckRun *run) {
        Text needs = text_of(run->check->needs ? run->check->needs : "");

        if (run->is_done)
                return 0;
        run->is_done = true;
        for (Text id; !text_is_empty(id = next_id(&needs));) {
                CheckRun *needed = find_run(report, id);
                int r = needed ? run_one(f, report, needed) : 0;

                if (r < 0)
                        return r;
                if (!needed || (needed->answer.result != CHECK_ERROR && !needed->was_held_back))
                        continue;
                run->was_held_back = true;
                return check_skipped(&run->answer, "needs %s, which %s", needed->check->id,
                        needed->was_held_back ? "was skipped" : "failed");
        }
        return run->check->run(f, run->check, &run->answer);
}

static int mark_unwanted(CheckReport *report, const char *dont_run, char **ret_unknown) {
        Text list = text_of(dont_run ? dont_run : "");

        for (Text id; !text_is_empty(id = next_id(&list));) {
                CheckRun *run = find_run(report, id);
                int r;

                if (!run) {
                        *ret_unknown = text_dup(id);
                        return *ret_unknown ? -EINVAL : -ENOMEM;
                }
                r = run->is_done ? 0 : check_skipped(&run->answer, "not asked for (--dont-run)");
                if (r < 0)
                        return r;
                run->is_done = true;
        }
        return 0;
}

int check_run_all(const CheckFacts *f, const char *dont_run, CheckReport *ret, char **ret_unknown) {
        int r;

        *ret = (CheckReport){};
        for (size_t i = 0; i < ELEMENTSOF(groups); i++)
                for (size_t j = 0; j < groups[i]->n_checks && ret->n_runs < CHECKS_MAX; j++)
                        ret->runs[ret->n_runs++] =
                                (CheckRun){.group = groups[i], .check = &groups[i]->checks[j]};
        r = mark_unwanted(ret, dont_run, ret_unknown);
        for (size_t i = 0; r >= 0 && i < ret->n_runs; i++)
                r = run_one(f, ret, &ret->runs[i]);
        if (r < 0) {
                check_report_done(ret);
                return r;
        }
        for (size_t i = 0; i < ret->n_runs; i++)
                ret->counts[ret->runs[i].answer.result]++;
        return 0;
}
