#pragma once

/* A symptom as its YAML file describes it, checked and ready to be compiled by the matcher and run by the
 * engine. The file format is documented in docs/rules.md; this header is its image in memory. Immutable
 * after loading. */

#include "lib/event/event.h"

#define RULE_NAME_MAX         64 /* bytes of an id or a signal's or variable's name */
#define RULE_SIGNALS_MAX      24
#define RULE_PATTERNS_MAX     32 /* alternatives of one signal */
#define RULE_CONDITIONS_MAX   8
#define RULE_STEPS_MAX        8
#define RULE_PROBES_MAX       8
#define RULE_FILE_MAX_BYTES   ((size_t) 256 * 1024)
#define RULES_MAX             1024
#define RULE_WINDOW_MAX       (24 * USEC_PER_HOUR)
#define RULE_WINDOW_PARTS_MAX 1440 /* each is counted anew whenever the condition is looked at */

typedef enum Severity {
        SEVERITY_WARNING,
        SEVERITY_ERROR,
        SEVERITY_X_MAX,
        SEVERITY_X_INVALID = -EINVAL,
} Severity;

const char *severity_to_string(Severity s);
Severity severity_from_string(Text name);

/* Lowest first: a confirmed symptom of a lower layer may explain one of a higher layer, never the reverse.
 */
typedef enum Layer {
        LAYER_UPLINK,
        LAYER_FORWARDING,
        LAYER_DNS,
        LAYER_MTU,
        LAYER_PORT,
        LAYER_CREDENTIALS,
        LAYER_RUNTIME,
        LAYER_APPLICATION,
        LAYER_X_MAX,
        LAYER_X_INVALID = -EINVAL,
} Layer;

const char *layer_to_string(Layer l);
Layer layer_from_string(Text name);

typedef enum RemedyWhere {
        REMEDY_DEVICE,
        REMEDY_CLOUD,
        REMEDY_DEVELOPER,
        REMEDY_X_MAX,
        REMEDY_X_INVALID = -EINVAL,
} RemedyWhere;

const char *remedy_where_to_string(RemedyWhere w);
RemedyWhere remedy_where_from_string(Text name);

/* A PCRE2 pattern as written, and where. Its named groups become variables. */
typedef struct Pattern {
        char *text; /* NULL when there is none */
        unsigned line, column;
} Pattern;

/* A test on one field of an event: `field: value`, `field: [values]` or `field: {match: regex}`. */
typedef struct FieldTest {
        char *field;
        char **values; /* any of; empty when it is a pattern */
        size_t n_values;
        Pattern pattern;
} FieldTest;

/* A test on captured variables, after capture: `name: value(s)`, or a number compared with another variable.
 */
typedef enum CompareOp {
        COMPARE_IS,
        COMPARE_IS_NOT,
        COMPARE_GREATER,
        COMPARE_LESS,
        COMPARE_X_MAX,
        COMPARE_X_INVALID = -EINVAL,
} CompareOp;

typedef struct VariableTest {
        char *variable;
        CompareOp op;
        char **values; /* IS and IS_NOT: any of. GREATER and LESS: one, a number or a variable's name */
        size_t n_values;
} VariableTest;

typedef struct Signal {
        char *name;
        EventKind kind;
        uint32_t origins;  /* log: bit mask of Origin */
        Level min_level;   /* log: LEVEL_UNKNOWN is any */
        Pattern head;      /* log: that the continued line must match */
        Pattern *patterns; /* log: alternatives */
        size_t n_patterns;
        FieldTest *tests; /* of the event's fields, all must hold */
        size_t n_tests;
        VariableTest *where; /* of the captured variables, all must hold */
        size_t n_where;
} Signal;

typedef enum ConditionKind {
        CONDITION_ANY,      /* one of the signals */
        CONDITION_ALL,      /* each of the signals, in any order, within `window` */
        CONDITION_SEQUENCE, /* the signals in this order, within `window` */
        CONDITION_COUNT,    /* one of the signals at least `at_least` times within `window` */
        CONDITION_ABSENCE,  /* after `signals`, seen `at_least` times, none of `absent` for `window` */
        CONDITION_QUIET,    /* clear only: none of the raising signals for `window` */
        CONDITION_REFUTED,  /* clear only: the rule's probes, asked again, refute */
        CONDITION_X_MAX,
        CONDITION_X_INVALID = -EINVAL,
} ConditionKind;

typedef struct Condition {
        ConditionKind kind;
        size_t steps[RULE_STEPS_MAX]; /* indices of signals */
        size_t n_steps;
        size_t absent[RULE_STEPS_MAX]; /* ABSENCE: the signals that must not come. Other kinds (`unless`):
                                        * whose occurrence inside the window, or after the first step, ends
                                        * the attempt */
        size_t n_absent;
        size_t before[RULE_STEPS_MAX]; /* ABSENCE: what must have come before it, in this order, within
                                        * `before_window` */
        size_t n_before;
        usec_t before_window;
        usec_t window;
        uint64_t at_least;
        uint64_t sustained_at_least; /* COUNT: in each `sustained_every` of the window too; 0 is not asked */
        usec_t sustained_every;
        bool below;   /* COUNT in `clear`: fewer than at_least in each sustained_every for the window */
        bool refuted; /* clear: and the probes, asked again, refute */
        VariableTest *where; /* over the variables of all its steps together */
        size_t n_where;
} Condition;

typedef struct Remedy {
        RemedyWhere where;
        char *text;
        char *fix;                /* name of the fix, or NULL */
        json_t *deployment_patch; /* RFC 6902 template with ${variables} in its strings, or NULL */
} Remedy;

typedef enum Expectation {
        EXPECT_RAISES,
        EXPECT_QUIET,
        EXPECT_CLEARS,
        EXPECT_X_MAX,
        EXPECT_X_INVALID = -EINVAL,
} Expectation;

/* One step of an example: an event `after` the one before it. */
typedef struct ExampleEvent {
        usec_t after;
        EventKind kind;
        json_t *fields; /* as written: of a log `from`, `text`, `unit`, `container`; of others their own */
        unsigned line;
} ExampleEvent;

typedef struct Example {
        char *name;
        ExampleEvent *events;
        size_t n_events;
        Expectation expectation;
        char *subject; /* raises, clears: for which subject; NULL is any */
        usec_t wait;   /* how long time runs on after the last event */
        unsigned line;
} Example;

typedef struct Variable {
        char *name;
        char *value;
} Variable;

typedef struct Rule {
        char *id;
        char *path;
        char *title;
        Severity severity;
        char message_id[33]; /* 32 hex digits */
        char *documentation;
        Layer layer;
        char *subject;     /* template: "edgeHub", "${image}", "${module:-edgeHub}" */
        char *message;     /* template: the sentence of the alert */
        char *explanation; /* template: cause in a few sentences, for the catalog and `explain` */
        char **keys;       /* variables that must agree between signals of one suspicion */
        size_t n_keys;
        Variable *defaults;
        size_t n_defaults;
        Signal *signals;
        size_t n_signals;
        Condition *when, *clear;
        size_t n_when, n_clear;
        size_t evidence[RULE_STEPS_MAX]; /* signals that never raise; if seen within evidence_window they are
                                            attached */
        size_t n_evidence;
        usec_t evidence_window;
        usec_t refractory; /* after it cleared, how long it may not be raised again for the subject */
        bool conclusive;   /* the text itself proves the cause */
        char **require;    /* probes that must confirm */
        size_t n_require;
        char **ask; /* probes that add evidence and may refute */
        size_t n_ask;
        char **explained_by; /* ids of symptoms */
        size_t n_explained_by;
        unsigned explained_by_line, explained_by_column;
        Remedy remedy;
        Example *examples;
        size_t n_examples;
} Rule;

Rule *rule_free(Rule *r);
DEFINE_CLEANUP(Rule, rule_free);

/* They are most of what a rule takes, and only tests run them. */
void rule_forget_examples(Rule *r);

/* The index of a signal, -ENOENT. */
int rule_find_signal(const Rule *r, const char *name);

/* Expands ${name} and ${name:-default} from variables, then the rule's defaults; an unknown one becomes
 * "unknown". NULL when memory is out. */
char *rule_expand(const Rule *r, const char *template, const Variable *variables, size_t n_variables);
/* A copy of a JSON template in which every string is expanded. NULL when memory is out. */
json_t *rule_expand_json(
        const Rule *r, const json_t *template, const Variable *variables, size_t n_variables);
/* For a text about the symptom in general: "port PORT is taken by HOLDER". NULL when memory is out. */
char *rule_expand_to_names(const char *template);
