/* The list of what is wrong in files that people wrote. It promises a cap: past PROBLEMS_MAX they are only
 * counted, so a file of garbage cannot fill the memory. */

#include "lib/rules/rule-set.h"

#include <stdarg.h>
#include <stdio.h>

void problem_list_done(ProblemList *l) {
        for (size_t i = 0; i < l->n_items; i++) {
                free(l->items[i].path);
                free(l->items[i].text);
        }
        free(l->items);
        *l = (ProblemList){};
}

int problem_list_add(
        ProblemList *l, const char *path, unsigned line, unsigned column, const char *format, ...) {
        _cleanup_(freep) char *text = NULL, *path_copy = NULL;
        va_list args;
        int r;

        if (l->n_items >= PROBLEMS_MAX) {
                l->n_dropped++;
                return 0;
        }
        path_copy = strdup(path);
        if (!path_copy)
                return -ENOMEM;
        va_start(args, format);
        r = vasprintf(&text, format, args);
        va_end(args);
        if (r < 0) {
                text = NULL;
                return -ENOMEM;
        }
        if (!GROW_ARRAY(l->items, l->allocated, l->n_items, PROBLEMS_MAX))
                return -ENOMEM;
        l->items[l->n_items++] = (Problem){
                .path = TAKE_PTR(path_copy), .line = line, .column = column, .text = TAKE_PTR(text)};
        return 0;
}

char *problem_format(const Problem *p) {
        char *s = NULL;
        int r;

        if (p->line == 0)
                r = asprintf(&s, "%s: %s", p->path, p->text);
        else
                r = asprintf(&s, "%s:%u:%u: %s", p->path, p->line, p->column, p->text);
        return r < 0 ? NULL : s;
}
