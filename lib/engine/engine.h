#pragma once

/* Turns hits of signals into suspicions and recoveries by the rules' conditions: any, all, sequence, count,
 * absence, keyed.
 *
 * It remembers occurrences of signals, each with its time and captured variables, as long as some condition
 * can look back at it, and evaluates a rule's conditions when a hit arrives or a deadline passes. Pure: time
 * is an argument, it goes only forward, and the same events give the same suspicions live and in a replay.
 * Occurrences of one signal with equal variables within a second are counted in one.
 *
 * A variable named in the rule's `keys` has to agree between the occurrences of one condition; an occurrence
 * that does not carry it agrees with all. */

#include "lib/match/matcher.h"

#define ENGINE_OCCURRENCES_MAX 1024 /* per rule; the oldest goes first and is counted as dropped */

typedef struct Occurrence {
        size_t signal;
        usec_t first, last;
        uint64_t count;
        Variable *variables;
        size_t n_variables;
        SourceKind source;
        Origin origin;
        bool initial;   /* an enumeration found it so: after a restart it is told again */
        char *position; /* of its first event */
        char *text;     /* its first event in a line, printable and redacted */
} Occurrence;

/* What a condition saw. Borrowed until the handler returns. */
typedef struct Finding {
        const Rule *rule;
        size_t rule_index;
        const Condition *condition;
        usec_t time;
        const Variable *variables; /* of all its occurrences; the later one wins */
        size_t n_variables;
        const Occurrence *const *occurrences; /* in order of time */
        size_t n_occurrences;
} Finding;

/* The value of the last variable of this name, NULL when there is none. */
const char *variables_find(const Variable *variables, size_t n, const char *name);
/* Whether two sets of variables have no different values for any of the keys; one that lacks a key agrees.
 */
bool variables_agree(
        const Variable *a, size_t n_a, const Variable *b, size_t n_b, char *const *keys, size_t n_keys);

typedef struct EngineHandler {
        int (*raise)(void *userdata, const Finding *finding); /* a `when` condition holds (again) */
        int (*clear)(void *userdata, const Finding *finding); /* a `clear` condition holds */
        void *userdata;
} EngineHandler;

typedef struct Engine Engine;

/* rules must outlive the engine. */
int engine_new(Engine **ret, const RuleSet *rules, EngineHandler handler);
Engine *engine_free(Engine *e);
DEFINE_CLEANUP(Engine, engine_free);

/* Deadlines up to `now` fire first. -EINVAL never: an older `now` is taken as the engine's own time. */
int engine_advance(Engine *e, usec_t now);
int engine_feed(Engine *e, const Event *event, const Hit *hits, size_t n_hits);
usec_t engine_now(const Engine *e);
usec_t engine_next_deadline(const Engine *e); /* USEC_INFINITY when there is none */

/* A source that lost events or stepped in time, which is known `now`, by the wall clock: open absences and
 * counts that rest on it end as unknown rather than raising; what is waited for to clear is waited for anew.
 */
void engine_forget_windows(Engine *e, SourceKind kind, usec_t now);

/* The clock was set back, or a saved state is from the future: time begins again at `now`, and what was
 * remembered of later than that is forgotten with all open windows. The only way in which time goes back;
 * nothing happens unless `now` lies before the engine's. */
void engine_set_back(Engine *e, usec_t now);

uint64_t engine_dropped(const Engine *e);

/* The latest occurrences of a rule's evidence signals within its evidence window before `now`, in order of
 * time. The pointers stay valid until the next feed. */
size_t engine_evidence(const Engine *e, size_t rule_index, const Variable *variables, size_t n_variables,
        const Occurrence **ret, size_t max);

/* The remembered occurrences as JSON and back. Rules are named by id and signals by name, so that a changed
 * rule set keeps what still fits. */
json_t *engine_save(const Engine *e);
int engine_restore(Engine *e, const json_t *state);
