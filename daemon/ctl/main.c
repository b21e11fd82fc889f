/* edgewatchctl: shows and drives edgewatchd, and runs its engine over recordings. This file finds the verb;
 * all else is in verbs/. */

#include <locale.h>
#include <string.h>

#include "daemon/ctl/output.h"
#include "daemon/ctl/verb.h"

#define LEFT_WIDTH 30

static void print_row(const char *left, const char *help) {
        if (strlen(left) <= LEFT_WIDTH)
                printf("  %-*s %s\n", LEFT_WIDTH, left, help);
        else
                printf("  %s\n  %-*s %s\n", left, LEFT_WIDTH, "", help);
}

static void print_help(void) {
        size_t n_verbs, n_options;
        const Verb *const *verbs = verb_registry(&n_verbs);
        const OptionRow *options = option_table(&n_options);
        char left[128];

        printf("edgewatchctl [OPTION…] VERB [ARGUMENT…]\n\n"
               "What is wrong with this IoT Edge device, on what evidence, and what to do about it.\n\n"
               "Verbs:\n");
        for (size_t i = 0; i < n_verbs; i++) {
                (void) snprintf(left, sizeof(left), "%s %s", verbs[i]->name, verbs[i]->arguments);
                print_row(left, verbs[i]->help);
        }
        printf("\nOptions:\n");
        for (size_t i = 0; i < n_options; i++) {
                char letter[5] = {'-', options[i].letter, ',', ' ', '\0'};

                (void) snprintf(left, sizeof(left), "%s--%s%s%s", options[i].letter ? letter : "    ",
                        options[i].name, options[i].argument ? "=" : "",
                        options[i].argument ? options[i].argument : "");
                print_row(left, options[i].help);
        }
        printf("\nExit status: 0 nothing found, 1 something is suspected or confirmed (or a test failed), "
               "2 trouble.\n");
}

static ExitCode usage(const Verb *verb) {
        (void) fprintf(stderr, "usage: edgewatchctl %s%s%s\n", verb->name, verb->arguments[0] ? " " : "",
                verb->arguments);
        return EXIT_TROUBLE;
}

static ExitCode run(const Arguments *a) {
        const Verb *verb;

        if (a->version) {
                verb = verb_find("version");
                return verb->run(a);
        }
        if (a->help || !a->verb) {
                print_help();
                return a->help ? EXIT_FINE : EXIT_TROUBLE;
        }

        verb = verb_find(a->verb);
        if (!verb)
                return fail(0, "\"%s\" is no verb; edgewatchctl --help lists them", a->verb);
        if (!arguments_allowed(a, verb->options, stderr))
                return EXIT_TROUBLE;
        if (a->n_words < verb->min_words || a->n_words > verb->max_words)
                return usage(verb);
        return verb->run(a);
}

int main(int argc, char *argv[]) {
        Arguments arguments;
        ExitCode code;

        (void) setlocale(LC_ALL, "");
        (void) setlocale(LC_NUMERIC, "C"); /* TOML and metrics are read by strtod() */
        if (arguments_parse(&arguments, argc, argv, stderr) < 0)
                return EXIT_TROUBLE;

        output_init(arguments.color);
        code = run(&arguments);
        if (fflush(stdout) != 0 || ferror(stdout))
                return fail(errno, "Failed to write the output");
        return code;
}
