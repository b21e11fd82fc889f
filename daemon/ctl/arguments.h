#pragma once

/* The command line of edgewatchctl. Options may stand before and after the verb. */

#include <limits.h>
#include <stdio.h>

#include "lib/base/time.h"

typedef enum ColorMode {
        COLOR_AUTO,
        COLOR_ALWAYS,
        COLOR_NEVER,
} ColorMode;

#define RULE_DIRECTORIES_MAX 8
#define SETTINGS_MAX         16

typedef struct Arguments {
        ColorMode color;
        bool json, all, help, merge, passive, verbose, version, yes;
        const char *since, *until, *directory, *duration, *dont_run, *output;
        const char *rules[RULE_DIRECTORIES_MAX + 1]; /* NULL-terminated, the strongest first */
        size_t n_rules;
        const char *deployment, *recording, *subject;
        const char *settings[SETTINGS_MAX]; /* NAME=VALUE */
        size_t n_settings;
        uint32_t given; /* bit mask of rows of the table of options */
        const char *verb;
        char **words; /* after the verb */
        int n_words;
} Arguments;

typedef struct OptionRow {
        const char *name;
        char letter;          /* 0 when it has none */
        const char *argument; /* NULL when it takes none */
        bool global;          /* every verb takes it */
        const char *help;
} OptionRow;

const OptionRow *option_table(size_t *ret_n);

/* Reads the words of a command line; argv is permuted. What is wrong with them is said on `errors`. Returns
 * 0 or -EINVAL. */
int arguments_parse(Arguments *ret, int argc, char **argv, FILE *errors);

/* Whether each option that was given is global or one of `options` (names separated by spaces); says on
 * `errors` which one is not. */
bool arguments_allowed(const Arguments *a, const char *options, FILE *errors);

/* The time that an option names: RFC 3339; a duration before now ("1h", "-1h"); the beginning of a day
 * ("2024-05-23", today, yesterday) on this machine's clock. `fallback` when it was not given. -EINVAL when
 * it is none of these. */
#define TIME_WORDS                                                                                          \
        "time: 2024-05-23T07:50:52Z, 2024-05-23, today, yesterday, or a duration before now (90min, -2d)"
int arguments_time(const char *value, usec_t now, usec_t fallback, usec_t *ret);
