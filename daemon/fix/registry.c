#include "daemon/fix/fix-list.h"
#include "daemon/fix/operation-list.h"

#define ROW(name) &fix_##name,
static const Fix *const fixes[] = {FIXES(ROW)};
#undef ROW

#define ROW(name) &operation_##name,
static const Operation *const operations[] = {OPERATIONS(ROW)};
#undef ROW

const Fix *fix_find(const char *name) {
        FOREACH_ARRAY (fix, fixes, ELEMENTSOF(fixes))
                if (strcmp((*fix)->name, name) == 0)
                        return *fix;
        return NULL;
}

const Fix *const *fix_registry(size_t *ret_n) {
        *ret_n = ELEMENTSOF(fixes);
        return fixes;
}

const Operation *operation_find(const char *name) {
        FOREACH_ARRAY (operation, operations, ELEMENTSOF(operations))
                if (strcmp((*operation)->name, name) == 0)
                        return *operation;
        return NULL;
}
