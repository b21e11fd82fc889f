/* Walks the chains for one packet, with three answers to each test: it matches, it does not, it may. The
 * result is the set of what can become of the packet; only a set of one is an answer.
 *
 * The traps: a jump comes back and a goto does not; both backends may hold rules and a packet has to pass
 * both, so a table may be there twice; a hostile or huge set of chains must not take for ever, so the lines
 * that are looked at have a budget. */

#include "lib/world/firewall.h"

#include <arpa/inet.h>

#define DEPTH_MAX     16
#define LINES_BUDGET  200000
#define ADDRESS_BYTES 64

typedef enum Match {
        MATCH_NO,
        MATCH_MAYBE,
        MATCH_YES,
} Match;

/* What can become of a packet, as bits. */
enum {
        END_ACCEPTED = 1,
        END_DROPPED = 2,
        END_TRANSLATED = 4,
        END_PASSED_ON = 8, /* by the chain: to the rule behind the jump */
        END_ANY = END_ACCEPTED | END_DROPPED | END_TRANSLATED,
};

typedef struct Walk {
        Text table; /* its lines: the chains, then the rules */
        const FirewallPacket *packet;
        Text dropped_by;  /* the first rule that certainly drops */
        unsigned guesses; /* jumps on the way here that may not have been taken */
        size_t lines_left;
} Walk;

typedef struct Rule {
        Match match;
        Text target; /* empty: it only counts */
        bool is_goto;
} Rule;

/* Words are separated by blanks; one in quotes may hold some, and \". It keeps its quotes: so it is never
 * taken for an option. */
static Text next_word(Text *line) {
        size_t n = 0;
        Text word;

        while (line->len > 0 && line->data[0] == ' ')
                *line = text_skip(*line, 1);
        if (text_starts_with(*line, "\"")) {
                for (n = 1; n < line->len && line->data[n] != '"';)
                        n += line->data[n] == '\\' ? 2 : 1;
                n++;
        } else
                while (n < line->len && line->data[n] != ' ')
                        n++;
        word = text_clip(*line, n);
        *line = text_skip(*line, word.len + 1);
        return word;
}

typedef struct Subnet {
        uint32_t address, mask;
} Subnet;

static bool parse_subnet(Text text, Subnet *ret) {
        const char *slash = text.len > 0 ? memchr(text.data, '/', text.len) : NULL;
        size_t len = slash ? (size_t) (slash - text.data) : text.len;
        char buffer[ADDRESS_BYTES];
        uint64_t prefix = 32;
        struct in_addr address;

        if (len >= sizeof(buffer))
                return false;
        memcpy(buffer, len > 0 ? text.data : "", len);
        buffer[len] = '\0';
        if (inet_pton(AF_INET, buffer, &address) != 1)
                return false;
        if (slash && (text_to_u64(text_skip(text, len + 1), &prefix) < 0 || prefix > 32))
                return false;
        ret->mask = prefix == 0 ? 0 : UINT32_MAX << (32 - prefix);
        ret->address = ntohl(address.s_addr) & ret->mask;
        return true;
}

static Match match_source(const FirewallPacket *p, Text value) {
        Subnet rule, source;

        if (!parse_subnet(value, &rule))
                return MATCH_MAYBE;
        if (rule.mask == 0)
                return MATCH_YES;
        if (!p->source || !parse_subnet(text_of(p->source), &source))
                return MATCH_MAYBE;
        if ((source.address & rule.mask) == rule.address && source.mask >= rule.mask)
                return MATCH_YES;
        return (rule.address & source.mask) == source.address && rule.mask > source.mask ? MATCH_MAYBE
                                                                                         : MATCH_NO;
}

static Match match_link(const char *link, Text value) {
        if (!link)
                return MATCH_MAYBE;
        if (text_ends_with(value, "+"))
                return strncmp(link, value.data, value.len - 1) == 0 ? MATCH_YES : MATCH_NO;
        return text_is(value, link) ? MATCH_YES : MATCH_NO;
}

/* "443", "443:5671", and lists of such. */
static Match match_ports(unsigned port, Text list) {
        while (list.len > 0) {
                Text item = text_cut(&list, ','), last = item;
                const char *colon = item.len > 0 ? memchr(item.data, ':', item.len) : NULL;
                uint64_t low = 0, high = 0;

                if (colon) {
                        last = text_skip(item, (size_t) (colon - item.data) + 1);
                        item = text_clip(item, (size_t) (colon - item.data));
                }
                if (text_to_u64(item, &low) < 0 || text_to_u64(last, &high) < 0)
                        return MATCH_MAYBE;
                if (port >= low && port <= high)
                        return MATCH_YES;
        }
        return MATCH_NO;
}

static Match match_state(Text list) {
        while (list.len > 0)
                if (text_is(text_cut(&list, ','), "NEW"))
                        return MATCH_YES;
        return MATCH_NO;
}

/* Of a module that is not known the tests are not, either. */
static Match match_module(Text name) {
        static const char *const known[] = {"comment", "conntrack", "multiport", "state", "tcp"};

        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (text_is(name, known[i]))
                        return MATCH_YES;
        return MATCH_MAYBE;
}

/* Whether one value belongs to it, as to all that are known here. */
static bool is_known_option(Text option) {
        static const char *const known[] = {"-s", "-i", "-o", "-p", "-m", "-j", "-g", "--comment",
                "--ctstate", "--dport", "--dports", "--state"};

        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (text_is(option, known[i]))
                        return true;
        return false;
}

static Match match_option(const FirewallPacket *p, Text option, Text value) {
        if (text_is(option, "-s"))
                return match_source(p, value);
        if (text_is(option, "-i"))
                return match_link(p->in, value);
        if (text_is(option, "-o"))
                return match_link(p->out, value);
        if (text_is(option, "-p"))
                return text_is(value, "tcp") || text_is(value, "all") ? MATCH_YES : MATCH_NO;
        if (text_is(option, "-m"))
                return match_module(value);
        if (text_is(option, "--dport") || text_is(option, "--dports"))
                return match_ports(p->destination_port, value);
        if (text_is(option, "--ctstate") || text_is(option, "--state"))
                return match_state(value);
        return text_is(option, "--comment") ? MATCH_YES : MATCH_MAYBE;
}

/* What comes behind "-A CHAIN". */
static Rule read_rule(const FirewallPacket *p, Text line) {
        Rule rule = {.match = MATCH_YES};
        bool negated = false;

        while (line.len > 0) {
                Text word = next_word(&line), value;
                Match m;

                if (text_is(word, "!")) {
                        negated = true;
                        continue;
                }
                if (!text_starts_with(word, "-"))
                        continue;
                value = is_known_option(word) ? next_word(&line) : TEXT_NONE;
                if (text_is(word, "-j") || text_is(word, "-g")) {
                        rule.target = value;
                        rule.is_goto = text_is(word, "-g");
                        return rule;
                }
                m = match_option(p, word, value);
                if (negated)
                        m = m == MATCH_YES ? MATCH_NO : m == MATCH_NO ? MATCH_YES : MATCH_MAYBE;
                negated = false;
                if (m < rule.match)
                        rule.match = m;
        }
        return rule;
}

/* What a built-in target makes of a packet; 0 when it is a chain. */
static unsigned end_of_target(Text target) {
        static const struct {
                const char *target;
                unsigned ends;
        } targets[] = {
                {"ACCEPT", END_ACCEPTED},
                {"DROP", END_DROPPED},
                {"REJECT", END_DROPPED},
                {"MASQUERADE", END_TRANSLATED},
                {"SNAT", END_TRANSLATED},
                {"NETMAP", END_TRANSLATED},
                {"NFQUEUE", END_ANY},
                {"QUEUE", END_ANY},
        };

        for (size_t i = 0; i < ELEMENTSOF(targets); i++)
                if (text_is(target, targets[i].target))
                        return targets[i].ends;
        return 0;
}

/* The line ":CHAIN POLICY [0:0]"; false when there is no such chain. A chain of one's own has the policy
 * "-". */
static bool find_chain(Walk *w, Text chain, Text *ret_policy) {
        Text rest = w->table;

        for (; text_starts_with(rest, ":") && w->lines_left > 0; w->lines_left--) {
                Text line = text_skip(text_cut(&rest, '\n'), 1);

                if (!text_equals(next_word(&line), chain))
                        continue;
                *ret_policy = next_word(&line);
                return true;
        }
        return false;
}

static unsigned end_of_chain(Walk *w, Text policy) {
        if (text_is(policy, "ACCEPT"))
                return END_ACCEPTED;
        if (!text_is(policy, "DROP"))
                return END_PASSED_ON;
        if (text_is_empty(w->dropped_by))
                w->dropped_by = TEXT_LITERAL("the chain's policy is DROP, and no rule accepts it");
        return END_DROPPED;
}

static unsigned walk_chain(Walk *w, Text chain, Text policy, unsigned depth);

/* What the rule makes of a packet that matches it: one of its ends, or passed on to the next rule. */
static unsigned apply_rule(Walk *w, const Rule *rule, Text line, Text policy, unsigned depth) {
        bool is_guess = rule->match == MATCH_MAYBE;
        unsigned ends = end_of_target(rule->target);
        Text inner;

        if (text_is(rule->target, "RETURN"))
                return end_of_chain(w, policy);
        if (ends == END_DROPPED && !is_guess && w->guesses == 0 && text_is_empty(w->dropped_by))
                w->dropped_by = line;
        if (ends != 0)
                return ends;
        if (!find_chain(w, rule->target, &inner))
                return w->lines_left > 0 ? END_PASSED_ON : END_ANY; /* LOG, MARK, TCPMSS, … */
        w->guesses += is_guess;
        ends = walk_chain(w, rule->target, inner, depth + 1);
        w->guesses -= is_guess;
        if (rule->is_goto && (ends & END_PASSED_ON))
                ends = (ends & END_ANY) | end_of_chain(w, policy);
        return ends;
}

/* Whether the packet can never come to the rule behind this one. */
static bool is_last(const Rule *rule, unsigned ends) {
        return rule->match == MATCH_YES &&
                (rule->is_goto || text_is(rule->target, "RETURN") || !(ends & END_PASSED_ON));
}

static unsigned walk_chain(Walk *w, Text chain, Text policy, unsigned depth) {
        Text rest = w->table;
        unsigned ends = 0;

        while (rest.len > 0) {
                Text line = text_cut(&rest, '\n'), words = line;
                unsigned of_rule;
                Rule rule;

                if (w->lines_left == 0 || depth > DEPTH_MAX)
                        return END_ANY;
                w->lines_left--;
                if (!text_is(next_word(&words), "-A") || !text_equals(next_word(&words), chain))
                        continue;
                rule = read_rule(w->packet, words);
                if (rule.match == MATCH_NO)
                        continue;
                of_rule = apply_rule(w, &rule, line, policy, depth);
                if (is_last(&rule, of_rule))
                        return ends | of_rule;
                ends |= rule.is_goto || text_is(rule.target, "RETURN") ? of_rule : of_rule & END_ANY;
        }
        return ends | end_of_chain(w, policy);
}

/* The next table of that name, from the line behind "*NAME" to "COMMIT". */
static bool next_table(Text *rest, const char *name, Text *ret) {
        while (rest->len > 0) {
                Text line = text_cut(rest, '\n'), table = *rest;

                if (!text_starts_with(line, "*") || !text_is(text_skip(line, 1), name))
                        continue;
                while (rest->len > 0 && !text_is(line, "COMMIT"))
                        line = text_cut(rest, '\n');
                table.len -= rest->len;
                *ret = table;
                return true;
        }
        return false;
}

static unsigned walk_table(Walk *w, const char *chain) {
        Text policy;

        w->lines_left = LINES_BUDGET;
        return find_chain(w, text_of(chain), &policy) ? walk_chain(w, text_of(chain), policy, 0)
                                                      : END_ACCEPTED;
}

/* Whether there are rules that are not printed; the second wording is that of iptables-nft-save. */
static bool is_incomplete(Text saved) {
        while (saved.len > 0) {
                Text line = text_cut(&saved, '\n');

                if (text_starts_with(line, FIREWALL_INCOMPLETE) ||
                        text_ends_with(line, "is incompatible, use 'nft' tool."))
                        return true;
        }
        return false;
}

int firewall_passes(Text saved, const FirewallPacket *p, Text *ret_rule) {
        bool is_certain = !is_incomplete(saved);
        Text rest = saved, table;

        while (next_table(&rest, "filter", &table)) {
                Walk w = {.table = table, .packet = p};
                unsigned ends = walk_table(&w, "FORWARD");

                if (ends == END_DROPPED) {
                        *ret_rule = w.dropped_by;
                        return 0;
                }
                is_certain = is_certain && ends == END_ACCEPTED;
        }
        return is_certain ? 1 : -ENODATA;
}

int firewall_translates(Text saved, const FirewallPacket *p) {
        bool is_certain = !is_incomplete(saved);
        Text rest = saved, table;

        while (next_table(&rest, "nat", &table)) {
                Walk w = {.table = table, .packet = p};
                unsigned ends = walk_table(&w, "POSTROUTING");

                if (ends == END_TRANSLATED)
                        return 1;
                is_certain = is_certain && ends == END_ACCEPTED;
        }
        return is_certain ? 0 : -ENODATA;
}
