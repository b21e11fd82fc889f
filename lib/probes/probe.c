/* How probes speak: setting a verdict with its sentence, adding evidence and variables. A second verdict
 * replaces the first. */

#include "lib/probes/probe.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const verdicts[VERDICT_X_MAX] = {
        [VERDICT_UNKNOWN] = "unknown",
        [VERDICT_CONFIRMS] = "confirms",
        [VERDICT_REFUTES] = "refutes",
        [VERDICT_PENDING] = "pending",
};

const char *verdict_to_string(Verdict v) {
        return v >= 0 && v < VERDICT_X_MAX ? verdicts[v] : NULL;
}

void probe_answer_done(ProbeAnswer *a) {
        free(a->because);
        for (size_t i = 0; i < a->n_evidence; i++)
                free(a->evidence[i]);
        for (size_t i = 0; i < a->n_variables; i++) {
                free(a->variables[i].name);
                free(a->variables[i].value);
        }
        *a = (ProbeAnswer){};
}

_printf_(3, 0) static int set_verdict(ProbeAnswer *a, Verdict verdict, const char *format, va_list args) {
        char *because;

        if (vasprintf(&because, format, args) < 0)
                return -ENOMEM;
        free(a->because);
        a->because = because;
        a->verdict = verdict;
        return 0;
}

#define DEFINE_SPEECH(function, verdict)                                                                    \
        int function(ProbeAnswer *a, const char *format, ...) {                                             \
                va_list args;                                                                               \
                int r;                                                                                      \
                                                                                                            \
                va_start(args, format);                                                                     \
                r = set_verdict(a, verdict, format, args);                                                  \
                va_end(args);                                                                               \
                return r;                                                                                   \
        }

DEFINE_SPEECH(probe_confirms, VERDICT_CONFIRMS)
DEFINE_SPEECH(probe_refutes, VERDICT_REFUTES)
DEFINE_SPEECH(probe_unknown, VERDICT_UNKNOWN)

int probe_pending(ProbeAnswer *a) {
        a->verdict = VERDICT_PENDING;
        return 0;
}

int probe_add_evidence(ProbeAnswer *a, const char *format, ...) {
        va_list args;
        char *text;
        int n;

        if (a->n_evidence >= PROBE_EVIDENCE_MAX)
                return 0;
        va_start(args, format);
        n = vasprintf(&text, format, args);
        va_end(args);
        if (n < 0)
                return -ENOMEM;
        a->evidence[a->n_evidence++] = text;
        return 0;
}

int probe_set_variable(ProbeAnswer *a, const char *name, const char *format, ...) {
        _cleanup_(freep) char *value = NULL;
        Variable *v = NULL;
        va_list args;
        int n;

        va_start(args, format);
        n = vasprintf(&value, format, args);
        va_end(args);
        if (n < 0) {
                value = NULL;
                return -ENOMEM;
        }
        for (size_t i = 0; i < a->n_variables && !v; i++)
                if (strcmp(a->variables[i].name, name) == 0)
                        v = a->variables + i;
        if (!v) {
                char *copy;

                if (a->n_variables >= PROBE_VARIABLES_MAX)
                        return 0;
                copy = strdup(name);
                if (!copy)
                        return -ENOMEM;
                v = a->variables + a->n_variables++;
                v->name = copy;
        }
        free(v->value);
        v->value = TAKE_PTR(value);
        return 0;
}

const char *probe_variable(const ProbeQuestion *q, const char *name) {
        for (size_t i = q->n_variables; i > 0; i--)
                if (strcmp(q->variables[i - 1].name, name) == 0)
                        return q->variables[i - 1].value;
        return NULL;
}
