#pragma once

/* One request to edgewatch-fix, one JSON object on one line; the answer is JSON lines.
 *
 * Requests:  {"do": "list"}
 *            {"do": "history"}
 *            {"do": "plan" | "apply", "fix": NAME, "subject": NAME?, "incident": 16 hex digits?}
 *            {"do": "undo", "run": RUN}
 * Answers:   {"event": "fixes", "fixes": [{"name", "title", "mode", "symptom", "subject", "applies": bool}]}
 *            {"event": "history", "runs": [{"run", "fix", "subject", "incident", "outcome", "begun",
 * "ended", "because", "by": "edgewatchd" | "uid N", "can_undo": bool}]}, oldest first
 *            {"event": "plan", "plan": {…}}        lib/fix/plan.h, for people
 *            {"event": "step", "step": 1, "steps": 7, "text": …, "undoing": bool}
 *            {"event": "verifying", "text": …}
 *            {"event": "result", "outcome": …, "because": …, "run": RUN | null, "retry_at": RFC 3339 | null}
 * The last line is a `fixes`, a `history`, or a `result`. Outcomes: "planned", "not-needed" (the symptom is
 * not there), "refused" (by policy or a guard; `because` names it), "fixed", "rolled-back" (tried, did not
 * help or failed, everything is as before), "undone" (on request), "failed" (could neither be finished nor
 * taken back; tried again at once, with growing pauses, at boot and before a person's next fix), "error" (no
 * such request or right). */

#include "lib/base/text.h"

#define FIX_REQUEST_MAX ((size_t) 4096)
#define FIX_NAME_MAX    128

typedef enum FixVerb {
        FIX_VERB_APPLY,
        FIX_VERB_HISTORY,
        FIX_VERB_LIST,
        FIX_VERB_PLAN,
        FIX_VERB_UNDO,
        FIX_VERB_X_MAX,
        FIX_VERB_X_INVALID = -EINVAL,
} FixVerb;

typedef struct FixRequest {
        FixVerb verb;
        char fix[FIX_NAME_MAX];      /* lower case, digits, "-" */
        char subject[FIX_NAME_MAX];  /* a Docker name; "" is the fix's default */
        char incident[FIX_NAME_MAX]; /* "" when a person asks */
        char run[FIX_NAME_MAX];
} FixRequest;

/* Strict: unknown or duplicate keys, wrong types and names that are none are -EINVAL, and *ret_why (a
 * literal) says which. */
int fix_request_parse(Text text, FixRequest *ret, const char **ret_why);
