/* The options of edgewatchctl: one table that is both what getopt_long() reads and what --help prints.
 *
 * The trap: getopt_long() has global state; arguments_parse() resets it, so that tests can call it often. */

#include "daemon/ctl/arguments.h"

#include <getopt.h>
#include <string.h>
#include <time.h>

#include "lib/base/word.h"

typedef enum Option {
        OPTION_ALL,
        OPTION_COLOR,
        OPTION_DEPLOYMENT,
        OPTION_DIRECTORY,
        OPTION_DONT_RUN,
        OPTION_FOR,
        OPTION_HELP,
        OPTION_JSON,
        OPTION_MERGE,
        OPTION_OUTPUT,
        OPTION_PASSIVE,
        OPTION_RECORDING,
        OPTION_RULES,
        OPTION_SET,
        OPTION_SINCE,
        OPTION_SUBJECT,
        OPTION_UNTIL,
        OPTION_VERBOSE,
        OPTION_VERSION,
        OPTION_YES,
        OPTION_X_MAX,
} Option;

static const OptionRow option_rows[OPTION_X_MAX] = {
        [OPTION_ALL] = {"all", 'a', NULL, false, "also what is over, refuted, or written by others"},
        [OPTION_COLOR] = {"color", 0, "WHEN", true, "auto, always or never (NO_COLOR is respected)"},
        [OPTION_DEPLOYMENT] = {"deployment", 0, "FILE", false, "the deployment manifest to correct"},
        [OPTION_DIRECTORY] = {"directory", 'D', "DIR", false, "read the journal files in DIR"},
        [OPTION_DONT_RUN] = {"dont-run", 0, "IDS", false,
                "leave out these checks (ids separated by blanks)"},
        [OPTION_FOR] = {"for", 0, "DURATION", false, "go on recording for so long (90s, 10min)"},
        [OPTION_HELP] = {"help", 'h', NULL, true, "print this help"},
        [OPTION_JSON] = {"json", 'j', NULL, true, "print one JSON object instead of text"},
        [OPTION_MERGE] = {"merge", 'm', NULL, false,
                "read what many devices sent, each row with its sender"},
        [OPTION_OUTPUT] = {"output", 'o', "FILE", false, "write to FILE, whole at any instant"},
        [OPTION_PASSIVE] = {"passive", 0, NULL, false,
                "send nothing: what only the network tells is left out"},
        [OPTION_RECORDING] = {"recording", 0, "DIR", false,
                "take the incident from this recording or bundle"},
        [OPTION_RULES] = {"rules", 0, "DIR", false,
                "read rules from DIR instead of the installed ones; may be repeated, the strongest first"},
        [OPTION_SET] = {"set", 0, "NAME=VALUE", false, "the value of a variable; may be repeated"},
        [OPTION_SINCE] = {"since", 'S', "TIME", false, "a time (RFC 3339), a day, or a duration before now"},
        [OPTION_SUBJECT] = {"subject", 0, "NAME", false,
                "repair this one instead of the usual or the incident's"},
        [OPTION_UNTIL] = {"until", 'U', "TIME", false, "the same, for the end"},
        [OPTION_VERBOSE] = {"verbose", 'v', NULL, false, "also what was well or skipped, and why"},
        [OPTION_VERSION] = {"version", 'V', NULL, true, "print the version"},
        [OPTION_YES] = {"yes", 'y', NULL, false, "apply without asking"},
};

const OptionRow *option_table(size_t *ret_n) {
        *ret_n = ELEMENTSOF(option_rows);
        return option_rows;
}

static const char *const color_words[] = {
        [COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};

static int take_color(Arguments *a, const char *value, FILE *errors) {
        int mode = word_find(color_words, ELEMENTSOF(color_words), text_of(value));

        if (mode < 0) {
                (void) fprintf(errors, "edgewatchctl: --color takes auto, always or never\n");
                return mode;
        }
        a->color = (ColorMode) mode;
        return 0;
}

static int take_one_more(
        const char **values, size_t *n, size_t max, const char *name, const char *value, FILE *errors) {
        if (*n < max) {
                values[(*n)++] = value;
                return 0;
        }
        (void) fprintf(errors, "edgewatchctl: --%s at most %zu times\n", name, max);
        return -EINVAL;
}

static int take_option(Arguments *a, Option option, const char *value, FILE *errors) {
        bool *const flags[OPTION_X_MAX] = {
                [OPTION_ALL] = &a->all,
                [OPTION_HELP] = &a->help,
                [OPTION_JSON] = &a->json,
                [OPTION_MERGE] = &a->merge,
                [OPTION_PASSIVE] = &a->passive,
                [OPTION_VERBOSE] = &a->verbose,
                [OPTION_VERSION] = &a->version,
                [OPTION_YES] = &a->yes,
        };
        const char **const values[OPTION_X_MAX] = {
                [OPTION_DEPLOYMENT] = &a->deployment,
                [OPTION_DIRECTORY] = &a->directory,
                [OPTION_DONT_RUN] = &a->dont_run,
                [OPTION_FOR] = &a->duration,
                [OPTION_OUTPUT] = &a->output,
                [OPTION_RECORDING] = &a->recording,
                [OPTION_SINCE] = &a->since,
                [OPTION_SUBJECT] = &a->subject,
                [OPTION_UNTIL] = &a->until,
        };

        a->given |= UINT32_C(1) << option;
        if (flags[option])
                *flags[option] = true;
        else if (values[option])
                *values[option] = value;
        else if (option == OPTION_COLOR)
                return take_color(a, value, errors);
        else if (option == OPTION_RULES)
                return take_one_more(a->rules, &a->n_rules, RULE_DIRECTORIES_MAX, "rules", value, errors);
        else if (option == OPTION_SET)
                return take_one_more(a->settings, &a->n_settings, SETTINGS_MAX, "set", value, errors);
        return 0;
}

int arguments_parse(Arguments *ret, int argc, char **argv, FILE *errors) {
        struct option options[OPTION_X_MAX + 1] = {};
        char letters[2 * OPTION_X_MAX + 2] = ":";
        size_t n_letters = 1;
        Arguments a = {};
        int r;

        for (size_t i = 0; i < OPTION_X_MAX; i++) {
                const OptionRow *row = &option_rows[i];

                options[i] = (struct option){row->name, row->argument ? required_argument : no_argument,
                        NULL, UCHAR_MAX + 1 + (int) i};
                if (!row->letter)
                        continue;
                letters[n_letters++] = row->letter;
                if (row->argument)
                        letters[n_letters++] = ':';
        }

        optind = 0;
        opterr = 0;
        while ((r = getopt_long(argc, argv, letters, options, NULL)) != -1) {
                int option = r - (UCHAR_MAX + 1);

                if (r == ':' || r == '?') {
                        (void) fprintf(errors, "edgewatchctl: %s: %s\n", argv[optind - 1],
                                r == ':' ? "needs a value" : "no such option");
                        return -EINVAL;
                }
                for (int i = 0; option < 0 && i < OPTION_X_MAX; i++)
                        if (option_rows[i].letter == r)
                                option = i;
                r = take_option(&a, (Option) option, optarg, errors);
                if (r < 0)
                        return r;
        }

        if (optind < argc)
                a.verb = argv[optind++];
        a.words = argv + optind;
        a.n_words = argc - optind;
        *ret = a;
        return 0;
}

static bool list_has(const char *list, const char *name) {
        size_t len = strlen(name);

        for (const char *p = list; (p = strstr(p, name)); p += len)
                if ((p == list || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
                        return true;
        return false;
}

bool arguments_allowed(const Arguments *a, const char *options, FILE *errors) {
        for (size_t i = 0; i < OPTION_X_MAX; i++) {
                const OptionRow *row = &option_rows[i];

                if (!(a->given & UINT32_C(1) << i) || row->global || list_has(options, row->name))
                        continue;
                (void) fprintf(errors, "edgewatchctl: %s takes no --%s\n", a->verb, row->name);
                return false;
        }
        return true;
}

/* The midnight with which the day begins that `time` (UTC seconds) is in, or so many days before. */
static int day_begin(time_t time, int days_before, usec_t *ret) {
        struct tm tm;
        time_t midnight;

        if (!localtime_r(&time, &tm))
                return -EINVAL;
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        tm.tm_mday -= days_before;
        tm.tm_isdst = -1;
        midnight = mktime(&tm);
        if (midnight < 0)
                return -EINVAL;
        *ret = (usec_t) midnight * USEC_PER_SEC;
        return 0;
}

static int parse_day(const char *value, usec_t now, usec_t *ret) {
        struct tm tm = {.tm_hour = 12, .tm_isdst = -1};
        time_t seconds = (time_t) (now / USEC_PER_SEC);
        const char *end;

        if (strcmp(value, "today") == 0 || strcmp(value, "yesterday") == 0)
                return day_begin(seconds, value[0] == 'y', ret);
        end = strptime(value, "%Y-%m-%d", &tm);
        if (!end || *end != '\0' || tm.tm_year < 70)
                return -EINVAL;
        return day_begin(mktime(&tm), 0, ret);
}

int arguments_time(const char *value, usec_t now, usec_t fallback, usec_t *ret) {
        usec_t duration;
        uint64_t nsec;
        size_t len;

        if (!value) {
                *ret = fallback;
                return 0;
        }
        if (duration_parse(text_of(value + (value[0] == '-')), &duration) >= 0) {
                *ret = usec_sub(now, duration);
                return 0;
        }
        if (timestamp_parse(text_of(value), &nsec, &len) >= 0 && value[len] == '\0') {
                *ret = nsec / NSEC_PER_USEC;
                return 0;
        }
        return parse_day(value, now, ret);
}
