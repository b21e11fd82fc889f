#pragma once

/* The rules that `rules lint` and `rules test` are about: all of them, or those named by id or file. */

#include "daemon/ctl/rule-directories.h"

typedef struct RuleSelection {
        RuleSet *all; /* of the directories */
        Rule **files; /* parsed from files named on the command line */
        size_t n_files;
        const Rule **rules; /* selected, borrowed from the two above */
        size_t n_rules;
} RuleSelection;

/* Selects what the words from `first` on name; without any, all. A word with a slash or ending in .yaml is a
 * file. Mistakes in files are added to problems; what cannot be found is said. Returns 0 or a negative errno
 * (said). */
int rule_selection_make(RuleSelection *ret, const Arguments *a, int first, ProblemList *problems);
void rule_selection_done(RuleSelection *s);
