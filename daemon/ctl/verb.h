#pragma once

/* A verb of edgewatchctl: one file in verbs/ and one row in VERBS. The rows are the help text. */

#include "daemon/ctl/arguments.h"

typedef enum ExitCode {
        EXIT_FINE = 0,
        EXIT_FINDINGS = 1, /* something is suspected or confirmed; a test or a lint failed */
        EXIT_TROUBLE = 2,  /* the daemon cannot be asked, bad usage, unreadable input */
} ExitCode;

typedef struct Verb {
        const char *name;
        const char *arguments; /* as shown after the name: "INCIDENT|SYMPTOM"; "" when there are none */
        const char *help;      /* one line */
        const char *options; /* names of the options it takes besides the global ones, separated by spaces */
        int min_words, max_words; /* how many arguments */
        ExitCode (*run)(const Arguments *a);
} Verb;

#define WORDS_ANY INT_MAX

/* All verbs, alphabetical (tested). A new one is a file in verbs/ that defines verb_NAME, and one row here.
 */
#define VERBS(V)                                                                                            \
        V(check)                                                                                            \
        V(explain)                                                                                          \
        V(fix)                                                                                              \
        V(history)                                                                                          \
        V(list)                                                                                             \
        V(metrics)                                                                                          \
        V(record)                                                                                           \
        V(reload)                                                                                           \
        V(replay)                                                                                           \
        V(rules)                                                                                            \
        V(silence)                                                                                          \
        V(status)                                                                                           \
        V(version)                                                                                          \
        V(watch)

#define DECLARE_VERB(name) extern const Verb verb_##name;
VERBS(DECLARE_VERB)
#undef DECLARE_VERB

const Verb *const *verb_registry(size_t *ret_n); /* alphabetical */
const Verb *verb_find(const char *name);
