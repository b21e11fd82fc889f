#pragma once

/* A probe asks one question of the World and answers confirms, refutes or unknown, with the values it saw.
 * Pure: what it lacks it asks of the World, which fetches it; until then its verdict is pending and it is
 * called again.
 *
 * A new probe is one file with one `const Probe`, and one row in registry.c. */

#include "lib/rules/rule.h"
#include "lib/world/world.h"

#define PROBE_EVIDENCE_MAX  8
#define PROBE_VARIABLES_MAX 8

typedef enum Verdict {
        VERDICT_UNKNOWN,
        VERDICT_CONFIRMS,
        VERDICT_REFUTES,
        VERDICT_PENDING,
        VERDICT_X_MAX,
        VERDICT_X_INVALID = -EINVAL,
} Verdict;

const char *verdict_to_string(Verdict v);

typedef struct ProbeQuestion {
        World *world;
        const char *symptom;
        const char *subject;
        const Variable *variables;
        size_t n_variables;
        usec_t now;
        usec_t since;     /* facts have to be at least this fresh */
        usec_t last_seen; /* of the suspicion's latest signal */
        usec_t first_seen;
} ProbeQuestion;

typedef struct ProbeAnswer {
        Verdict verdict;
        char *because; /* one sentence with values: why it confirms or refutes, or what could not be known */
        char *evidence[PROBE_EVIDENCE_MAX]; /* further values seen */
        size_t n_evidence;
        Variable variables[PROBE_VARIABLES_MAX]; /* for messages: holder, uplink, mtu… */
        size_t n_variables;
} ProbeAnswer;

void probe_answer_done(ProbeAnswer *a);

typedef struct Probe {
        const char *name;
        const char *question; /* for people: "Is the network's MTU higher than the uplink's?" */
        int (*ask)(const ProbeQuestion *q, ProbeAnswer *ret); /* negative only when memory is out */
} Probe;

const Probe *probe_find(const char *name);
const Probe *const *probe_registry(size_t *ret_n); /* alphabetical */

/* For probes: how they speak. Return 0 or -ENOMEM, so that a probe can `return probe_confirms(…)`. */
int probe_confirms(ProbeAnswer *a, const char *format, ...) _printf_(2, 3);
int probe_refutes(ProbeAnswer *a, const char *format, ...) _printf_(2, 3);
int probe_unknown(ProbeAnswer *a, const char *format, ...) _printf_(2, 3);
int probe_pending(ProbeAnswer *a);
int probe_add_evidence(ProbeAnswer *a, const char *format, ...) _printf_(2, 3);
int probe_set_variable(ProbeAnswer *a, const char *name, const char *format, ...) _printf_(3, 4);
const char *probe_variable(const ProbeQuestion *q, const char *name); /* NULL when not captured */
