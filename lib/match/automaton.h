#pragma once

/* Aho-Corasick: finds all of a set of short texts in one pass, letters of ASCII folded. A dense table of
 * states by byte class, so a byte costs one load however many texts there are. */

#include "lib/base/text.h"

#define AUTOMATON_LITERAL_MAX 24 /* longer ones are looked for by their beginning: memory is per byte */
#define AUTOMATON_BYTES_MAX   ((size_t) 256 * 1024 * 1024)

typedef struct Automaton Automaton;

/* -E2BIG when the table would pass AUTOMATON_BYTES_MAX. Literals are not empty. */
int automaton_new(Automaton **ret, const char *const *literals, size_t n_literals);
Automaton *automaton_free(Automaton *a);
DEFINE_CLEANUP(Automaton, automaton_free);

/* Calls found() for each place where a literal ends, with its index. */
void automaton_scan(
        const Automaton *a, Text text, void (*found)(void *userdata, size_t literal), void *userdata);

size_t automaton_bytes(const Automaton *a);
