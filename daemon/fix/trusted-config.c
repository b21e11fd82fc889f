#include "daemon/fix/trusted-config.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/fix/context.h"

static int check_owner(const char *path, char **ret_why) {
        struct stat st;

        if (stat(path, &st) < 0)
                return errno == ENOENT ? 0 : because(ret_why, -errno, "%s: %s", path, strerror(errno));
        if (st.st_uid != 0 && st.st_uid != geteuid())
                return because(ret_why, -EPERM, "%s does not belong to root", path);
        if (st.st_mode & (S_IWGRP | S_IWOTH))
                return because(ret_why, -EPERM, "%s may be written by others than root", path);
        return 0;
}

static int check_folder_of(const char *path, char **ret_why) {
        const char *slash = strrchr(path, '/');
        _cleanup_(freep) char *folder =
                slash && slash != path ? strndup(path, (size_t) (slash - path)) : NULL;

        return folder ? check_owner(folder, ret_why) : 0;
}

static int check_drop_ins(const char *path, char **ret_why) {
        _cleanup_(freep) char *folder = NULL;
        struct dirent *entry;
        int r;
        DIR *d;

        if (asprintf(&folder, "%s.d", path) < 0) {
                folder = NULL;
                return -ENOMEM;
        }
        r = check_owner(folder, ret_why);
        d = r < 0 ? NULL : opendir(folder);
        if (!d)
                return r;
        while (r >= 0 && (entry = readdir(d))) {
                _cleanup_(freep) char *file = NULL;

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (asprintf(&file, "%s/%s", folder, entry->d_name) < 0) {
                        file = NULL;
                        r = -ENOMEM;
                } else
                        r = check_owner(file, ret_why);
        }
        (void) closedir(d);
        return r;
}

int trusted_config_load(const char *path, Config **ret, char **ret_why) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        int r;

        r = check_folder_of(path, ret_why);
        if (r >= 0)
                r = check_owner(path, ret_why);
        if (r >= 0)
                r = check_drop_ins(path, ret_why);
        if (r < 0)
                return r;
        r = config_load(ret, path, &problems);
        if (r < 0 && problems.n_items > 0)
                return because(ret_why, r, "the configuration has a mistake: %s:%u:%u: %s",
                        problems.items[0].path, problems.items[0].line, problems.items[0].column,
                        problems.items[0].text);
        return r;
}
