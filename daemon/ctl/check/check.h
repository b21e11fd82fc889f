#pragma once

/* The checks of `edgewatchctl check`. One is a row: an id that never changes (those of `iotedge check` keep
 * theirs), what it needs, and a pure function over the facts. A group of them is one file with one
 * CheckGroup and one row in CHECK_GROUPS. */

#include "daemon/collect/device.h"
#include "lib/probes/upstream.h"

typedef enum CheckResult {
        CHECK_OK,
        CHECK_WARNING,
        CHECK_ERROR,
        CHECK_SKIPPED, /* it could not be known, does not apply, or was not asked for */
        CHECK_RESULT_X_MAX,
        CHECK_RESULT_X_INVALID = -EINVAL,
} CheckResult;

const char *check_result_to_string(CheckResult result); /* ok, warning, error, skipped */

/* What the checks judge: nothing but this. */
typedef struct CheckFacts {
        World *world; /* every fact it is asked for is answered at once */
        const Device *device;
        usec_t now;
        int engine_error; /* 0, or why the Docker engine cannot be asked */
        json_t *files;    /* path: {"error": TEXT} or {"mtime": N, "document": …, "problem": TEXT}; absent:
                             there is no such file. Not redacted. */
        json_t *sockets;  /* path: 0, or the errno of connect(2) */
        json_t *disks;    /* [{"path", "id" of the file system, "size", "free", "inodes", "inodes_free"}] */
        json_t *activity; /* container: {"deaths": N, "exit_code": N, "ooms": N} in the last hour; NULL
                             when not known */
        json_t *certificates; /* id: {"path", "preloaded", "from", "until"}, or "error" for the times;
                                 preloaded ones with "served": "ok", or why certd does not */
        json_t *keys; /* id of a preloaded key pair: {"path", "served"}, and "matches": BOOL when it can
                         be told whether it is the key of the certificate with this id */
        json_t *unit_environment; /* unit: its Environment= as one string */
        json_t *clock; /* {"synchronized": BOOL}, as the kernel knows; NULL when it does not tell */
} CheckFacts;

#define CHECK_DETAILS_MAX 16

typedef struct CheckAnswer {
        CheckResult result;
        char *because; /* one sentence; NULL when all is well and there is nothing to add */
        char *details[CHECK_DETAILS_MAX];
        size_t n_details;
} CheckAnswer;

void check_answer_done(CheckAnswer *a);

typedef struct Check {
        const char *id, *title;
        const char *needs;    /* ids separated by spaces; when one failed this one is skipped */
        const char *argument; /* of rows that share a function */
        unsigned port;
        /* Negative only when memory is out. */
        int (*run)(const CheckFacts *f, const struct Check *check, CheckAnswer *a);
} Check;

typedef struct CheckGroup {
        const char *title;
        const Check *checks;
        size_t n_checks;
} CheckGroup;

/* Alphabetical (tested). */
#define CHECK_GROUPS(G)                                                                                     \
        G(certificates)                                                                                     \
        G(configuration)                                                                                    \
        G(connectivity)                                                                                     \
        G(device)                                                                                           \
        G(engine)                                                                                           \
        G(services)

#define DECLARE_CHECK_GROUP(name) extern const CheckGroup check_group_##name;
CHECK_GROUPS(DECLARE_CHECK_GROUP)
#undef DECLARE_CHECK_GROUP

const CheckGroup *const *check_groups(size_t *ret_n);
const Check *check_find(const char *id);

#define CHECKS_MAX 128

typedef struct CheckRun {
        const CheckGroup *group;
        const Check *check;
        CheckAnswer answer;
        bool is_done;
        bool was_held_back; /* skipped because of one that it needs */
} CheckRun;

typedef struct CheckReport {
        CheckRun runs[CHECKS_MAX];
        size_t n_runs;
        size_t counts[CHECK_RESULT_X_MAX];
} CheckReport;

/* Runs all but those in dont_run (ids separated by blanks or commas, may be NULL), each after what it needs.
 * -EINVAL and *ret_unknown (freed by the caller) for an id that there is not. */
int check_run_all(const CheckFacts *f, const char *dont_run, CheckReport *ret, char **ret_unknown);
void check_report_done(CheckReport *r);

/* How checks speak; return 0 or -ENOMEM. An answer says the worst that was said. */
int check_ok(CheckAnswer *a, const char *format, ...) _printf_(2, 3);
int check_warning(CheckAnswer *a, const char *format, ...) _printf_(2, 3);
int check_error(CheckAnswer *a, const char *format, ...) _printf_(2, 3);
int check_skipped(CheckAnswer *a, const char *format, ...) _printf_(2, 3);
int check_detail(CheckAnswer *a, const char *format, ...) _printf_(2, 3);

/* The verdict of one of the daemon's probes: what it confirms is an error, what it cannot know is skipped.
 */
int check_by_probe(const CheckFacts *f, const char *probe, const char *subject, CheckAnswer *a);

/* The document of a configuration file; NULL when there is none that can be read. */
const json_t *check_document(const CheckFacts *f, const char *path);
/* A string in nested objects, "agent/env/https_proxy"; NULL when it is not there. */
const char *check_text(const json_t *object, const char *path);

/* Whether the device runs 1.0 or 1.1, which have one daemon and one YAML file. */
bool check_is_old_runtime(const CheckFacts *f);
/* daemon.json of the package or the snap; NULL without one. */
const json_t *check_engine_config(const CheckFacts *f);

#define CHECK_SUPER_CONFIG "/etc/aziot/config.toml"
#define CHECK_YAML_CONFIG  "/etc/iotedge/config.yaml"
/* Of the package and of the snap. */
#define CHECK_ENGINE_CONFIGS "/etc/docker/daemon.json /var/snap/docker/current/config/daemon.json"
