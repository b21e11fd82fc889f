#pragma once

/* Questions about the network that edgewatch-probe answers: resolve:…, connect:…, tls:…, path-mtu:…
 * (lib/world/world.h).
 */

#include "lib/world/world.h"

#define PROBER_QUESTIONS_MAX 32 /* at the same time; those beyond stay unasked */

/* Asks and waits; the answers are facts of the World, what cannot be known is unknown there. prober: path of
 * the program, or of its socket. */
int prober_ask(const char *prober, World *world, char *const *keys, size_t n_keys, usec_t now);
