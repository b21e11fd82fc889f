/* What `fix plan` and `fix apply` are about. An id is asked of edgewatchd, as its subject is known there
 * only; a symptom or a fix is repaired where the fixer finds it, and needs no daemon. */

#include <stdio.h>
#include <string.h>

#include "daemon/ctl/client.h"
#include "daemon/ctl/incidents-text.h"
#include "daemon/ctl/rule-directories.h"
#include "daemon/ctl/verbs/fix.h"

static int copy(char *target, size_t size, const char *value) {
        int n = snprintf(target, size, "%s", value);

        return n < 0 || (size_t) n >= size ? -ENAMETOOLONG : 0;
}

static int of_incident(const char *id, const RuleSet *rules, FixTarget *t) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        json_t *report = NULL, *incident;
        const Rule *rule;
        int r;

        r = client_connect(&bus);
        if (r >= 0)
                r = client_incidents(bus, &report);
        if (r < 0)
                return r;
        incident = incidents_find(report, id);
        rule = rule_set_find(rules, json_field_string(incident, "symptom"));
        if (!incident)
                r = fail(0, "There is no incident \"%s\"", id);
        else if (!rule || !rule->remedy.fix)
                r = fail(0, "The remedy of %s is no fix; see `edgewatchctl explain %s`",
                        json_field_string(incident, "symptom"), id);
        else if (copy(t->fix, sizeof(t->fix), rule->remedy.fix) < 0 ||
                copy(t->subject, sizeof(t->subject), json_field_string(incident, "subject")) < 0 ||
                copy(t->incident, sizeof(t->incident), json_field_string(incident, "id")) < 0)
                r = fail(ENAMETOOLONG, "Failed to read incident \"%s\"", id);
        json_decref(incident);
        json_decref(report);
        return r > 0 ? -ENOENT : 0;
}

static const char *fix_of(const char *word, const RuleSet *rules) {
        const Rule *rule = rule_set_find(rules, word);

        if (rule)
                return rule->remedy.fix;
        for (size_t i = 0; i < rules->n_rules; i++)
                if (rules->rules[i]->remedy.fix && strcmp(rules->rules[i]->remedy.fix, word) == 0)
                        return word;
        return NULL;
}

static int of_name(const char *word, const RuleSet *rules, FixTarget *t) {
        const char *fix = fix_of(word, rules);

        if (fix && copy(t->fix, sizeof(t->fix), fix) == 0)
                return 0;
        if (rule_set_find(rules, word))
                (void) fail(0, "The remedy of %s is no fix; see `edgewatchctl explain %s`", word, word);
        else
                (void) fail(0, "\"%s\" is neither an incident nor a symptom nor a fix", word);
        return -ENOENT;
}

int fix_target_find(const char *word, const Arguments *a, FixTarget *ret) {
        _cleanup_(rule_set_freep) RuleSet *rules = NULL;
        FixTarget t = {};
        int r;

        r = rules_load(a, false, &rules, NULL);
        if (r >= 0)
                r = incident_is_id(word) ? of_incident(word, rules, &t) : of_name(word, rules, &t);
        if (r >= 0 && a->subject && copy(t.subject, sizeof(t.subject), a->subject) < 0) {
                (void) fail(ENAMETOOLONG, "--subject=%s", a->subject);
                r = -ENAMETOOLONG;
        }
        if (r >= 0)
                *ret = t;
        return r;
}
