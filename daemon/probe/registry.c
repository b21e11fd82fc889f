/* The table of questions. */

#include "daemon/probe/questions.h"

#include <string.h>

#define ROW(name) &question_##name,
static const Question *const registry[] = {QUESTIONS(ROW)};
#undef ROW

const Question *const *question_registry(size_t *ret_n) {
        *ret_n = ELEMENTSOF(registry);
        return registry;
}

const Question *question_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(registry); i++)
                if (strcmp(registry[i]->name, name) == 0)
                        return registry[i];
        return NULL;
}
