/* check: everything that can be looked at now, as `iotedge check` reports it: no image, no internet. */

#include <string.h>

#include "daemon/ctl/check/facts.h"
#include "daemon/ctl/output.h"
#include "lib/base/printable.h"
#include "lib/base/redact.h"

#define TEXT_BYTES_MAX ((size_t) 4096)

static const struct {
        const char *mark, *word;
        Color color;
} looks[CHECK_RESULT_X_MAX] = {
        [CHECK_OK] = {"√", "OK", COLOR_GREEN},
        [CHECK_WARNING] = {"‼", "Warning", COLOR_YELLOW},
        [CHECK_ERROR] = {"×", "Error", COLOR_RED},
        [CHECK_SKIPPED] = {"-", "Skipped", COLOR_GREY},
};

/* Texts quote the device: engine errors, file contents. */
static char *clean(const char *text) {
        _cleanup_(freep) char *redacted = redact_text(text_of(text));

        return redacted ? printable_text(text_of(redacted), TEXT_BYTES_MAX) : NULL;
}

static int print_text(const char *indent, const char *text) {
        _cleanup_(freep) char *cleaned = text ? clean(text) : NULL;

        if (text && !cleaned)
                return -ENOMEM;
        if (text)
                printf("%s%s\n", indent, cleaned);
        return 0;
}

static int print_run(const CheckRun *run, bool verbose) {
        const CheckAnswer *a = &run->answer;
        int r = 0;

        if (a->result == CHECK_SKIPPED && !verbose)
                return 0;
        printf("%s%s %s - %s%s\n", color_begin(looks[a->result].color), looks[a->result].mark,
                run->check->title, looks[a->result].word, color_end());
        if (verbose || a->result != CHECK_OK)
                r = print_text("    ", a->because);
        for (size_t i = 0; r >= 0 && i < a->n_details; i++)
                if (verbose || a->result != CHECK_OK)
                        r = print_text("    ", a->details[i]);
        if (r >= 0 && verbose)
                printf("    id: %s%s%s\n", run->check->id, run->check->needs ? ", needs: " : "",
                        run->check->needs ? run->check->needs : "");
        return r;
}

static bool is_shown(const CheckReport *report, const CheckGroup *group, bool verbose) {
        for (size_t i = 0; i < report->n_runs; i++)
                if (report->runs[i].group == group &&
                        (verbose || report->runs[i].answer.result != CHECK_SKIPPED))
                        return true;
        return false;
}

static void print_title(const char *title, bool first) {
        printf("%s%s%s%s\n", first ? "" : "\n", color_begin(COLOR_BOLD), title, color_end());
        for (size_t i = 0; i < strlen(title); i++)
                (void) putchar('-');
        (void) putchar('\n');
}

static void print_counts(const CheckReport *report, bool verbose) {
        const char *hint = verbose ? "" : " Re-run with --verbose for more details.";

        printf("\n%zu check(s) succeeded.\n", report->counts[CHECK_OK]);
        if (report->counts[CHECK_WARNING] > 0)
                printf("%zu check(s) raised warnings.\n", report->counts[CHECK_WARNING]);
        if (report->counts[CHECK_ERROR] > 0)
                printf("%zu check(s) raised errors.\n", report->counts[CHECK_ERROR]);
        if (report->counts[CHECK_SKIPPED] > 0)
                printf("%zu check(s) were skipped.%s\n", report->counts[CHECK_SKIPPED], hint);
}

static int print_report(const CheckReport *report, bool verbose) {
        size_t n;
        const CheckGroup *const *groups = check_groups(&n);
        bool first = true;

        for (size_t i = 0; i < n; i++) {
                if (!is_shown(report, groups[i], verbose))
                        continue;
                print_title(groups[i]->title, first);
                first = false;
                for (size_t j = 0; j < report->n_runs; j++)
                        if (report->runs[j].group == groups[i] && print_run(&report->runs[j], verbose) < 0)
                                return -ENOMEM;
        }
        print_counts(report, verbose);
        return 0;
}

static int append_text(json_t *list, const char *text) {
        _cleanup_(freep) char *redacted = redact_text(text_of(text));

        return redacted && json_array_append_new(list, json_string(redacted)) >= 0 ? 0 : -ENOMEM;
}

static json_t *words_to_json(const char *words) {
        json_t *list = json_array();
        Text rest = text_of(words ? words : "");

        while (list && !text_is_empty(rest)) {
                Text word = text_cut(&rest, ' ');

                if (json_array_append_new(list, json_stringn(word.data, word.len)) < 0) {
                        json_decref(list);
                        return NULL;
                }
        }
        return list;
}

static json_t *run_to_json(const CheckRun *run) {
        _cleanup_(freep) char *because =
                run->answer.because ? redact_text(text_of(run->answer.because)) : NULL;
        json_t *details = json_array();

        for (size_t i = 0; details && i < run->answer.n_details; i++)
                if (append_text(details, run->answer.details[i]) < 0) {
                        json_decref(details);
                        details = NULL;
                }
        return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:o, s:o}", "id", run->check->id, "title",
                run->check->title, "group", run->group->title, "result",
                check_result_to_string(run->answer.result), "because", because, "details", details, "needs",
                words_to_json(run->check->needs));
}

static int print_json_report(const CheckReport *report) {
        json_t *checks = json_array(), *object = NULL;
        bool printed = false;

        for (size_t i = 0; checks && i < report->n_runs; i++)
                if (json_array_append_new(checks, run_to_json(&report->runs[i])) < 0) {
                        json_decref(checks);
                        return -ENOMEM;
                }
        object = json_pack("{s:i, s:o, s:i, s:i, s:i, s:i}", "format", 1, "checks", checks, "ok",
                (int) report->counts[CHECK_OK], "warnings", (int) report->counts[CHECK_WARNING], "errors",
                (int) report->counts[CHECK_ERROR], "skipped", (int) report->counts[CHECK_SKIPPED]);
        printed = object && print_json(object);
        json_decref(object);
        return printed ? 0 : -ENOMEM;
}

static ExitCode run(const Arguments *a) {
        _cleanup_(check_session_done) CheckSession session = {};
        _cleanup_(check_report_done) CheckReport report = {};
        _cleanup_(freep) char *unknown = NULL;
        int r;

        r = check_session_init(&session);
        if (r < 0)
                return fail(r, "Failed to look at the device");
        r = check_run_all(&session.facts, a->dont_run, &report, &unknown);
        if (unknown)
                return fail(0, "\"%s\" is no check; edgewatchctl check --verbose lists them", unknown);
        if (r >= 0)
                r = a->json ? print_json_report(&report) : print_report(&report, a->verbose);
        if (r < 0)
                return fail(r, "Failed to check");
        return report.counts[CHECK_ERROR] > 0 ? EXIT_FINDINGS : EXIT_FINE;
}

const Verb verb_check = {
        .name = "check",
        .arguments = "",
        .help = "check everything that can be looked at now",
        .options = "dont-run verbose",
        .min_words = 0,
        .max_words = 0,
        .run = run,
};
