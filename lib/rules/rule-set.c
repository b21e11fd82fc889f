/* Loads the rule files of several directories.
 *
 * Which file of a name counts is decided by the directory alone, before anything is read: an override that
 * turns out bad is reported and does not bring back the file that it replaces. The trap: a mask may be a
 * link to /dev/null or an empty file, and anything else that is no regular file must not be opened for
 * reading (a FIFO would block). */

#include "lib/rules/rule-set.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* A file that is not read yet. */
typedef struct Candidate {
        char *id;
        const char *directory;
} Candidate;

typedef struct CandidateList {
        Candidate *items;
        size_t n_items, allocated;
} CandidateList;

static void candidate_list_done(CandidateList *l) {
        for (size_t i = 0; i < l->n_items; i++)
                free(l->items[i].id);
        free(l->items);
}

static void closedirp(DIR **dir) {
        if (*dir)
                (void) closedir(*dir);
}

RuleSet *rule_set_free(RuleSet *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_rules; i++)
                (void) rule_free(s->rules[i]);
        for (size_t i = 0; i < s->n_masked; i++)
                free(s->masked[i]);
        free(s->rules);
        free(s->masked);
        free(s);
        return NULL;
}

static int compare_rule_to_id(const void *id, const void *rule) {
        return strcmp(id, (*(Rule *const *) rule)->id);
}

const Rule *rule_set_find(const RuleSet *s, const char *id) {
        Rule *const *found;

        if (s->n_rules == 0)
                return NULL;
        found = bsearch(id, s->rules, s->n_rules, sizeof(*s->rules), compare_rule_to_id);
        return found ? *found : NULL;
}

static bool candidate_exists(const CandidateList *l, Text id) {
        FOREACH_ARRAY (c, l->items, l->n_items)
                if (text_is(id, c->id))
                        return true;
        return false;
}

static int add_candidate(CandidateList *l, const char *directory, const char *file, ProblemList *problems) {
        Text id = text_of(file);
        char *copy;

        if (file[0] == '.')
                return 0;
        if (text_ends_with(id, ".yml"))
                return problem_list_add(problems, directory, 0, 0,
                        "%s is not read, expected its name to end in .yaml", file);
        if (!text_ends_with(id, ".yaml"))
                return 0; /* what editors and dpkg leave behind */
        id.len -= strlen(".yaml");
        if (candidate_exists(l, id))
                return 0;
        if (l->n_items >= RULES_MAX)
                return problem_list_add(problems, directory, 0, 0,
                        "%s is not read, there are %d rules already", file, RULES_MAX);
        if (!GROW_ARRAY(l->items, l->allocated, l->n_items, RULES_MAX))
                return -ENOMEM;
        copy = text_dup(id);
        if (!copy)
                return -ENOMEM;
        l->items[l->n_items++] = (Candidate){.id = copy, .directory = directory};
        return 0;
}

static int list_directory(CandidateList *l, const char *directory, ProblemList *problems) {
        _cleanup_(closedirp) DIR *dir = opendir(directory);

        if (!dir) {
                if (errno == ENOMEM)
                        return -ENOMEM;
                if (errno == ENOENT)
                        return 0;
                return problem_list_add(problems, directory, 0, 0, "cannot be read: %s", strerror(errno));
        }
        for (;;) {
                struct dirent *entry;
                int r;

                errno = 0;
                entry = readdir(dir);
                if (!entry)
                        break;
                r = add_candidate(l, directory, entry->d_name, problems);
                if (r < 0)
                        return r;
        }
        if (errno != 0)
                return problem_list_add(problems, directory, 0, 0, "cannot be read: %s", strerror(errno));
        return 0;
}

static int compare_candidates(const void *a, const void *b) {
        return strcmp(((const Candidate *) a)->id, ((const Candidate *) b)->id);
}

static bool is_dev_null(const struct stat *st) {
        return S_ISCHR(st->st_mode) && major(st->st_rdev) == 1 && minor(st->st_rdev) == 3;
}

/* Reads at most one byte more than a rule may have, so that the parser can refuse it. */
static int read_all(int fd, char **ret, size_t *ret_len) {
        _cleanup_(freep) char *data = malloc(RULE_FILE_MAX_BYTES + 1);
        size_t len = 0;

        if (!data)
                return -ENOMEM;
        while (len < RULE_FILE_MAX_BYTES + 1) {
                ssize_t n = read(fd, data + len, RULE_FILE_MAX_BYTES + 1 - len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                len += (size_t) n;
        }
        *ret = TAKE_PTR(data);
        *ret_len = len;
        return 0;
}

/* Returns 1 and the text, 0 when the file is a mask, or a negative errno. */
static int read_rule_file(const char *path, char **ret, size_t *ret_len) {
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;
        int r;

        if (stat(path, &st) < 0)
                return -errno;
        if (is_dev_null(&st) || (S_ISREG(st.st_mode) && st.st_size == 0))
                return 0;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return -errno;
        r = read_all(fd, ret, ret_len);
        return r < 0 ? r : 1;
}

static int add_mask(RuleSet *s, Candidate *candidate) {
        char **grown = reallocarray(s->masked, s->n_masked + 1, sizeof(*s->masked));

        if (!grown)
                return -ENOMEM;
        s->masked = grown;
        s->masked[s->n_masked++] = TAKE_PTR(candidate->id);
        return 0;
}

static int load_rule(RuleSet *s, Candidate *candidate, bool keep_examples, ProblemList *problems) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        size_t len = 0;
        int r;

        if (asprintf(&path, "%s/%s.yaml", candidate->directory, candidate->id) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        r = read_rule_file(path, &text, &len);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return problem_list_add(problems, path, 0, 0, "cannot be read: %s", strerror(-r));
        if (r == 0)
                return add_mask(s, candidate);
        if (!GROW_ARRAY(s->rules, s->allocated, s->n_rules, RULES_MAX))
                return -ENOMEM;
        r = rule_parse(path, (Text){text, len}, problems, &s->rules[s->n_rules]);
        if (r == -EINVAL)
                return 0; /* reported; the other files go on */
        if (r < 0)
                return r;
        if (!keep_examples)
                rule_forget_examples(s->rules[s->n_rules]);
        s->n_rules++;
        return 0;
}

static bool is_masked(const RuleSet *s, const char *id) {
        for (size_t i = 0; i < s->n_masked; i++)
                if (strcmp(s->masked[i], id) == 0)
                        return true;
        return false;
}

/* What `explained-by` names must be another rule. It may be one of a higher layer: that explains a mere
 * suspicion, never a proven symptom (differential.c), so explanations do not go in circles. */
static int check_cause(const RuleSet *s, const Rule *rule, const char *id, ProblemList *problems) {
        const Rule *cause = rule_set_find(s, id);

        if (!cause && is_masked(s, id))
                return 0;
        if (!cause)
                return problem_list_add(problems, rule->path, rule->explained_by_line,
                        rule->explained_by_column, "`explained-by` names \"%s\", which is no rule", id);
        if (cause == rule)
                return problem_list_add(problems, rule->path, rule->explained_by_line,
                        rule->explained_by_column, "`explained-by` names the rule itself");
        return 0;
}

static int check_message_id(const RuleSet *s, size_t i, ProblemList *problems) {
        for (size_t j = 0; j < i; j++)
                if (strcmp(s->rules[j]->message_id, s->rules[i]->message_id) == 0)
                        return problem_list_add(problems, s->rules[i]->path, 0, 0,
                                "its message-id is that of \"%s\", expected one of its own",
                                s->rules[j]->id);
        return 0;
}

/* These are reported, but the rules work. */
static int check_rules(const RuleSet *s, ProblemList *problems) {
        for (size_t i = 0; i < s->n_rules; i++) {
                const Rule *rule = s->rules[i];
                int r = check_message_id(s, i, problems);

                for (size_t c = 0; r >= 0 && c < rule->n_explained_by; c++)
                        r = check_cause(s, rule, rule->explained_by[c], problems);
                if (r < 0)
                        return r;
        }
        return 0;
}

int rule_set_load(RuleSet **ret, const char *const *directories, bool keep_examples, ProblemList *problems) {
        _cleanup_(candidate_list_done) CandidateList candidates = {};
        _cleanup_(rule_set_freep) RuleSet *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        for (const char *const *directory = directories; *directory; directory++) {
                r = list_directory(&candidates, *directory, problems);
                if (r < 0)
                        return r;
        }
        if (candidates.n_items > 0)
                qsort(candidates.items, candidates.n_items, sizeof(Candidate), compare_candidates);
        FOREACH_ARRAY (candidate, candidates.items, candidates.n_items) {
                r = load_rule(s, candidate, keep_examples, problems);
                if (r < 0)
                        return r;
        }
        r = check_rules(s, problems);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}
