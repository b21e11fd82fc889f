/* What the fixer answers to `plan`, `apply` and `undo`: shown line by line, as each comes. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/ctl/incidents-text.h"
#include "daemon/ctl/verbs/fix.h"
#include "lib/base/printable.h"

void fix_answer_done(FixAnswer *answer) {
        json_decref(answer->plan);
        json_decref(answer->steps);
        json_decref(answer->result);
        *answer = (FixAnswer){};
}

/* Whatever it quotes. */
static void print_text(const char *before, const char *text) {
        _cleanup_(freep) char *printable = printable_text(text_of(text), SIZE_MAX);

        printf("%s%s\n", before, printable ? printable : "(out of memory)");
}

static void print_title(const char *title) {
        printf("\n%s%s%s\n", color_begin(COLOR_BOLD), title, color_end());
}

static void print_notes(const json_t *plan, const char *key, const char *title) {
        const json_t *notes = json_object_get(plan, key), *note;
        size_t i;

        if (json_array_size(notes) == 0)
                return;
        print_title(title);
        json_array_foreach (notes, i, note)
                print_text("  ", json_string_value(note));
}

static void print_downtime(const json_t *plan) {
        json_int_t seconds = json_integer_value(json_object_get(plan, "downtime_seconds"));

        print_title("Modules meanwhile");
        if (seconds > 0)
                printf("  do not run, or have no connection, for about %" JSON_INTEGER_FORMAT " s\n",
                        seconds);
        else
                printf("  run on\n");
}

static void print_steps(const json_t *plan) {
        const json_t *steps = json_object_get(plan, "steps"), *step;
        char before[32];
        size_t i;

        print_title("Steps, taken back in reverse when they do not help");
        json_array_foreach (steps, i, step) {
                (void) snprintf(before, sizeof(before), "  %zu. ", i + 1);
                print_text(before, json_field_string(step, "text"));
        }
        print_downtime(plan);
}

void fix_plan_print(const json_t *plan) {
        _cleanup_(freep) char *fix = printable_text(text_of(json_field_string(plan, "fix")), SIZE_MAX);
        _cleanup_(freep) char *subject =
                printable_text(text_of(json_field_string(plan, "subject")), SIZE_MAX);

        printf("%s%s of %s%s\n", color_begin(COLOR_BOLD), fix ? fix : "", subject ? subject : "",
                color_end());
        print_text("  ", json_field_string(plan, "because"));
        if (json_array_size(json_object_get(plan, "steps")) > 0)
                print_steps(plan);
        print_notes(plan, "losses", "What would be lost");
        print_notes(plan, "by_person", "What a person has to do");
        if (json_field_string(plan, "refusal")[0]) {
                print_title("Why it is not applied");
                print_text("  ", json_field_string(plan, "refusal"));
        }
}

static bool are_texts(const json_t *array) {
        const json_t *item;
        size_t i;

        json_array_foreach (array, i, item)
                if (!json_is_string(item))
                        return false;
        return json_is_array(array);
}

static bool is_plan(const json_t *plan) {
        const char *fix, *incident, *subject, *seen, *operation, *text;
        json_t *refusal, *losses, *by_person, *steps, *step;
        json_int_t downtime;
        size_t i;

        if (json_unpack((json_t *) plan, "{s:s, s:s, s:s, s:s, s:o, s:I, s:o, s:o, s:o !}", "fix", &fix,
                    "incident", &incident, "subject", &subject, "because", &seen, "refusal", &refusal,
                    "downtime_seconds", &downtime, "losses", &losses, "by_person", &by_person, "steps",
                    &steps) < 0 ||
                !(json_is_null(refusal) || json_is_string(refusal)) || !are_texts(losses) ||
                !are_texts(by_person) || !json_is_array(steps))
                return false;
        json_array_foreach (steps, i, step)
                if (json_unpack(step, "{s:s, s:s !}", "operation", &operation, "text", &text) < 0)
                        return false;
        return true;
}

static int take_plan(FixAnswer *answer, const json_t *line) {
        json_t *plan = json_object_get(line, "plan");
        bool is_known;

        if (!is_plan(plan))
                return -EBADMSG;
        is_known = answer->shown &&
                json_equal(json_object_get(plan, "steps"), json_object_get(answer->plan, "steps"));
        json_decref(answer->plan);
        answer->plan = json_incref(plan);
        if (!answer->json && !is_known)
                fix_plan_print(plan);
        return 0;
}

static int take_step(FixAnswer *answer, const json_t *line) {
        json_int_t step, steps;
        const char *event, *text;
        char before[80];
        int undoing;

        if (json_unpack((json_t *) line, "{s:s, s:I, s:I, s:s, s:b !}", "event", &event, "step", &step,
                    "steps", &steps, "text", &text, "undoing", &undoing) < 0)
                return -EBADMSG;
        if (answer->json) {
                if (!answer->steps)
                        answer->steps = json_array();
                return json_array_append(answer->steps, (json_t *) line) < 0 ? -ENOMEM : 0;
        }
        (void) snprintf(before, sizeof(before), "[%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT "] %s",
                step, steps, undoing ? "taking back: " : "");
        print_text(before, text);
        (void) fflush(stdout); /* a step can take minutes */
        return 0;
}

static int take_verifying(const FixAnswer *answer, const json_t *line) {
        if (!answer->json) {
                print_text("", json_field_string(line, "text"));
                (void) fflush(stdout);
        }
        return 0;
}

static int take_result(FixAnswer *answer, const json_t *line) {
        const char *outcome = json_field_string(line, "outcome");
        _cleanup_(freep) char *word = printable_text(text_of(outcome), SIZE_MAX);
        bool is_good = strcmp(outcome, "fixed") == 0 || strcmp(outcome, "not-needed") == 0 ||
                strcmp(outcome, "planned") == 0 || strcmp(outcome, "undone") == 0;

        if (!outcome[0] || !json_is_string(json_object_get(line, "because")))
                return -EBADMSG;
        answer->result = json_incref((json_t *) line);
        if (answer->json)
                return 1;
        printf("\n%s%s%s: ", color_begin(is_good ? COLOR_GREEN : COLOR_RED), word ? word : "", color_end());
        print_text("", json_field_string(line, "because"));
        if (json_field_string(line, "run")[0])
                print_text("Run: ", json_field_string(line, "run"));
        if (json_field_string(line, "retry_at")[0])
                print_text("Not before: ", json_field_string(line, "retry_at"));
        return 1;
}

int fix_answer_take(void *userdata, const json_t *line) {
        const char *event = json_field_string(line, "event");
        FixAnswer *answer = userdata;

        if (strcmp(event, "plan") == 0)
                return take_plan(answer, line);
        if (strcmp(event, "step") == 0)
                return take_step(answer, line);
        if (strcmp(event, "verifying") == 0)
                return take_verifying(answer, line);
        return strcmp(event, "result") == 0 ? take_result(answer, line) : -EBADMSG;
}
