/* The table of verbs, made from the list in verb.h. */

#include "daemon/ctl/verb.h"

#include <string.h>

#define ROW(name) &verb_##name,
static const Verb *const verbs[] = {VERBS(ROW)};
#undef ROW

const Verb *const *verb_registry(size_t *ret_n) {
        *ret_n = ELEMENTSOF(verbs);
        return verbs;
}

const Verb *verb_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (strcmp(verbs[i]->name, name) == 0)
                        return verbs[i];
        return NULL;
}
