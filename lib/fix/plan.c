/* A fix's plan: built by the fixer, kept as JSON. What comes back from the disk is checked like anything
 * from outside: a record that is half understood must not be undone by guesswork. */

#include "lib/fix/plan.h"

#include <stdarg.h>
#include <stdio.h>

static void notes_done(FixNotes *notes) {
        for (size_t i = 0; i < notes->n; i++)
                free(notes->texts[i]);
        *notes = (FixNotes){};
}

static void step_done(FixStep *s) {
        free(s->operation);
        free(s->text);
        json_decref(s->argument);
        json_decref(s->undo);
}

FixPlan *fix_plan_free(FixPlan *p) {
        if (!p)
                return NULL;
        FOREACH_ARRAY (step, p->steps, p->n_steps)
                step_done(step);
        free(p->steps);
        free(p->fix);
        free(p->incident);
        free(p->subject);
        free(p->because);
        free(p->refusal);
        notes_done(&p->losses);
        notes_done(&p->by_person);
        free(p);
        return NULL;
}

int fix_plan_new(FixPlan **ret, const char *fix, const char *incident, const char *subject) {
        _cleanup_(fix_plan_freep) FixPlan *p = calloc(1, sizeof(*p));

        if (!p)
                return -ENOMEM;
        p->fix = strdup(fix);
        p->incident = strdup(incident);
        p->subject = strdup(subject);
        if (!p->fix || !p->incident || !p->subject)
                return -ENOMEM;
        *ret = TAKE_PTR(p);
        return 0;
}

_printf_(2, 0) static int set_text(char **target, const char *format, va_list args) {
        char *text;

        if (vasprintf(&text, format, args) < 0)
                return -ENOMEM;
        free(*target);
        *target = text;
        return 0;
}

int fix_plan_add(
        FixPlan *p, const char *operation, json_t *argument, json_t *undo, const char *format, ...) {
        FixStep step = {.operation = strdup(operation), .argument = argument, .undo = undo};
        va_list args;
        int r;

        va_start(args, format);
        r = set_text(&step.text, format, args);
        va_end(args);
        if (r >= 0 && (!step.operation || !argument || !undo))
                r = -ENOMEM;
        if (r >= 0 && p->n_steps >= FIX_STEPS_MAX)
                r = -ENOBUFS;
        if (r >= 0 && !GROW_ARRAY(p->steps, p->allocated, p->n_steps, FIX_STEPS_MAX))
                r = -ENOMEM;
        if (r < 0) {
                step_done(&step);
                return r;
        }
        p->steps[p->n_steps++] = step;
        return 0;
}

int fix_plan_note(FixNotes *notes, const char *format, ...) {
        va_list args;
        int r;

        if (notes->n >= FIX_NOTES_MAX)
                return -ENOBUFS;
        va_start(args, format);
        r = set_text(&notes->texts[notes->n], format, args);
        va_end(args);
        if (r >= 0)
                notes->n++;
        return r;
}

int fix_plan_refuse(FixPlan *p, const char *format, ...) {
        va_list args;
        int r;

        if (p->refusal)
                return 0;
        va_start(args, format);
        r = set_text(&p->refusal, format, args);
        va_end(args);
        return r;
}

static json_t *notes_to_json(const FixNotes *notes) {
        json_t *array = json_array();

        for (size_t i = 0; i < notes->n; i++)
                if (json_array_append_new(array, json_string(notes->texts[i])) < 0) {
                        json_decref(array);
                        return NULL;
                }
        return array;
}

static json_t *steps_to_json(const FixPlan *p, bool for_people) {
        json_t *array = json_array(), *object;

        FOREACH_ARRAY (step, p->steps, p->n_steps) {
                object = for_people
                        ? json_pack("{s:s, s:s}", "operation", step->operation, "text", step->text)
                        : json_pack("{s:s, s:s, s:O, s:O}", "operation", step->operation, "text", step->text,
                                  "argument", step->argument, "undo", step->undo);
                if (json_array_append_new(array, object) < 0) {
                        json_decref(array);
                        return NULL;
                }
        }
        return array;
}

json_t *fix_plan_to_json(const FixPlan *p, bool for_people) {
        return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:I, s:o, s:o, s:o}", "fix", p->fix, "incident",
                p->incident, "subject", p->subject, "because", p->because, "refusal", p->refusal,
                "downtime_seconds", (json_int_t) (p->downtime / USEC_PER_SEC), "losses",
                notes_to_json(&p->losses), "by_person", notes_to_json(&p->by_person), "steps",
                steps_to_json(p, for_people));
}

static int notes_from_json(const json_t *array, FixNotes *notes) {
        size_t i;
        json_t *item;
        int r;

        if (json_array_size(array) > FIX_NOTES_MAX)
                return -EINVAL;
        json_array_foreach (array, i, item) {
                r = json_is_string(item) ? fix_plan_note(notes, "%s", json_string_value(item)) : -EINVAL;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int steps_from_json(const json_t *array, FixPlan *p) {
        const char *operation, *text;
        json_t *item, *argument, *undo;
        size_t i;
        int r;

        json_array_foreach (array, i, item) {
                if (json_unpack(item, "{s:s, s:s, s:o, s:o !}", "operation", &operation, "text", &text,
                            "argument", &argument, "undo", &undo) < 0 ||
                        !json_is_object(argument) || !json_is_object(undo))
                        return -EINVAL;
                r = fix_plan_add(p, operation, json_incref(argument), json_incref(undo), "%s", text);
                if (r < 0)
                        return r == -ENOBUFS ? -EINVAL : r;
        }
        return 0;
}

static int dup_optional(const json_t *text, char **target) {
        if (json_is_null(text))
                return 0;
        if (!json_is_string(text))
                return -EINVAL;
        *target = strdup(json_string_value(text));
        return *target ? 0 : -ENOMEM;
}

int fix_plan_from_json(const json_t *object, FixPlan **ret) {
        const char *fix, *incident, *subject;
        _cleanup_(fix_plan_freep) FixPlan *p = NULL;
        json_t *seen, *refusal, *losses, *by_person, *steps;
        json_int_t downtime;
        int r;

        if (json_unpack((json_t *) object, "{s:s, s:s, s:s, s:o, s:o, s:I, s:o, s:o, s:o !}", "fix", &fix,
                    "incident", &incident, "subject", &subject, "because", &seen, "refusal", &refusal,
                    "downtime_seconds", &downtime, "losses", &losses, "by_person", &by_person, "steps",
                    &steps) < 0 ||
                !json_is_array(losses) || !json_is_array(by_person) || !json_is_array(steps) ||
                downtime < 0 || downtime > UINT32_MAX)
                return -EINVAL;
        r = fix_plan_new(&p, fix, incident, subject);
        if (r >= 0)
                r = dup_optional(seen, &p->because);
        if (r >= 0)
                r = dup_optional(refusal, &p->refusal);
        if (r >= 0)
                r = notes_from_json(losses, &p->losses);
        if (r >= 0)
                r = notes_from_json(by_person, &p->by_person);
        if (r >= 0)
                r = steps_from_json(steps, p);
        if (r < 0)
                return r;
        p->downtime = (usec_t) downtime * USEC_PER_SEC;
        *ret = TAKE_PTR(p);
        return 0;
}
