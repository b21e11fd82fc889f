/* The prefix of a line, for all eras of the Rust daemons and the .NET modules.
 *
 *   [<N>[ ]]TIMESTAMP [LEVEL] [[context] ]- message
 *
 * Promise: one look at the bytes, nothing is allocated; a line that only resembles a prefix has none. The
 * timestamp is skipped, never read. A timestamp without a level (start scripts) is a prefix too: it starts a
 * record, at LEVEL_UNKNOWN. The trap: the Rust loggers put a [target] behind the dash, but only at debug and
 * trace; at info a bracket there is the message's own. */

#include "lib/event/log-prefix.h"

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* Moves *at over the pattern: 0 stands for a digit, all else for itself. */
static bool skip_pattern(Text t, size_t *at, const char *pattern) {
        size_t n = strlen(pattern);

        if (t.len - *at < n)
                return false;
        for (size_t i = 0; i < n; i++) {
                char c = t.data[*at + i];
                if (pattern[i] == '0' ? !is_digit(c) : c != pattern[i])
                        return false;
        }
        *at += n;
        return true;
}

static bool skip_timestamp(Text t, size_t *at) {
        size_t n = *at;

        if (!skip_pattern(t, &n, "0000-00-00"))
                return false;
        if (!skip_pattern(t, &n, "T00:00:00") && !skip_pattern(t, &n, " 00:00:00"))
                return false;
        if (n < t.len && t.data[n] == '.') {
                n++;
                while (n < t.len && is_digit(t.data[n]))
                        n++;
        }
        if (!skip_pattern(t, &n, "Z") && !skip_pattern(t, &n, " +00:00") &&
                !skip_pattern(t, &n, " -00:00") && !skip_pattern(t, &n, "+00:00") &&
                !skip_pattern(t, &n, "-00:00"))
                (void) skip_pattern(t, &n, " UTC");
        *at = n;
        return true;
}

static const struct {
        const char *token;
        Level level;
} tokens[] = {
        {"[INFO]", LEVEL_INFO},
        {"[INF]", LEVEL_INFO},
        {"[WARN]", LEVEL_WARNING},
        {"[WRN]", LEVEL_WARNING},
        {"[ERR!]", LEVEL_ERROR},
        {"[ERR]", LEVEL_ERROR},
        {"[DBUG]", LEVEL_DEBUG},
        {"[DBG]", LEVEL_DEBUG},
        {"[TRCE]", LEVEL_TRACE},
        {"[VRB]", LEVEL_TRACE},
        {"[FTL]", LEVEL_FATAL},
};

static Level skip_level(Text t, size_t *at) {
        FOREACH_ARRAY (token, tokens, ELEMENTSOF(tokens))
                if (skip_pattern(t, at, token->token))
                        return token->level;
        return LEVEL_UNKNOWN;
}

#define CONTEXT_MAX_BYTES 256

/* "[Microsoft.Azure.Devices.Edge.Agent.Core.Agent] " or "[aziot_edged::watchdog] " */
static void skip_context(Text t, size_t *at) {
        size_t n = *at;

        if (n >= t.len || t.data[n] != '[')
                return;
        while (n < t.len && t.data[n] != ']' && n - *at < CONTEXT_MAX_BYTES)
                n++;
        if (skip_pattern(t, &n, "] "))
                *at = n;
}

LogPrefix log_prefix_parse(Text line) {
        LogPrefix none = {LEVEL_UNKNOWN, 0};
        Level level;
        size_t at = 0, time;

        if (skip_pattern(line, &at, "<0>"))
                (void) skip_pattern(line, &at, " ");
        if (!skip_timestamp(line, &at))
                return none;
        if (!skip_pattern(line, &at, " "))
                return at == line.len ? (LogPrefix){LEVEL_UNKNOWN, at} : none;
        time = at;

        level = skip_level(line, &at);
        if (level == LEVEL_UNKNOWN || !skip_pattern(line, &at, " "))
                return (LogPrefix){LEVEL_UNKNOWN, time};
        skip_context(line, &at);
        if (!skip_pattern(line, &at, "-"))
                return (LogPrefix){LEVEL_UNKNOWN, time};
        (void) skip_pattern(line, &at, " ");
        if (level == LEVEL_DEBUG || level == LEVEL_TRACE)
                skip_context(line, &at);
        return (LogPrefix){level, at};
}
