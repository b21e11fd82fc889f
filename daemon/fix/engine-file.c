/* The trap: what fails for another reason than the file says nothing about the file. Then the restart will
 * tell, and is taken back when it fails. */

#include "daemon/fix/engine-file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/child.h"
#include "daemon/fix/context.h"

#define CHECK_TIME     (30 * USEC_PER_SEC)
#define SAID_MAX       ((size_t) 16 * 1024)
#define FILE_IS_FAULTY "unable to configure the Docker daemon with file"

static const char *const programs[] = {"/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd",
        "/snap/docker/current/bin/dockerd"};

static int check(const char *program, const char *file, char **ret_why) {
        const char *const argv[] = {program, "--validate", "--config-file", file, NULL};
        _cleanup_(buffer_done) Buffer said = {.max_bytes = SAID_MAX};
        int r = child_run(argv, STDERR_FILENO, CHECK_TIME, &said);
        const char *fault;

        if (r <= 0 || buffer_append(&said, "", 1) < 0)
                return r == -ENOMEM ? r : 1;
        fault = strstr(said.data, FILE_IS_FAULTY);
        if (!fault)
                return 1;
        return because(ret_why, 0, "%.*s", (int) strcspn(fault, "\n"), fault);
}

int engine_file_check(const char *file, char **ret_why) {
        FOREACH_ARRAY (program, programs, ELEMENTSOF(programs))
                if (access(*program, X_OK) == 0)
                        return check(*program, file, ret_why);
        return 1;
}

int engine_has_flag(uint32_t pid, const char *flag) {
        _cleanup_(freep) char *argument = NULL;
        size_t size = 0, n = strlen(flag);
        char path[64];
        FILE *file;
        int r = 0;

        (void) snprintf(path, sizeof(path), "/proc/%" PRIu32 "/cmdline", pid);
        file = fopen(path, "re");
        if (!file)
                return 0;
        while (r == 0 && getdelim(&argument, &size, '\0', file) > 0)
                r = strncmp(argument, flag, n) == 0 && (argument[n] == '\0' || argument[n] == '=');
        (void) fclose(file);
        return r;
}
