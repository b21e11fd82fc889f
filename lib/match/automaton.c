/* The dense automaton over the rules' literals.
 *
 * Bytes that no literal has share class 0. A trie is built first, then a breadth-first walk fills in where
 * each state goes when its byte does not fit, so that scanning never follows a failure link. Entries are
 * premultiplied (a state is its row's offset) and their top bit says that something ends there: the common
 * byte costs two loads and a test. */

#include "lib/match/automaton.h"

#define FOUND UINT32_C(0x80000000)
#define NONE  UINT32_MAX

struct Automaton {
        uint8_t classes[256];
        size_t n_classes;
        uint32_t *next; /* [state * n_classes + class]: row offset, and FOUND */
        size_t n_states;
        uint32_t *ending; /* [state]: the first literal that ends here, NONE */
        uint32_t *suffix; /* [state]: the nearest proper suffix's state in which one ends, NONE */
        uint32_t *same;   /* [literal]: the next one of the same text, NONE */
        size_t n_literals;
};

static uint8_t fold(char c) {
        return (uint8_t) (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static size_t literal_len(const char *literal) {
        return strnlen(literal, AUTOMATON_LITERAL_MAX);
}

Automaton *automaton_free(Automaton *a) {
        if (!a)
                return NULL;
        free(a->next);
        free(a->ending);
        free(a->suffix);
        free(a->same);
        free(a);
        return NULL;
}

/* Returns the most states that the literals can need. */
static size_t assign_classes(Automaton *a, const char *const *literals) {
        size_t n_states = 1, n_classes = 1;

        for (size_t i = 0; i < a->n_literals; i++) {
                size_t len = literal_len(literals[i]);

                n_states += len;
                for (size_t j = 0; j < len; j++) {
                        uint8_t byte = fold(literals[i][j]);

                        if (a->classes[byte] == 0)
                                a->classes[byte] = (uint8_t) n_classes++;
                }
        }
        for (unsigned c = 'A'; c <= 'Z'; c++)
                a->classes[c] = a->classes[fold((char) c)];
        a->n_classes = n_classes;
        return n_states;
}

static int allocate(Automaton *a, size_t max_states) {
        size_t row_bytes = a->n_classes * sizeof(uint32_t);

        if (max_states > AUTOMATON_BYTES_MAX / row_bytes)
                return -E2BIG;
        a->next = calloc(max_states, row_bytes);
        a->ending = malloc(max_states * sizeof(uint32_t));
        a->suffix = malloc(max_states * sizeof(uint32_t));
        a->same = malloc((a->n_literals + 1) * sizeof(uint32_t));
        if (!a->next || !a->ending || !a->suffix || !a->same)
                return -ENOMEM;
        a->n_states = 1;
        a->ending[0] = a->suffix[0] = NONE;
        return 0;
}

static void add_literal(Automaton *a, const char *literal, size_t index) {
        uint32_t state = 0;

        for (size_t i = 0; i < literal_len(literal); i++) {
                uint32_t *next = &a->next[state * a->n_classes + a->classes[fold(literal[i])]];

                if (*next == 0) {
                        *next = (uint32_t) a->n_states++;
                        a->ending[*next] = a->suffix[*next] = NONE;
                }
                state = *next;
        }
        a->same[index] = a->ending[state];
        a->ending[state] = (uint32_t) index;
}

/* Breadth first, so the state that a missing byte falls back to is complete already. `fallback` doubles as
 * the memory of each state's longest proper suffix, `queue` holds the states still to do. */
static void complete(Automaton *a, uint32_t *fallback, uint32_t *queue) {
        size_t head = 0, tail = 0;

        fallback[0] = 0;
        for (size_t c = 0; c < a->n_classes; c++)
                if (a->next[c] != 0) {
                        fallback[a->next[c]] = 0;
                        queue[tail++] = a->next[c];
                }
        while (head < tail) {
                uint32_t state = queue[head++], back = fallback[state];

                a->suffix[state] = a->ending[back] != NONE ? back : a->suffix[back];
                for (size_t c = 0; c < a->n_classes; c++) {
                        uint32_t *next = &a->next[state * a->n_classes + c];
                        uint32_t other = a->next[back * a->n_classes + c];

                        if (*next == 0)
                                *next = other;
                        else {
                                fallback[*next] = other;
                                queue[tail++] = *next;
                        }
                }
        }
}

static void premultiply(Automaton *a) {
        for (size_t i = 0; i < a->n_states * a->n_classes; i++) {
                uint32_t state = a->next[i];
                bool found = a->ending[state] != NONE || a->suffix[state] != NONE;

                a->next[i] = (uint32_t) (state * a->n_classes) | (found ? FOUND : 0);
        }
}

/* Gives back what shared beginnings saved. A failure to shrink leaves the larger block, which is no fault.
 */
static void shrink(Automaton *a) {
        uint32_t *next = realloc(a->next, a->n_states * a->n_classes * sizeof(uint32_t));

        if (next)
                a->next = next;
}

int automaton_new(Automaton **ret, const char *const *literals, size_t n_literals) {
        _cleanup_(automaton_freep) Automaton *a = calloc(1, sizeof(*a));
        _cleanup_(freep) uint32_t *fallback = NULL, *queue = NULL;
        int r;

        if (!a)
                return -ENOMEM;
        a->n_literals = n_literals;
        r = allocate(a, assign_classes(a, literals));
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_literals; i++)
                add_literal(a, literals[i], i);
        fallback = calloc(a->n_states, sizeof(uint32_t));
        queue = calloc(a->n_states, sizeof(uint32_t));
        if (!fallback || !queue)
                return -ENOMEM;
        complete(a, fallback, queue);
        premultiply(a);
        shrink(a);
        *ret = TAKE_PTR(a);
        return 0;
}

static void report(
        const Automaton *a, uint32_t state, void (*found)(void *userdata, size_t literal), void *userdata) {
        if (a->ending[state] == NONE)
                state = a->suffix[state];
        for (; state != NONE; state = a->suffix[state])
                for (uint32_t literal = a->ending[state]; literal != NONE; literal = a->same[literal])
                        found(userdata, literal);
}

void automaton_scan(
        const Automaton *a, Text text, void (*found)(void *userdata, size_t literal), void *userdata) {
        uint32_t row = 0;

        for (size_t i = 0; i < text.len; i++) {
                uint32_t next = a->next[row + a->classes[(uint8_t) text.data[i]]];

                row = next & ~FOUND;
                if (next & FOUND)
                        report(a, row / (uint32_t) a->n_classes, found, userdata);
        }
}

size_t automaton_bytes(const Automaton *a) {
        return sizeof(*a) + a->n_states * (a->n_classes + 2) * sizeof(uint32_t) +
                a->n_literals * sizeof(uint32_t);
}
