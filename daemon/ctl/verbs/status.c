/* status: how the daemon itself is, and whether it found anything. */

#include "daemon/ctl/client.h"
#include "daemon/ctl/incidents-text.h"
#include "lib/base/printable.h"

static json_int_t counter(const json_t *source, const char *name) {
        return json_integer_value(json_object_get(source, name));
}

static void add_source(Table *t, const json_t *source) {
        char read[24], wanted[24], dropped[24], lost[24];
        const char *state = json_field_string(source, "state");
        const char *cells[] = {
                json_field_string(source, "name"),
                state,
                read,
                wanted,
                dropped,
                lost,
                json_field_string(source, "reason"),
        };

        (void) snprintf(read, sizeof(read), "%" JSON_INTEGER_FORMAT, counter(source, "read"));
        (void) snprintf(wanted, sizeof(wanted), "%" JSON_INTEGER_FORMAT, counter(source, "wanted"));
        (void) snprintf(dropped, sizeof(dropped), "%" JSON_INTEGER_FORMAT, counter(source, "dropped"));
        (void) snprintf(lost, sizeof(lost), "%" JSON_INTEGER_FORMAT, counter(source, "lost"));
        table_add(t, cells, 1, color_of_state(state));
}

static int print_sources(const json_t *sources) {
        static const char *const titles[] = {
                "SOURCE", "STATE", "READ", "WANTED", "DROPPED", "LOST", "REASON"};
        _cleanup_(table_freep) Table *t = table_new(titles, ELEMENTSOF(titles));
        json_t *source;
        size_t i;

        if (!t)
                return -ENOMEM;
        json_array_foreach (sources, i, source)
                add_source(t, source);
        return table_print(t);
}

static void print_summary(const json_t *status, json_int_t n_active) {
        const json_t *rules = json_object_get(status, "rules"), *bus = json_object_get(status, "bus");
        size_t n_problems = json_array_size(json_object_get(rules, "problems"));
        char started[LOCAL_TIME_MAX];

        printf("edgewatchd %s, %s, since %s\n", json_field_string(status, "version"),
                json_field_string(status, "state"), local_time(member_time(status, "started"), started));
        printf("%" JSON_INTEGER_FORMAT " rules", json_integer_value(json_object_get(rules, "loaded")));
        if (n_problems > 0)
                printf(", %zu problems with them or the configuration", n_problems);
        if (json_field_string(bus, "state")[0])
                printf("; system bus: %s", json_field_string(bus, "state"));
        printf("\n%s%" JSON_INTEGER_FORMAT " active%s (edgewatchctl list)\n\n",
                color_begin(n_active > 0 ? COLOR_RED : COLOR_GREEN), n_active, color_end());
}

static void print_truncated(const json_t *sources) {
        const json_t *source;
        size_t i;

        json_array_foreach (sources, i, source)
                if (counter(source, "truncated") > 0)
                        printf("%s: %" JSON_INTEGER_FORMAT
                               " log lines were too long and were read up to a limit only\n",
                                json_field_string(source, "name"), counter(source, "truncated"));
}

/* A consequence does not count, its cause does. */
static json_int_t count_active(const json_t *status) {
        const json_t *incidents = json_object_get(status, "incidents");

        return json_integer_value(json_object_get(incidents, "suspected")) +
                json_integer_value(json_object_get(incidents, "confirmed")) -
                json_integer_value(json_object_get(incidents, "consequences"));
}

static void print_problems(const json_t *status) {
        json_t *problem;
        size_t i;

        json_array_foreach (json_object_get(json_object_get(status, "rules"), "problems"), i, problem) {
                const char *text = json_string_value(problem);
                _cleanup_(freep) char *printable = text ? printable_text(text_of(text), SIZE_MAX) : NULL;

                if (printable)
                        printf("%s\n", printable);
        }
}

static ExitCode print_status(const json_t *status, const Arguments *a) {
        if (a->json)
                return print_json(status) ? EXIT_FINE : fail(ENOMEM, "Failed to print the status");
        print_summary(status, count_active(status));
        print_problems(status);
        if (print_sources(json_object_get(status, "sources")) < 0)
                return fail(ENOMEM, "Failed to print the status");
        print_truncated(json_object_get(status, "sources"));
        return EXIT_FINE;
}

static ExitCode run(const Arguments *a) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        json_t *status = NULL;
        ExitCode code;

        if (client_connect(&bus) < 0 ||
                client_call_json(bus, BUS_MANAGER_INTERFACE, "GetStatus", &status, NULL, "") < 0)
                return EXIT_TROUBLE;
        code = print_status(status, a);
        if (code == EXIT_FINE && count_active(status) > 0)
                code = EXIT_FINDINGS;
        json_decref(status);
        return code;
}

const Verb verb_status = {
        .name = "status",
        .arguments = "",
        .help = "how the daemon and its sources are, and whether something was found",
        .options = "",
        .run = run,
};
