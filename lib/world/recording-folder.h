#pragma once

/* The files of a recording: opened below its directory and nowhere else, symbolic links not followed. */

#include <jansson.h>

#include "lib/rules/rule-set.h"

typedef struct RecordingFolder {
        int fd;
        char *path; /* as the person gave it, for problems */
        ProblemList *problems;
} RecordingFolder;

int recording_folder_open(RecordingFolder *f, const char *path, ProblemList *problems);
void recording_folder_done(RecordingFolder *f);

/* Lists a problem of one of the recording's files. Returns 0 or -ENOMEM. */
int recording_problem(const RecordingFolder *f, const char *name, unsigned line, unsigned column,
        const char *format, ...) _printf_(5, 6);

/* A descriptor of a regular file or of a directory. -ENOENT when it is not there; anything else that cannot
 * be opened (a link, a device, no permission) is listed as a problem and comes as -ENOENT too. */
int recording_folder_open_file(const RecordingFolder *f, const char *name);
int recording_folder_open_directory(const RecordingFolder *f, const char *name);

/* Whether it is a directory itself, not a link to one. */
bool recording_folder_has_directory(const RecordingFolder *f, const char *name);

/* The whole content, NUL-terminated. Returns 1, 0 when there is none that can be read (the problem is
 * listed unless it is just absent), or -ENOMEM. */
int recording_folder_read(
        const RecordingFolder *f, const char *name, size_t max_bytes, char **ret, size_t *ret_len);
/* Likewise for a JSON document of the given type. */
int recording_folder_read_json(const RecordingFolder *f, const char *name, json_type type, json_t **ret);

#define RECORDING_NAMES_MAX 4096

typedef struct NameList {
        char **names; /* sorted */
        size_t n_names, allocated;
} NameList;

void name_list_done(NameList *l);
/* The names in a directory of the recording that end in `suffix` and do not begin with a dot. One that is
 * not there has none. Returns 0 or -ENOMEM. */
int recording_folder_list(const RecordingFolder *f, const char *name, const char *suffix, NameList *ret);
