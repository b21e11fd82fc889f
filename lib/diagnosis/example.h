#pragma once

/* Runs the examples of a rule: raw text and events through the decoders, the matcher, the engine, over a
 * World that knows nothing but what the example tells. */

#include "lib/diagnosis/diagnosis.h"

/* Runs one example of a rule on its own (no other symptom explains it). Returns 1 when it holds; 0 when it
 * does not, and why, to be freed by the caller; a negative errno when it could not be run. */
int example_run(const Rule *rule, const Example *example, char **ret_why);
