/* A rule file and, after a line of three dashes, a log line for it: rule_parse() and the matcher. */

#include "lib/match/matcher.h"

#define SEPARATOR "\n---\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(rule_freep) Rule *rule = NULL;
        _cleanup_(matcher_freep) Matcher *matcher = NULL;
        Text yaml = {(const char *) data, size}, line = yaml;
        const char *end = size > 0 ? memmem(data, size, SEPARATOR, strlen(SEPARATOR)) : NULL;
        Rule *rules[1];
        RuleSet set = {.rules = rules, .n_rules = 1};
        const Hit *hits;

        if (end) {
                yaml.len = (size_t) (end - yaml.data) + 1;
                line = text_skip(line, yaml.len + strlen(SEPARATOR) - 1);
        }
        if (rule_parse("seed.yaml", yaml, &problems, &rule) < 0)
                return 0;
        rules[0] = rule;
        if (matcher_new(&matcher, &set, &problems) < 0)
                return 0;
        for (Origin origin = 0; origin < ORIGIN_X_MAX; origin++) {
                Event event = {.kind = EVENT_LOG,
                        .origin = origin,
                        .log = {.message = line, .head = line, .level = LEVEL_FATAL}};

                (void) matcher_match(matcher, &event, &hits);
        }
        return 0;
}
