/* From an event to the signals that it is.
 *
 * A log line goes through the automaton once. Each literal found names the (signal, pattern) pairs that need
 * it; origin and level, two comparisons, thin them out before PCRE2 sees any. The pairs are then tried in
 * the order of the rules, so the result does not depend on where in the line the literals stood. The trap:
 * one pattern has several literals (its branches) and a literal occurs many times, so pairs are marked when
 * first seen; the mark is the number of the line, which spares clearing.
 *
 * All other events are rare: the signals of their kind are simply tried. */

#include "lib/match/matcher.h"
#include "lib/match/automaton.h"
#include "lib/match/signal-matcher.h"

#define SIGNALS_MAX  ((size_t) RULES_MAX * RULE_SIGNALS_MAX)
#define NEEDS_MAX    ((size_t) 1024 * 1024)
#define NO_CANDIDATE SIZE_MAX

/* A literal and the pattern that needs it. */
typedef struct Need {
        uint32_t signal, pattern;
} Need;

typedef struct Candidate {
        uint32_t signal, pattern;
} Candidate;

struct Matcher {
        const RuleSet *rules;
        CompiledSignal *signals; /* in the order of the rules */
        size_t n_signals, n_allocated;
        size_t *first_mark; /* [signal]: of its patterns' marks */
        uint64_t *marks;    /* [pattern]: the line in which it last was a candidate */
        size_t n_marks;
        char **literals; /* until the automaton is built */
        size_t n_literals, literals_allocated;
        Need *needs; /* [literal] */
        size_t needs_allocated;
        Candidate *candidates;
        size_t n_candidates;
        const Event *event; /* that is being matched */
        Automaton *automaton;
        PatternRunner runner;
        uint32_t origins;     /* that some rule reads */
        uint32_t kinds;       /* of events that some rule looks at */
        uint64_t *limit_hits; /* [rule] */
        Hit hits[MATCH_HITS_MAX];
        size_t n_hits;
        MatcherStats stats;
};

static void free_literals(Matcher *m) {
        for (size_t i = 0; i < m->n_literals; i++)
                free(m->literals[i]);
        free(m->literals);
        m->literals = NULL;
        m->n_literals = 0;
}

Matcher *matcher_free(Matcher *m) {
        if (!m)
                return NULL;
        for (size_t i = 0; i < m->n_signals; i++)
                signal_compiled_done(&m->signals[i]);
        free(m->signals);
        free_literals(m);
        free(m->first_mark);
        free(m->marks);
        free(m->needs);
        free(m->candidates);
        free(m->limit_hits);
        (void) automaton_free(m->automaton);
        pattern_runner_done(&m->runner);
        free(m);
        return NULL;
}

static int add_need(Matcher *m, char **literal, size_t signal, size_t pattern) {
        if (!GROW_ARRAY(m->literals, m->literals_allocated, m->n_literals, NEEDS_MAX) ||
                !GROW_ARRAY(m->needs, m->needs_allocated, m->n_literals, NEEDS_MAX))
                return m->n_literals >= NEEDS_MAX ? -E2BIG : -ENOMEM;
        m->needs[m->n_literals] = (Need){(uint32_t) signal, (uint32_t) pattern};
        m->literals[m->n_literals++] = TAKE_PTR(*literal);
        return 0;
}

static int add_pattern_literals(Matcher *m, size_t signal, size_t pattern, ProblemList *problems) {
        const CompiledSignal *s = &m->signals[signal];
        const Pattern *source = &s->source->patterns[pattern];
        char **literals;
        size_t n;
        int r;

        if (!s->patterns[pattern].code)
                return 0;
        r = pattern_literals(source->text, &literals, &n);
        if (r == -ENOENT)
                return problem_list_add(problems, m->rules->rules[s->rule]->path, source->line,
                        source->column,
                        "no text of 3 bytes that every match contains, expected one in each alternative");
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                if (r >= 0)
                        r = add_need(m, &literals[i], signal, pattern);
                free(literals[i]);
        }
        free(literals);
        return r;
}

static int add_signal(Matcher *m, size_t rule, size_t signal, ProblemList *problems) {
        const Signal *source = &m->rules->rules[rule]->signals[signal];
        size_t index = m->n_signals;
        int r;

        if (!GROW_ARRAY(m->signals, m->n_allocated, m->n_signals, SIGNALS_MAX))
                return m->n_signals >= SIGNALS_MAX ? -E2BIG : -ENOMEM;
        r = signal_compile(m->rules->rules[rule], source, problems, &m->runner, &m->signals[index]);
        if (r < 0)
                return r;
        m->n_signals++;
        m->signals[index].rule = rule;
        m->signals[index].signal = signal;
        m->kinds |= UINT32_C(1) << source->kind;
        if (source->kind == EVENT_LOG)
                m->origins |= source->origins;
        m->n_marks += source->n_patterns;
        for (size_t i = 0; i < source->n_patterns; i++) {
                r = add_pattern_literals(m, index, i, problems);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int allocate_marks(Matcher *m) {
        size_t next = 0;

        m->first_mark = calloc(m->n_signals + 1, sizeof(*m->first_mark));
        m->marks = calloc(m->n_marks + 1, sizeof(*m->marks));
        m->candidates = calloc(m->n_marks + 1, sizeof(*m->candidates));
        m->limit_hits = calloc(m->rules->n_rules + 1, sizeof(*m->limit_hits));
        if (!m->first_mark || !m->marks || !m->candidates || !m->limit_hits)
                return -ENOMEM;
        for (size_t i = 0; i < m->n_signals; i++) {
                m->first_mark[i] = next;
                next += m->signals[i].source->n_patterns;
        }
        return 0;
}

static int build(Matcher *m, ProblemList *problems) {
        int r;

        for (size_t rule = 0; rule < m->rules->n_rules; rule++)
                for (size_t i = 0; i < m->rules->rules[rule]->n_signals; i++) {
                        r = add_signal(m, rule, i, problems);
                        if (r < 0)
                                return r;
                }
        r = allocate_marks(m);
        if (r < 0)
                return r;
        r = automaton_new(&m->automaton, (const char *const *) m->literals, m->n_literals);
        if (r < 0)
                return r;
        free_literals(m);
        m->stats.automaton_bytes = automaton_bytes(m->automaton);
        return pattern_runner_start(&m->runner);
}

int matcher_new(Matcher **ret, const RuleSet *rules, ProblemList *problems) {
        _cleanup_(matcher_freep) Matcher *m = calloc(1, sizeof(*m));
        int r;

        if (!m)
                return -ENOMEM;
        m->rules = rules;
        r = build(m, problems);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

/* Adds up what a pattern or test said; true when it matched. */
static bool matched(Matcher *m, size_t rule, int r) {
        if (r < 0) {
                m->stats.limit_hits++;
                m->limit_hits[rule]++;
        }
        return r > 0;
}

/* The next place for a hit, NULL when there are as many as may be. */
static Hit *start_hit(Matcher *m, const CompiledSignal *s) {
        Hit *hit;

        if (m->n_hits >= MATCH_HITS_MAX)
                return NULL;
        hit = &m->hits[m->n_hits];
        hit->rule = s->rule;
        hit->signal = s->signal;
        hit->n_variables = 0;
        return hit;
}

static void note_candidate(void *userdata, size_t literal) {
        Matcher *m = userdata;
        const Need *need = &m->needs[literal];
        uint64_t *mark = &m->marks[m->first_mark[need->signal] + need->pattern];

        if (*mark == m->stats.lines)
                return;
        *mark = m->stats.lines;
        if (signal_reads(&m->signals[need->signal], m->event))
                m->candidates[m->n_candidates++] = (Candidate){need->signal, need->pattern};
}

static int compare_candidates(const void *a, const void *b) {
        const Candidate *x = a, *y = b;

        if (x->signal != y->signal)
                return x->signal < y->signal ? -1 : 1;
        return x->pattern < y->pattern ? -1 : x->pattern > y->pattern;
}

static bool try_candidate(Matcher *m, const Candidate *c, Text text) {
        CompiledSignal *s = &m->signals[c->signal];
        Hit *hit = start_hit(m, s);

        if (!hit)
                return false;
        m->stats.candidates++;
        if (!matched(m, s->rule, pattern_run(&s->patterns[c->pattern], &m->runner, text, hit)) ||
                !matched(m, s->rule, signal_test_fields(s, &m->runner, m->event, hit)) ||
                !signal_where_holds(s, hit))
                return false;
        m->n_hits++;
        return true;
}

static void match_log(Matcher *m, const Event *event) {
        Text text = text_clip(event->log.message, MATCH_TEXT_MAX);
        size_t done = NO_CANDIDATE; /* the signal that has its hit: one alternative is enough */

        if (!matcher_reads_origin(m, event->origin))
                return;
        m->stats.lines++;
        m->stats.truncated += text.len < event->log.message.len;
        m->n_candidates = 0;
        m->event = event;
        automaton_scan(m->automaton, text, note_candidate, m);
        if (m->n_candidates > 1)
                qsort(m->candidates, m->n_candidates, sizeof(*m->candidates), compare_candidates);
        FOREACH_ARRAY (c, m->candidates, m->n_candidates)
                if (c->signal != done && try_candidate(m, c, text))
                        done = c->signal;
        m->event = NULL;
}

static void match_change(Matcher *m, const Event *event) {
        for (size_t i = 0; i < m->n_signals; i++) {
                CompiledSignal *s = &m->signals[i];
                Hit *hit;

                if (s->source->kind != event->kind)
                        continue;
                hit = start_hit(m, s);
                if (!hit)
                        return;
                if (matched(m, s->rule, signal_test_fields(s, &m->runner, event, hit)) &&
                        signal_where_holds(s, hit))
                        m->n_hits++;
        }
}

size_t matcher_match(Matcher *m, const Event *event, const Hit **ret) {
        m->n_hits = 0;
        if (event->kind == EVENT_LOG)
                match_log(m, event);
        else if (m->kinds & UINT32_C(1) << event->kind)
                match_change(m, event);
        m->stats.hits += m->n_hits;
        *ret = m->hits;
        return m->n_hits;
}

bool matcher_reads_origin(const Matcher *m, Origin origin) {
        return m->origins & UINT32_C(1) << origin;
}

MatcherStats matcher_stats(const Matcher *m) {
        return m->stats;
}

uint64_t matcher_limit_hits(const Matcher *m, size_t rule) {
        return m->limit_hits[rule];
}
