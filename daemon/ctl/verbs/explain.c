/* explain: an incident in full, or a symptom in general. */

#include "daemon/ctl/client.h"
#include "daemon/ctl/incidents-text.h"
#include "daemon/ctl/rule-directories.h"
#include "lib/report/report.h"

static ExitCode print_incident(const json_t *incident, const Arguments *a) {
        _cleanup_(freep) char *text = NULL;

        if (a->json)
                return print_json(incident) ? EXIT_FINE : fail(ENOMEM, "Failed to explain");
        text = report_explain(incident);
        if (!text)
                return fail(ENOMEM, "Failed to explain");
        (void) fputs(text, stdout);
        return EXIT_FINE;
}

static ExitCode print_rule(const Rule *rule, const Arguments *a) {
        bool printed;
        json_t *object;

        if (!a->json) {
                _cleanup_(freep) char *text = report_explain_rule(rule);

                return text && fputs(text, stdout) >= 0 ? EXIT_FINE : fail(ENOMEM, "Failed to explain");
        }
        object = json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?}", "symptom", rule->id, "title", rule->title,
                "severity", severity_to_string(rule->severity), "explanation", rule->explanation, "remedy",
                rule->remedy.text, "documentation", rule->documentation);
        printed = object && print_json(object);
        json_decref(object);
        return printed ? EXIT_FINE : fail(ENOMEM, "Failed to explain");
}

static ExitCode explain_incident(const Arguments *a) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        json_t *incident = NULL;
        ExitCode code;

        if (client_connect(&bus) < 0 ||
                client_call_json(
                        bus, BUS_EVIDENCE_INTERFACE, "Describe", &incident, NULL, "s", a->words[0]) < 0)
                return EXIT_TROUBLE;
        code = print_incident(incident, a);
        json_decref(incident);
        return code;
}

static ExitCode run(const Arguments *a) {
        _cleanup_(rule_set_freep) RuleSet *rules = NULL;
        const Rule *rule;

        if (incident_is_id(a->words[0]))
                return explain_incident(a);
        if (rules_load(a, false, &rules, NULL) < 0)
                return EXIT_TROUBLE;
        rule = rule_set_find(rules, a->words[0]);
        if (!rule)
                return fail(0, "\"%s\" is neither an incident nor a symptom", a->words[0]);
        return print_rule(rule, a);
}

const Verb verb_explain = {
        .name = "explain",
        .arguments = "INCIDENT|SYMPTOM",
        .help = "tell all about an incident (its id or the beginning of it), or about a symptom",
        .options = "rules",
        .min_words = 1,
        .max_words = 1,
        .run = run,
};
