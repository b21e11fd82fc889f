/* The configuration: defaults, the main file and its drop-ins, lookups.
 *
 * Promise: a file that is not there is an empty one, one that cannot be read is a problem. config-read.c
 * knows what is in a file. */

#include "lib/config/config.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <fcntl.h>

#include "lib/base/word.h"

static const char *const fix_mode_names[FIX_MODE_X_MAX] = {
        [FIX_MODE_OFF] = "off",
        [FIX_MODE_PLAN] = "plan",
        [FIX_MODE_APPLY] = "apply",
};

const char *fix_mode_to_string(FixMode m) {
        return m >= 0 && m < FIX_MODE_X_MAX ? fix_mode_names[m] : NULL;
}

FixMode fix_mode_from_string(Text name) {
        return (FixMode) word_find(fix_mode_names, FIX_MODE_X_MAX, name);
}

int config_new(Config **ret) {
        _cleanup_(config_freep) Config *c = malloc(sizeof(*c));

        if (!c)
                return -ENOMEM;
        *c = (Config){
                .probe_socket = strdup("/run/edgewatch-probe.sock"),
                .fix_socket = strdup(CONFIG_FIX_SOCKET),
                .active_probes = true,
                .sweep_interval = 60 * USEC_PER_SEC,
                .rules = {strdup(EDGEWATCH_CONFIG_DIR "/rules.d"), strdup(EDGEWATCH_RULES_DIR)},
                .state_directory = strdup("/var/lib/edgewatch"),
                .runtime_directory = strdup("/run/edgewatch"),
                .fix_mode = FIX_MODE_OFF,
                .fix_attempts = 3,
                .fix_cooldown = USEC_PER_HOUR,
        };
        if (!c->fix_socket || !c->probe_socket || !c->rules[0] || !c->rules[1] || !c->state_directory ||
                !c->runtime_directory)
                return -ENOMEM;
        *ret = TAKE_PTR(c);
        return 0;
}

Config *config_free(Config *c) {
        if (!c)
                return NULL;
        for (size_t i = 0; i < c->n_sources; i++)
                free(c->sources[i].name);
        for (size_t i = 0; i < c->n_fixes; i++)
                free(c->fixes[i].fix);
        for (size_t i = 0; i < ELEMENTSOF(c->rules); i++)
                free(c->rules[i]);
        free(c->journal_directory);
        free(c->journal_namespace);
        free(c->docker_socket);
        free(c->probe_socket);
        free(c->fix_socket);
        free(c->state_directory);
        free(c->runtime_directory);
        free(c);
        return NULL;
}

static int read_stream(FILE *f, const char *path, char **ret, size_t *ret_len) {
        _cleanup_(freep) char *text = malloc(CONFIG_FILE_MAX_BYTES + 1);

        if (!text)
                return -ENOMEM;
        *ret_len = fread(text, 1, CONFIG_FILE_MAX_BYTES + 1, f);
        if (ferror(f))
                return -EIO;
        if (*ret_len > CONFIG_FILE_MAX_BYTES)
                return -EFBIG;
        *ret = TAKE_PTR(text);
        return 0;
}

/* A file that is not there holds nothing. */
static int parse_file(Config *c, const char *path, ProblemList *problems) {
        _cleanup_(freep) char *text = NULL;
        size_t len = 0;
        FILE *f;
        int r;

        f = fopen(path, "re");
        if (!f && errno == ENOENT)
                return 0;
        r = f ? read_stream(f, path, &text, &len) : -errno;
        if (f)
                (void) fclose(f);
        if (r < 0) {
                (void) problem_list_add(problems, path, 0, 0, "cannot be read: %s", strerror(-r));
                return -EINVAL;
        }
        return config_parse(c, path, (Text){text, len}, problems);
}

static int is_drop_in(const struct dirent *entry) {
        return entry->d_name[0] != '.' && text_ends_with(text_of(entry->d_name), ".yaml");
}

static int parse_drop_ins(Config *c, const char *path, ProblemList *problems) {
        _cleanup_(freep) char *folder = NULL;
        struct dirent **entries = NULL;
        int n, r, error = 0;

        if (asprintf(&folder, "%s.d", path) < 0) {
                folder = NULL;
                return -ENOMEM;
        }
        n = scandir(folder, &entries, is_drop_in, alphasort);
        if (n < 0 && errno != ENOENT && errno != ENOTDIR) {
                (void) problem_list_add(problems, folder, 0, 0, "cannot be read: %s", strerror(errno));
                return -EINVAL;
        }
        for (int i = 0; i < n; i++) {
                _cleanup_(freep) struct dirent *entry = entries[i];
                _cleanup_(freep) char *file = NULL;

                if (asprintf(&file, "%s/%s", folder, entry->d_name) < 0) {
                        file = NULL;
                        error = -ENOMEM;
                        continue;
                }
                r = parse_file(c, file, problems);
                if (r < 0)
                        error = r;
        }
        free(entries);
        return error;
}

int config_load(Config **ret, const char *path, ProblemList *problems) {
        _cleanup_(config_freep) Config *c = NULL;
        int r, drop_ins;

        r = config_new(&c);
        if (r < 0)
                return r;
        r = parse_file(c, path, problems);
        drop_ins = parse_drop_ins(c, path, problems);
        if (r < 0 || drop_ins < 0)
                return r < 0 ? r : drop_ins;
        *ret = TAKE_PTR(c);
        return 0;
}

bool config_source_is_on(const Config *c, const char *name) {
        for (size_t i = 0; i < c->n_sources; i++)
                if (strcmp(c->sources[i].name, name) == 0)
                        return c->sources[i].enabled;
        return true;
}

FixMode config_fix_mode(const Config *c, const char *fix) {
        for (size_t i = 0; i < c->n_fixes; i++)
                if (strcmp(c->fixes[i].fix, fix) == 0)
                        return c->fixes[i].mode;
        return c->fix_mode;
}
