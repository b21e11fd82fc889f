#pragma once

/* The daemon's configuration: edgewatch.yaml and edgewatch.yaml.d/ (*.yaml, in order of name, a later value
 * wins). conf/edgewatch.yaml documents every key and holds the defaults.
 *
 * Unknown keys and wrong types are errors, `file:line:column: what is wrong, what was expected`: a daemon
 * that may change a device must not guess what its configuration meant. */

#include "lib/rules/rule-set.h"

#define CONFIG_FILE_MAX_BYTES ((size_t) 256 * 1024)
#define CONFIG_RULES_DIRS_MAX 8
#define CONFIG_SOURCES_MAX    16
#define CONFIG_FIXES_MAX      32
#define CONFIG_WINDOWS_MAX    16

#define CONFIG_FIX_SOCKET     "/run/edgewatch-fix.sock"

typedef enum FixMode {
        FIX_MODE_OFF,
        FIX_MODE_PLAN,
        FIX_MODE_APPLY,
        FIX_MODE_X_MAX,
        FIX_MODE_X_INVALID = -EINVAL,
} FixMode;

const char *fix_mode_to_string(FixMode m);
FixMode fix_mode_from_string(Text name);

typedef struct FixOverride {
        char *fix;
        FixMode mode;
} FixOverride;

/* Local time of the device. Minutes since midnight; an end before the begin is on the next day. */
typedef struct FixWindow {
        uint8_t days; /* bit 0 is Monday */
        unsigned begin_min, end_min;
} FixWindow;

typedef struct SourceSwitch {
        char *name;
        bool enabled;
} SourceSwitch;

typedef struct Config {
        SourceSwitch sources[CONFIG_SOURCES_MAX]; /* those that are named; the others are on */
        size_t n_sources;

        char *journal_directory; /* NULL: the system's journal */
        char *journal_namespace; /* NULL: the default one */

        char *docker_socket; /* NULL: the gate's where there is one, else the engine's own */
        char *probe_socket;  /* the prober's; where there is none the prober is spawned */
        bool active_probes;  /* whether resolve, connect, tls may be asked */
        usec_t sweep_interval;

        char *rules[CONFIG_RULES_DIRS_MAX + 1]; /* strongest first, NULL-terminated */
        char *state_directory;
        char *runtime_directory;

        char *fix_socket; /* the fixer's */
        FixMode fix_mode;
        FixOverride fixes[CONFIG_FIXES_MAX];
        size_t n_fixes;
        FixWindow windows[CONFIG_WINDOWS_MAX]; /* none: at any time */
        size_t n_windows;
        unsigned fix_attempts;
        usec_t fix_cooldown;
        bool allow_container_data_loss;
} Config;

int config_new(Config **ret); /* the defaults */
Config *config_free(Config *c);
DEFINE_CLEANUP(Config, config_free);

/* Reads the file and its drop-ins over the defaults. A file that does not exist is no fault. -EINVAL with at
 * least one problem listed, or another negative errno. */
int config_load(Config **ret, const char *path, ProblemList *problems);
/* One text over what `c` holds already. For tests and for config_load(). */
int config_parse(Config *c, const char *path, Text yaml, ProblemList *problems);

bool config_source_is_on(const Config *c, const char *name);
FixMode config_fix_mode(const Config *c, const char *fix);
