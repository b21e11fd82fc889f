/* Finds text that every match of a pattern contains, so that a line without it need not be matched at all.
 *
 * It promises never to claim too much: what it does not fully understand (extended syntax, conditions,
 * comments, verbs) leaves the pattern without a literal, which is then reported to its author. Letters are
 * folded to lower case, as the automaton does, so (?i) changes nothing. The traps: a quantifier takes the
 * character before it out of the run, also across \E; the digits of \x41 are no text; `{` is a quantifier
 * only sometimes, and PCRE2 10.43 widened when. */

#include "lib/match/matcher.h"
#include "lib/base/buffer.h"

#include <ctype.h>

#define LITERAL_MIN_BYTES ((size_t) 3)
#define BRANCHES_MAX      64
#define DEPTH_MAX         32

/* Alternatives of which every match contains one; none when nothing is known. */
typedef struct LiteralSet {
        char **items;
        size_t n_items, allocated;
        size_t shortest;
} LiteralSet;

typedef struct Scanner {
        Text rest;
        bool quoted; /* between \Q and \E */
        unsigned depth;
} Scanner;

/* How often the item before must occur. */
typedef enum Repeat {
        REPEAT_ONCE,
        REPEAT_MANY,
        REPEAT_OPTIONAL,
} Repeat;

static void literal_set_done(LiteralSet *s) {
        for (size_t i = 0; i < s->n_items; i++)
                free(s->items[i]);
        free(s->items);
        *s = (LiteralSet){};
}

static int literal_set_add(LiteralSet *s, char **literal) {
        size_t len = strlen(*literal);

        if (s->n_items >= BRANCHES_MAX)
                return -E2BIG;
        if (!GROW_ARRAY(s->items, s->allocated, s->n_items, BRANCHES_MAX))
                return -ENOMEM;
        s->shortest = s->n_items == 0 || len < s->shortest ? len : s->shortest;
        s->items[s->n_items++] = TAKE_PTR(*literal);
        return 0;
}

/* Keeps the one that tells more. */
static void literal_set_prefer(LiteralSet *best, LiteralSet *other) {
        if (other->n_items > 0 && (best->n_items == 0 || other->shortest > best->shortest)) {
                literal_set_done(best);
                *best = *other;
                *other = (LiteralSet){};
        }
}

/* The run of characters read so far ends: it may be the best so far. */
static int end_run(Buffer *run, LiteralSet *best) {
        _cleanup_(literal_set_done) LiteralSet single = {};
        _cleanup_(freep) char *literal = NULL;
        int r;

        if (run->error < 0)
                return run->error;
        if (run->len >= LITERAL_MIN_BYTES && !memchr(run->data, '\0', run->len)) {
                literal = text_dup(buffer_text(run));
                if (!literal)
                        return -ENOMEM;
                r = literal_set_add(&single, &literal);
                if (r < 0)
                        return r;
                literal_set_prefer(best, &single);
        }
        buffer_clear(run);
        return 0;
}

static char peek(const Scanner *s, size_t i) {
        return i < s->rest.len ? s->rest.data[i] : '\0';
}

static void skip(Scanner *s, size_t n) {
        s->rest = text_skip(s->rest, n);
}

/* Past \Q and \E, which are no items. */
static void skip_quote_marks(Scanner *s) {
        for (;;) {
                if (text_starts_with(s->rest, "\\E"))
                        s->quoted = false;
                else if (!s->quoted && text_starts_with(s->rest, "\\Q"))
                        s->quoted = true;
                else
                        return;
                skip(s, 2);
        }
}

/* Past everything up to and with `end`. -ENOENT when it does not come. */
static int skip_past(Scanner *s, char end) {
        const char *at = s->rest.len > 0 ? memchr(s->rest.data, end, s->rest.len) : NULL;

        if (!at)
                return -ENOENT;
        skip(s, (size_t) (at - s->rest.data) + 1);
        return 0;
}

/* `{2}`, `{2,}`, `{0,5}`, `{,5}`, with spaces. Anything else in braces is text. */
static bool scan_braces(Scanner *s, Repeat *ret) {
        size_t i = 1, digits = 0;
        bool zero = true;

        while (isdigit((unsigned char) peek(s, i)) || peek(s, i) == ',' || peek(s, i) == ' ') {
                if (digits == i - 1 && isdigit((unsigned char) peek(s, i))) {
                        digits++;
                        zero = zero && peek(s, i) == '0';
                }
                i++;
        }
        if (i == 1 || peek(s, i) != '}')
                return false;
        skip(s, i + 1);
        *ret = digits == 0 || zero ? REPEAT_OPTIONAL : REPEAT_MANY;
        return true;
}

/* Reads all quantifiers after an item, each with its lazy or possessive mark. */
static Repeat scan_quantifiers(Scanner *s) {
        Repeat repeat = REPEAT_ONCE;

        skip_quote_marks(s);
        while (!s->quoted && s->rest.len > 0) {
                Repeat one = REPEAT_ONCE;
                char c = peek(s, 0);

                if (c == '*' || c == '?' || c == '+') {
                        one = c == '+' ? REPEAT_MANY : REPEAT_OPTIONAL;
                        skip(s, 1);
                } else if (c != '{' || !scan_braces(s, &one))
                        break;
                if (peek(s, 0) == '?' || peek(s, 0) == '+')
                        skip(s, 1);
                repeat = one > repeat ? one : repeat;
                skip_quote_marks(s);
        }
        return repeat;
}

/* Past a class, after its `[`. */
static int skip_class(Scanner *s) {
        if (peek(s, 0) == '^')
                skip(s, 1);
        if (peek(s, 0) == ']')
                skip(s, 1);
        while (s->rest.len > 0) {
                char c = peek(s, 0), next = peek(s, 1);

                if (c == ']') {
                        skip(s, 1);
                        return 0;
                }
                if (c == '\\' && next != '\0' && strchr("QEc", next))
                        return -ENOENT; /* these can hide the `]` */
                if (c == '[' && (next == '.' || next == '='))
                        return -ENOENT;
                if (c == '[' && next == ':') {
                        size_t i = 2;

                        while (isalpha((unsigned char) peek(s, i)) || peek(s, i) == '^')
                                i++;
                        if (peek(s, i) == ':' && peek(s, i + 1) == ']') {
                                skip(s, i + 2);
                                continue;
                        }
                }
                skip(s, c == '\\' ? 2 : 1);
        }
        return -ENOENT;
}

static int skip_bracketed(Scanner *s) {
        static const char opening[] = "{<'", closing[] = "}>'";
        const char *at = peek(s, 0) ? strchr(opening, peek(s, 0)) : NULL;

        if (!at)
                return 0;
        skip(s, 1);
        return skip_past(s, closing[at - opening]);
}

/* The argument of an escape with a letter or digit, after these: all of it is no text. */
static int skip_escape_argument(Scanner *s, char escape) {
        Text whole = s->rest;

        switch (escape) {
        case 'x':
                for (size_t n = 0; n < 2 && isxdigit((unsigned char) peek(s, 0)); n++)
                        skip(s, 1);
                return whole.len == s->rest.len && peek(s, 0) == '{' ? skip_bracketed(s) : 0;
        case 'p':
        case 'P':
                if (peek(s, 0) == '{')
                        return skip_bracketed(s);
                skip(s, 1);
                return 0;
        case 'c':
                skip(s, 1);
                return 0;
        case 'g':
        case 'k':
                if (peek(s, 0) == '-' || peek(s, 0) == '+')
                        skip(s, 1);
                while (isdigit((unsigned char) peek(s, 0)))
                        skip(s, 1);
                return whole.len == s->rest.len ? skip_bracketed(s) : 0;
        case 'o':
        case 'N':
                return peek(s, 0) == '{' ? skip_bracketed(s) : 0;
        default:
                while (isdigit((unsigned char) escape) && isdigit((unsigned char) peek(s, 0)))
                        skip(s, 1);
                return strchr("uUlL", escape) ? -ENOENT : 0;
        }
}

static int scan_sequence(Scanner *s, LiteralSet *ret);

/* All branches up to `)` or the end. Without a literal in each there is none. */
static int scan_branches(Scanner *s, LiteralSet *ret) {
        _cleanup_(literal_set_done) LiteralSet all = {};
        bool complete = true;

        for (;;) {
                _cleanup_(literal_set_done) LiteralSet branch = {};
                int r = scan_sequence(s, &branch);

                if (r < 0)
                        return r;
                complete = complete && branch.n_items > 0;
                for (size_t i = 0; complete && i < branch.n_items; i++) {
                        r = literal_set_add(&all, &branch.items[i]);
                        if (r == -E2BIG)
                                complete = false;
                        else if (r < 0)
                                return r;
                }
                if (peek(s, 0) != '|')
                        break;
                skip(s, 1);
        }
        if (complete) {
                *ret = all;
                all = (LiteralSet){};
        }
        return 0;
}

typedef enum GroupKind {
        GROUP_CONTENT, /* its text is part of the match */
        GROUP_LOOK,    /* it only looks */
        GROUP_WHOLE,   /* (?1) and the like, read to its end */
        GROUP_OPTIONS, /* (?i), read to its end */
} GroupKind;

static int scan_options(Scanner *s, GroupKind *ret) {
        while (peek(s, 0) && strchr("imsnJU-^", peek(s, 0)))
                skip(s, 1);
        if (peek(s, 0) != ':' && peek(s, 0) != ')')
                return -ENOENT; /* (?x) changes what is text; (?# (?C (?( are not understood */
        *ret = peek(s, 0) == ':' ? GROUP_CONTENT : GROUP_OPTIONS;
        skip(s, 1);
        return 0;
}

/* What follows `(`. */
static int scan_group_start(Scanner *s, GroupKind *ret) {
        char c = peek(s, 1), next = peek(s, 2);

        *ret = GROUP_CONTENT;
        if (peek(s, 0) == '*')
                return -ENOENT;
        if (peek(s, 0) != '?')
                return 0;
        if (c == '<' && (next == '=' || next == '!')) {
                skip(s, 3);
                *ret = GROUP_LOOK;
                return 0;
        }
        if (c == '=' || c == '!') {
                skip(s, 2);
                *ret = GROUP_LOOK;
                return 0;
        }
        if (c == '|' || c == '>') {
                skip(s, 2);
                return 0;
        }
        if (c == 'P' && next == '<')
                skip(s, 1);
        if (peek(s, 1) == '<' || peek(s, 1) == '\'') {
                skip(s, 1);
                return skip_bracketed(s);
        }
        if (c == 'P' || c == 'R' || c == '&' || c == '+' || isdigit((unsigned char) c) ||
                (c == '-' && isdigit((unsigned char) next))) {
                *ret = GROUP_WHOLE;
                return skip_past(s, ')');
        }
        skip(s, 1);
        return scan_options(s, ret);
}

/* A group, after its `(`, with its quantifiers. */
static int scan_group(Scanner *s, LiteralSet *best) {
        _cleanup_(literal_set_done) LiteralSet content = {};
        GroupKind kind;
        int r;

        r = scan_group_start(s, &kind);
        if (r < 0)
                return r;
        if (kind == GROUP_OPTIONS)
                return 0;
        if (kind != GROUP_WHOLE) {
                if (++s->depth > DEPTH_MAX)
                        return -ENOENT;
                r = scan_branches(s, &content);
                if (r < 0)
                        return r;
                if (s->quoted || peek(s, 0) != ')')
                        return -ENOENT;
                skip(s, 1);
                s->depth--;
        }
        if (scan_quantifiers(s) != REPEAT_OPTIONAL && kind == GROUP_CONTENT)
                literal_set_prefer(best, &content);
        return 0;
}

/* A character that stands for itself. */
static int scan_character(Scanner *s, char c, Buffer *run, LiteralSet *best) {
        Repeat repeat = scan_quantifiers(s);
        char folded = c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;

        if (repeat != REPEAT_OPTIONAL)
                (void) buffer_append(run, &folded, 1);
        return repeat == REPEAT_ONCE ? 0 : end_run(run, best);
}

/* An item that is no text of its own. */
static int scan_other(Scanner *s, char c, LiteralSet *best) {
        int r = 0;

        if (c == '(')
                return scan_group(s, best);
        if (c == '[')
                r = skip_class(s);
        else if (c == '\\') {
                char escape = peek(s, 0);

                skip(s, 1);
                r = escape ? skip_escape_argument(s, escape) : -ENOENT;
        }
        if (r < 0)
                return r;
        (void) scan_quantifiers(s);
        return 0;
}

static int scan_item(Scanner *s, Buffer *run, LiteralSet *best) {
        char c = peek(s, 0);
        int r;

        skip(s, 1);
        if (!s->quoted && c == '\\' && s->rest.len > 0 && !isalnum((unsigned char) peek(s, 0))) {
                c = peek(s, 0);
                skip(s, 1);
                return scan_character(s, c, run, best);
        }
        if (s->quoted || !strchr("\\([.^$*+?", c))
                return scan_character(s, c, run, best);
        r = end_run(run, best);
        return r < 0 ? r : scan_other(s, c, best);
}

/* One branch, up to `|`, `)` or the end. */
static int scan_sequence(Scanner *s, LiteralSet *ret) {
        _cleanup_(buffer_done) Buffer run = {};
        int r;

        for (;;) {
                skip_quote_marks(s);
                if (s->rest.len == 0 || (!s->quoted && (peek(s, 0) == '|' || peek(s, 0) == ')')))
                        return end_run(&run, ret);
                r = scan_item(s, &run, ret);
                if (r < 0)
                        return r;
        }
}

int pattern_literals(const char *pattern, char ***ret, size_t *ret_n) {
        _cleanup_(literal_set_done) LiteralSet set = {};
        Scanner s = {.rest = text_of(pattern)};
        int r;

        r = scan_branches(&s, &set);
        if (r < 0)
                return r;
        if (set.n_items == 0 || s.rest.len > 0)
                return -ENOENT;
        *ret = set.items;
        *ret_n = set.n_items;
        set = (LiteralSet){};
        return 0;
}
