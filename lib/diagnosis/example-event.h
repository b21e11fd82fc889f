#pragma once

/* Makes events from what an example of a rule says. */

#include "lib/event/journal-entry.h"
#include "lib/rules/rule.h"

typedef struct ExampleDecoder ExampleDecoder;

int example_decoder_new(ExampleDecoder **ret);
ExampleDecoder *example_decoder_free(ExampleDecoder *d);
DEFINE_CLEANUP(ExampleDecoder, example_decoder_free);

typedef int (*example_event_t)(void *userdata, const Event *event);

/* Calls back for each event that the example's step stands for: several for a log text of several lines,
 * none for a line that no decoder lets through. Events are valid within the callback.
 * Returns 1; 0 when the step is wrong, and why, to be freed by the caller; a negative errno. */
int example_decode(ExampleDecoder *d, const ExampleEvent *step, usec_t time, example_event_t handler,
        void *userdata, char **ret_why);
