#pragma once

/* A rule that uses every key of the format, and a way to spoil it in one place. */

#include "lib/base/buffer.h"
#include "lib/rules/rule-set.h"

static const char good_rule[] =
        /*  1 */ "id: good\n"
                 /*  2 */ "title: A title\n"
                 /*  3 */ "severity: error\n"
                 /*  4 */ "message-id: 0123456789abcdef0123456789abcdef\n"
                 /*  5 */ "documentation: https://example.org/good\n"
                 /*  6 */ "layer: port\n"
                 /*  7 */ "subject: \"${module:-edgeHub}\"\n"
                 /*  8 */ "key: [module]\n"
                 /*  9 */ "variables: {holder: unknown}\n"
                 /* 10 */ "message: Port ${port} is taken by ${holder}.\n"
                 /* 11 */ "explanation: |\n"
                 /* 12 */ "  Of ${subject}.\n"
                 /* 13 */ "signals:\n"
                 /* 14 */ "  refused:\n"
                 /* 15 */ "    log:\n"
                 /* 16 */ "      from: [runtime, agent]\n"
                 /* 17 */ "      level: warning\n"
                 /* 18 */ "      head: 'Starting (?<module>\\w+)'\n"
                 /* 19 */ "      match: ['Bind for .*:(?<port>\\d+)', '{{listen}}']\n"
                 /* 20 */ "      unit: [aziot-edged.service]\n"
                 /* 21 */ "      where: {port: {not: [\"1\", \"2\"]}, module: edgeHub}\n"
                 /* 22 */ "  gone: {container: {name: {match: '(?<module>.+)'}, action: [die, stop]}}\n"
                 /* 23 */ "  started: {container: {action: start}}\n"
                 /* 24 */ "  noise: {log: {from: docker, match: 'Handler for POST'}}\n"
                 /* 25 */ "when:\n"
                 /* 26 */ "  - any: refused\n"
                 /* 27 */ "  - all: [refused, gone]\n"
                 /* 28 */ "    within: 60s\n"
                 /* 29 */ "  - {sequence: [gone, refused], within: 15min, unless: [started], where: {port: "
                 "{greater-than: \"1000\"}}}\n"
                 /* 30 */ "  - {count: gone, at-least: 3, within: 5min, sustained: {at-least: 2, every: "
                 "1min}}\n"
                 /* 31 */ "  - {after: gone, absent: [started], for: 3min}\n"
                 /* 32 */ "clear:\n"
                 /* 33 */ "  - {any: started, refuted: true}\n"
                 /* 34 */ "  - quiet: 1h\n"
                 /* 35 */ "  - refuted: true\n"
                 /* 36 */ "  - {below: gone, at-least: 20, every: 1min, for: 5min}\n"
                 /* 37 */ "evidence: {signals: [noise], within: 60s}\n"
                 /* 38 */ "refractory: 10min\n"
                 /* 39 */ "confirm: {conclusive: true, require: [port-owner], ask: [route]}\n"
                 /* 40 */ "explained-by: [lower]\n"
                 /* 41 */ "remedy:\n"
                 /* 42 */ "  where: cloud\n"
                 /* 43 */ "  text: Free ${port}.\n"
                 /* 44 */ "  fix: free-port\n"
                 /* 45 */ "  deployment-patch: [{op: remove, path: \"/a/${module}\", value: 20}]\n"
                 /* 46 */ "examples:\n"
                 /* 47 */ "  - name: taken\n"
                 /* 48 */ "    events:\n"
                 /* 49 */ "      - log: {from: runtime, text: Bind for 0.0.0.0:443}\n"
                 /* 50 */ "      - container: {action: start, exit-code: 1}\n"
                 /* 51 */ "        after: 2s\n"
                 /* 52 */ "    wait: 3d\n"
                 /* 53 */ "    raises: edgeHub\n"
                 /* 54 */ "fragments: {proto: tcp, listen: 'listen {{proto}}'}\n";

/* good_rule with the first `old` replaced. */
static inline char *spoilt_rule(const char *old, const char *replacement) {
        const char *at = strstr(good_rule, old);
        Buffer b = {};

        if (!at)
                return NULL;
        (void) buffer_append(&b, good_rule, (size_t) (at - good_rule));
        (void) buffer_append_string(&b, replacement);
        (void) buffer_append_string(&b, at + strlen(old));
        return buffer_take(&b);
}

/* All problems, one a line. */
static inline char *problems_text(const ProblemList *l) {
        Buffer b = {};

        for (size_t i = 0; i < l->n_items; i++) {
                _cleanup_(freep) char *line = problem_format(&l->items[i]);

                (void) buffer_append_format(&b, "%s%s", i > 0 ? "\n" : "", line);
        }
        return buffer_take(&b);
}
