/* Selects rules by what stands on the command line. */

#include "daemon/ctl/rule-selection.h"

#include <stdlib.h>

#include "daemon/ctl/output.h"
#include "lib/base/buffer.h"

static bool is_file_name(const char *word) {
        return strchr(word, '/') || text_ends_with(text_of(word), ".yaml");
}

static int read_whole_file(const char *path, Buffer *buffer) {
        FILE *file = fopen(path, "re");
        char chunk[4096];
        size_t n;
        int r = 0;

        if (!file)
                return -errno;
        while (r >= 0 && (n = fread(chunk, 1, sizeof(chunk), file)) > 0)
                r = buffer_append(buffer, chunk, n);
        if (ferror(file))
                r = -EIO;
        (void) fclose(file);
        return r;
}

static int select_file(RuleSelection *s, const char *path, ProblemList *problems) {
        _cleanup_(buffer_done) Buffer yaml = {.max_bytes = RULE_FILE_MAX_BYTES};
        Rule *rule;
        int r;

        r = read_whole_file(path, &yaml);
        if (r < 0) {
                (void) fail(r, "Failed to read %s", path);
                return r;
        }
        r = rule_parse(path, buffer_text(&yaml), problems, &rule);
        if (r == -EINVAL)
                return 0; /* listed */
        if (r < 0) {
                (void) fail(r, "Failed to parse %s", path);
                return r;
        }
        s->files[s->n_files++] = rule;
        s->rules[s->n_rules++] = rule;
        return 0;
}

static int select_id(RuleSelection *s, const char *id) {
        const Rule *rule = rule_set_find(s->all, id);

        if (!rule) {
                (void) fail(0, "There is no rule \"%s\"; edgewatchctl rules list names them", id);
                return -ENOENT;
        }
        s->rules[s->n_rules++] = rule;
        return 0;
}

int rule_selection_make(RuleSelection *ret, const Arguments *a, int first, ProblemList *problems) {
        _cleanup_(problem_list_done) ProblemList of_others = {};
        _cleanup_(rule_selection_done) RuleSelection s = {};
        bool is_all = a->n_words <= first;
        int r;

        r = rules_load(a, !is_all, &s.all, is_all ? problems : &of_others);
        if (r < 0)
                return r;

        s.rules = calloc(s.all->n_rules + (size_t) a->n_words, sizeof(*s.rules));
        s.files = calloc((size_t) a->n_words, sizeof(*s.files));
        if (!s.rules || !s.files) {
                (void) fail(ENOMEM, "Failed to select rules");
                return -ENOMEM;
        }
        for (int i = first; i < a->n_words; i++) {
                r = is_file_name(a->words[i]) ? select_file(&s, a->words[i], problems)
                                              : select_id(&s, a->words[i]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; is_all && i < s.all->n_rules; i++)
                s.rules[s.n_rules++] = s.all->rules[i];

        *ret = s;
        s = (RuleSelection){};
        return 0;
}

void rule_selection_done(RuleSelection *s) {
        for (size_t i = 0; i < s->n_files; i++)
                rule_free(s->files[i]);
        free(s->files);
        free(s->rules);
        rule_set_free(s->all);
        *s = (RuleSelection){};
}
